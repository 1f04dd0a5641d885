#!/usr/bin/env bash
# Evolve on a SLURM allocation: a Ray head on the first node, a Ray worker on every other one, token authentication.
#
#   sbatch --nodes=8 scripts/slurm.sh runs/walker paper-quadruped [key=value ...]
#
# runs/walker is made, or resumed where it exists: the same command goes on with a run. When SLURM takes the job back
# (preemption, time limit), the run ends at its last checkpoint and the job queues itself again.
# Before: python -m venv, pip install hebbevo, in a place that all nodes see; activate it, or name it in VENV.

#SBATCH --job-name=hebbevo
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@180

set -euo pipefail
if (($# < 2)); then
    echo 'usage: sbatch scripts/slurm.sh RUN_DIRECTORY PRESET|FILE.yaml [key=value ...]' >&2
    exit 2
fi
out=$1
shift
if [[ -n ${VENV:-} ]]; then
    # shellcheck disable=SC1091
    source "$VENV/bin/activate"
fi

# A token of this job alone; srun hands the environment to every node, and nothing is written to a shared disk.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN
export RAY_USAGE_STATS_ENABLED=0
# Kernels are compiled once per node, on its own disk.
export HEBBEVO_CACHE=${HEBBEVO_CACHE:-${TMPDIR:-/tmp}/hebbevo-$USER}

read -r head < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
port=$((20000 + SLURM_JOB_ID % 20000)) # another job's head may share the node
cpus=${SLURM_CPUS_PER_TASK:-1}
ray_processes=()

start_ray() { # HOW MANY NODES, then the arguments of srun and of ray start
    local nodes=$1 where=$2
    shift 2
    srun --nodes="$nodes" --ntasks="$nodes" "$where" \
        ray start "$@" --num-cpus="$cpus" --disable-usage-stats --block >"ray-$SLURM_JOB_ID-$nodes.log" 2>&1 &
    ray_processes+=($!)
}

finish() { kill "${ray_processes[@]}" 2>/dev/null || true; }
trap finish EXIT

start_ray 1 "--nodelist=$head" --head --node-ip-address="$head" --port="$port" --include-dashboard=false
address=$head:$port
for _ in $(seq 60); do
    ray health-check --address "$address" >/dev/null 2>&1 && break
    sleep 2
done
((SLURM_JOB_NUM_NODES > 1)) && start_ray "$((SLURM_JOB_NUM_NODES - 1))" "--exclude=$head" --address="$address"

# Nodes that come up later join by themselves at the next generation.
if [[ -d $out ]]; then
    hebbevo resume "$out" --ray "$address" &
else
    hebbevo evolve "$@" --out "$out" --ray "$address" &
fi
driver=$!
preempted=
trap 'preempted=1; kill -TERM "$driver" 2>/dev/null || true' TERM

status=0
wait "$driver" || status=$?
while kill -0 "$driver" 2>/dev/null; do # a signal ends `wait` before the driver is done
    status=0
    wait "$driver" || status=$?
done
if [[ -n $preempted && $status != 0 ]]; then
    echo "taken back by SLURM: job $SLURM_JOB_ID queues again and goes on from the last checkpoint of $out"
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
fi
exit "$status"

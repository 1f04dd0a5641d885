#!/usr/bin/env bash
# Evolve as a Ray job: the driver runs on the cluster and outlives this terminal.
#
#   RAY_ADDRESS=http://HEAD:8265 scripts/ray_job.sh /shared/runs/walker paper-quadruped [key=value ...]
#
# The run directory lies on the cluster: a shared disk, or the head's own. Where it exists, the run is resumed. The
# token is the cluster's: ~/.ray/auth_token, RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN (docs/cluster.md).
#
#   ray job list                  what runs             ray job logs --follow ID
#   ray job stop ID               end at the last checkpoint (SIGTERM); the same command goes on from there

set -euo pipefail
if (($# < 2)); then
    echo 'usage: scripts/ray_job.sh RUN_DIRECTORY PRESET|FILE.yaml [key=value ...]' >&2
    exit 2
fi
out=$1
shift
export RAY_AUTH_MODE=token
export RAY_ADDRESS=${RAY_ADDRESS:-http://127.0.0.1:8265}

# shellcheck disable=SC2016  # $0 and $@ belong to the shell on the cluster
exec ray job submit --no-wait --metadata-json '{"what": "hebbevo"}' -- \
    bash -c 'if [ -d "$0" ]; then exec hebbevo resume "$0" --ray auto; else exec hebbevo evolve "$@" --out "$0" --ray auto; fi' \
    "$out" "$@"

"""The cluster launchers, without a cluster: YAML against Ray's schema, SLURM and Ray jobs with stand-ins."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="bash")

STAND_INS = {
    "srun": 'echo "srun $*" >>"$CALLS"; exec sleep 60',
    "ray": 'echo "ray $*" >>"$CALLS"',
    "scontrol": 'echo "scontrol $*" >>"$CALLS"; [ "$1" = show ] && printf "a\\nb\\nc\\n"; true',
    "hebbevo": 'echo "hebbevo $* $RAY_AUTH_MODE ${#RAY_AUTH_TOKEN}" >>"$CALLS"\n'
    'trap "sleep 0.3; exit 130" TERM\nfor _ in $(seq "$NAPS"); do sleep 0.1; done\nexit "$STATUS"',
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    for name, text in STAND_INS.items():
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "USER": "someone",
        "SLURM_JOB_ID": "71234",
        "SLURM_JOB_NODELIST": "[a-c]",
        "SLURM_JOB_NUM_NODES": "3",
        "SLURM_CPUS_PER_TASK": "5",
        "NAPS": "0",
        "STATUS": "0",
    }


def calls(tmp_path: Path) -> list[str]:
    path = tmp_path / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_slurm_starts_a_head_and_workers_and_evolves(environment: dict[str, str], tmp_path: Path) -> None:
    command = [SCRIPTS / "slurm.sh", "runs/a", "quick-quadruped", "search.population=4"]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=60)
    made = calls(tmp_path)
    head, workers = (line for line in sorted(made) if line.startswith("srun"))
    assert head.startswith(
        "srun --nodes=1 --ntasks=1 --nodelist=a ray start --head --node-ip-address=a --port=31234"
    )
    assert "--num-cpus=5" in head
    assert workers.startswith("srun --nodes=2 --ntasks=2 --exclude=a ray start --address=a:31234")
    evolve = "hebbevo evolve quick-quadruped search.population=4 --out runs/a --ray a:31234 token 64"
    assert evolve in made
    assert not any("requeue" in line for line in made)


def test_slurm_resumes_and_hands_on_the_exit_code(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    environment["STATUS"] = "2"
    command = [SCRIPTS / "slurm.sh", "runs", "quick-quadruped"]
    assert subprocess.run(command, env=environment, cwd=tmp_path, check=False, timeout=60).returncode == 2
    assert "hebbevo resume runs --ray a:31234 token 64" in calls(tmp_path)


def test_slurm_ends_at_a_checkpoint_and_queues_again_when_preempted(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment.update(NAPS="600", STATUS="1")
    job = subprocess.Popen([SCRIPTS / "slurm.sh", "runs/a", "quick-quadruped"], env=environment, cwd=tmp_path)
    end = time.monotonic() + 30
    while not any(line.startswith("hebbevo") for line in calls(tmp_path)):
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.3)
    job.send_signal(signal.SIGTERM)
    assert job.wait(timeout=30) == 0
    assert calls(tmp_path)[-1] == "scontrol requeue 71234"


def test_a_ray_job_carries_its_arguments_to_the_cluster(environment: dict[str, str], tmp_path: Path) -> None:
    # the stand-in runs what comes after `--`, as the head of a cluster would
    (tmp_path / "bin" / "ray").write_text(
        '#!/bin/bash\necho "$RAY_ADDRESS $RAY_AUTH_MODE" >>"$CALLS"\n'
        'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    command = [SCRIPTS / "ray_job.sh", "runs/a b", "quick-quadruped", "plasticity.rule=w + eta*pre*post"]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "runs" / "a b").mkdir(parents=True)
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=60)
    made = calls(tmp_path)
    assert made[0].startswith("http://127.0.0.1:8265 token")
    assert made[1].startswith(
        "hebbevo evolve quick-quadruped plasticity.rule=w + eta*pre*post --out runs/a b --ray auto"
    )
    assert made[3].startswith("hebbevo resume runs/a b --ray auto")


@pytest.mark.parametrize("name", ["slurm.sh", "ray_job.sh"])
def test_too_few_arguments_print_the_usage(name: str, environment: dict[str, str]) -> None:
    done = subprocess.run([SCRIPTS / name, "x"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {'sbatch ' if name == 'slurm.sh' else ''}scripts/{name}")


def test_ray_accepts_the_cluster_file() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((SCRIPTS / "cluster.yaml").read_text(encoding="utf-8"))
    assert "~/.ray/auth_token" in config["file_mounts"]
    for command in (*config["head_start_ray_commands"], *config["worker_start_ray_commands"]):
        assert "ray start" not in command or "RAY_AUTH_MODE=token" in command
    validate_config(prepare_config(config))

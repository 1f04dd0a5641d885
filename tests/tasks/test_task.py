"""A task: it goes to another process as it is, whatever has been asked of it before."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import cached_property
from pathlib import Path

import pytest
from tasks import HERE, cart_pole_task, quadruped_task

from hebbevo import evaluate, load_genome
from hebbevo.errors import RuleError
from hebbevo.networks.numba.kernel_text import source
from hebbevo.tasks.task import Task


@pytest.mark.parametrize("make", [cart_pole_task, quadruped_task])
def test_a_task_pickles_after_all_was_asked_of_it(make) -> None:
    task = make("plasticity.sharing={eta: layer}", "perturbations=zero_weights:at=3")
    for name, value in vars(Task).items():
        if isinstance(value, cached_property):
            getattr(task, name)
    copy = pickle.loads(pickle.dumps(task))
    assert copy == task
    assert copy.header() == task.header()
    assert copy.layout == task.layout
    assert source(copy.kernel_spec) == source(task.kernel_spec)


MODULATED = "plasticity.rule=w + m*eta*pre*post"
OPTIMIZED = f"""
from hebbevo import evolve, load_config
try:
    evolve(load_config("quick-quadruped", ["{MODULATED}", "search.population=4"]), "run")
except ValueError as error:
    print(type(error).__name__, error)
"""


def test_a_rule_that_no_network_can_run_is_refused() -> None:
    with pytest.raises(RuleError, match=r"set network\.modulators"):
        quadruped_task(MODULATED).check_network()


def test_it_is_refused_without_assertions_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-c", OPTIMIZED], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.startswith("RuleError"), done.stderr[-2000:]
    assert not list(tmp_path.iterdir())


def test_ctrl_c_ends_a_lifetime_at_its_next_step() -> None:
    """Not at its millionth, which is the last."""
    genome = load_genome("zoo:quick-quadruped-static").lasting(1_000_000)
    evaluate(genome.lasting(1), episodes=1, controls=False, execution=HERE)  # compiles
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.process_time()
    with pytest.raises(KeyboardInterrupt):
        evaluate(genome, episodes=8, controls=False, execution=HERE)
    assert time.process_time() - began < 20

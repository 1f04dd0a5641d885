"""Environments in processes: the same bits as in this one, and what is left when something ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from hebbevo.envs import BatchedEnvironment, EnvConfig, EnvironmentInterface, config_class
from hebbevo.envs.subprocess.environment import ProcessEnvironment
from hebbevo.errors import EnvError

CART_POLE = "gymnasium:CartPole-v1"
ARRAYS = ("observations", "rewards", "done", "terminated", "diverged")


def config_of(name: str) -> EnvConfig:
    if name == "car_racing":
        pytest.importorskip("Box2D")
    return config_class(name)(name=name)


def arrays_of(batch: BatchedEnvironment) -> list[np.ndarray]:
    return [getattr(batch, name).copy() for name in ARRAYS]


def histories_of(batch: BatchedEnvironment, count: int) -> list[list[np.ndarray]]:
    """Return all arrays after each step of two blocks of lifetimes, of which some end and one diverges."""
    random, result = np.random.default_rng(5), []
    for lifetimes in (count, count - 1):
        batch.reset(range(3, 3 + lifetimes), ["default"] * lifetimes)
        active = np.arange(lifetimes)
        result.append(arrays_of(batch))
        for step in range(6):
            actions = random.uniform(-1, 1, (count, batch.action_size)).astype(np.float32)
            if step == 3:
                actions[1] = np.nan
            batch.step(actions, active)
            result.append(arrays_of(batch))
            active = active[active != step]
    return result


@pytest.mark.parametrize(("name", "processes"), [(CART_POLE, 1), (CART_POLE, 3), ("car_racing", 2)])
def test_the_same_bits_as_in_this_process(name: str, processes: int) -> None:
    config, count = config_of(name), 5
    plain, batch = config.build(count), ProcessEnvironment(config, count, processes)
    assert (batch.observation_size, batch.action_size) == (plain.observation_size, plain.action_size)
    assert batch.image_shape == plain.image_shape
    np.testing.assert_array_equal(batch.action_slopes, plain.action_slopes)
    arrays = [getattr(batch, name) for name in ARRAYS]
    for history, expected in zip(histories_of(batch, count), histories_of(plain, count), strict=True):
        for array, wanted in zip(history, expected, strict=True):
            assert array.dtype == wanted.dtype
            np.testing.assert_array_equal(array, wanted)
    assert all(before is getattr(batch, name) for before, name in zip(arrays, ARRAYS, strict=True))
    children = list(batch._children)
    batch.close()
    assert len(children) == processes
    assert not any(child.is_alive() for child in children)


class FragileConfig(EnvConfig):
    """Fails where an action is 2; kills its process where it is 3."""

    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False
    environment: ClassVar[str] = f"{__name__}:Fragile"
    name: str = "fragile"

    @property
    def interface(self) -> EnvironmentInterface:
        return EnvironmentInterface(2, np.ones(1, np.float32))


class Fragile(BatchedEnvironment):
    def __init__(self, config: FragileConfig, batch_size: int) -> None:
        if config.steps == 13:
            raise EnvError("env.steps must not be 13; use 14")
        super().__init__(batch_size, 2, 1)

    def reset(self, seeds, morphologies) -> None:
        if "broken" in morphologies:
            raise EnvError("unknown morphology 'broken'")
        self._clear_rows(self._check_reset(seeds, morphologies))

    def step(self, actions, active) -> None:
        for row in active:
            if actions[row] == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            self.rewards[row] = 1 // (2 - int(actions[row, 0]))


def test_errors_of_the_environment_cross_over() -> None:
    batch, actions = ProcessEnvironment(FragileConfig(), 3, 2), np.zeros((3, 1), np.float32)
    with pytest.raises(EnvError, match="unknown morphology 'broken'"):
        batch.reset([1, 2], ["default", "broken"])
    with pytest.raises(EnvError, match="one morphology per seed"):
        batch.reset([1, 2], ["default"])
    batch.reset([1, 2, 3], ["default"] * 3)
    actions[1] = 2
    with pytest.raises(RuntimeError, match="ZeroDivisionError") as raised:
        batch.step(actions, np.arange(3))
    assert "in step" in raised.value.__notes__[0]
    actions[:] = 1  # the batch goes on
    batch.step(actions, np.array([0, 1]))
    np.testing.assert_array_equal(batch.rewards, [1, 1, 0])
    batch.close()


def test_a_config_that_cannot_be_built_is_refused_at_once() -> None:
    with pytest.raises(EnvError, match="must not be 13"):
        ProcessEnvironment(FragileConfig(steps=13), 3, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_process_that_dies_is_one_error_and_ends_the_others() -> None:
    batch, actions = ProcessEnvironment(FragileConfig(), 3, 2), np.zeros((3, 1), np.float32)
    batch.reset([1, 2, 3], ["default"] * 3)
    children = list(batch._children)
    actions[1] = 3
    with pytest.raises(ChildProcessError, match="process fragile 2 of 2 was killed by signal 9"):
        batch.step(actions, np.arange(3))
    assert not any(child.is_alive() for child in children)
    with pytest.raises(ChildProcessError, match="have ended"):
        batch.step(actions, np.arange(3))


SCRIPT = f"""
import os, sys, time
from hebbevo.envs import config_class
from hebbevo.envs.subprocess.environment import ProcessEnvironment

if __name__ == "__main__":
    batch = ProcessEnvironment(config_class({CART_POLE!r})(name={CART_POLE!r}), 2, 2)
    batch.reset([1, 2], ["default"] * 2)
    try:
        print(*(child.pid for child in batch._children), flush=True)
        if sys.argv[1] == "exit":
            sys.exit(0)
        time.sleep(600)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")
@pytest.mark.parametrize("end", ["exit", "interrupt", "kill"])
def test_nothing_is_left_when_the_program_ends(end: str, tmp_path: Path) -> None:
    """No process, no memory in /dev/shm, no word on standard error; Ctrl-C goes to the process group."""
    (tmp_path / "program.py").write_text(SCRIPT)
    before = set(os.listdir("/dev/shm"))
    program = subprocess.Popen(
        [sys.executable, "program.py", end],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = [int(word) for word in program.stdout.readline().split()]
    assert len(children) == 2
    if end == "interrupt":
        os.killpg(program.pid, signal.SIGINT)
    if end == "kill":
        program.kill()
    output, errors = program.communicate(timeout=300)
    assert (output, errors) == ("interrupted\n" if end == "interrupt" else "", "")
    assert program.returncode == (-signal.SIGKILL if end == "kill" else 0)
    deadline = time.monotonic() + 60
    while any(is_running(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_running(pid) for pid in children)
    assert not [name for name in set(os.listdir("/dev/shm")) - before if name.startswith(("pym", "psm"))]


def is_running(pid: int) -> bool:
    """Return whether a process exists and is more than an entry that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

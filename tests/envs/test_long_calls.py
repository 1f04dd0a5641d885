"""No call of MuJoCo lasts: long steps are cut into several, whose bits are those of one."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from hebbevo import envs, load_config
from hebbevo.envs.robots import simulations
from hebbevo.envs.robots.config import WalkerConfig


def small(**settings: object) -> WalkerConfig:
    config = load_config("quick-quadruped", {f"env.{key}": value for key, value in settings.items()}).env
    assert isinstance(config, WalkerConfig)
    return config


def observed(config: WalkerConfig, rows: int) -> np.ndarray:
    batch = envs.make(config, batch_size=rows)
    batch.reset(range(rows), [config.morphologies[0]] * rows)
    seen = [batch.observations.copy()]
    for action in (0.9, -0.4):
        batch.step(np.full((rows, 8), action, np.float32), np.arange(rows))
        seen.append(batch.observations.copy())
    return np.stack(seen)


@pytest.mark.parametrize("longest", [1, 7, 30])
def test_a_call_cut_in_parts_gives_the_same_bits(longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small(burn_in=3, substeps=4)
    whole = observed(config, 3)
    monkeypatch.setattr(simulations, "LONGEST_CALL", longest)
    np.testing.assert_array_equal(observed(config, 3), whole)


def test_at_its_bounds_no_call_has_more_substeps_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(batch: mujoco.batch.Batch) -> simulations.Step:
        def step(rows: np.ndarray | None, substeps: int) -> int:
            calls.append(substeps * (batch.nsim if rows is None else len(rows)))
            return 0

        return step

    monkeypatch.setattr(simulations, "unchecked_step", counted)
    for settings in ({"burn_in": 1000, "substeps": 10}, {"burn_in": 100, "substeps": 100}):
        observed(small(**settings, timestep=0.1, gear=10_000, reset_noise=1), rows=64)
    assert sum(calls) == 64 * (2 * 10_000 + 2 * (10 + 100))
    assert max(calls) <= simulations.LONGEST_CALL

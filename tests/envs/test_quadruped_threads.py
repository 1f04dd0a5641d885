"""Quadrupeds stepped on several threads: the same bits."""

import numpy as np
import pytest

from hebbevo.envs import config_class


@pytest.mark.parametrize("name", ["quadruped", "dog"])
def test_threads_change_no_bit(name: str) -> None:
    config = config_class(name)(name=name, burn_in=3)
    batch_size, seen = 150, []
    for threads in (1, 3):
        environment = config.build(batch_size)
        environment.use_threads(threads)
        bodies = [config.morphology_names[row % 2] for row in range(batch_size)]
        environment.reset(list(range(batch_size)), bodies)
        rng, active = np.random.default_rng(1), np.arange(batch_size)
        for step in range(20):
            actions = rng.uniform(-1, 1, (batch_size, environment.action_size)).astype(np.float32)
            environment.step(actions, active if step < 10 else active[::2].copy())
        seen.append((environment.observations.tobytes(), environment.rewards.tobytes()))
        environment.close()
    assert seen[0] == seen[1]

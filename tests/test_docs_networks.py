"""Every configuration that docs/networks.md shows makes a network, and the refusals that it quotes are those given."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from hebbevo.config.loading import load_config
from hebbevo.errors import InputError
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

PAGE = (Path(__file__).parents[1] / "docs" / "networks.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_run(block):
    given = {
        f"{section}.{key}": value
        for section, keys in yaml.safe_load(block).items()
        for key, value in keys.items()
    }
    task = Task.of(load_config("quick-quadruped", {**given, "env.steps": 3, "env.burn_in": 0}))
    worker = CpuWorker(task, 1)
    result = worker.rollout(task.first_center(0)[None], [0], [1], ["intact"], early_stop=False)
    assert np.isfinite(result.fitness).all()


def test_the_page_has_both_forms():
    assert [("populations" in block) for block in BLOCKS] == [False, True]


def test_quoted_refusals_are_given():
    circle = {
        "network.populations": {"hidden": {"size": 4}, "out": {}},
        "network.projections": ["observation -> hidden", "hidden -> hidden", "hidden -> out"],
    }
    sizes = {"network.hidden": [64], "network.modulators": 3, "plasticity.rule": "w + m*A*pre*post"}
    quoted = re.findall(r"^    hebbevo: (.*)$", PAGE, re.MULTILINE)
    for overrides, line in zip((circle, sizes), quoted, strict=True):
        with pytest.raises(InputError) as refusal:
            load_config("quick-quadruped", overrides)
        assert str(refusal.value) == line

"""A task: it goes to another process as it is, whatever has been asked of it before."""

import pickle
from functools import cached_property

import pytest
from tasks import cart_pole_task, quadruped_task

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

"""The sampled bodies: two fixed splits, apart, the same in every process."""

import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest

from hebbevo.envs import MORPHOLOGIES
from hebbevo.envs.morphologies.catalogue import NAMED, split_names
from hebbevo.envs.morphologies.edits import LockJoint, RemoveSegment, ScaleLegs, ScaleMotor, ScaleSegment
from hebbevo.envs.morphologies.sampler import SPLITS, describe, sample_edits
from hebbevo.envs.morphologies.world_edits import Slope
from hebbevo.errors import EnvError

PUBLISHED = "73bbdfec4f01db0e"
"""Of all sampled edits: results name bodies, so that they must never change."""


def digest():
    edits = [
        (split, number, sample_edits(split, number)) for split in SPLITS for number in range(SPLITS[split])
    ]
    text = re.sub(r", (joint|geom|body)=''", "", repr(edits))  # as it was before parts could go by name
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_splits_are_large_enough_and_listed():
    assert SPLITS["train"] >= 100
    assert SPLITS["test"] == 30
    for split, size in SPLITS.items():
        names = split_names(split)
        assert len(names) == size
        assert set(names) <= set(MORPHOLOGIES)
    assert {"train_017", "test_05"} <= set(MORPHOLOGIES)
    assert len(MORPHOLOGIES) == len(NAMED) + sum(SPLITS.values())
    with pytest.raises(EnvError, match="did you mean train"):
        split_names("trian")


def test_bodies_are_those_published():
    assert digest() == PUBLISHED


def test_another_process_draws_the_same():
    program = f"""
import numpy as np
np.random.seed(3)
import sys; sys.path.insert(0, {str(__file__.rsplit("/", 1)[0])!r})
import test_morphology_sampler
print(test_morphology_sampler.digest())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest()


def test_the_order_of_drawing_does_not_matter():
    np.random.seed(1)  # noqa: NPY002  (nothing may read it)
    assert sample_edits("test", 7) == MORPHOLOGIES["test_07"].edits
    assert sample_edits("train", 7) == MORPHOLOGIES["train_007"].edits


def test_no_body_occurs_twice():
    """Not within a split, not in both, not among those made by hand."""
    edits = [body.edits for body in MORPHOLOGIES.values()]
    assert len(set(edits)) == len(edits)


def test_every_body_has_a_line_of_its_own():
    lines = [body.description for body in MORPHOLOGIES.values()]
    assert all(line and "\n" not in line for line in lines)
    assert len(set(lines)) == len(lines)
    assert all(name == body.name for name, body in MORPHOLOGIES.items())


@pytest.mark.parametrize("split", SPLITS)
def test_bodies_are_varied(split):
    kinds = {type(edit) for name in split_names(split) for edit in MORPHOLOGIES[name].edits}
    assert {LockJoint, RemoveSegment} <= kinds
    assert len(kinds) >= 8
    sizes = {len(MORPHOLOGIES[name].edits) for name in split_names(split)}
    assert sizes == {1, 2, 3}


def test_every_change_is_one():
    """No sampled edit leaves things as they are, and every body has legs of other lengths."""
    for split in SPLITS:
        for name in split_names(split):
            edits = MORPHOLOGIES[name].edits
            assert any(isinstance(edit, ScaleSegment | ScaleLegs | RemoveSegment) for edit in edits)
            for edit in edits:
                numbers = [value for value in vars(edit).values() if isinstance(value, float)]
                idle = 0 if isinstance(edit, Slope) else 1
                if numbers and not (isinstance(edit, ScaleMotor) or any(value != idle for value in numbers)):
                    raise AssertionError((name, edit))
            assert all(part.strip() for part in MORPHOLOGIES[name].description.split(";"))


def test_descriptions_say_what_is_drawn():
    body = MORPHOLOGIES["train_000"]
    assert describe(body.edits) == body.description

"""Promises about bits: fused equals separate, neighbours and rows do not matter, poison does not leak."""

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from kernel_batch import PAPER, PERCEPTRON_RULES, SMALL, KernelBatch, spec_of

from hebbevo.networks.normalisers import NORMALISERS
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.rules import RULES, Rule

RETROACTIVE = Rule(
    "retroactive",
    hebb="clip(hebb + elig, -1, 1)",
    elig="(1-eta)*elig + eta*pre*post",
    weight="w + alpha*hebb",
)
FAST = [
    *((RULES[name], "max") for name in ("none", "A", "oja", "ABCD_lr_D_in_and_out")),
    *((RULES["ABCD_lr"], kind) for kind in NORMALISERS),
    (RETROACTIVE, "none"),
]


def case_id(value: object) -> str:
    return value.name if isinstance(value, Rule) else str(value)


def steps_of(batch: KernelBatch, fused: bool, steps: int = 8) -> list[bytes]:
    """Run a closed loop, and return the bytes of every forward pass and of the last states."""
    rng, seen = np.random.default_rng(3), []
    for step in range(steps):
        batch.observations[...] = rng.standard_normal(batch.observations.shape)
        if step and fused:
            batch.run(batch.kernel.learn_forward)
        else:
            if step:
                batch.run(batch.kernel.learn)
            batch.run(batch.kernel.forward)
        seen.append(batch.new.tobytes())
        batch.advance()
    batch.run(batch.kernel.learn)
    return [*seen, batch.states.tobytes()]


def assert_fused_is_exact(rule: Rule, kind: str, sizes: tuple[int, ...]) -> None:
    spec = spec_of(rule, normaliser=kind, sizes=sizes)
    assert steps_of(KernelBatch(spec, 3), fused=True) == steps_of(KernelBatch(spec, 3), fused=False)


@pytest.mark.parametrize(("rule", "kind"), FAST, ids=case_id)
def test_fused_is_learn_then_forward(rule: Rule, kind: str) -> None:
    assert_fused_is_exact(rule, kind, SMALL)


def test_fused_is_learn_then_forward_in_the_papers_network() -> None:
    assert_fused_is_exact(RULES["ABCD_lr"], "max", PAPER)


def complaint(case: tuple[str, str]) -> str:
    """Return what is wrong with the fused kernel of a case, or nothing."""
    try:
        assert_fused_is_exact(RULES[case[0]], case[1], SMALL)
    except AssertionError:
        return f"{case}: not the same bits"
    return ""


@pytest.mark.slow
def test_fused_is_exact_for_every_rule_under_two_normalisers() -> None:
    """Compiled in two processes."""
    done = {(rule.name, kind) for rule, kind in FAST}
    turns = zip(PERCEPTRON_RULES * 2, itertools.cycle((*NORMALISERS, "none")), strict=False)
    cases = [case for case in turns if case not in done]
    assert {kind for _, kind in cases} == set(NORMALISERS)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert [text for text in pool.map(complaint, cases) if text] == []


def one_step(batch: KernelBatch, rows: list[int]) -> None:
    batch.run(batch.kernel.learn_forward, rows)


@pytest.mark.parametrize("kind", NORMALISERS)
def test_rows_and_neighbours_do_not_matter(kind: str) -> None:
    """Row 2 alone, in reverse order, one by one, or beside neighbours of NaN: the same bits."""
    spec = spec_of("ABCD_lr", normaliser=kind)
    batch = KernelBatch(spec, 4)
    one_step(batch, [0, 1, 2, 3])
    expected = batch.states[2].tobytes(), batch.new[2].tobytes()
    for order in ([3, 2, 1, 0], [2]):
        other = KernelBatch(spec, 4)
        one_step(other, order)
        assert (other.states[2].tobytes(), other.new[2].tobytes()) == expected
    poisoned = KernelBatch(spec, 4)
    for rows in (poisoned.states, poisoned.constants, poisoned.old, poisoned.observations):
        rows[[0, 1, 3]] = np.nan
    poisoned.new[...] = np.nan
    poisoned.lanes[...] = np.nan
    one_step(poisoned, [0, 1, 2, 3])
    used = np.concatenate([np.arange(s.start, s.stop) for s in poisoned.segments])
    before = np.frombuffer(expected[1], np.float32)
    assert poisoned.states[2].tobytes() == expected[0]
    assert np.array_equal(poisoned.new[2][used], before[used])
    output = poisoned.segments[-1]
    assert np.isnan(poisoned.new[[0, 1, 3], output.start : output.stop]).all(), "NaN stays visible"


def test_another_row_gives_the_same_bits() -> None:
    spec = spec_of("ABCD_lr", normaliser="max")
    batch, moved = KernelBatch(spec, 4), KernelBatch(spec, 4)
    for rows in (moved.states, moved.constants, moved.old, moved.observations):
        rows[0] = rows[3]
    one_step(batch, [3])
    one_step(moved, [0])
    assert batch.states[3].tobytes() == moved.states[0].tobytes()
    assert batch.new[3].tobytes() == moved.new[0].tobytes()


def test_resting_rows_are_not_touched() -> None:
    batch = KernelBatch(spec_of("ABCD_lr", normaliser="max"), 3)
    for rows in (batch.states, batch.old, batch.new):
        rows[1] = np.nan
    before = batch.states[1].tobytes(), batch.new[1].tobytes()
    one_step(batch, [0, 2])
    assert (batch.states[1].tobytes(), batch.new[1].tobytes()) == before
    assert np.isfinite(batch.states[[0, 2]]).all()


def test_several_lifetimes_share_a_genome() -> None:
    spec = spec_of("ABCD_lr")
    batch, other = KernelBatch(spec, 3), KernelBatch(spec, 3)
    other.constants[2] = other.constants[0]
    other.genome_of[...] = [0, 1, 2]
    one_step(other, [2])
    batch.genome_of[...] = [0, 1, 0]
    one_step(batch, [2])
    assert batch.states[2].tobytes() == other.states[2].tobytes()


@pytest.mark.parametrize("genome_of", [[0, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 1]])
def test_two_lifetimes_of_a_genome_go_as_each_alone(genome_of: list[int]) -> None:
    """Lifetimes side by side with one genome share a loop; the bits are those of a lifetime by itself."""
    spec = spec_of("ABCD_lr")
    together, alone = KernelBatch(spec, 4), KernelBatch(spec, 4)
    for batch in (together, alone):
        batch.genome_of[...] = genome_of
        for _ in range(3):
            for rows in ([0, 1, 2, 3],) if batch is together else ([3], [1], [0], [2]):
                one_step(batch, rows)
            batch.advance()
    assert together.states.tobytes() == alone.states.tobytes()
    assert together.actions.tobytes() == alone.actions.tobytes()
    np.testing.assert_array_equal(together.actions, together.old[:, together.segments[-1].start :][:, :5])
    assert len({row.tobytes() for row in together.states}) == 4


def test_threads_share_one_kernel() -> None:
    spec = spec_of("hebb", sizes=(3, 5, 2))
    with ThreadPoolExecutor(4) as pool:
        kernels = list(pool.map(lambda _: NumbaKernel(spec), range(8)))
    assert len({id(kernel.learn) for kernel in kernels}) == 1

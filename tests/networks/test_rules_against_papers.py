"""Each rule against float64 loops written from the papers, with activations given, over 50 steps."""

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import torch
from kernel_batch import PAPER, SMALL, KernelBatch, plain_module, spec_of
from scalar_reference import NEXT_WEIGHT, error, forward, normalised, update

from hebbevo.networks.encodings import SHARINGS
from hebbevo.networks.normalisers import NORMALISERS, normalise
from hebbevo.rules import PUBLISHED, RULES

STEPS = 50


def test_every_rule_of_weights_and_activations_is_here() -> None:
    simple = {
        name for name, rule in RULES.items() if rule.states == ("w",) and rule.signals <= {"pre", "post"}
    }
    assert set(NEXT_WEIGHT) == simple - {"none", "neuron_centric"}  # its sharing needs names of two roles
    assert set(PUBLISHED) <= set(NEXT_WEIGHT)
    assert len(PUBLISHED) == 9


def open_loop(batch: KernelBatch, entry, steps: int, torch_too: bool) -> None:
    """Feed random activations; compare every layer's weights after every tenth step."""
    rng, layers = np.random.default_rng(1), batch.layers
    name, kind = batch.rule.name, batch.normaliser
    coefficients = [{c: a.astype(float) for c, a in batch.coefficients(layer).items()} for layer in layers]
    expected = [batch.weights(layer)[0].astype(float) for layer in layers]
    reference = [torch.tensor(w) for w in expected]
    for step in range(1, steps + 1):
        signals = [rng.uniform(-1, 1, size).astype(np.float32) for size in batch.sizes]
        batch.set_activations(signals)
        batch.run(entry)
        for layer in layers:
            x, y = signals[layer], signals[layer + 1]
            expected[layer] = normalised(update(name, expected[layer], coefficients[layer], x, y), kind)
            if torch_too:
                stepped = batch.rule.step(
                    {"w": reference[layer]},
                    {c: torch.tensor(a) for c, a in coefficients[layer].items()},
                    pre=torch.tensor(x, dtype=torch.float64),
                    post=torch.tensor(y, dtype=torch.float64),
                )
                reference[layer] = normalise(stepped["w"], kind)
        if step % 10 == 0:
            for layer in layers:
                assert error(batch.weights(layer)[0], expected[layer]) < 1e-4, (layer, step)
                if torch_too:
                    assert error(reference[layer].numpy(), expected[layer]) < 1e-10, (layer, step)


@pytest.mark.parametrize("kind", NORMALISERS)
@pytest.mark.parametrize("sharing", SHARINGS)
@pytest.mark.parametrize("name", NEXT_WEIGHT)
def test_torch_reference_and_kernel_text(name: str, sharing: str, kind: str) -> None:
    """The kernel's text runs as plain Python here, on a network small enough for that."""
    spec = spec_of(name, sharing, kind, sizes=(2, 16, 2))
    with np.errstate(all="ignore"):
        open_loop(KernelBatch(spec), plain_module(spec)["learn"], STEPS, torch_too=True)


COMPILED = [
    *((name, "synapse", "max") for name in NEXT_WEIGHT),
    *(("ABCD_lr", sharing, "none") for sharing in SHARINGS),
    *(("ABCD_lr", "synapse", kind) for kind in NORMALISERS),
]


@pytest.mark.parametrize(("name", "sharing", "kind"), sorted(set(COMPILED)))
def test_compiled_kernel(name: str, sharing: str, kind: str) -> None:
    batch = KernelBatch(spec_of(name, sharing, kind))
    open_loop(batch, batch.kernel.learn, STEPS, torch_too=False)


def complaint(case: tuple[str, str, str]) -> str:
    """Return what is wrong with the compiled kernel of a case, or nothing."""
    batch = KernelBatch(spec_of(*case))
    try:
        open_loop(batch, batch.kernel.learn, STEPS, torch_too=False)
    except AssertionError as error:
        return f"{case}: {error}"
    return ""


@pytest.mark.slow
def test_compiled_kernel_of_every_rule_and_each_pair_of_the_others() -> None:
    """Two kernels a rule, which together have every sharing under every normaliser; compiled in two processes."""
    pairs = itertools.cycle(itertools.product(SHARINGS, NORMALISERS))
    cases = [(name, *next(pairs)) for name in [*NEXT_WEIGHT] * 2]
    assert {case[1:] for case in cases} == set(itertools.product(SHARINGS, NORMALISERS))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert [text for text in pool.map(complaint, cases, chunksize=4) if text] == []


def test_mixed_sharing() -> None:
    sharing = {"A": "post", "B": "pre", "C": "layer", "D": "network", "eta": "synapse"}
    batch = KernelBatch(spec_of("ABCD_lr", sharing))
    open_loop(batch, batch.kernel.learn, STEPS, torch_too=True)
    shapes = {name: a.shape for name, a in batch.coefficients(0).items()}
    assert shapes == {"A": (17, 1), "B": (1, 6), "C": (1, 1), "D": (1, 1), "eta": (17, 6)}


def test_network_of_the_paper() -> None:
    batch = KernelBatch(spec_of("ABCD_lr", "synapse", "max", sizes=PAPER))
    open_loop(batch, batch.kernel.learn, STEPS, torch_too=False)


def test_closed_loop_max_normalised() -> None:
    batch = KernelBatch(spec_of("ABCD_lr", "synapse", "max", sizes=PAPER), scale=1.0)
    rng, layers = np.random.default_rng(2), range(3)
    expected = [batch.weights(layer)[0].astype(float) for layer in layers]
    coefficients = [{c: a.astype(float) for c, a in batch.coefficients(layer).items()} for layer in layers]
    activations: list[np.ndarray] = []
    for step in range(200):
        batch.observations[0] = rng.standard_normal(PAPER[0])
        batch.run(batch.kernel.learn_forward if step else batch.kernel.forward)
        if step:
            for layer, k in enumerate(coefficients):
                w, x, y = expected[layer], activations[layer], activations[layer + 1][:, None]
                w = w + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y + k["D"])
                expected[layer] = w / np.abs(w).max()
        activations = forward_fast(expected, batch.observations[0])
        batch.advance()
        for layer in layers:
            segment = batch.segments[layer + 1]
            assert error(batch.old[0, segment.start : segment.stop], activations[layer + 1]) < 1e-4, step
            assert error(batch.weights(layer)[0], expected[layer]) < 1e-4, step


def forward_fast(weights: list[np.ndarray], observation: np.ndarray) -> list[np.ndarray]:
    activations = [observation.astype(float)]
    for matrix in weights:
        activations.append(np.tanh(matrix @ activations[-1]))
    return activations


@pytest.mark.parametrize("sizes", [SMALL, PAPER, (3, 2), (1, 1, 16, 33, 1)])
def test_forward(sizes: tuple[int, ...]) -> None:
    batch = KernelBatch(spec_of("none", sizes=sizes))
    batch.new[...] = np.nan
    batch.run(batch.kernel.forward)
    weights = [batch.weights(layer)[0].astype(float) for layer in range(len(sizes) - 1)]
    for layer, expected in enumerate(forward(weights, batch.observations[0])):
        assert error(batch.activations(layer)[0], expected) < 1e-5

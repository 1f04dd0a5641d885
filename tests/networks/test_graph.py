"""Networks of populations and projections: whole lifetimes against a NumPy loop in float64, on every back end."""

import importlib.util

import numpy as np
import pytest
from graphs import (
    OBSERVATION,
    PARTS,
    Make,
    error_of_lifetimes,
    genomes_of,
    network_of,
    numba_network,
    torch_network,
    triton_network,
)

from hebbevo.networks.network_spec import NetworkSpec

STEPS = 66
"""Noise is drawn for 64 steps at a time."""
MAKERS: dict[str, Make] = {"numba": numba_network, "torch": torch_network}
WITH_TRITON = MAKERS | ({"triton": triton_network} if importlib.util.find_spec("triton") else {})


@pytest.mark.parametrize("kind", PARTS)
@pytest.mark.parametrize("back_end", WITH_TRITON)
def test_a_lifetime_agrees_with_float64(back_end: str, kind: str) -> None:
    """With more and with fewer neurons than a vector has lanes."""
    steps = 30 if back_end == "triton" else STEPS
    assert error_of_lifetimes(network_of(*PARTS[kind]), WITH_TRITON[back_end], steps) < 1e-5


@pytest.mark.parametrize("back_end", WITH_TRITON)
def test_a_lifetime_of_a_narrow_network_agrees_with_float64(back_end: str) -> None:
    """Fewer neurons than a vector has lanes, and raw outputs."""
    spec = network_of(*PARTS["all together"], hidden=6, output="identity")
    assert error_of_lifetimes(spec, WITH_TRITON[back_end], 30) < 1e-5


def lifetimes(spec: NetworkSpec, make: Make, batch_size: int, order: list[int], steps: int = 20) -> list:
    """Return the bytes of the actions and the last states of lifetimes that run in batches in this order."""
    count, found = len(order), {}
    genomes = genomes_of(spec, count // 2)
    seen = np.random.default_rng(2).uniform(-1, 1, (steps, count, OBSERVATION)).astype(np.float32)
    rewards = np.random.default_rng(3).uniform(-1, 1, (steps, count))
    network = make(spec, batch_size)
    for start in range(0, count, batch_size):
        numbers = order[start : start + batch_size]
        network.reset(genomes, [number // 2 for number in numbers], [50 + number for number in numbers])
        rows, actions = np.arange(len(numbers)), []
        for step in range(steps):
            observations = np.full((batch_size, OBSERVATION), np.nan, np.float32)
            observations[rows] = seen[step, numbers]
            given = np.full(batch_size, np.nan)
            given[rows] = rewards[step, numbers]
            actions.append(network.forward(observations, rows)[rows].copy())
            network.learn(rows, given)
        for row, number in enumerate(numbers):
            parts = [each[row].tobytes() for each in actions]
            for layer in range(1, network.layers + 1):
                parts += [network.state(state, layer)[row].tobytes() for state in network.states(layer)]
            found[number] = b"".join(parts)
    return [found[number] for number in range(count)]


@pytest.mark.parametrize("back_end", MAKERS)
def test_the_batch_and_the_order_change_no_bit(back_end: str) -> None:
    spec, make = network_of(*PARTS["all together"]), MAKERS[back_end]
    alone = lifetimes(spec, make, 6, list(range(6)))
    assert len(set(alone)) == 6
    for batch_size, order in ((3, [5, 4, 3, 2, 1, 0]), (6, [3, 0, 5, 1, 2, 4])):
        assert lifetimes(spec, make, batch_size, order) == alone


@pytest.mark.parametrize("back_end", MAKERS)
def test_an_end_of_a_neighbor_and_a_look_change_no_bit(back_end: str) -> None:
    """Row 0 goes on alone after step 10, and someone looks at its states in every step."""
    spec, make = network_of(*PARTS["all together"]), MAKERS[back_end]
    genomes, rewards = genomes_of(spec, 2), np.float64([0.5, -0.5])
    rng = np.random.default_rng(4)
    seen = rng.uniform(-1, 1, (20, 2, OBSERVATION)).astype(np.float32)

    def run(*, ends: bool, looks: bool) -> bytes:
        network = make(spec, 2)
        network.reset(genomes, [0, 1], [5, 6])
        for step in range(20):
            rows = np.arange(1 if ends and step > 10 else 2)
            network.forward(seen[step], rows)
            staying = np.arange(1) if ends and step >= 10 else rows
            network.learn(staying, rewards)
            if looks:
                network.state("hebb", 2)
        return network.state("w", 1)[0].tobytes() + network.state("hebb", 2)[0].tobytes()

    expected = run(ends=False, looks=False)
    assert run(ends=True, looks=False) == expected
    assert run(ends=False, looks=True) == expected

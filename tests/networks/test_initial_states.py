"""Initial states: of the lifetime's stream or of the genome, whichever lifetimes start beside it."""

import numpy as np
import pytest

from hebbevo.networks.initial_states import initial_states
from hebbevo.networks.layout import genome_layout
from hebbevo.networks.network_spec import NetworkSpec, multilayer_perceptron
from hebbevo.rules import Distribution, Rule

UNIFORM = Distribution.parse("uniform(-0.1, 0.1)")
STATIC = Rule("static", w="w")
THRESHOLDS = Rule(
    "thresholds",
    w="w + pre*post*(post - theta)",
    theta={"equation": "post", "axis": "post", "initial": "uniform(1, 2)"},
    bias={"equation": "bias", "axis": "pre", "initial": "evolved from normal(0, 1)"},
    trace="pre*post",
)


def network(rule: Rule, initial_weights: Distribution | None) -> NetworkSpec:
    return multilayer_perceptron(rule, (3, 4, 2), {}, initial_weights=initial_weights)


def genomes_of(spec: NetworkSpec) -> np.ndarray:
    size = genome_layout(spec).size
    return np.arange(2 * size, dtype=np.float32).reshape(2, size)


def test_evolved_weights_are_those_of_each_lifetimes_genome() -> None:
    spec = network(STATIC, None)
    genomes = genomes_of(spec)
    states = initial_states(spec, genome_layout(spec), genomes, [1, 0, 1], [5, 6, 7])
    for row, genome in enumerate([1, 0, 1]):
        np.testing.assert_array_equal(states["layer1"]["w"][row].ravel(), genomes[genome, :12])
        np.testing.assert_array_equal(states["layer2"]["w"][row].ravel(), genomes[genome, 12:])


@pytest.mark.parametrize("rule", [STATIC, THRESHOLDS], ids=lambda rule: rule.name)
def test_drawn_states_follow_from_the_seed_alone(rule: Rule) -> None:
    spec = network(rule, UNIFORM)
    layout, genomes = genome_layout(spec), genomes_of(spec)
    together = initial_states(spec, layout, genomes, [0, 1, 0], [5, 6, 5])
    alone = initial_states(spec, layout, genomes[:1], [0], [6])
    for projection in ("layer1", "layer2"):
        for state in {"w", "theta"} & set(together[projection]):
            values, single = together[projection][state], alone[projection][state]
            np.testing.assert_array_equal(values[1], single[0])
            np.testing.assert_array_equal(values[0], values[2])
            assert not np.array_equal(values[0], values[1])
    assert np.abs(together["layer1"]["w"]).max() <= 0.1


def test_states_of_neurons_have_one_axis_and_zero_is_left_out() -> None:
    spec = network(THRESHOLDS, UNIFORM)
    genomes = genomes_of(spec)
    states = initial_states(spec, genome_layout(spec), genomes, [1], [5])["layer1"]
    assert {state: values.shape for state, values in states.items()} == {
        "w": (1, 4, 3),
        "theta": (1, 4, 1),
        "bias": (1, 1, 3),
    }
    assert ((states["theta"] >= 1) & (states["theta"] < 2)).all()
    np.testing.assert_array_equal(states["bias"].ravel(), genomes[1, :3])


def test_one_stream_draws_projection_by_projection_the_weights_first() -> None:
    spec, seed = network(THRESHOLDS, UNIFORM), 11
    states = initial_states(spec, genome_layout(spec), genomes_of(spec), [0], [seed])
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 0))))
    for name, n_out, n_in in (("layer1", 4, 3), ("layer2", 2, 4)):
        weights = generator.random((n_out, n_in), np.float32)
        thresholds = generator.random((n_out, 1), np.float32)
        np.testing.assert_allclose(states[name]["w"][0], 0.2 * weights - 0.1, atol=1e-7)
        np.testing.assert_allclose(states[name]["theta"][0], 1 + thresholds, atol=1e-6)

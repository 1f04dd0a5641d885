"""The plastic network against a float64 loop; shared genomes, initial weights, and hooks that only read."""

import numpy as np
import pytest
from reference_network import ReferenceNetwork
from scipy import stats

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import genome_layout, projection_coefficients, resolve_sharing
from hebbevo.networks.network_spec import NetworkSpec, multilayer_perceptron
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.network import NumbaNetwork
from hebbevo.rules import Distribution, parse

SIZES = (6, 17, 5)
UNIFORM = Distribution.parse("uniform(-0.1, 0.1)")
RETROACTIVE = {
    "w": "w",
    "hebb": "clip(hebb + beta*elig, -1, 1)",
    "elig": "(1-eta)*elig + eta*pre*post",
    "weight": "w + alpha*hebb",
}


class Case:
    """A rule with all that is needed to build networks of it, and genomes."""

    def __init__(
        self, rule="ABCD_lr", sharing="synapse", normaliser="max", activation="tanh", initial=UNIFORM
    ) -> None:
        self.rule, self.initial = parse(rule), initial
        self.sharing = resolve_sharing(self.rule, sharing)
        self.normaliser, self.activation = normaliser, activation
        self.spec = self.spec_of()
        self.layout = genome_layout(self.spec)
        self.kernel = NumbaKernel(KernelSpec(self.spec))

    def spec_of(self, output: str = "tanh") -> NetworkSpec:
        return multilayer_perceptron(
            self.rule,
            SIZES,
            self.sharing,
            normaliser=self.normaliser,
            initial_weights=self.initial,
            activation=self.activation,
            output=output,
        )

    def network(self, batch_size: int) -> NumbaNetwork:
        return NumbaNetwork(self.kernel, self.layout, batch_size)

    def genomes(self, count: int, scale: float = 1.0) -> np.ndarray:
        rng = np.random.default_rng(3)
        return (scale * rng.standard_normal((count, self.layout.size))).astype(np.float32)

    def reference(self, genome: np.ndarray, seed: int) -> ReferenceNetwork:
        return ReferenceNetwork(self.spec, self.layout, genome, seed)


class World:
    """Observations that depend on the last action: what closes the loop. Actions ``(..., 5)``."""

    def __init__(self) -> None:
        rng = np.random.default_rng(11)
        self.mixing = rng.standard_normal((5, 6))
        self.phase = rng.uniform(0, 6, 6)

    def first(self) -> np.ndarray:
        return np.sin(self.phase)

    def after(self, step: int, actions: np.ndarray) -> np.ndarray:
        return np.sin(self.phase + 0.3 * step + actions @ self.mixing)


def closed_loop(case: Case, steps: int, scale: float) -> float:
    """Return the largest difference of actions and weights to the references, relative to the largest value."""
    world, seeds, genomes = World(), [5, 6, 7], case.genomes(2, scale)
    genome_of, rows = [1, 0, 1], np.arange(3)
    network = case.network(4)
    network.reset(genomes, genome_of, seeds)
    references = [case.reference(genomes[g], seed) for g, seed in zip(genome_of, seeds, strict=True)]
    observations = np.zeros((4, 6), np.float32)
    observations[:3] = world.first()
    expected = [world.first()] * 3
    worst = 0.0
    for step in range(steps):
        actions = network.forward(observations, rows)[:3].astype(float)
        wanted = np.stack([r.forward(o) for r, o in zip(references, expected, strict=True)])
        worst = max(worst, np.abs(actions - wanted).max())
        observations[:3] = world.after(step, actions)
        expected = [world.after(step, action) for action in wanted]
        network.learn(rows)
        for reference in references:
            reference.learn()
    for layer in (1, 2):
        wanted = np.stack([reference.weights(layer) for reference in references])
        worst = max(worst, np.abs(network.weights(layer)[:3] - wanted).max() / np.abs(wanted).max())
    return worst


def test_a_normalised_lifetime_agrees_with_float64_in_a_closed_loop() -> None:
    assert closed_loop(Case(), steps=20, scale=1.0) < 1e-5


@pytest.mark.parametrize(
    "case",
    [
        {"rule": "oja", "sharing": "post", "normaliser": "none"},
        {"rule": "ABCD", "sharing": {"A": "pre", "default": "layer"}, "normaliser": "var"},
        {"rule": RETROACTIVE, "sharing": {"eta": "network"}, "normaliser": "clip", "activation": "relu"},
        {"rule": "w + eta*pre*post", "normaliser": "none", "activation": "identity", "initial": None},
        {"rule": "none", "normaliser": "none", "activation": "sigmoid", "initial": None},
    ],
    ids=["oja", "ABCD", "retroactive", "equation, evolved weights", "none"],
)
def test_every_kind_of_lifetime_agrees_with_float64_for_a_few_steps(case: dict) -> None:
    assert closed_loop(Case(**case), steps=6, scale=0.3) < 1e-4


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def test_a_finished_row_keeps_its_weights(case: Case) -> None:
    network, genomes = case.network(3), case.genomes(1)
    network.reset(genomes, [0, 0, 0], [1, 2, 3])
    observations = np.random.default_rng(0).standard_normal((3, 6)).astype(np.float32)
    everyone, rest = np.arange(3), np.array([0, 2])
    network.forward(observations, everyone)
    network.learn(everyone)
    before = network.weights(1)[1].copy()
    network.forward(observations, everyone)
    network.learn(rest)  # row 1 has ended: no further update
    network.forward(observations, rest)
    network.learn(rest)
    np.testing.assert_array_equal(network.weights(1)[1], before)
    assert (network.weights(1)[0] != before).any()


def test_rows_with_one_genome_and_seed_are_the_same_lifetime(case: Case) -> None:
    network, genomes = case.network(4), case.genomes(2)
    observations = np.tile(np.random.default_rng(0).standard_normal(6).astype(np.float32), (4, 1))
    network.reset(genomes, [0, 1, 0, 0], [9, 9, 9, 8])
    for _ in range(3):
        actions = network.forward(observations, np.arange(4)).copy()
        network.learn(np.arange(4))
    np.testing.assert_array_equal(actions[0], actions[2])
    np.testing.assert_array_equal(network.weights(2)[0], network.weights(2)[2])
    assert (actions[0] != actions[1]).any()
    assert (actions[0] != actions[3]).any()


@pytest.mark.parametrize("sharing", ["synapse", "layer", "post", "cppn(4)", "low_rank(2)", "codebook(3)"])
def test_constants_of_genomes_together_are_those_of_each(sharing: str) -> None:
    case = Case("w + exp(a)*pre*post + sigmoid(b)*pre + sqrt(abs(c))*tanh(a)", sharing, initial=UNIFORM)
    plan, genomes = case.kernel.spec.plans[0], case.genomes(7)

    def constants(some: np.ndarray) -> np.ndarray:
        rows = np.full((len(some), case.kernel.spec.constant_width), np.nan, np.float32)
        coefficients = projection_coefficients(case.spec, plan.projection, case.layout.split(some))
        case.kernel.write_constants(plan, coefficients, rows)
        return rows

    np.testing.assert_array_equal(
        constants(genomes), np.concatenate([constants(one) for one in genomes[:, None]])
    )


def test_what_ran_before_leaves_no_trace(case: Case) -> None:
    observations = np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)
    genomes, rows = case.genomes(2), np.arange(2)

    def lifetime(network: NumbaNetwork) -> np.ndarray:
        network.reset(genomes, [0, 1], [4, 5])
        for _ in range(5):
            actions = network.forward(observations, rows)
            network.learn(rows)
        return np.concatenate([actions.ravel(), network.weights(1).ravel(), network.weights(2).ravel()])

    used = case.network(2)
    used.reset(np.full_like(genomes, 1e30), [1, 0], [7, 7])
    for _ in range(4):
        used.forward(np.full((2, 6), np.nan, np.float32), rows)
        used.learn(rows)
    np.testing.assert_array_equal(lifetime(used), lifetime(case.network(2)))


def test_first_weights_follow_the_distribution(case: Case) -> None:
    network = case.network(300)
    network.reset(case.genomes(1), [0] * 300, list(range(300)))
    for layer in (1, 2):
        weights = network.weights(layer)
        assert weights.shape == (300, SIZES[layer], SIZES[layer - 1])
        assert stats.kstest(weights.ravel(), stats.uniform(-0.1, 0.2).cdf).pvalue > 0.01
    assert len(np.unique(network.weights(1)[:, 0, 0])) > 295


def test_first_weights_are_the_genomes_where_they_evolve() -> None:
    case = Case("none", normaliser="none", initial=None)
    network, genomes = case.network(2), case.genomes(2)
    network.reset(genomes, [1, 0], [1, 2])
    for layer in (1, 2):
        expected = [case.layout.split(genomes[row])[f"layer{layer}.weight"] for row in (1, 0)]
        np.testing.assert_array_equal(network.weights(layer), np.stack(expected))


@pytest.mark.parametrize("look", ["before the update", "after the update", "both"])
def test_looking_at_weights_changes_no_bit(case: Case, look: str) -> None:
    world, rows = World(), np.arange(2)

    def lifetime(recorded: bool) -> tuple[np.ndarray, list[np.ndarray]]:
        network, seen = case.network(2), []
        network.reset(case.genomes(1), [0, 0], [1, 2])
        observations = np.tile(world.first().astype(np.float32), (2, 1))
        for step in range(12):
            actions = network.forward(observations, rows)
            if recorded and look != "after the update":
                seen.append(network.weights(1).copy())
            network.learn(rows)
            if recorded and look != "before the update":
                seen.append(network.weights(1).copy())
            observations[:] = world.after(step, actions)
        return np.concatenate([network.weights(1).ravel(), network.weights(2).ravel(), actions.ravel()]), seen

    plain, _ = lifetime(False)
    watched, seen = lifetime(True)
    np.testing.assert_array_equal(plain, watched)
    assert all((a != b).any() for a, b in zip(seen[:-1:2], seen[2::2], strict=False))


def test_weights_may_be_written_between_steps(case: Case) -> None:
    network = case.network(1)
    network.reset(case.genomes(1), [0], [1])
    rows, observations = np.arange(1), np.ones((1, 6), np.float32)
    network.forward(observations, rows)
    network.learn(rows)
    network.weights(2)[0] = 0.0
    assert not network.forward(observations, rows).any()


def test_without_plasticity_weights_stay_as_they_were(case: Case) -> None:
    network, rows = case.network(1), np.arange(1)
    network.reset(case.genomes(1), [0], [1], plastic=False)
    initial = network.weights(1).copy()
    for _ in range(3):
        actions = network.forward(np.ones((1, 6), np.float32), rows).copy()
        network.learn(rows)
    np.testing.assert_array_equal(network.weights(1), initial)
    hidden = np.tanh(initial[0].astype(float) @ np.ones(6))
    np.testing.assert_allclose(actions[0], np.tanh(network.weights(2)[0].astype(float) @ hidden), atol=1e-6)
    network.reset(case.genomes(1), [0], [1])  # plastic again
    network.forward(np.ones((1, 6), np.float32), rows)
    network.learn(rows)
    assert (network.weights(1) != initial).any()


def test_activations_are_those_of_the_forward_pass(case: Case) -> None:
    network, rows = case.network(2), np.arange(2)
    network.reset(case.genomes(1), [0, 0], [1, 2])
    observations = np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)
    actions = network.forward(observations, rows)
    np.testing.assert_array_equal(network.activations(0), observations)
    np.testing.assert_array_equal(network.activations(2), actions)
    hidden = np.einsum("roi,ri->ro", network.weights(1).astype(float), observations)
    np.testing.assert_allclose(network.activations(1), np.tanh(hidden), atol=1e-6)

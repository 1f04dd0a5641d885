"""Encodings of coefficients: against a loop over synapses, against each other, and in whole lifetimes."""

import numpy as np
import pytest
from reference_encodings import decoded
from reference_graph import ReferenceGraph
from tasks import cart_pole_task

import hebbevo
from hebbevo.config.loading import load_config
from hebbevo.errors import InputError, RuleError
from hebbevo.networks.encodings import ENCODINGS, encoding
from hebbevo.networks.encodings.coordinates import coordinates
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import Layout, genome_layout, projection_coefficients, resolve_sharing
from hebbevo.networks.network_spec import NetworkSpec, multilayer_perceptron
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.network import NumbaNetwork
from hebbevo.networks.torch.network import TorchNetwork
from hebbevo.rules import Distribution, get, parse
from hebbevo.tasks.task import Task

PAPER, SIZES = (28, 128, 64, 8), (3, 17, 2)
STEPS = 10
CART_POLE_OF_FOUR = {"env.name": "gymnasium:CartPole-v1", "network.hidden": [3]}
DECOMPOSED = "w + A_post*A_pre*pre*post"
CASES = {
    "neuron": ("neuron_centric", "neuron"),
    "rank 1": ("ABCD_lr", "low_rank(1)"),
    "rank 3": ("ABCD_lr", "low_rank(3)"),
    "codebook": ("ABCD_lr", "codebook(4)"),
    "cppn": ("ABCD_lr", "cppn(6, 5)"),
    "cppn of one layer": ("ABCD_lr", {"default": "cppn(7)", "eta": "layer"}),
    "mixed": (
        "ABCD_lr",
        {"A": "low_rank(2)", "B": "codebook(3)", "C": "post", "D": "network", "eta": "cppn(5)"},
    ),
}


def network_of(rule: str, sharing="synapse", sizes=SIZES, normaliser="max") -> NetworkSpec:
    parsed, drawn = parse(rule), Distribution.parse("uniform(-0.1, 0.1)")
    resolved = resolve_sharing(parsed, sharing)
    return multilayer_perceptron(parsed, sizes, resolved, normaliser=normaliser, initial_weights=drawn)


def genomes_of(layout: Layout, count: int = 3) -> np.ndarray:
    generator = np.random.Generator(np.random.Philox(11))
    return (0.5 * generator.standard_normal((count, layout.size))).astype(np.float32)


def coefficients_of(network: NetworkSpec, genomes: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    arrays = genome_layout(network).split(genomes)
    return {one.name: projection_coefficients(network, one, arrays) for one in network.projections}


def observations(size: int, lifetimes: int) -> np.ndarray:
    """Return what each lifetime sees, whatever the others, ``(steps, lifetimes, size)``."""
    generators = [np.random.Generator(np.random.Philox(row)) for row in range(lifetimes)]
    return np.stack([one.standard_normal((STEPS, size), np.float32) for one in generators], axis=1)


def lifetimes(network: NetworkSpec, genomes: np.ndarray, device: str = "numba") -> np.ndarray:
    """Return the actions of lifetimes with seeds 0, 1, ..., one per genome, ``(steps, lifetimes, n_out)``."""
    count, layout, spec = len(genomes), genome_layout(network), KernelSpec(network)
    if device == "numba":
        batch = NumbaNetwork(NumbaKernel(spec), layout, count)
    else:
        batch = TorchNetwork(spec, layout, count, device)
    batch.reset(genomes, range(count), range(count))
    active, actions = np.arange(count), []
    for seen in observations(network.by_name["observation"].size, count):
        actions.append(batch.forward(seen, active).copy())
        batch.learn(active)
    return np.array(actions)


@pytest.mark.parametrize(("rule", "sharing"), CASES.values(), ids=CASES)
class TestEveryEncoding:
    def test_agrees_with_a_loop_over_synapses(self, rule, sharing) -> None:
        network = network_of(rule, sharing)
        genome = genomes_of(genome_layout(network))[0]
        arrays = genome_layout(network).split(genome)
        for projection in network.projections:
            found = projection_coefficients(network, projection, arrays)
            for name in projection.rule.coefficients:
                expected = decoded(network, projection, name, arrays)
                np.testing.assert_allclose(
                    np.broadcast_to(found[name], expected.shape), expected, rtol=1e-5, atol=1e-6
                )
                assert found[name].dtype == np.float32

    def test_axes_are_those_of_the_decoded_array(self, rule, sharing) -> None:
        network = network_of(rule, sharing)
        for projection in network.projections:
            arrays = genome_layout(network).split(genomes_of(genome_layout(network))[0])
            for name, array in projection_coefficients(network, projection, arrays).items():
                post, pre = encoding(projection.sharing[name]).axes(name)
                n_out, n_in = network.shape(projection)
                assert array.shape == (n_out if post else 1, n_in if pre else 1)

    def test_one_genome_and_many_have_the_same_bits(self, rule, sharing) -> None:
        network = network_of(rule, sharing)
        genomes = genomes_of(genome_layout(network), 5)
        together = coefficients_of(network, genomes)
        for row, genome in enumerate(genomes):
            for projection, arrays in coefficients_of(network, genome).items():
                for name, array in arrays.items():
                    assert array.tobytes() == together[projection][name][row].tobytes()

    def test_whole_lifetimes_agree_with_the_reference(self, rule, sharing) -> None:
        network = network_of(rule, sharing)
        genomes = genomes_of(genome_layout(network))
        found, seen = lifetimes(network, genomes), observations(SIZES[0], len(genomes))
        for row, genome in enumerate(genomes):
            reference = ReferenceGraph(network, genome_layout(network).split(genome), row)
            for step in range(STEPS):
                np.testing.assert_allclose(found[step, row], reference.forward(seen[step, row]), atol=1e-5)
                reference.learn()

    def test_torch_agrees(self, rule, sharing) -> None:
        network = network_of(rule, sharing)
        genomes = genomes_of(genome_layout(network))
        np.testing.assert_allclose(lifetimes(network, genomes, "cpu"), lifetimes(network, genomes), atol=1e-5)

    def test_the_batch_changes_no_bit(self, rule, sharing) -> None:
        network = network_of(rule, sharing)
        genomes = genomes_of(genome_layout(network))
        together = lifetimes(network, genomes)
        assert (lifetimes(network, genomes[:2]) == together[:, :2]).all()
        assert (lifetimes(network, genomes[:1]) == together[:, :1]).all()


HERE = hebbevo.Execution(threads=1, batch_size=2)
RUNS = [
    pytest.param(*case, id=name, marks=[] if name == "mixed" else pytest.mark.slow)
    for name, case in CASES.items()
]


@pytest.mark.parametrize(("rule", "sharing"), RUNS)
def test_a_run_evolves_and_its_genome_opens(rule, sharing, tmp_path) -> None:
    settings = {
        "plasticity.rule": rule,
        "plasticity.sharing": sharing,
        "network.hidden": [3],
        "env.steps": 20,
    }
    small = {"env.name": "gymnasium:CartPole-v1", "search.population": 4, "search.generations": 2}
    config = hebbevo.load_config("quick-quadruped", {**small, **settings, "evaluation.episodes": 2})
    run = hebbevo.evolve(config, out=tmp_path / "run", execution=HERE)
    genome = hebbevo.load_genome(tmp_path / "run")
    assert genome.values.any()
    assert hebbevo.evaluate(genome, episodes=2, seed=1, execution=HERE)
    assert run is not None


def test_every_encoding_is_tested() -> None:
    tested = str(list(CASES.values()))
    assert not [name for name, kind in ENCODINGS.items() if not kind.plain and name not in tested]


class TestNeuron:
    def test_size_of_the_paper(self) -> None:
        assert genome_layout(network_of("neuron_centric", "neuron", PAPER)).size == 1_104

    def test_arrays_come_between_those_of_projections_and_the_network(self) -> None:
        network = network_of(
            "w + k*(eta_post + eta_pre)*pre*post + D", {"default": "neuron", "k": "network", "D": "layer"}
        )
        assert genome_layout(network).names == (
            *("layer1.D", "layer2.D"),
            *("neuron.hidden1.eta", "neuron.observation.eta", "neuron.output.eta"),
            "network.k",
        )

    def test_a_neuron_s_number_changes_its_synapses_in_and_out_alone(self) -> None:
        network = network_of("neuron_centric", "neuron", (3, 5, 4, 2))
        layout = genome_layout(network)
        before, after = genomes_of(layout, 1)[0], genomes_of(layout, 1)[0]
        layout.split(after)["neuron.hidden1.eta"][2] += 1
        eta = {}
        for moment, genome in (("before", before), ("after", after)):
            decoded = coefficients_of(network, genome)
            eta[moment] = {name: c["eta_pre"] + c["eta_post"] for name, c in decoded.items()}
        changed = {name: eta["before"][name] != eta["after"][name] for name in eta["before"]}
        assert changed["layer1"][2].all()
        assert changed["layer1"].sum() == 3
        assert changed["layer2"][:, 2].all()
        assert changed["layer2"].sum() == 4
        assert not changed["layer3"].any()

    @pytest.mark.parametrize("name", ["eta", "pre_A", "eta_prepost"])
    def test_a_name_without_a_role_is_refused(self, name: str) -> None:
        with pytest.raises(RuleError, match=f"call it {name}_pre or {name}_post"):
            resolve_sharing(parse(f"w + {name}*pre"), "neuron")


class TestLowRank:
    def test_rank_1_is_the_decomposed_rule_to_the_bit(self) -> None:
        low, written = (
            network_of("A", "low_rank(1)"),
            network_of(DECOMPOSED, {"A_post": "post", "A_pre": "pre"}),
        )
        genomes = genomes_of(genome_layout(low))
        assert genome_layout(low).size == genome_layout(written).size
        assert (lifetimes(low, genomes) == lifetimes(written, genomes)).all()

    def test_is_an_outer_product_in_float64(self) -> None:
        network = network_of("A", "low_rank(4)")
        arrays = genome_layout(network).split(genomes_of(genome_layout(network))[0])
        product = arrays["layer1.A.post"].astype(float) @ arrays["layer1.A.pre"].astype(float)
        found = projection_coefficients(network, network.projections[0], arrays)["A"]
        np.testing.assert_allclose(found, product, atol=1e-6)


class TestCodebook:
    def test_one_label_is_one_number_per_layer(self) -> None:
        one, layer = network_of("ABCD_lr", "codebook(1)"), network_of("ABCD_lr", "layer")
        genomes = genomes_of(genome_layout(layer))
        assert genome_layout(one).size == genome_layout(layer).size
        assert (lifetimes(one, genomes) == lifetimes(layer, genomes)).all()

    def test_labels_are_uniform_and_the_same_for_all_coefficients(self) -> None:
        network = network_of("ABCD", "codebook(8)", PAPER)
        layout = genome_layout(network)
        genome = np.tile(np.arange(8, dtype=np.float32), layout.size // 8)
        found = coefficients_of(network, genome)
        for arrays in found.values():
            assert all((array == arrays["A"]).all() for array in arrays.values())
        counts = np.bincount(found["layer2"]["A"].astype(int).ravel(), minlength=8)
        assert abs(counts - 1024).max() < 5 * np.sqrt(1024)


CONSTANT = np.float32([0.3, -0.2, 0.7, 0.1, -1.4])
"""Output biases of A, B, C, D, eta."""


def layout_and_zeros(network: NetworkSpec) -> tuple[Layout, np.ndarray]:
    layout = genome_layout(network)
    return layout, np.zeros(layout.size, np.float32)


class TestCPPN:
    def test_size_and_names_of_the_paper(self) -> None:
        layout = genome_layout(network_of("ABCD_lr", "cppn(16, 16)", PAPER))
        assert layout.size == 16 * 12 + 16 * 17 + 5 * 17
        assert layout.names[:3] == ("cppn.16_16.hidden.1", "cppn.16_16.hidden.2", "cppn.16_16.A")

    def test_a_constant_one_shares_by_network(self) -> None:
        constant, shared = network_of("ABCD_lr", "cppn(4)"), network_of("ABCD_lr", "network")
        layout, genome = layout_and_zeros(constant)
        for name, bias in zip(["A", "B", "C", "D", "eta"], CONSTANT, strict=True):
            layout.split(genome)[f"cppn.4.{name}"][-1] = bias
        values = np.tanh(CONSTANT) * np.float32([1, 1, 1, 1, 0.1])
        assert (lifetimes(constant, genome[None]) == lifetimes(shared, values[None])).all()

    def test_a_genome_decodes_at_another_size(self) -> None:
        small, large = (network_of("ABCD_lr", "cppn(16, 16)", sizes) for sizes in ((28, 32, 16, 8), PAPER))
        assert genome_layout(small) == genome_layout(large)
        genome = genomes_of(genome_layout(large))[0]
        found = {
            one: coefficients_of(network, genome) for one, network in (("small", small), ("large", large))
        }
        # the corners of both grids are the same points
        assert found["small"]["layer2"]["A"][[0, -1]][:, [0, -1]].tobytes() == (
            found["large"]["layer2"]["A"][[0, -1]][:, [0, -1]].tobytes()
        )

    def test_mirrored_synapses_are_equal_where_the_sign_of_x_is_ignored(self) -> None:
        network = network_of("ABCD_lr", "cppn(10, 5)", (6, 8, 8, 4))
        layout = genome_layout(network)
        genome = genomes_of(layout)[0]
        hidden = layout.split(genome)["cppn.10_5.hidden.1"]
        of_x, even = [0, 3, 6], [1, 4, 6, 9]
        signed = np.ix_([row for row in range(10) if row not in even], of_x)
        hidden[signed] = 0.0
        # exp(-s^2) and |s| of x of one neuron alone
        hidden[even, :] = 0.0
        hidden[even, [0, 3, 6, 0]] = [0.7, -0.4, 1.1, 0.3]
        for name, found in coefficients_of(network, genome).items():
            mirror_in, mirror_out = (mirrored(network, end) for end in ends(network, name))
            for array in found.values():
                assert array.tobytes() == array[np.ix_(mirror_out, mirror_in)].tobytes()
                assert len(np.unique(array)) > 1

    def test_first_genome_is_drawn_by_fan_in(self) -> None:
        task = cart_pole_task("plasticity.sharing=cppn(400, 300)")
        arrays = task.layout.split(task.first_genome(np.random.Generator(np.random.Philox(3))))
        assert arrays["cppn.400_300.hidden.1"].std() == pytest.approx(1 / np.sqrt(11), rel=0.05)
        assert arrays["cppn.400_300.hidden.2"].std() == pytest.approx(1 / np.sqrt(400), rel=0.05)


def ends(network: NetworkSpec, name: str) -> tuple[str, str]:
    projection = next(one for one in network.projections if one.name == name)
    return projection.source, projection.target


def mirrored(network: NetworkSpec, population: str) -> list[int]:
    """Return for each neuron the one at (-x, y, z)."""
    places = [tuple(place) for place in coordinates(network, population).T]
    return [places.index((-x, y, z)) for x, y, z in places]


def test_coordinates_of_the_paper() -> None:
    network = network_of("ABCD_lr", "cppn(16, 16)", PAPER)
    found = {name: coordinates(network, name) for name in ("observation", "hidden1", "hidden2", "output")}
    assert [len(np.unique(found[name][0])) for name in found] == [28, 16, 8, 8]
    assert [len(np.unique(found[name][1])) for name in found] == [1, 8, 8, 1]
    np.testing.assert_allclose([found[name][2][0] for name in found], [-1, -1 / 3, 1 / 3, 1], rtol=1e-6)
    for name in found:
        assert found[name][:2].min() == -1
        assert found[name][:2].max() == 1


def test_coordinates_of_ones_own_move_neurons() -> None:
    sides = [[-1.0, 0.5], [1.0, 0.5], [-1.0, -0.5, 0.25], [1.0, -0.5, 0.25]]

    def found(places: list[list[float]]) -> tuple[NetworkSpec, np.ndarray]:
        config = {"network.coordinates": {"observation": places}, "plasticity.sharing": "cppn(5)"}
        task = Task.of(load_config("quick-quadruped", {**CART_POLE_OF_FOUR, **config}))
        genome = genomes_of(task.layout, 1)[0]
        arrays = task.layout.split(genome)
        network = task.network_spec
        return network, projection_coefficients(network, network.projections[0], arrays)["A"]

    network, straight = found(sides)
    np.testing.assert_array_equal(
        coordinates(network, "observation")[:, 1:3].T, [[1, 0.5, -1], [-1, -0.5, 0.25]]
    )
    _, turned = found(sides[::-1])
    np.testing.assert_allclose(turned, straight[:, ::-1], rtol=1e-6, atol=1e-7)
    assert np.abs(turned - straight).max() > 0.01


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"observation": [[0, 0]]}, "1 places for 4 neurons"),
        ({"observatoin": [[0, 0]]}, "did you mean observation"),
        ({"observation": [[0], [0], [0], [0]]}, "coordinates.observation.0"),
    ],
)
def test_places_that_no_population_has_are_refused(places, message) -> None:
    with pytest.raises(InputError, match=message):
        load_config("quick-quadruped", {**CART_POLE_OF_FOUR, "network.coordinates": places})


def test_a_finer_encoding_than_a_state_of_neurons_is_refused() -> None:
    rule = parse(
        {"w": "w + eta*pre*(post - theta)", "theta": {"equation": "theta + rate*post", "axis": "post"}}
    )
    assert resolve_sharing(rule, "low_rank(2)") == {"eta": "low_rank(2)", "rate": "post"}
    assert resolve_sharing(rule, {"rate": "layer"}) == {"eta": "synapse", "rate": "layer"}
    with pytest.raises(RuleError, match=r"sharing of rate: .synapse. is too fine: .* use post"):
        resolve_sharing(rule, {"rate": "synapse"})


def test_catalogue_shares_the_neuron_centric_rule() -> None:
    assert get("neuron_centric").defaults["sharing"] == "neuron"

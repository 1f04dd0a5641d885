"""Networks that cannot be: one line each, with the remedy."""

import re

import pytest
from graphs import ABCD, BCM, DELTA, MODULATED, NODE_PERTURBATION, STATIC, THREE_FACTOR, projection

from hebbevo import load_config
from hebbevo.errors import RuleError
from hebbevo.networks.network_spec import NetworkSpec, Noise, Population, Projection
from hebbevo.rules import Distribution, Rule
from hebbevo.tasks.task import Task

OBSERVATION, HIDDEN, OUT = Population("observation", 4), Population("hidden", 6), Population("out", 2)
FIRST, LAST = projection("in", "observation", "hidden", ABCD), projection("out", "hidden", "out", ABCD)


def spec_of(
    *projections: Projection, populations=(OBSERVATION, HIDDEN, OUT), output: str = "out"
) -> NetworkSpec:
    return NetworkSpec(populations, projections, output)


def changed(rule: Rule, source="observation", target="hidden", sharing="synapse", **options) -> dict:
    """Return a network whose first projection has a rule and these options."""
    return {"projections": (projection("in", source, target, rule, sharing, **options), LAST)}


LOOP = projection("back", "hidden", "hidden", ABCD)
SPIRAL = (projection("to gate", "hidden", "gate", ABCD), projection("from gate", "gate", "hidden", ABCD))
GATE = Population("gate", 3)
PRE_READS_POST = Rule("gain", w="w + gain*pre", gain={"equation": "gain + v", "axis": "pre"}, bound=("v",))

REFUSED: dict[str, tuple[dict, str]] = {
    "unknown source": (
        changed(ABCD, source="observations"),
        "unknown population of in 'observations'; did you mean observation?",
    ),
    "unknown target": (
        {"projections": (FIRST, LAST, projection("x", "hidden", "outt", ABCD))},
        "unknown population of x 'outt'; did you mean out?",
    ),
    "unknown output": (
        {"projections": (FIRST, LAST), "output": "outt"},
        "unknown output population 'outt'; did you mean out?",
    ),
    "an input as output": (
        {"projections": (FIRST, LAST), "output": "observation"},
        "the output cannot be the input 'observation'; name a population with synapses",
    ),
    "an input as target": (
        {"projections": (FIRST, LAST, projection("x", "hidden", "observation", ABCD))},
        "x projects onto the input 'observation'; inputs have no synapses",
    ),
    "a population twice": (
        {"projections": (FIRST, LAST), "populations": (OBSERVATION, HIDDEN, OUT, HIDDEN)},
        "two populations are called 'hidden'; name each once",
    ),
    "a circle of one": (
        {"projections": (FIRST, LOOP, LAST)},
        "the projections hidden -> hidden go in a circle within one step; make one of them delayed",
    ),
    "a circle of two": (
        {"projections": (FIRST, *SPIRAL, LAST), "populations": (OBSERVATION, HIDDEN, GATE, OUT)},
        "the projections hidden -> gate -> hidden go in a circle within one step; make one of them delayed",
    ),
    "unreached": (
        {"projections": (FIRST, LAST), "populations": (OBSERVATION, HIDDEN, GATE, OUT)},
        "no projection reaches population 'gate'; add one, or leave the population out",
    ),
    "m from nowhere": (
        changed(MODULATED),
        "rule 'modulated' of in reads 'm', which no population supplies; bind it with signals: {m: POPULATION}, or "
        "set network.modulators",
    ),
    "a signal from nowhere": (
        changed(DELTA),
        "rule 'delta' of in reads 'v', which no population supplies; bind it with signals: {v: POPULATION}",
    ),
    "a signal from an unknown population": (
        changed(DELTA, signals={"v": "hiden"}),
        "signal v of in: unknown population 'hiden'; did you mean hidden?",
    ),
    "sizes that do not agree": (
        changed(DELTA, signals={"v": "out"}),
        "signal v of in comes from 'out' with 2 neurons; it must have 1, or the 6 of 'hidden'",
    ),
    "a presynaptic state that reads postsynaptic neurons": (
        changed(PRE_READS_POST, signals={"v": "hidden"}),
        "rule 'gain' of in: gain is a state of a presynaptic neuron, and 'v' comes from 'hidden' with 6 neurons; bind "
        "it to a population of 1",
    ),
    "noise without noise": (
        changed(NODE_PERTURBATION),
        "rule 'node perturbation' of in reads the noise of 'hidden', which has none; give the population noise, "
        "or network.noise to hidden layers and network.output_noise to the output",
    ),
    "pre_last of a delayed projection": (
        changed(THREE_FACTOR, delayed=True),
        "pre_last of the delayed projection in would be two steps old, which is not kept; read pre, which is one "
        "step old there",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(case: str) -> None:
    arguments, message = REFUSED[case]
    options = {name: value for name, value in arguments.items() if name != "projections"}
    with pytest.raises(RuleError) as caught:
        spec_of(*arguments["projections"], **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("sharing", ["synapse", "pre"])
def test_a_coefficient_finer_than_the_state_it_changes_is_refused(sharing: str) -> None:
    with pytest.raises(RuleError) as caught:
        projection("in", "observation", "hidden", BCM, {"d": sharing})
    assert str(caught.value) == (
        f"sharing of d: {sharing!r} is too fine: it stands in the equation of a neuron's state; "
        "use post, layer, network"
    )


def test_a_coefficient_of_a_synapse_and_of_a_neuron_is_one_per_neuron() -> None:
    both = Rule("both", w="w + K*pre*theta", theta={"equation": "K*post", "axis": "post"})
    assert both.coefficient_axis("K") == "post"
    assert projection("in", "observation", "hidden", both).sharing == {"K": "post"}


def test_a_projection_that_leaves_a_sharing_out_is_refused() -> None:
    with pytest.raises(
        RuleError, match=r"no sharing is given for coefficient 'A' of in; see resolve_sharing"
    ):
        Projection("in", "observation", "hidden", ABCD, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "population 'p' must have 1 neuron or more, got 0"),
        ({"activation": "tan"}, "unknown activation of p 'tan'; did you mean tanh"),
    ],
)
def test_a_population_that_cannot_be_is_refused(options: dict, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        Population("p", **{"size": 2, **options})


def test_the_order_of_the_forward_pass_follows_the_projections() -> None:
    """Whatever the order of populations and projections; delayed ones do not count."""
    back = projection("back", "out", "hidden", STATIC, delayed=True)
    spec = spec_of(LAST, back, FIRST, populations=(OUT, HIDDEN, OBSERVATION))
    assert [population.name for population in spec.order] == ["hidden", "out"]


def test_noise_supplies_the_signal() -> None:
    noisy = Population("hidden", 6, noise=Noise(Distribution.parse("normal(0, 1)")))
    learning = projection("in", "observation", "hidden", NODE_PERTURBATION)
    assert spec_of(learning, LAST, populations=(OBSERVATION, noisy, OUT)).synapses == 24 + 12


TOO_MUCH = {
    "network.hidden=[6000, 6000]": "at most 33,554,432 synapses, got 36,216,000",
    "network.hidden=[30000] plasticity.window=10000": "a lifetime of this network would keep 30",
    "plasticity.sharing=cppn(1000,1000)": "'cppn(1000,1000)' makes 3,627,008,000 multiplications",
    "plasticity.sharing=low_rank(10000) network.hidden=[9000]": "'low_rank(10000)' makes 2,520,000,000",
    "env.name=car_racing network.encoder.convolutions=[{channels: 99, kernel: 9}]": "the encoder makes 138,",
}


@pytest.mark.parametrize("overrides", TOO_MUCH)
def test_what_would_compute_for_hours_is_refused(overrides: str) -> None:
    task = Task.of(load_config("quick-quadruped", re.split(r" (?=\w+\.)", overrides)))
    with pytest.raises(RuleError) as refused:
        assert not (task.layout, task.check_network())
    assert TOO_MUCH[overrides] in str(refused.value)

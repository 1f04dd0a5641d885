"""Rules that would not learn as their text suggests are refused where a user writes them, and only there."""

from pathlib import Path

import pytest

from hebbevo import load_config, rules
from hebbevo.errors import InputError, RuleError
from hebbevo.genomes.genome import Genome, load_genome, save_genome
from hebbevo.rules import RULES, Rule, check_intent
from hebbevo.tasks.task import Task

SIGNAL_MEANT = {
    "r": "reward",
    "R": "reward",
    "rewards": "reward",
    "x": "pre",
    "Pre": "pre",
    "pots": "post",
    "y": "post",
    "modulator": "m",
    "mod": "m",
    "pre_prev": "pre_last",
    "post_prev": "post_last",
    "xi": "noise",
    "dw": "w + ...",
    "t": "every",
    "v": "signals: {v: POPULATION}",
}


@pytest.mark.parametrize(("name", "remedy"), SIGNAL_MEANT.items())
def test_a_coefficient_that_looks_like_a_signal_is_refused(name: str, remedy: str) -> None:
    with pytest.raises(RuleError) as caught:
        rules.parse(f"w + eta*{name}*pre*post")
    assert f"{name!r} would be a coefficient" in str(caught.value)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["prev", "pro", "pre2", "post1", "A", "eta", "alpha", "rate", "gain", "theta0"]
)
def test_names_that_mean_themselves_are_coefficients(name: str) -> None:
    assert rules.parse(f"w + {name}*pre*post").coefficients == (name,)


def test_a_bound_name_is_a_signal() -> None:
    rule = rules.parse("w + beta*(v - post)*pre", bound=("v",))
    assert (rule.coefficients, rule.signals) == (("beta",), {"pre", "post", "v"})


@pytest.mark.parametrize("text", ["w + D", "0.9*w + A*reward", {"w": "w + a", "a": "a + m"}])
def test_a_rule_without_activity_says_that_it_is_blind(text: str | dict[str, str]) -> None:
    with pytest.raises(RuleError, match=r"reads neither pre nor post.*blind: true"):
        rules.parse(text)
    assert rules.parse(text, blind=True) == rules.read(text)


@pytest.mark.parametrize("text", ["w", "w + A*drive", {"trace": "trace + pre", "w": "w + eta*trace"}])
def test_activity_by_any_way_is_activity(text: str | dict[str, str]) -> None:
    assert rules.parse(text)


def test_coefficients_are_those_of_the_rule() -> None:
    text = "w + eta*A*pre*post"
    assert rules.parse(text, coefficients=("eta", "A")).coefficients == ("A", "eta")
    with pytest.raises(RuleError, match="has the coefficient 'eta', which coefficients: leaves out"):
        rules.parse(text, coefficients=("A",))
    with pytest.raises(RuleError, match="names 'B', which rule 'custom' does not have"):
        rules.parse(text, coefficients=("A", "B", "eta"))


@pytest.mark.parametrize("name", RULES)
def test_the_catalogue_means_what_it_says(name: str) -> None:
    check_intent(RULES[name])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"plasticity.rule": "w + eta*r*pre*post"}, "plasticity.rule: .*write 'reward'"),
        ({"plasticity.rule": "w + D"}, "plasticity.rule: .*blind: true"),
        ({"plasticity.rule": "w + eta*pre*post", "plasticity.coefficients": ["A"]}, "coefficient 'eta'"),
    ],
)
def test_a_config_is_asked(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config("quick-quadruped", overrides)


def test_a_config_may_say_what_it_means() -> None:
    meant = {"plasticity.rule": "w + D", "plasticity.blind": True, "plasticity.coefficients": ["D"]}
    config = load_config("quick-quadruped", meant)
    assert (config.plasticity.blind, config.plasticity.coefficients) == (True, ("D",))
    assert not {"blind", "coefficients"} & set(load_config("quick-quadruped").plasticity.model_dump())


def test_a_genome_of_before_opens(tmp_path: Path) -> None:
    """Its rule evolved a number called r, which a config cannot say any more."""
    config = load_config("quick-quadruped", ["network.hidden=[2]"])
    plasticity = type(config.plasticity)(rule="w + r*pre*post")
    task = Task(config.env, config.network, plasticity)
    save_genome(Genome(task, task.first_center(0)), tmp_path / "old.safetensors")
    assert load_genome(tmp_path / "old.safetensors").arrays["layer1.r"].shape == (2, 28)


def test_a_rule_reads_well_in_one_line() -> None:
    assert RULES["oja"].readable == "w = w + eta*post*(pre - post*w)"
    assert RULES["bcm"].readable == (
        "w = w + eta*pre*post*(post - theta); theta[post] = (1 - d)*theta + d*post**2"
    )
    drawn = Rule("drawn", a={"equation": "a + pre", "initial": "normal(0, 1)"}, weight="w*a")
    assert drawn.readable == "a = a + pre from normal(0, 1); weight = w*a"

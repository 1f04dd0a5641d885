"""Rules at the command line: several states in an override, and in lists and configs for people."""

from pathlib import Path

import pytest
import yaml

from hebbevo.cli.app import run
from hebbevo.cli.catalogues import entries
from hebbevo.config.loading import load_config
from hebbevo.rules import RULES, SIGNALS
from hebbevo.tasks.description import rule_lines
from hebbevo.tasks.task import Task

Capture = pytest.CaptureFixture[str]


def config(capsys: Capture, *overrides: str) -> dict[str, object]:
    """Return the section `plasticity` that `hebbevo config` prints."""
    assert run(("config", "quick-quadruped", *overrides)) == 0
    return yaml.safe_load(capsys.readouterr().out)["plasticity"]  # type: ignore[no-any-return]


def test_braces_in_an_override_are_a_rule_of_several_states(capsys: Capture) -> None:
    text = "{hebb: (1 - eta)*hebb + eta*pre*post, weight: w + alpha*hebb}"
    assert config(capsys, f"plasticity.rule={text}")["rule"] == {
        "hebb": "(1 - eta)*hebb + eta*pre*post",
        "weight": "w + alpha*hebb",
    }


def test_braces_hold_states_of_neurons_too(capsys: Capture) -> None:
    theta = {"equation": "0.9*theta + 0.1*post**2", "axis": "post", "initial": "uniform(0, 1)"}
    text = (
        "{w: w + eta*pre*post*(post - theta), "
        "theta: {equation: 0.9*theta + 0.1*post**2, axis: post, initial: 'uniform(0, 1)'}}"
    )
    rule = config(capsys, f"plasticity.rule={text}")["rule"]
    assert rule == {"w": "w + eta*pre*post*(post - theta)", "theta": theta}


def test_a_config_shows_the_settings_of_a_rule_and_keeps_those_that_are_given(capsys: Capture) -> None:
    shown = config(capsys, "plasticity.rule=oja")
    assert (shown["normalise"], shown["initial_coefficients"]) == ("clip", "uniform(0, 0.1)")
    shown = config(capsys, "plasticity.rule=oja", "plasticity.normalise=none")
    assert (shown["normalise"], shown["initial_coefficients"]) == ("none", "uniform(0, 0.1)")


def test_commas_in_parentheses_separate_nothing(capsys: Capture) -> None:
    shown = config(
        capsys,
        "plasticity.sharing={A: cppn(16, 16)}",
        "plasticity.initial_coefficients={default: normal(0, 1), eta: normal(0, 0.01)}",
    )
    assert shown["sharing"] == {"A": "cppn(16, 16)"}
    assert shown["initial_coefficients"] == {"default": "normal(0, 1)", "eta": "normal(0, 0.01)"}
    rule = "{hebb: clip(hebb + max(eta*pre, 0.1)*post, -1, 1), weight: w + alpha*hebb}"
    assert config(capsys, f"plasticity.rule={rule}")["rule"] == {
        "hebb": "clip(hebb + max(eta*pre, 0.1)*post, -1, 1)",
        "weight": "w + alpha*hebb",
    }


def test_what_suits_a_rule_comes_before_what_a_preset_said_of_another(capsys: Capture) -> None:
    assert config(capsys, "plasticity.rule=ABCD")["initial_weights"] == "uniform(-0.1, 0.1)"
    rule, weights = "plasticity.rule=differentiable", "plasticity.initial_weights=zeros"
    assert config(capsys, rule)["initial_weights"] == "evolved from uniform(-0.1, 0.1)"
    assert config(capsys, "plasticity.rule=none")["initial_weights"] == "evolved"
    for order in ((rule, weights), (weights, rule)):
        assert config(capsys, *order)["initial_weights"] == "zeros"
    again = config(capsys, "plasticity.sharing={A: layer}", "plasticity.rule=ABCD_lr")
    assert again["sharing"] == {"A": "layer"}


def test_what_a_file_says_of_a_rule_goes_with_it(capsys: Capture) -> None:
    section = {"rule": "w + rate*pre*post", "sharing": {"rate": "layer"}, "normalise": "max"}
    Path("mine.yaml").write_text(yaml.safe_dump({"preset": "quick-quadruped", "plasticity": section}))
    assert run(("config", "mine.yaml", "plasticity.rule=hebb")) == 0
    shown = yaml.safe_load(capsys.readouterr().out)["plasticity"]
    assert (shown["sharing"], shown["normalise"]) == ("synapse", "max")


@pytest.mark.parametrize(
    ("override", "remedy"),
    [
        ("plasticity.rule=w + eta*rewards*pre*post", "write 'reward'"),
        ("plasticity.rule={hebb: hebb + r*pre*post, weight: w + alpha*hebb}", "write 'reward'"),
        ("plasticity.rule={hebb: hebb +, weight: w}", "equation of hebb"),
        ("plasticity.rule={hebb: hebb + pre", "quote the YAML"),
        ("plasticity.rule={t: {equation: t + pre, axis: post}, w: w + eta*t}", "read post signals"),
        ("plasticity.rule={t: {equation: t + pre, axes: pre}, w: w + eta*t}", "did you mean axis?"),
        ("plasticity.rule=w + D", "blind: true"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_one_line(capsys: Capture, override: str, remedy: str) -> None:
    assert run(("config", "quick-quadruped", override)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert remedy in told.err
    assert told.err.count("\n") == 1


def test_lists_show_equations_and_sources() -> None:
    listed = entries("rules")
    assert list(listed) == list(RULES)
    assert listed["bcm"].startswith(
        "w = w + eta*pre*post*(post - theta); theta[post] = (1 - d)*theta + d*post**2   Bienenstock"
    )
    assert not [line for line in listed.values() if "{" in line or "\n" in line]


def test_signals_are_listed(capsys: Capture) -> None:
    assert run(("list", "signals")) == 0
    assert capsys.readouterr().out.split() == list(SIGNALS)


def test_every_rule_of_a_network_is_named_with_its_projections() -> None:
    def lines(*overrides: str) -> list[str]:
        return list(rule_lines(Task.of(load_config("quick-quadruped", ["network.hidden=[4]", *overrides]))))

    assert lines("plasticity.rule=hebb") == [
        "rule hebb: w = w + eta*pre*post; coefficients eta; 144 numbers to evolve"
    ]
    assert lines("plasticity.rule=w + m*eta*pre*post", "network.modulators=1") == [
        "rule custom: w = w + m*eta*pre*post; coefficients eta; of layer1, layer2",
        "rule none: w = w; coefficients none: static weights; of hidden1_to_modulator; 148 numbers to evolve",
    ]
    own = "network.projections=[observation -> a: {rule: oja}, a -> out: {rule: 0.9*w + pre*post}]"
    assert lines("network.populations={a: {size: 4}, out: {}}", own) == [
        "rule oja: w = w + eta*post*(pre - post*w); coefficients eta; of observation_to_a",
        "rule custom: w = 0.9*w + pre*post; coefficients none: nothing of it evolves; of a_to_out; "
        "112 numbers to evolve",
    ]

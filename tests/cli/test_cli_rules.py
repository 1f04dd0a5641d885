"""Rules at the command line: several states in an override, and in lists and configs for people."""

import pytest
import yaml

from hebbevo.cli.app import run
from hebbevo.cli.catalogues import entries
from hebbevo.rules import RULES, SIGNALS

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

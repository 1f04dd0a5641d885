"""Configs that are refused: one line with the place, the nearest name and the remedy, whatever the text."""

import contextlib
from pathlib import Path

import pytest
import yaml
from config_texts import INPUT_ERRORS, QUICK, refused, written
from hypothesis import given
from hypothesis import strategies as st

from hebbevo import Config, load_config

BAD_OVERRIDES = {
    "search.popultion=4": "did you mean search.population?",
    "serch.population=4": "did you mean search?",
    "search.population=7": "must be even for mirrored sampling, got 7; use 8",
    "search.population=-2": "search.population: input should be greater than or equal to 2, got -2",
    "training.generations=0": "training.generations: input should be greater than or equal to 1, got 0",
    "search.generations=0": "search.generations is the former name",
    "search.sigma=nan": "search.sigma",
    "search.sigma=.inf": "search.sigma",
    "search.algorithm=open_es": "did you mean openai_es?",
    "search.algorithm=[1]": "search.algorithm must be a name",
    "training.lifetime_seeds=all": "training.lifetime_seeds",
    "search.lifetime_seeds=all": "search.lifetime_seeds",
    "training.level_replay=1": "training.level_replay: input should be less than 1, got 1",
    "training.lifetime_seeds=level": "needs an environment with levels, got env.name quadruped; leave it out",
    "training.level_replay=0.5": "needs an environment with levels, got env.name quadruped; leave it out",
    "search=5": "write SECTION.KEY=VALUE",
    "population=5": "write SECTION.KEY=VALUE",
    "search.population": "write SECTION.KEY=VALUE",
    "search..population=4": "write SECTION.KEY=VALUE",
    "=": "write SECTION.KEY=VALUE",
    "": "write SECTION.KEY=VALUE",
    "search.population.x=3": "search.population",
    "search.population=[": "quote the YAML",
    "search.population=2020-13-45": "valid integer",
    "search.population=!!bool x": "not YAML",
    "search.population=!!python/object/apply:os.system [ls]": "could not determine a constructor",
    "search.population=" + "[" * 5000: "not YAML",
    "env.name=quadrupet": "did you mean quadruped?",
    "env.name=gymnasium:CartPole-v9": "did you mean CartPole-v1?",
    "env.name=gymnasium:os:system": "not imported here, os",
    "env.name=": "unknown environment",
    "env.morphologies=[intct]": "did you mean intact?",
    "env.morphologies=[intact, intact]": "twice",
    "env.morphologies=[]": "env.morphologies",
    "env.steps=-5": "env.steps: input should be greater than or equal to 1, got -5",
    "env.early_stop=yes": "env.early_stop",
    "env.early_stop.aftr=3": "env.early_stop.aftr",
    "network.hidden=-3": "network.hidden",
    "network.hidden=64;32": "network.hidden",
    "network.activation=tanhh": "network.activation",
    "plasticity.rule=ABCD_l": "did you mean ABCD_lr?",
    "plasticity.rule=": "rule",
    "plasticity.rule=w + eta*pots*pre": "write 'post', or give the coefficient another name",
    "plasticity.rule=__import__('os').system('ls')": "rule",
    "plasticity.rule=" + "(" * 10_000: "rule",
    "plasticity.rule=w + foo(pre)": "foo",
    "plasticity.rule={w: [1]}": "plasticity.rule",
    "plasticity.rule={self: w}": "self",
    "plasticity.sharing=synapses": "did you mean synapse?",
    "plasticity.sharing.etta=layer": "etta",
    "plasticity.normalise=maximum": "plasticity.normalise",
    "plasticity.initial_weights=unifrm(-1, 1)": "write uniform(low, high)",
    "plasticity.initial_weights=evolved from": "",
    "plasticity.initial_weights=evolved fromage": "write uniform(low, high)",
    "plasticity.initial_coefficients=normal(0, -1)": "normal needs sd >= 0",
    "evaluation.every=0": "evaluation.every",
    "evaluation.episodes=-1": "evaluation.episodes",
    "run.seed=-1": "run.seed",
    "run.seed=9223372036854775808": "run.seed",
    "run.sed=1": "did you mean run.seed?",
}


@pytest.mark.parametrize("override", [key for key in BAD_OVERRIDES if not key.endswith(" from")])
def test_a_bad_override_is_one_line_with_place_and_remedy(override: str) -> None:
    assert BAD_OVERRIDES[override] in refused(QUICK, override)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("quick-quadrupet", "did you mean quick-quadruped?"),
        ("", "unknown preset"),
        ("../presets/quick-quadruped", "unknown preset"),
        ("missing.yaml", "no config file missing.yaml; the presets are"),
    ],
)
def test_an_unknown_source(source: str, expected: str) -> None:
    assert expected in refused(source)


BAD_FILES = {
    "a: [": "line 1, column 5",
    "a: b: c": "mapping values are not allowed here",
    "just text": "expected sections",
    "[1, 2]": "expected sections",
    "": "expected sections",
    "preset: quick-quadrupet": "did you mean quick-quadruped?",
    "preset: [1]": "unknown preset",
    "preset: quick-quadruped\nenv: 5": "env: expected keys and values, got 5",
    "preset: quick-quadruped\nenv: {1: 2}": "env",
    "preset: quick-quadruped\n1: {a: 2}": "unknown config section",
    "preset: quick-quadruped\nenv: {name: [1]}": "env.name must be a name",
    "preset: quick-quadruped\nenv: &a {early_stop: *a}": "env.early_stop",
    "preset: quick-quadruped\nsearch: {sigma: 2020-99-99}": "search.sigma",
    "preset: quick-quadruped\nsearch: {sigma: !!float x}": "mine.yaml",
    "preset: quick-quadruped\nsearch: {sigma: !!int ''}": "mine.yaml",
    "preset: quick-quadruped\nsearch: {? [a, b] : 3}": "line 2, column 12",
    "env: {}": "search.population",
    "env: {gear: -1}\nsearch: {population: 4, generations: 1}": "env.gear",
    "\x00": "mine.yaml",
    "\t- a": "mine.yaml",
    "a: &a [*a, *b]": "mine.yaml",
    "[" * 5000: "mine.yaml",
    "!!python/object/apply:os.system [ls]": "mine.yaml",
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_bad_file_is_one_line_with_its_place(text: str) -> None:
    assert BAD_FILES[text] in refused(written(text))


def test_a_bomb_of_aliases_is_refused_in_a_short_line() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    bomb = "env:\n  name: quadruped\n  early_stop: *a8\nsearch: {population: 4, generations: 1}\n"
    aliases = "mine.yaml: aliases make more than"
    assert aliases in refused(written("\n".join(lines) + "\n" + bomb))
    inside = "\n".join(f"  {line}" for line in lines)
    assert aliases in refused(written(f"env:\n{inside}\n  steps: *a8\n"))
    assert aliases in refused(
        written(f"search:\n  population: 4\n  generations: 1\n  sigma:\n{inside.replace('  a', '    a')}\n")
    )


def test_a_file_that_cannot_be_read() -> None:
    Path("mine.yaml").write_bytes(b"\xff\xfe\xfa")
    assert "cannot read mine.yaml" in refused("mine.yaml")
    Path("folder.yaml").mkdir()
    assert "cannot read folder.yaml" in refused("folder.yaml")


yaml_like = st.text(alphabet=st.sampled_from("ab01:-[]{}&*!?|>%@'\"# ,.\n\t\u00e9~=<"), max_size=60)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "steps", "rule", "sharing", "population"]) | st.integers(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
sections = st.dictionaries(st.sampled_from([*Config.model_fields, "preset", "other"]), plain, max_size=3)


@given(st.text(max_size=80) | yaml_like | sections.map(yaml.safe_dump))
def test_no_file_raises_anything_but_input_errors(text: str) -> None:
    Path("any.yaml").write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(*INPUT_ERRORS):
        load_config("any.yaml")


keys = st.sampled_from(
    [f"{name}.{key}" for name, key in (("env", "name"), ("env", "early_stop"), ("network", "hidden"))]
    + ["plasticity.rule", "plasticity.sharing", "search.algorithm", "search.sigma", "run.seed", "x.y", "env"]
)


@given(keys, yaml_like | st.text(max_size=20))
def test_no_override_raises_anything_but_input_errors(key: str, value: str) -> None:
    try:
        config = load_config(QUICK, [f"{key}={value}"])
    except INPUT_ERRORS as error:
        assert "\n" not in str(error)  # noqa: PT017  (most examples raise, some do not)
    else:
        assert load_config(written(config.to_yaml(), "any.yaml")) == config

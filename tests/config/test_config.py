"""The configuration: layers and overrides, text that is no YAML, and bad input in one line with the nearest name."""

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hebbevo import Config, InputError, load_config
from hebbevo.config.building import build_config
from hebbevo.config.catalogue import preset_names
from hebbevo.config.difference import difference
from hebbevo.errors import EnvError, RuleError, SearchError
from hebbevo.tasks.task import Task

INPUT_ERRORS = (InputError, RuleError, EnvError, SearchError)
QUICK = "quick-quadruped"


def written(text: str, name: str = "mine.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def refused(source: str, *overrides: str) -> str:
    with pytest.raises(INPUT_ERRORS) as caught:
        load_config(source, overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


@pytest.mark.parametrize("name", preset_names())
def test_presets_load_and_come_back_from_their_yaml(name: str) -> None:
    config = load_config(name)
    assert load_config(written(config.to_yaml())) == config
    assert load_config(written(f"preset: {name}\n")) == config
    if "quadruped" in name:
        assert config.env.name == "quadruped"
        assert config.env.morphology_names == ("intact", "right_front_damaged")


def test_the_paper_preset_holds_the_published_numbers() -> None:
    config = load_config("paper-quadruped").model_dump()
    search, training, plasticity = config["search"], config["training"], config["plasticity"]
    assert (search["population"], training["generations"], search["sigma"]) == (500, 500, 0.1)
    assert (search["learning_rate"], search["learning_rate_decay"], search["sigma_decay"]) == (
        0.2,
        0.995,
        0.999,
    )
    assert (training["penalty"], search["learning_rate_floor"], search["sigma_floor"]) == (0.01, 0.001, 0.01)
    assert (plasticity["rule"], plasticity["initial_weights"]) == ("ABCD_lr", "uniform(-0.1, 0.1)")
    assert config["network"]["hidden"] == (128, 64)
    assert config["env"]["early_stop"] == {"after": 200, "negative_rewards": 30}


def test_overrides_win_over_the_file_and_the_file_over_its_preset() -> None:
    file = written("preset: quick-quadruped\nsearch: {population: 10, sigma: 0.2}\nnetwork: {hidden: [5]}\n")
    config = load_config(file, ["search.sigma=0.3", "search.sigma=0.4"])
    assert (config.search.population, config.search.sigma, config.network.hidden) == (10, 0.4, (5,))
    assert config.training.generations == load_config(QUICK).training.generations


@pytest.mark.parametrize("text", ["env:", "env: {}", "network:\nsearch:\nenv:\nplasticity:", "run: null"])
def test_an_empty_section_changes_nothing(text: str) -> None:
    assert load_config(written(f"preset: {QUICK}\n{text}\n")) == load_config(QUICK)


def test_a_value_is_everything_after_the_first_equals_sign() -> None:
    config = load_config(QUICK, ["plasticity.rule={w: 'w + m1*pre*post', trace: 'trace + a*pre'}"])
    assert config.plasticity.rule == {"w": "w + m1*pre*post", "trace": "trace + a*pre"}
    assert "a=b" in refused(QUICK, "plasticity.initial_weights=a=b")


@pytest.mark.parametrize("rule", ["w + eta*pre*post", "  oja ", "w+A*pre*post+1.0", "A"])
def test_a_rule_is_taken_as_it_stands(rule: str) -> None:
    assert load_config(QUICK, [f"plasticity.rule={rule}"]).plasticity.rule == rule


@pytest.mark.parametrize("rule", ["null", "1", "true", "[w]", "w: w", "# w", "no"])
def test_text_keys_are_not_read_as_yaml(rule: str) -> None:
    message = refused(QUICK, f"plasticity.rule={rule}")
    assert "rule" in message
    assert "valid string" not in message


def test_lists_are_written_in_three_ways() -> None:
    for text, expected in (("64,32", (64, 32)), ("[64, 32]", (64, 32)), ("64", (64,)), ("[]", ())):
        assert load_config(QUICK, [f"network.hidden={text}"]).network.hidden == expected
    assert load_config(QUICK, ["env.morphologies=intact"]).env.morphology_names == ("intact",)


def test_numbers_in_scientific_notation() -> None:
    assert load_config(QUICK, ["search.learning_rate=1e-3"]).search.model_dump()["learning_rate"] == 1e-3


def test_another_environment_drops_what_the_preset_said_of_the_former() -> None:
    config = load_config(QUICK, ["env.name=gymnasium:CartPole-v1"])
    assert (config.env.name, config.env.morphology_names) == ("gymnasium:CartPole-v1", ("default",))
    assert config.env.steps == load_config(QUICK).env.steps
    typed = "env.morphologies=[intact]"
    assert "morphologies" in refused(QUICK, "env.name=gymnasium:CartPole-v1", typed)
    assert "morphologies" in refused(QUICK, "env.name=gymnasium:CartPole-v1", "env.morphologies=null")


@pytest.mark.parametrize("name", ["cma_es", "snes", "pgpe", "xnes", "cem"])
def test_another_algorithm_drops_what_the_preset_said_of_the_former(name: str) -> None:
    config = load_config("quick-quadruped-static", [f"search.algorithm={name}"])
    population = load_config("quick-quadruped-static").search.population
    assert (config.search.algorithm, config.search.population) == (name, population)
    values = config.search.model_dump()
    assert "optimizer" not in values
    assert values.get("learning_rate") in (None, 1.0)  # its own default, not OpenAI-ES's
    assert "optimizer" in refused(QUICK, f"search.algorithm={name}", "search.optimizer=adam")
    file = written(f"preset: {QUICK}\nsearch: {{algorithm: {name}, beta1: 0.5}}\n")
    assert "beta1" in refused(file)


def test_naming_the_same_kind_again_drops_nothing() -> None:
    config = load_config("quick-quadruped-static", ["search.algorithm=openai_es"])
    assert config == load_config("quick-quadruped-static")


def test_the_order_of_kind_and_key_does_not_matter_to_typed_keys() -> None:
    message = refused(QUICK, "search.optimizer=adam", "search.algorithm=cma_es")
    assert "optimizer" in message


def test_a_nested_override_keeps_its_siblings() -> None:
    config = load_config(
        QUICK, ["plasticity.sharing=pre", "plasticity.sharing.eta=layer", "plasticity.sharing.A=post"]
    )
    assert config.plasticity.sharing == {"default": "pre", "eta": "layer", "A": "post"}
    assert load_config(written(config.to_yaml())) == config
    stop = load_config(QUICK, ["env.early_stop.after=50"]).env.early_stop
    assert stop is not None
    assert (stop.after, stop.negative_rewards) == (50, 30)
    both = load_config(QUICK, ["env.early_stop.after=50", "env.early_stop.negative_rewards=3"]).env.early_stop
    assert both is not None
    assert (both.after, both.negative_rewards) == (50, 3)
    assert load_config(QUICK, ["env.early_stop=null"]).env.early_stop is None


def test_a_static_network_evolves_its_weights() -> None:
    file = written("plasticity: {rule: none}\nsearch: {population: 4, generations: 1}\n")
    config = load_config(file)
    assert config.plasticity.weights_evolve
    assert load_config(written(config.to_yaml())) == config
    assert load_config(QUICK, ["plasticity.rule=none"]).plasticity.weights_evolve
    drawn = ("plasticity.rule=none", "plasticity.initial_weights=zeros")
    assert "initial_weights: evolved" in refused(QUICK, *drawn)


def test_short_forms_of_noise() -> None:
    rule, hidden = "plasticity.rule=node_perturbation", "network.noise=normal(0, 0.1)"
    assert "network.output_noise" in refused(QUICK, rule, hidden)
    config = load_config(QUICK, [rule, hidden, "network.output_noise=uniform(-1, 1)"])
    spec = Task.of(config).network_spec
    kinds = [one.noise.distribution.kind for one in spec.populations[1:] if one.noise]
    assert kinds == ["normal", "normal", "uniform"]
    assert load_config(written(config.to_yaml())) == config
    assert "network.output_noise" in refused(QUICK, "network.hidden=[]", hidden)


def test_evolved_weights_say_where_they_start() -> None:
    config = load_config(QUICK, ["plasticity.initial_weights=evolved from normal(0, 0.5)"])
    assert config.plasticity.weights_evolve
    assert config.plasticity.weight_distribution.second == 0.5


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


def test_differences_name_the_key() -> None:
    old, new = (
        load_config(QUICK, [f"search.population={n}"]).model_dump(mode="json", exclude={"run"})
        for n in (4, 6)
    )
    new["env"]["early_stop"] = None
    assert difference(old, new) == [
        "env.early_stop: {'after': 200, 'negative_rewards': 30} -> None",
        "search.population: 4 -> 6",
    ]


def test_a_config_may_be_built_from_python() -> None:
    config = build_config({"search": {"population": 4, "generations": 2}})
    assert (config.env.name, config.plasticity.rule) == ("quadruped", "ABCD_lr")


def test_overrides_may_be_a_mapping() -> None:
    texts = [
        "search.population=64",
        "env.morphologies=[intact]",
        "env.early_stop=null",
        "plasticity.rule=oja",
    ]
    mapping = {
        "search.population": 64,
        "env.morphologies": ["intact"],
        "env.early_stop": None,
        "plasticity.rule": "oja",
    }
    assert load_config(QUICK, mapping) == load_config(QUICK, texts)
    assert load_config(QUICK, {"search": {"population": 64, "sigma": 0.2}}).search.sigma == 0.2
    lesion = {"kind": "zero_weights", "at": 30, "fraction": 0.5}
    assert load_config(QUICK, {"perturbations": [lesion]}) == load_config(
        QUICK, ["perturbations=zero_weights:at=30,fraction=0.5"]
    )


def test_a_kind_in_a_mapping_drops_keys_of_the_preset_only() -> None:
    config = load_config(QUICK, {"search.population": 8, "search.algorithm": "snes", "search.sigma": 0.3})
    assert (config.search.algorithm, config.search.population, config.search.sigma) == ("snes", 8, 0.3)
    with pytest.raises(InputError, match="optimizer"):
        load_config(QUICK, {"search.optimizer": "adam", "search.algorithm": "snes"})


@pytest.mark.parametrize("key", ["population", "search.", "", 5, "search", "serch.population"])
def test_a_mapping_with_a_bad_key_is_refused(key: object) -> None:
    with pytest.raises(InputError):
        load_config(QUICK, {key: 64})  # type: ignore[dict-item]


def test_the_source_may_be_a_mapping() -> None:
    base = {"preset": QUICK, "search": {"population": 8}}
    assert load_config(base) == load_config(QUICK, ["search.population=8"])
    assert base == {"preset": QUICK, "search": {"population": 8}}


def test_optional_keys_are_left_out_at_their_default() -> None:
    config = load_config(QUICK)
    dumped = config.model_dump(mode="json")
    assert "perturbations" not in dumped
    assert {"output", "encoder"}.isdisjoint(dumped["network"])
    assert "level_replay" not in dumped["training"]
    raw = load_config(QUICK, ["network.output=raw"]).model_dump(mode="json")
    assert raw["network"]["output"] == "raw"

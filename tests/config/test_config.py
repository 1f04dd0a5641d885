"""The configuration: layers and overrides, text that is no YAML, kinds and what their keys drop."""

import pytest
from config_texts import QUICK, refused, written

from hebbevo import InputError, load_config
from hebbevo.config.building import build_config
from hebbevo.config.catalogue import preset_names
from hebbevo.config.difference import difference
from hebbevo.tasks.task import Task


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

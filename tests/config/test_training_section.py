"""What a run uses stands in `training`; the former names, in `search`, still mean the same."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hebbevo import InputError, load_config, resume
from hebbevo.config.aliases import ALIASES, current_names
from hebbevo.config.building import build_config
from hebbevo.config.catalogue import preset_names
from hebbevo.search import SEARCHERS

QUICK = "quick-quadruped"
VALUES: dict[str, Any] = {
    "generations": 5,
    "agent_steps": 1000,
    "penalty": 0.5,
    "lifetime_seeds": "pair",
    "level_replay": 0.25,
}
OLD_RUN = Path(__file__).resolve().parents[1] / "golden" / "old" / "run"


def old_spelling(config: dict[str, Any]) -> dict[str, Any]:
    """Return a dumped config as hebbevo 0.1 wrote it; keys that came later stay where they are."""
    training = config.pop("training")
    former = {key: training.pop(key) for key in VALUES if key in training}
    later = {"training": training} if training else {}
    return {**config, **later, "search": {**config["search"], **former}}


def test_every_key_of_before_has_an_alias() -> None:
    moved = {former.removeprefix("search.") for former in ALIASES if former.startswith("search.")}
    assert moved == set(VALUES)


@pytest.mark.parametrize("key", VALUES)
def test_an_override_may_use_either_name(key: str) -> None:
    car = ("quick-carracing", ["training.lifetime_seeds=pair"])
    former, present = (
        load_config(car[0], [*car[1], f"{section}.{key}={VALUES[key]}"]) for section in ("search", "training")
    )
    assert former == present
    assert getattr(present.training, key) == VALUES[key]


@pytest.mark.parametrize("name", preset_names())
def test_a_file_of_before_means_the_same(name: str) -> None:
    config = load_config(name)
    data = old_spelling(config.model_dump(mode="json"))
    assert VALUES.keys() & data["search"].keys()
    assert not VALUES.keys() & data.get("training", {}).keys()
    assert build_config(data) == config
    Path("old.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    assert load_config("old.yaml") == config


@pytest.mark.parametrize("section", ["search", "training"])
def test_a_value_of_before_means_the_same(section: str) -> None:
    config = load_config("quick-carracing", [f"{section}.lifetime_seeds=track"])
    assert config == load_config("quick-carracing", ["training.lifetime_seeds=level"])
    assert current_names({section: {"lifetime_seeds": "track"}})["training"] == {"lifetime_seeds": "level"}


def test_the_last_of_both_names_wins_across_layers() -> None:
    Path("file.yaml").write_text(f"preset: {QUICK}\nsearch: {{generations: 3}}\n", encoding="utf-8")
    assert load_config("file.yaml").training.generations == 3
    assert load_config("file.yaml", ["training.generations=4"]).training.generations == 4
    both = ["training.generations=4", "search.generations=5"]
    assert load_config(QUICK, both).training.generations == 5
    assert load_config(QUICK, both[::-1]).training.generations == 4


def test_both_names_in_one_file_are_refused() -> None:
    text = f"preset: {QUICK}\nsearch: {{generations: 3}}\ntraining: {{generations: 3}}\n"
    Path("file.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"former name of training.generations, got both; give training"):
        load_config("file.yaml")


@pytest.mark.parametrize("algorithm", SEARCHERS)
def test_the_penalty_is_the_algorithms_where_none_is_given(algorithm: str) -> None:
    expected = 0.01 if algorithm == "openai_es" else 0.0
    for more in ([], ["training.penalty=null"], ["search.penalty=null"]):
        config = load_config(QUICK, [f"search.algorithm={algorithm}", *more])
        assert config.training.penalty == expected
        assert f"  penalty: {expected}\n" in config.to_yaml()


def test_another_algorithm_keeps_what_the_run_uses() -> None:
    before = load_config("tuned-carracing", ["search.level_replay=0.5"])
    after = load_config("tuned-carracing", ["search.level_replay=0.5", "search.algorithm=snes"])
    assert after.training == before.training
    assert after.training.penalty == 0.01  # the preset names it


def test_genome_files_hold_both_sections_as_one_mapping() -> None:
    config = load_config("tuned-quadruped")
    assert config.search_settings() == old_spelling(config.model_dump(mode="json"))["search"]


def test_a_run_directory_of_before_is_read(tmp_path: Path) -> None:
    config = load_config(OLD_RUN / "config.yaml")
    assert (config.training.generations, config.training.penalty) == (6, 0.01)
    for file in OLD_RUN.rglob("*"):
        if file.is_file():
            copy = tmp_path / file.relative_to(OLD_RUN)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(file.read_bytes())
    text = (tmp_path / "config.yaml").read_text().replace("penalty: 0.01", "penalty: 0.02")
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(InputError, match=r"training.penalty: 0.01 -> 0.02; undo the change"):
        resume(tmp_path)

"""CONTRIBUTING.md holds: its examples run, its table of packages is that of setup.cfg, and what it names exists."""

import configparser
import re
import sys
import types
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import own_modules
import pytest

from hebbevo import envs
from hebbevo.envs.morphologies.anatomy import ANATOMIES
from hebbevo.training.figures import FIGURES

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
REGISTRIES: tuple[MutableMapping[str, Any], ...] = (
    *own_modules.REGISTRIES,
    envs.MORPHOLOGIES,
    ANATOMIES,
    FIGURES,
)
EXAMPLES = dict(
    re.findall(r"^### An? (\w+)$(?:(?!^#).)*?^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
)
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
LEVELS = re.findall(r"^ +(\d+)  (\w+(?: \| \w+)*)  +\S.*$", TEXT, re.MULTILINE)
"""Number and packages of every line of the picture of the house."""


@pytest.fixture
def registries() -> Iterator[None]:
    """Take away afterwards what an example registers."""
    before = [dict(registry) for registry in REGISTRIES]
    yield
    for registry, entries in zip(REGISTRIES, before, strict=True):
        registry.clear()
        registry.update(entries)


def test_every_example_is_run() -> None:
    kinds = {"rule", "signal", "encoding", "environment", "robot", "body", "perturbation", "searcher"}
    assert set(EXAMPLES) == kinds | {"study", "figure"}
    assert len(EXAMPLES) == TEXT.count("```python")


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_example_runs_as_a_module(
    kind: str, registries: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = EXAMPLES[kind]
    assert re.search(r"^ *assert ", code, re.MULTILINE)
    module = types.ModuleType(f"contributed_{kind}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, f"CONTRIBUTING.md ({kind})", "exec"), module.__dict__)
    assert capsys.readouterr().err == ""


def test_the_table_of_packages_is_the_one_that_is_enforced() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    enforced = settings["importlinter:contract:layers"]["layers"].split("\n")
    assert [packages for _, packages in LEVELS] == [line.strip() for line in enforced if line.strip()]
    assert [int(level) for level, _ in LEVELS] == list(range(len(LEVELS), 0, -1))


def test_every_package_stands_in_the_table() -> None:
    files = (ROOT / "hebbevo").iterdir()
    packages = {path.stem for path in files if path.suffix == ".py" or (path / "__init__.py").exists()}
    shown = {name for _, names in LEVELS for name in names.split(" | ")}
    assert shown == packages - {"__init__"}


def test_the_parts_of_the_data_flow_are_where_it_says() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| (`\w+`(?:, `\w+`)*) \| (`[\w/]+\.py`(?:, `[\w/]+\.py`)*) \|$", TEXT, re.MULTILINE
    )
    assert len(rows) > 15
    for names, files in rows:
        source = "".join((ROOT / file).read_text(encoding="utf-8") for file in re.findall(r"[\w/.]+", files))
        for name in re.findall(r"\w+", names):
            assert re.search(rf"^(?:class|def) {name}\b", source, re.MULTILINE), name


def test_names_stand_in_the_files_that_are_given_for_them() -> None:
    given = re.findall(r"`([\w.]+)`(?: of|\sin|,)?\s\(?`(\w[\w/]+\.py)`", PROSE)
    assert {"RULES", "WalkerConfig", "COMMANDS"} <= {name for name, _ in given}
    for name, file in given:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert all(re.search(rf"\b{part}\b", source) for part in name.split(".")), (name, file)


def test_files_and_links_exist() -> None:
    for path in re.findall(r"`((?:hebbevo|rules|envs|search|tests|scripts|docs)/[\w/.]*)`", PROSE):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\(([^)]+)\)", PROSE):
        page, _, section = link.partition("#")
        text = (ROOT / page).read_text(encoding="utf-8") if page else TEXT
        headings = {
            re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
            for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        assert not section or section in headings, link

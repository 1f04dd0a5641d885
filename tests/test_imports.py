"""Modules of a user's own: imported once, by the bytes that were read; refused in one line; sent as they are."""

import hashlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from own_modules import fresh_process

import hebbevo
from hebbevo import imports
from hebbevo.cli import app
from hebbevo.errors import InputError, MissingImport
from hebbevo.imports import Import, Imports, imported, require
from hebbevo.tasks.task import Task

RULE = "from hebbevo.rules import RULES, Rule\nRULES['gated'] = Rule('gated', w='w + eta*(pre - threshold)*post')\n"
WORLD = """
from typing import ClassVar, Literal
import numpy as np
from hebbevo import envs

class Still(envs.BatchedEnvironment):
    def __init__(self, config, batch_size):
        super().__init__(batch_size, 1, 1)
    def reset(self, seeds, morphologies):
        self._clear_rows(self._check_reset(seeds, morphologies))
    def step(self, actions, active):
        raise RuntimeError("no floor")

class StillConfig(envs.EnvConfig):
    environment: ClassVar = Still
    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = True
    name: Literal["still"] = "still"
    interface: ClassVar = envs.EnvironmentInterface(1, np.ones(1, np.float32))

envs.ENVIRONMENTS["still"] = StillConfig
"""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    with fresh_process():
        yield


def write(name: str, text: str) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def test_a_file_is_a_module_named_by_its_hash() -> None:
    name = write("folder/own_rule.py", RULE)
    hebbevo.import_modules([name, name])
    assert imported() == (
        Import(name="own_rule.py", sha256=hashlib.sha256(Path(name).read_bytes()).hexdigest()),
    )
    assert sys.modules["own_rule"].__file__ == str(Path(name).absolute())
    assert hebbevo.rules.get("gated").coefficients == ("eta", "threshold")
    assert hebbevo.load_config("quick-quadruped").imports == imported()
    write(name, RULE + "# another\n")
    with pytest.raises(InputError, match=r"own_rule.py was imported, and is another one now; start a new"):
        hebbevo.import_modules([name])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none_such.py", None, "cannot import none_such.py: No such file"),
        ("own-rule.py", RULE, "is no name of a module; rename the file"),
        ("json.py", RULE, "another module is called json; rename the file"),
        ("own_bad.py", "x = 1\n1 / 0\n", r"own_bad.py: ZeroDivisionError: .* \(own_bad.py line 2\)"),
        ("own_bad.py", "def f(:\n", r"own_bad.py: invalid syntax \(own_bad.py line 1\)"),
        ("own_bad.py", "raise SystemExit(3)\n", "own_bad.py: SystemExit: 3"),
        ("own_bad.py", "import none_such_either\n", "No module named 'none_such_either'"),
        ("none_such", None, "no module is called none_such; install it, or name a FILE.py"),
        ("../own_rule", None, "neither FILE.py nor a module"),
        ("sys", None, "part of Python"),
    ],
)
def test_what_cannot_be_imported_is_one_line(name: str, text: str | None, message: str) -> None:
    if text is not None:
        name = write(f"folder/{name}", text)
    with pytest.raises(InputError, match=message) as caught:
        hebbevo.import_modules([name])
    assert "\n" not in str(caught.value)
    assert imported() == ()


def test_a_package_of_the_current_folder_goes_along_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    write("own_package/__init__.py", "")
    write("own_package/rule.py", RULE + "from importlib.resources import files\n")
    write("own_package/data.txt", "some")
    monkeypatch.syspath_prepend("/nowhere")  # and sys.path is as before afterwards
    hebbevo.import_modules(["own_package.rule"])
    (record,) = imported()
    assert record.name == "own_package.rule"
    assert {"__init__.py", "data.txt", "rule.py"} <= arrives_elsewhere(
        Path("own_package"), "own_package.rule"
    )


def test_a_file_that_has_changed_or_gone_arrives_as_it_ran() -> None:
    hebbevo.import_modules([write("own_rule.py", RULE)])
    assert arrives_elsewhere(Path("own_rule.py"), "own_rule") == {"own_rule.py"}


def arrives_elsewhere(path: Path, module: str) -> set[str]:
    """Move a module away, and return the files beside it where another process has it from."""
    pickled, there = pickle.dumps(Imports()), Path("elsewhere")
    there.mkdir()
    path.rename(there / path.name)
    code = "import pickle, sys; from pathlib import Path; pickle.loads(sys.stdin.buffer.read())"
    code += "; from hebbevo.rules import get; get('gated'); from hebbevo.imports import imported"
    code += f"; names = [path.name for path in Path(sys.modules['{module}'].__file__).parent.iterdir()]"
    code += "; print(imported()[0].sha256, *names)"
    ended = subprocess.run([sys.executable, "-c", code], input=pickled, capture_output=True, check=True)
    sha256, *names = ended.stdout.decode().split()
    assert sha256 == imported()[0].sha256
    return set(names)


def test_a_record_is_required_and_never_imported() -> None:
    write("own_rule.py", RULE)
    record = Import(name="own_rule.py", sha256="0" * 64)
    with pytest.raises(MissingImport, match=r"why; it was made with own_rule.py \(sha256 000000000000\)"):
        require([record], "why")
    hebbevo.import_modules(["own_rule.py"])
    require([record], "why")
    assert "formerly 000000000000" in imports.changed([record])
    assert imports.changed(imported()) == ""


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ("own_rule.py", "imports: expected a list"),
        (["own_rule.py"], r"imports\[0\]: expected name and sha256"),
        ([{"name": "own_rule.py"}], r"imports\[0\].sha256: field required"),
        ([{"name": "own_rule.py", "sha256": "x"}], r"imports\[0\].sha256"),
        ([{"name": "x --out /", "sha256": "0" * 64}], r"imports\[0\].name"),
        ([{"name": "../own_rule.py", "sha256": "0" * 64}], r"imports\[0\].name"),
        ([{"name": "own_rule.py", "sha256": "0" * 64}], "not imported here"),
    ],
)
def test_a_config_of_a_run_imports_nothing(records: object, message: str) -> None:
    from hebbevo.config.building import build_config

    write("own_rule.py", RULE)
    data = hebbevo.load_config("quick-quadruped").model_dump(mode="json")
    with pytest.raises(InputError, match=message):
        build_config({**data, "imports": records})
    assert "own_rule" not in sys.modules


def test_a_genome_of_a_rule_of_ones_own_opens_anywhere() -> None:
    with fresh_process():
        hebbevo.import_modules([write("own_rule.py", RULE)])
        config = hebbevo.load_config("quick-quadruped", ["plasticity.rule=gated", "network.hidden=[4]"])
        task = Task.of(config)
        genome = hebbevo.Genome(task, task.first_genome(np.random.default_rng(1)))
        hebbevo.save_genome(genome, "genome.safetensors")
    opened = hebbevo.load_genome("genome.safetensors")
    assert opened.task.kernel_spec == task.kernel_spec
    assert opened.values.tobytes() == genome.values.tobytes()
    assert [record.name for record in opened.task.imports] == ["own_rule.py"]


def test_an_id_may_name_the_module_that_registers_it(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "own_ids.py",
        "import gymnasium\ngymnasium.register('Own-v0', 'gymnasium.envs.classic_control:PendulumEnv')\n",
    )
    words = ["config", "quick-quadruped", "env.name=gymnasium:own_ids:Own-v0"]
    assert app.run(words) == 2
    assert capsys.readouterr().err.endswith("add: --import own_ids\n")
    assert "own_ids" not in sys.modules
    assert app.run([*words, "--import", "own_ids.py"]) == 0
    assert "name: gymnasium:own_ids:Own-v0" in capsys.readouterr().out
    assert hebbevo.load_config("quick-quadruped", words[2:]).env.interface.observation_size == 3


def test_a_failed_start_is_not_in_the_way_of_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    write("own_world.py", WORLD)
    words = ["evolve", "quick-quadruped", "env.name=still", "network.hidden=[4]", "search.population=2"]
    words += ["env.steps=1", "training.generations=1", "plasticity.rule=none", "--out", "runs/a"]
    words += ["--import", "own_world.py", "--batch-size", "1", "--threads", "1"]
    assert app.run(words) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("hebbevo: RuntimeError: no floor")
    assert list(Path("runs").iterdir()) == []

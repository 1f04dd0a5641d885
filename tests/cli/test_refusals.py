"""Bad input changes nothing: whatever a command refuses, every file and folder is as it was."""

from __future__ import annotations

import shlex
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tasks import HERE, small_config

from hebbevo import evolve
from hebbevo.cli.app import COMMANDS, run

LONG = "x" * 300
TINY = "quick-quadruped env.name=gymnasium:CartPole-v1 env.steps=40 network.hidden=4 search.population=6"

REFUSED = [
    # a name, a key, a value, a file
    "evolve quick-quadrupet --out new",
    f"evolve {TINY} search.popultion=4 --out new",
    f"evolve {TINY} search.population=7 --out new",
    "evolve twice.yaml --out new",
    "evolve recursive.yaml --out new",
    "evolve latin.yaml --out new",
    "evolve run --out new",
    "evolve quick-quadruped env.name=mjcf --out new",
    "evolve quick-quadruped env.name=mjcf env.file=nowhere.xml --out new",
    "evolve quick-quadruped env.name=mjcf env.file=twice.yaml --out new",
    "evolve quick-quadruped env.bodies=nowhere.yaml --out new",
    # where it shall go
    f"evolve {TINY} --out run --workers 2",
    f"evolve {TINY} --out file",
    f"evolve {TINY} --out file/new",
    f"evolve {TINY} --out a/b/{LONG}",
    # what it shall start from
    f"evolve {TINY} --out new --from damaged.safetensors",
    f"evolve {TINY} --out new --from run network.hidden=5",
    f"evolve {TINY} --out new --from run network.activation=relu",
    f"evolve {TINY} --out a/new --from run 'plasticity.rule=w + eta*(A*pre*post + B*pre + C*post - D)'",
    # how it shall be executed
    f"evolve {TINY} --out new --device cda",
    f"evolve {TINY} --out a/new --workers 99999",
    f"evolve {TINY} --out new --threads 99999",
    f"evolve {TINY} --out new --batch-size 0",
    f"evolve {TINY} --out new env.name=association env.stimuli=1000 network.hidden=[100000,1000]",
    "resume nowhere",
    "resume file",
    "resume run --generations 2",
    "resume run --generations 50 --workers 99999",
    "resume run --generations 50 --device cda",
    "resume run --generations 9999999999",
    "resume run --threads 0",
    "resume changed",
    "resume torn --workers 99999",
    "resume damaged",
    "evaluate nowhere",
    "evaluate damaged.safetensors",
    "evaluate run --episodes 0 --json out.json",
    "evaluate run --morphology nobody --json file",
    "evaluate run --bodies nowhere.yaml --json file",
    "evaluate zoo:quick-quadruped-static --bodies twice.yaml --json file",
    "evaluate run --steps 0 --json file",
    "evaluate run --json nowhere/out.json",
    f"evaluate run --json {LONG}",
    "evaluate run --workers 99999 --official --json out.json",
    "generalize run --out new",
    "generalize zoo:quick-quadruped-static --out run",
    "generalize zoo:quick-quadruped-static --out a/new --morphology nobody",
    f"generalize zoo:quick-quadruped-static --out a/{LONG}",
    "learning run --out new",
    "learning zoo:quick-association --out run",
    "learning zoo:quick-association --out a/new --freeze 10",
    "learning zoo:quick-association --out new --morphology intact",
    "study noise run --out new",
    "study perturb run --out a/new",
    "perturb run --out new --perturb zero_weights:at=9999",
    "perturb run --out run",
    "perturb run --out new --perturb none --episodes 1 --ray nowhere",
    "perturb run --out a/new --perturb twice.yaml",
    "record run --out new.gif",
    "record run --out new.npz --at 99",
    "record run --out a/new.npz --kind wights",
    "view run",
    "render run --out new.gif",
    "render run --out file.mp4",
    "render run --out a/new.mp4",
    "render run --out new.mp4 --perturb freeze:at=99",
    "experiment nowhere.yaml --out new",
    "experiment twice.yaml --out new",
    "experiment arms.yaml --out run",
    "experiment arms.yaml --out file",
    "experiment arms.yaml --out a/new --jobs 0",
    "experiment arms.yaml --out new --threads 0",
    "compare nowhere",
    "compare run file --out new",
    "compare A=run --out file",
    "compare A=run --baseline B --out new",
    "show nowhere",
    "show damaged.safetensors",
    "show damaged",
    "show file",
    "report nowhere",
    "report file",
    "plot nowhere",
    "plot file",
    "plot fresh",
    "plot damaged",
    "config quick-quadruped env.steps=true",
    "config twice.yaml",
    "list nothing",
    "bench --only nothing --json out.json",
    "bench --repeats 0 --json out.json",
    "nothing",
    "evolve",
]


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run, runs and files that cannot be used, and files that are in the way."""
    folder = tmp_path_factory.mktemp("things")
    evolve(small_config(), folder / "run", execution=HERE)
    for name in ("changed", "torn", "damaged", "fresh"):
        shutil.copytree(folder / "run", folder / name)
    config = folder / "changed" / "config.yaml"
    config.write_text(config.read_text().replace("steps: 40", "steps: 41"))
    for name in (".progress.csv.tmp", "checkpoints/.generation_000004.safetensors.tmp"):
        (folder / "torn" / name).write_bytes(b"half")
    (folder / "torn" / "checkpoints" / "generation_000003.safetensors").write_bytes(b"damaged")
    (folder / "damaged" / "config.yaml").write_text("env: [")
    for name in ("progress.csv", "best.safetensors"):
        (folder / "fresh" / name).unlink()
    (folder / "damaged.safetensors").write_bytes((folder / "run" / "center.safetensors").read_bytes()[:-9])
    (folder / "twice.yaml").write_text("preset: quick-quadruped\nenv: {steps: 3}\nenv: {steps: 4}\n")
    (folder / "recursive.yaml").write_text("preset: quick-quadruped\nenv: &a {kwargs: *a}\n")
    (folder / "arms.yaml").write_text(
        "base: quick-association\narms: {a: {}, b: {env.stimuli: 2}}\nseeds: 1\n"
    )
    (folder / "latin.yaml").write_bytes("preset: é".encode("latin-1"))
    for name in ("file", "file.mp4"):
        (folder / name).write_text("dear")
    return folder


@pytest.fixture(autouse=True)
def _in_it(things: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(things)
    yield
    signal.signal(signal.SIGTERM, before)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return every file of a folder with its bytes, and every folder in it."""
    paths = sorted(folder.rglob("*"))
    return {str(path): path.read_bytes() if path.is_file() else None for path in paths}


@pytest.mark.parametrize("line", REFUSED)
def test_a_refused_command_leaves_every_byte_as_it_was(
    line: str, things: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.init", lambda *_, **__: pytest.fail("Ray starts before the command is refused"))
    before = contents(things)
    assert run(shlex.split(line)) == 2
    assert contents(things) == before
    err = capsys.readouterr().err
    assert err.startswith("hebbevo: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_every_command_that_takes_anything_is_refused_something() -> None:
    assert set(COMMANDS) <= {line.split()[0] for line in REFUSED}


def test_a_run_prolonged_after_a_refusal_is_prolonged(things: Path, tmp_path: Path) -> None:
    """The config is rewritten once nothing can be refused any more."""
    shutil.copytree(things / "run", tmp_path / "run")
    path = tmp_path / "run" / "config.yaml"
    before = path.read_text()
    assert run(["resume", str(tmp_path / "run"), "--generations", "4", "--workers", "99999"]) == 2
    assert path.read_text() == before
    assert run(["resume", str(tmp_path / "run"), "--generations", "4", "--threads", "1"]) == 0
    assert path.read_text() == before.replace("generations: 3", "generations: 4")

"""Every command, and the disk: full, read-only, with names and paths of any kind, with damaged files."""

import csv
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from disks import fill, folder_that_fills, full, remount, small_disk

import hebbevo
from hebbevo import load_config
from hebbevo.cli.app import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs names and disks of POSIX")

SMALL = (
    *("env.name=gymnasium:CartPole-v1", "env.steps=30", "network.hidden=4", "search.population=4"),
    *("search.generations=2", "evaluation.episodes=2", "evaluation.every=1"),
)
WRITING = {
    "evolve": ("evolve", "quick-quadruped", *SMALL, "--threads=1", "--out={out}"),
    "evaluate": ("evaluate", "{run}", "--episodes=1", "--no-controls", "--threads=1", "--json={out}"),
    "perturb": ("perturb", "{run}", "--perturb=freeze:at=3", "--episodes=2", "--threads=1", "--out={out}"),
    "generalize": (
        *("generalize", "zoo:quick-quadruped-static", "--steps=2", "--episodes=1", "--morphology=intact"),
        *("--threads=1", "--out={out}"),
    ),
    "learning": ("learning", "zoo:quick-association", "--episodes=2", "--threads=1", "--out={out}"),
    "render": ("render", "{run}", "--steps=3", "--out={out}.mp4"),
    "experiment": ("experiment", "{plan}", "--threads=1", "--out={out}"),
    "compare": ("compare", "{run}", "--out={out}"),
    "bench": ("bench", "--only=startup", "--json={out}"),
}
"""Commands that make something, with where they make it."""
READING = {
    "evolve": ("evolve", "{path}.yaml"),
    "evolve --from": ("evolve", "quick-quadruped", "--from={path}"),
    "config": ("config", "{path}.yaml"),
    "resume": ("resume", "{path}"),
    "plot": ("plot", "{path}"),
    "evaluate": ("evaluate", "{path}"),
    "render": ("render", "{path}", "--out=a.mp4"),
    "perturb": ("perturb", "{path}", "--out=a"),
    "perturb --perturb": ("perturb", "{run}", "--perturb={path}.yaml", "--out=a"),
    "generalize": ("generalize", "{path}", "--out=a"),
    "learning": ("learning", "{path}", "--out=a"),
    "generalize --baseline": ("generalize", "zoo:quick-quadruped-static", "--baseline={path}", "--out=a"),
    "experiment": ("experiment", "{path}.yaml", "--out=a"),
    "compare": ("compare", "{path}"),
    "compare LABEL=": ("compare", "a={path}"),
    "list": ("list", "{path}"),
    "list runs": ("list", "runs", "{path}"),
    "show": ("show", "{path}"),
}
"""Commands that read what stands at a path."""

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evolved") / "run"
    config = load_config("quick-quadruped", SMALL)
    hebbevo.evolve(config, path, execution=hebbevo.Execution(threads=1))
    plan = "base: run/config.yaml\narms: {a: {}}\nseeds: 1\nevaluate: {episodes: 1}\n"
    path.with_name("plan.yaml").write_text(plan)
    return path


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], evolved: Path) -> Cli:
    def call(*arguments: str, **places: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([argument.format(plan=evolved.with_name("plan.yaml"), **places) for argument in arguments])
        return (code, *capsys.readouterr())

    return call


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder but the ballast and clock times, and unfinished folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if path.is_file() or path.name.endswith(".tmp")
        if path.name not in ("ballast", "log.jsonl") and "tensorboard" not in path.parts
    }


def one_line(error: str) -> str:
    assert error.startswith("hebbevo: "), error
    assert error.count("\n") == 1, error
    assert error.endswith("\n")
    assert "HEBBEVO_TRACEBACK" not in error, error
    return error


@pytest.mark.parametrize(
    ("command", "free"), [*((name, 0) for name in WRITING if name != "bench"), ("perturb", 8192)]
)
def test_a_full_disk_is_one_line_and_leaves_what_was_there(
    cli: Cli, evolved: Path, command: str, free: int
) -> None:
    with folder_that_fills(Path("disk"), "300k") as disk:
        if command == "evaluate":
            (disk / "out").write_text("former")
        before = contents(disk)
        with full(disk, free):
            code, _, error = cli(*WRITING[command], run=evolved, out=disk / "out")
        assert code == 1
        assert "make room" in one_line(error) or command == "render"
        after = contents(disk)
        assert {name: after[name] for name in before} == before
        assert after == before or free  # where there is some room, a study keeps what fits


@pytest.mark.parametrize(
    "arguments", [("plot", "{path}"), ("resume", "{path}", "--generations=4", "--threads=1")]
)
def test_a_run_on_a_full_disk_is_as_before(cli: Cli, evolved: Path, arguments: tuple[str, ...]) -> None:
    with folder_that_fills(Path("disk"), "400k") as disk:
        shutil.copytree(evolved, disk / "run")
        before = contents(disk)
        with full(disk, 0):
            code, _, error = cli(*arguments, path=disk / "run")
        assert code == 1
        assert "make room" in one_line(error)
        assert contents(disk) == before


@pytest.mark.slow
def test_an_evolution_on_a_disk_that_fills_loses_nothing(cli: Cli) -> None:
    """A genome has 2.5 MB and a checkpoint, with Adam's moments, 7.5 MB: the third does not fit on 20 MB."""
    large = ("network.hidden=[350,350]", "search.optimizer=adam", "search.generations=4", "--threads=1")
    words = ("evolve", "quick-quadruped", *SMALL[:2], *large, "search.population=4", "evaluation.episodes=2")
    assert cli(*words, "--out=straight")[0] == 0
    with small_disk(Path("disk"), "20m") as disk:
        code, _, error = cli(*words, f"--out={disk / 'run'}")
        assert code == 1
        assert "make room, then `hebbevo resume DIR` goes on" in one_line(error)
        assert list((disk / "run" / "checkpoints").iterdir())
        code, _, error = cli("resume", str(disk / "run"), "--threads=1")
        assert code == 1
        one_line(error)
        remount(disk, "size=100m")
        assert cli("resume", str(disk / "run"), "--threads=1")[0] == 0
        assert contents(disk / "run") == contents(Path("straight"))


@pytest.mark.slow
def test_a_study_on_a_disk_that_fills_goes_on_from_its_finished_cases(cli: Cli, evolved: Path) -> None:
    words = [word.format(run=evolved, out="{out}") for word in WRITING["perturb"]]
    assert cli(*words, out="straight")[0] == 0
    with small_disk(Path("disk"), "20m") as disk:
        shutil.copytree("straight", disk / "former")
        room, cases = sum(map(len, contents(Path("straight")).values())), 0
        for free in (0, room // 4, room // 2):
            ballast = fill(disk, free)
            code, _, error = cli(*words, out=disk / "study")
            assert code == 1
            assert "make room" in one_line(error)
            assert not list(disk.rglob("*.tmp"))
            finished = len(list((disk / "study").glob("cases/*.safetensors")))
            assert finished >= cases
            cases = finished
            ballast.unlink()
        assert cases > 0
        assert cli(*words, out=disk / "study")[0] == 0
        assert contents(disk / "study") == contents(disk / "former") == contents(Path("straight"))


@contextmanager
def read_only_folder(run: Path) -> Iterator[Path]:
    """Yield a folder with a run, to which nobody can write; root could, were only its mode so."""
    if os.geteuid() == 0:
        with small_disk(Path("disk"), "400k") as disk:
            shutil.copytree(run, disk / "run")
            remount(disk, "ro")
            yield disk
    else:
        shutil.copytree(run, "disk/run")
        for folder in ("disk/run/figures", "disk/run", "disk"):
            Path(folder).chmod(0o555)
        yield Path("disk")


def test_a_read_only_folder_is_refused_before_anything_is_computed(cli: Cli, evolved: Path) -> None:
    with read_only_folder(evolved) as folder:
        for arguments in WRITING.values():
            code, out, error = cli(*arguments, run=evolved, out=folder / "out")
            assert code == 2, error
            assert "cannot " in one_line(error)
            assert "lifetime" not in out
        for arguments, file in (
            (("plot",), "figures/learning_curve.png"),
            (("resume", "--generations=3"), "config.yaml"),
        ):
            code, _, error = cli(*arguments, str(folder / "run"))
            assert code == 1
            assert one_line(error).endswith(f"{folder / 'run' / file}'\n")
        assert contents(folder / "run") == contents(evolved)


@pytest.mark.parametrize("arguments", READING.values(), ids=READING)
@pytest.mark.parametrize(
    "path", ["y" * 300, "d/" * 3000 + "d", "new/" + "y" * 300], ids=["name", "path", "inner"]
)
def test_a_path_too_long_to_read_is_one_line(
    cli: Cli, evolved: Path, arguments: tuple[str, ...], path: str
) -> None:
    code, _, error = cli(*arguments, run=evolved, path=path)
    assert code == 2, error
    one_line(error)
    assert os.listdir() == []


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize(
    "path", ["y" * 300, "d/" * 3000 + "d", "new/" + "y" * 300], ids=["name", "path", "inner"]
)
def test_a_path_too_long_to_write_is_one_line(
    cli: Cli, evolved: Path, arguments: tuple[str, ...], path: str
) -> None:
    code, _, error = cli(*arguments, run=evolved, out=path)
    assert code == 2, error
    one_line(error)
    assert os.listdir() == []


NAMES = ("=a$^$b\udcff", "_private\n\x1b[31m[bold]<b>&amp;日本\\$x_1" + "n" * 200)


def check_study(folder: Path, genomes: set[str]) -> None:
    """Check that a study is whole, and that all names in it are text."""
    kinds = {path.suffix for path in folder.iterdir() if path.is_file()}
    assert kinds == {".csv", ".parquet", ".png", ".html", ".json"}
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        texts = {row.get(column, "") for row in rows for column in ("genome", "protocol")}
        assert not [text for text in texts if text.startswith(("=", "@", "-", "+"))]
        assert genomes <= texts
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "\x1b" not in report
    assert "<b>" not in report


def test_a_study_of_genomes_and_protocols_of_any_name(cli: Cli, evolved: Path) -> None:
    for name in NAMES:
        Path(name).symlink_to(evolved)
    freeze, zero = "[{kind: freeze, at: 3}]", "[{kind: zero_weights, at: 5, fraction: 0.5}]"
    Path("protocols.yaml").write_text(f'"=$^$\\n": {zero}\n"_{"y" * 999}": {freeze}\n')
    words = ("--perturb=protocols.yaml", "--episodes=1", "--threads=1", "--out=study")
    code, out, error = cli("perturb", *NAMES, *words)
    assert (code, error) == (0, "")
    assert "\x1b" not in out
    check_study(Path("study"), {"'=a$^$b\\udcff", "_private\\n\\x1b" + NAMES[1].split("\x1b")[1]})


def test_generalization_of_a_genome_of_any_name(cli: Cli) -> None:
    hebbevo.save_genome(hebbevo.load_genome("zoo:quick-quadruped-static"), NAMES[0])
    arguments = [NAMES[0] if word.startswith("zoo:") else word for word in WRITING["generalize"]]
    code, _, error = cli(*arguments, out="study")
    assert (code, error) == (0, "")
    check_study(Path("study"), {"'=a$^$b\\udcff"})


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_any_name(cli: Cli, evolved: Path, name: str) -> None:
    Path(name).symlink_to(evolved)
    quick = ("--episodes=1", "--no-controls", "--threads=1")
    reading = (
        ("resume", name),
        ("plot", name),
        ("show", name),
        ("list", "runs", "."),
        ("compare", f"a={name}"),
    )
    for arguments in (*reading, ("evaluate", name, *quick)):
        code, out, error = cli(*arguments)
        assert (code, error) == (0, ""), arguments
        assert "\x1b" not in out


def test_a_run_whose_name_is_no_utf8(cli: Cli) -> None:
    arguments = list(WRITING["evolve"])
    code, out, error = cli(*arguments, out="run\udcff\n")
    assert (code, error) == (0, "")
    assert "done: run\\udcff\\n; evaluate it" in out
    assert Path("run\udcff\n/center.safetensors").is_file()


DAMAGE = {
    "empty": b"",
    "rubbish": b"\xff\xfe\x00" + bytes(range(256)),
    "open": b"a: [\n",
    "nested": b"[" * 1000,
    "a list": b"[1, 2]",
    "another thing": b"env: 1\nsearch: {population: x}\n",
    "columns": b"a,b\n1,2\n",
    "numbers": b"generation,population_mean,population_best\n1,1e999,nan\n2," + b"9" * 400 + b",1\n,,\n",
    "a long field": b"generation," + b"x" * 200_000 + b"\n1,2\n",
    "a folder": None,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_one_line(cli: Cli, evolved: Path, damage: str) -> None:
    uses = {
        "config.yaml": [("plot", "run"), ("resume", "run"), ("compare", "run")],
        "progress.csv": [("plot", "run")],
        "center.safetensors": [
            ("evaluate", "run"),
            ("render", "run", "--out=a.mp4"),
            ("perturb", "run", "--out=a"),
            ("show", "run/center.safetensors"),
        ],
        "start.safetensors": [("resume", "run", "--generations=3")],
        "checkpoints/generation_000001.safetensors": [("resume", "run")],
    }
    for file, commands in uses.items():
        shutil.copytree(evolved, "run")
        Path("run", file).unlink(missing_ok=True)
        if (content := DAMAGE[damage]) is None:
            Path("run", file).mkdir()
        else:
            Path("run", file).write_bytes(content)
        if file.startswith("checkpoints"):
            Path("run/checkpoints/generation_000002.safetensors").unlink()
        for arguments in commands:
            code, _, error = cli(*arguments)
            drawn = file == "progress.csv" and damage == "numbers"
            assert code == (0 if drawn else 2), (arguments, error)
            assert drawn or one_line(error)
        shutil.rmtree("run")

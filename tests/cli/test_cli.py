"""The command line: exit codes, one line on standard error for every bad input, and every command end to end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import yaml

import hebbevo
from hebbevo import load_config, rules
from hebbevo.cli.app import run

SMALL = (
    *("env.name=gymnasium:CartPole-v1", "env.steps=30", "network.hidden=4", "search.population=4"),
    *("search.generations=2", "evaluation.episodes=2", "evaluation.every=1"),
)
EVOLVE = ("evolve", "quick-quadruped", *SMALL, "--threads", "1")
ONE = ("--threads", "1")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Yield the command line, run in this process."""
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(arguments)
        return Ended(code, *capsys.readouterr())

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evolved") / "run"
    config = load_config("quick-quadruped", SMALL)
    return hebbevo.evolve(config, path, execution=hebbevo.Execution(threads=1)).path


def refused(ended: Ended, expected: str, code: int = 2) -> None:
    assert ended.code == code, ended
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("hebbevo: ")
    assert expected in ended.err
    assert "Traceback" not in ended.err


def test_evolve_resume_evaluate_plot(cli: Cli) -> None:
    ended = cli(*EVOLVE, "--out", "run")
    assert (ended.code, ended.err) == (0, "")
    assert "coefficients A, B, C, D, eta; 120 numbers to evolve" in ended.out
    assert "generation 2/2" in ended.out
    assert "done: run; evaluate it with: hebbevo evaluate run" in ended.out
    ended = cli("resume", "run", *ONE)
    assert ended.code == 0
    assert "run is finished: 2 generations; nothing changed" in ended.out
    ended = cli("evaluate", "run", "--episodes", "3", "--json", "out.json", *ONE)
    assert (ended.code, ended.err) == (0, "")
    for word in ("genome", "off", "shuffled", "random", "mean"):
        assert word in ended.out
    (part,) = json.loads(Path("out.json").read_text())["morphologies"].values()
    assert part["episodes"] == 3
    Path("run/figures/learning_curve.png").unlink()
    ended = cli("plot", "run")
    assert ended.code == 0
    assert Path(ended.out.strip()).read_bytes().startswith(b"\x89PNG")


def test_render_says_what_it_drew(cli: Cli, evolved: Path) -> None:
    ended = cli("render", str(evolved), "--out", "life.mp4", "--seed", "5")
    assert (ended.code, ended.err) == (0, "")
    part = hebbevo.evaluate(hebbevo.load_genome(evolved), episodes=1, seed=5, controls=False)
    progress, steps = part.progress("default")[0], part.lifetimes["default"]["genome"].steps[0]
    assert ended.out == f"life.mp4: default, {steps} steps, {progress:.2f} reward\n"
    assert Path("life.mp4").stat().st_size > 1000


def test_json_on_standard_output_is_nothing_else(cli: Cli, evolved: Path) -> None:
    ended = cli("evaluate", str(evolved), "--episodes", "2", "--json", "-", *ONE)
    assert (ended.code, ended.err) == (0, "")
    assert list(json.loads(ended.out)["morphologies"]) == ["default"]
    again = cli("evaluate", str(evolved), "--episodes", "2", "--json", "-", *ONE, "--block", "1")
    assert again.out == ended.out
    without = cli("evaluate", str(evolved), "--episodes", "2", "--json", "-", *ONE, "--no-controls")
    assert json.loads(without.out)["morphologies"]["default"]["controls"] == {}


def test_lifetimes_of_another_length_are_those_of_a_task_of_that_length(cli: Cli, evolved: Path) -> None:
    words = ("evaluate", str(evolved), "--episodes", "2", "--seed", "5", "--no-controls", *ONE)
    ended = cli(*words, "--steps", "7", "--json", "-")
    assert (ended.code, ended.err) == (0, "")
    genome = hebbevo.load_genome(evolved)
    assert genome.task.env.steps > 7
    part = hebbevo.evaluate(genome.lasting(7), episodes=2, seed=5, controls=False)
    assert list(part.lifetimes["default"]["genome"].steps) == [7, 7]
    assert json.loads(ended.out)["morphologies"]["default"]["mean"] == part.progress("default").mean()
    assert genome.lasting(None) is genome
    refused(cli(*words, "--steps", "0"), "env.steps")


def test_a_genome_file_may_be_evaluated(cli: Cli, evolved: Path) -> None:
    ended = cli("evaluate", str(evolved / "best.safetensors"), "--episodes", "1", *ONE)
    assert ended.code == 0
    assert "best.safetensors" in ended.out


def test_config_prints_yaml_that_reads_back(cli: Cli) -> None:
    ended = cli("config", "paper-quadruped", "search.population=64", "plasticity.rule=w + eta*pre*post")
    assert (ended.code, ended.err) == (0, "")
    Path("mine.yaml").write_text(ended.out)
    config = load_config("paper-quadruped", ["search.population=64", "plasticity.rule=w + eta*pre*post"])
    assert load_config("mine.yaml") == config
    assert yaml.safe_load(ended.out)["search"]["population"] == 64


@pytest.mark.parametrize(
    "what", ["rules", "encodings", "envs", "morphologies", "searchers", "presets", "genomes"]
)
def test_list_prints_one_name_a_line(cli: Cli, what: str) -> None:
    ended = cli("list", what)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert len(set(lines)) == len(lines)
    assert not [line for line in lines if " " in line or "…" in line]
    some = {
        "rules": list(rules.RULES),
        "encodings": ["synapse", "low_rank", "neuron"],
        "envs": ["quadruped", "gymnasium:ID"],
        "morphologies": ["intact", "left_front_damaged", "right_front_damaged"],
        "searchers": ["openai_es", "cma_es"],
        "presets": ["paper-quadruped", "quick-quadruped"],
    }
    assert set(some.get(what, [])) <= set(lines)


def test_list_without_a_name_prints_the_names_of_the_catalogues(cli: Cli) -> None:
    ended = cli("list")
    assert ended.code == 0
    for what in ended.out.split():
        assert cli("list", what).code == 0


def test_a_rule_as_text_in_a_file_runs(cli: Cli) -> None:
    file = {
        "preset": "quick-quadruped",
        "env": {"name": "gymnasium:CartPole-v1", "steps": 20},
        "network": {"hidden": [4]},
        "plasticity": {"rule": "w + rate*(gain*pre*post - tanh(post)*w)", "sharing": {"rate": "layer"}},
        "search": {"population": 4, "generations": 1},
        "evaluation": {"episodes": 1},
    }
    Path("mine.yaml").write_text(yaml.safe_dump(file))
    ended = cli("evolve", "mine.yaml", *ONE)
    assert (ended.code, ended.err) == (0, "")
    assert "coefficients gain, rate; 26 numbers to evolve" in ended.out
    genome = hebbevo.load_genome("runs/mine")
    assert genome.arrays["layer1.gain"].shape == (4, 4)
    assert genome.arrays["layer2.rate"].shape == (1, 1)


def test_a_static_network_has_no_coefficients(cli: Cli) -> None:
    ended = cli(*EVOLVE, "plasticity.rule=none", "plasticity.initial_weights=evolved", "--out", "run")
    assert ended.code == 0
    assert "coefficients none: static weights; 24 numbers" in ended.out


def test_the_name_of_a_directory_is_no_markup(cli: Cli, evolved: Path) -> None:
    Path("[bold]").symlink_to(evolved)
    assert cli("resume", "[bold]", *ONE).out == "[bold] is finished: 2 generations; nothing changed\n"


def test_help_is_no_error(cli: Cli) -> None:
    for arguments in ((), ("--help",), ("-h",), ("evolve", "--help")):
        ended = cli(*arguments)
        assert (ended.code, ended.err) == (0, "")
        assert "Usage: hebbevo" in ended.out


BAD = {
    "evolve quick-quadrupet": "did you mean quick-quadruped?",
    "evolve missing.yaml": "no config file",
    "evolve quick-quadruped search.popultion=4": "did you mean search.population?",
    "evolve quick-quadruped search.population=7": "use 8",
    "evolve quick-quadruped search.population=-4": "got -4",
    "evolve quick-quadruped env.steps=-1": "got -1",
    "evolve quick-quadruped plasticity.rule=ABCD_l": "did you mean ABCD_lr?",
    "evolve quick-quadruped plasticity.rule=w+eta*(pre": "rule",
    "evolve quick-quadruped env.morphologies=intct": "did you mean intact?",
    "evolve quick-quadruped env.name=gymnasium:Nope-v1": "unknown Gymnasium id",
    "evolve quick-quadruped nonsense": "SECTION.KEY=VALUE",
    "evolve quick-quadruped --out there": "there exists",
    "evolve quick-quadruped --threads 0": "threads must be from 1 to 1024",
    "evolve quick-quadruped --block -2": "batch_size must be from 1 to 32768",
    "evolve quick-quadruped --threads many": "--threads",
    "evolve quick-quadruped --from zoo:nope": "unknown shipped genome",
    "evolve quick-quadruped --from {run}": "cannot start from genome",
    "evolve": "Missing argument",
    "evolve quick-quadruped --oot x": "No such option",
    "config nope": "unknown preset",
    "resume nowhere": "does not exist",
    "resume there": "not a run directory",
    "resume": "Missing argument",
    "evaluate nowhere": "does not exist",
    "evaluate there": "holds no center.safetensors",
    "evaluate zoo:nope": "unknown shipped genome",
    "evaluate foreign.safetensors": "foreign.safetensors",
    "evaluate {run} --episodes 0": "episodes must be from 1 to 1000000",
    "evaluate {run} --seed -1": "seed must be from 0",
    "evaluate {run} --morphology intct": "one body only",
    "evaluate {run} --json nowhere/out.json": "name a file in a directory that exists",
    "evaluate {run} --json there": "name a file",
    "render nowhere --out a.mp4": "does not exist",
    "render {run} --out a.gif": "a video is an .mp4 file",
    "render {run} --out there": "a video is an .mp4 file",
    "render {run} --out nowhere/a.mp4": "there is no directory nowhere",
    "render {run} --out foreign.mp4": "foreign.mp4 exists",
    "render {run} --out a.mp4 --morphology intct": "one body only",
    "render {run} --out a.mp4 --seed -1": "seed must be from 0",
    "render {run} --out a.mp4 --steps 0": "env.steps",
    "render {run}": "Missing option",
    "plot nowhere": "does not exist",
    "plot there": "not a run directory",
    "list rulez": "did you mean rules?",
    "list xyz": "known: rules",
    "frobnicate": "No such command",
}


@pytest.mark.parametrize("command", BAD)
def test_bad_input_is_one_line_and_exit_code_two(cli: Cli, evolved: Path, command: str) -> None:
    Path("there").mkdir()
    for suffix in ("safetensors", "mp4"):
        Path(f"foreign.{suffix}").write_bytes(b"PK\x03\x04" + bytes(100))
    before = sorted(Path().iterdir())
    refused(cli(*command.format(run=evolved).split()), BAD[command])
    assert sorted(Path().iterdir()) == before


def test_a_run_directory_that_exists_says_how_to_go_on(cli: Cli, evolved: Path) -> None:
    refused(cli(*EVOLVE, "--out", str(evolved)), f"resume it with: hebbevo resume {evolved}")


def test_what_no_genome_file_can_hold_is_refused_before_the_run(cli: Cli) -> None:
    ended = cli(*EVOLVE, f"plasticity.rule=w + {'x' * 195}*pre*post", "--out", "run")
    refused(ended, "(202 letters); use at most 200 letters")
    assert not Path("run").exists()


def test_a_run_without_a_generation_cannot_be_plotted_or_evaluated(cli: Cli, evolved: Path) -> None:
    Path("young").mkdir()
    Path("young/config.yaml").write_bytes((evolved / "config.yaml").read_bytes())
    refused(cli("plot", "young"), "no generation yet")
    refused(cli("evaluate", "young", *ONE), "one generation done")


def test_damaged_genomes_and_configs(cli: Cli, evolved: Path) -> None:
    data = (evolved / "center.safetensors").read_bytes()
    Path("cut.safetensors").write_bytes(data[:-7])
    refused(cli("evaluate", "cut.safetensors"), "truncated")
    Path("bad.yaml").write_text("env: {name: quadruped\n")
    refused(cli("evolve", "bad.yaml"), "bad.yaml, line 2")
    Path("run").mkdir()
    Path("run/config.yaml").write_text("a: [\n")
    for command in ("resume", "plot"):
        refused(cli(command, "run"), "")


def test_what_fails_at_run_time_is_exit_code_one(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, evolved: Path
) -> None:
    def fail(error: BaseException) -> None:
        def raising(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("hebbevo.evaluation.evaluation.evaluate", raising)

    for error, code, expected in (
        (RuntimeError("first\nsecond"), 1, "RuntimeError: first second (HEBBEVO_TRACEBACK=1 shows where)"),
        (MemoryError(), 1, "MemoryError"),
        (OSError(28, "No space left on device"), 1, "make room"),
        (PermissionError(13, "Permission denied", "x"), 1, "Permission denied: 'x'"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ):
        fail(error)
        refused(cli("evaluate", str(evolved)), expected, code)


def program(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hebbevo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def test_the_program_itself() -> None:
    ended = program("list", "presets")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "quick-quadruped" in ended.stdout.splitlines()
    ended = program("evolve", "nope")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_closed_pipe_ends_quietly() -> None:
    command = f"{sys.executable} -m hebbevo list rules | true"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert ended.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_it_imports_it_ends_with_one_line(number: signal.Signals) -> None:
    # a module that the command line imports, in the middle of whose import the signal comes
    Path("typer.py").write_text("import pathlib, time; pathlib.Path('here').touch(); time.sleep(60)")
    command = [sys.executable, "-c", "import hebbevo.__main__ as program; program.main()", "list", "rules"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not Path("here").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.communicate(timeout=60) == ("", "hebbevo: interrupted\n")
    assert process.returncode == 130


def test_light_commands_load_neither_torch_nor_ray(evolved: Path) -> None:
    code = (
        "import sys; from hebbevo.cli.app import run; "
        f"run(['evaluate', {str(evolved)!r}, '--episodes', '1', '--threads', '1', '--json', '-']); "
        f"run(['resume', {str(evolved)!r}]); "
        "assert not {'ray', 'evotorch', 'torch'} & set(sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, env=os.environ
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_python_interface_is_the_same_thing(evolved: Path, cli: Cli) -> None:
    genome = hebbevo.load_genome(evolved)
    here = hebbevo.Execution(threads=1)
    evaluation = hebbevo.evaluate(genome, episodes=3, seed=5, controls=False, execution=here)
    ended = cli(
        "evaluate", str(evolved), "--episodes", "3", "--seed", "5", "--json", "-", "--no-controls", *ONE
    )
    part = json.loads(ended.out)["morphologies"]["default"]
    assert part["mean"] == np.mean(evaluation.progress("default"))


def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    ended = cli("--version")
    assert (ended.code, ended.out) == (0, f"hebbevo {metadata.version('hebbevo')}\n")
    assert hebbevo.__version__ == metadata.version("hebbevo")

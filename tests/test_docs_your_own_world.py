"""docs/your-own-world.md runs as it stands: its files in an empty folder, every command with fresh registries."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_modules import fresh_process

from hebbevo.cli import app
from hebbevo.errors import InputError
from hebbevo.rendering.gl import find_gl

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "your-own-world.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`(\w+\.(?:py|yaml|xml))`(?:(?!\n\n).)*?:\n\n```\w+\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)).splitlines()


def hebbevo(command: str) -> int:
    with fresh_process():
        return app.run(shlex.split(command)[1:])


def gl_works() -> bool:
    try:
        find_gl()
    except InputError:
        return False
    return True


@pytest.fixture(autouse=True)
def _files() -> None:
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")


def test_the_page_has_them_all() -> None:
    assert set(FILES) == {
        "reach_world.py",
        "crawler.xml",
        "crawl.yaml",
        "limbs.yaml",
        "line_world.py",
        "parts.py",
        "climber.py",
        "all.yaml",
        "noise_study.py",
    }
    assert len(COMMANDS) == 14


def test_every_command_runs_and_nothing_is_imported_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        if "crawl" not in command:
            assert hebbevo(command.replace("--workers 2", "--workers 0")) == 0, capsys.readouterr().err
    assert Path("noise/table.csv").read_text(encoding="utf-8").count("\n") == 3
    assert "How much noise" in Path("noise/report.html").read_text(encoding="utf-8")
    line, parts = "--import line_world.py", "--import parts.py"
    for command, needed in {
        "hebbevo evaluate runs/reach": "--import reach_world.py",
        "hebbevo evaluate runs/all": f"{line} {parts}",
        "hebbevo resume runs/line": line,
        "hebbevo plot runs/line": line,
        "hebbevo evolve runs/line/config.yaml": line,
        f"hebbevo resume runs/all {line}": f"{parts} --import climber.py",
        "hebbevo report noise": line,
        f"hebbevo report noise {line}": "not known here; update hebbevo, or import it",
    }.items():
        assert hebbevo(command) == 2
        error = capsys.readouterr().err
        assert needed in error
        assert error.count("\n") == 1
    Path("line_world.py").write_text(FILES["line_world.py"] + "# changed\n", encoding="utf-8")
    assert hebbevo(f"hebbevo resume runs/line {line}") == 2
    assert "line_world.py has sha256" in capsys.readouterr().err
    assert hebbevo(f"hebbevo evaluate runs/line --episodes 2 {line}") == 0


@pytest.mark.slow
def test_a_robot_is_a_file_that_its_run_needs_no_longer(capsys: pytest.CaptureFixture[str]) -> None:
    evolve, *others = (command for command in COMMANDS if "crawl" in command)
    assert hebbevo(evolve.replace("--workers 2", "--workers 0")) == 0
    for name in ("crawler.xml", "limbs.yaml"):
        Path(name).unlink()
    for command in others:
        if command.startswith("hebbevo render"):
            command += " --steps 10"
        if "--steps" not in command or gl_works():
            assert hebbevo(command) == 0, capsys.readouterr().err
    assert Path("bodies/report.html").exists()


@pytest.fixture
def one_ray() -> Iterator[None]:
    """Start one Ray for all commands: a start takes longer than what they do."""
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_two_ray_workers_give_the_same_bytes(one_ray: None) -> None:
    reach, crawl, line, everything = COMMANDS[0], COMMANDS[2], COMMANDS[8], COMMANDS[10]
    for command in (reach, crawl, everything):
        directory = Path(re.findall(r"--out (\S+)", command)[0])
        assert hebbevo(command) == 0
        on_ray = {name: (directory / name).read_bytes() for name in ("progress.csv", "center.safetensors")}
        directory.rename(f"{directory}-on-ray")
        assert hebbevo(command.replace("--workers 2", "--workers 0")) == 0
        assert on_ray == {name: (directory / name).read_bytes() for name in on_ray}
    assert hebbevo(line.replace("--workers 2", "--workers 0")) == 0
    study = COMMANDS[12].replace("--out noise", "--out {}")
    assert hebbevo(study.format("noise-2")) == 0
    assert hebbevo(study.format("noise-0").replace("--workers 2", "--workers 0")) == 0
    for name in ("table.csv", "lifetimes.csv"):
        assert Path("noise-2", name).read_bytes() == Path("noise-0", name).read_bytes()

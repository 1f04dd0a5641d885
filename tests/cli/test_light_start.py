"""Commands that only read and list start without the libraries that compute."""

import subprocess
import sys

import pytest

from hebbevo.cli.catalogues import CATALOGUES

HEAVY = {"numba", "mujoco", "torch", "gymnasium", "ray", "evotorch", "scipy", "pyarrow", "matplotlib"}
FILES = {"safetensors"}
NUMBERS = {"numpy"}
COMMANDS = {
    "": HEAVY | FILES | NUMBERS,
    "--help": HEAVY | FILES | NUMBERS,
    "--version": HEAVY | FILES | NUMBERS,
    "evolve --help": HEAVY | FILES | NUMBERS,
    "config quick-quadruped": HEAVY | FILES | NUMBERS,
    "config paper-quadruped search.algorithm=cma_es": HEAVY | FILES | NUMBERS,
    "config quick-dog env.morphologies=[intact,test_05]": HEAVY | FILES | NUMBERS,
    "config quick-carracing": HEAVY | FILES | NUMBERS,
    **{
        f"list {catalogue}": HEAVY if catalogue in ("genomes", "runs") else HEAVY | FILES
        for catalogue in CATALOGUES
    },
    **{f"list {catalogue}": HEAVY | FILES | NUMBERS for catalogue in ("rules", "searchers", "presets")},
}


def loaded(code: str, modules: str = "name.partition('.')[0]") -> set[str]:
    """Return the packages that a program has imported at its end; with `modules` "name", the modules."""
    ending = f"\nimport sys; print('loaded:', *{{{modules} for name in sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", code + ending], capture_output=True, text=True, check=True)
    return set(ended.stdout.splitlines()[-1].removeprefix("loaded:").split())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_loads_nothing_heavy(command: str) -> None:
    code = f"from hebbevo.cli.app import run\nassert run({command.split()!r}) == 0"
    assert loaded(code) & COMMANDS[command] == set()


def test_importing_hebbevo_loads_nothing() -> None:
    packages = loaded("import hebbevo; hebbevo.__version__")
    assert packages & (HEAVY | FILES | NUMBERS | {"pydantic", "yaml", "typer", "rich"}) == set()


def test_reading_a_config_loads_nothing_heavy() -> None:
    packages = loaded("import hebbevo; hebbevo.load_config('quick-quadruped')")
    assert packages & (HEAVY | FILES | NUMBERS) == set()


def test_a_config_loads_the_kinds_of_perturbations_only_where_it_has_one() -> None:
    kinds = "hebbevo.perturbations.catalogue"
    plain = "import hebbevo; hebbevo.load_config('quick-quadruped')"
    perturbed = "import hebbevo; hebbevo.load_config('quick-quadruped', ['perturbations=freeze:at=3'])"
    assert kinds not in loaded(plain, "name")
    assert kinds in loaded(perturbed, "name")

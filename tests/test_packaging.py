"""What an installation and `import hebbevo` bring along, each seen from a process of its own."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("ray", "evotorch", "torch", "matplotlib", "gymnasium.envs.mujoco")


def run_python(code: str, folder: Path, *options: str) -> str:
    """Run `code` in a new interpreter with `folder` as its working directory; return what it prints."""
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=120).stdout


def test_importing_hebbevo_is_light() -> None:
    code = "import hebbevo, json, sys; print(json.dumps(sorted(sys.modules)))"
    assert set(json.loads(run_python(code, ROOT))) & set(HEAVY) == set()


def test_an_installation_holds_the_rooms_and_no_bare_names(tmp_path: Path) -> None:
    """An editable install maps the one name `hebbevo`; the checkout itself stays off the path."""
    try:
        importlib.metadata.distribution("hebbevo")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("hebbevo runs from the checkout here; scripts/test installs it")
    code = (
        "import importlib.util as u, json\n"
        "names = ['hebbevo.rules', 'hebbevo.envs', 'hebbevo.search', 'rules', 'envs', 'search', 'tests']\n"
        "print(json.dumps([n for n in names if u.find_spec(n)]))"
    )
    assert json.loads(run_python(code, tmp_path, "-I")) == ["hebbevo.rules", "hebbevo.envs", "hebbevo.search"]


def requirement_names(text: str) -> set[str]:
    """Return the normalised project names at the starts of the lines of `text`."""
    found = re.findall(r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[\w,]+\])?\s*[=<>]=?", text, flags=re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def test_every_requirement_is_pinned() -> None:
    settings = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    pins = (ROOT / "scripts" / "constraints.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:install_requires|test) =\n((?:[ \t]+\S.*\n)+)", settings, flags=re.MULTILINE)
    wanted = requirement_names("".join(blocks))
    assert {"torch", "mujoco", "pytest"} <= wanted
    assert wanted <= requirement_names(pins)
    assert all(
        re.fullmatch(r"[\w.-]+==[\w.]+(; .+)?", line)
        for line in pins.splitlines()
        if not line.startswith("#")
    )

"""Which room may import which, read from the imports of every source file; nothing is run.

`rules`, `envs` and `search` import nothing of ours outside their own room; `hebbevo` imports all three;
`scripts` import `hebbevo`. Only one file imports `ray`, only one `evotorch`, both when first needed: no file
imports that one when it is imported itself.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("rules", "envs", "search")
ONLY_IN = {"ray": "search/ray_executor.py", "evotorch": "search/evotorch_adapter.py"}
SEARCHERS = "search/evotorch_searchers.py"  # imports the adapter when it is imported itself
LAZY = tuple(
    f"hebbevo.{file.removesuffix('.py').replace('/', '.')}" for file in (*ONLY_IN.values(), SEARCHERS)
)


@dataclass(frozen=True)
class Import:
    """One imported name in full: `from hebbevo.rules import get` is `hebbevo.rules.get`."""

    name: str
    line: int
    at_start: bool  # runs when the file is imported: outside functions and `if TYPE_CHECKING:`

    def inside(self, package: str) -> bool:
        return f"{self.name}.".startswith(f"{package}.")


def source_files() -> list[str]:
    """Return every source file of the library and the scripts, as `room/name.py`; the links are left out."""
    found = (
        path.relative_to(ROOT)
        for room in (*ROOMS, "hebbevo", "scripts")
        for path in (ROOT / room).rglob("*.py")
    )
    return sorted(
        path.as_posix() for path in found if path.parts[:2] not in {("hebbevo", room) for room in ROOMS}
    )


def package_of(file: str) -> str:
    """Return where a relative import in `file` starts from: `hebbevo.rules` for `rules/parser.py`."""
    folders = file.split("/")[:-1]
    return ".".join(["hebbevo", *folders] if folders[0] in ROOMS else folders)


def statement_names(node: ast.AST, package: str) -> list[str]:
    """Return the full names that one node imports; an `import_module` of a literal counts."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")
        base = [*above[: len(above) - node.level + 1]] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        return [f"{module}.{alias.name}" if module else alias.name for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in ("import_module", "__import__"):
            return [str(node.args[0].value)]
    return []


def walk(node: ast.AST, at_start: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node below `node`, and whether it runs when the file is imported."""
    for child in ast.iter_child_nodes(node):
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing_only = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        yield child, at_start
        yield from walk(child, at_start and not function and not typing_only)


def imports(source: str, file: str) -> list[Import]:
    return [
        Import(name, getattr(node, "lineno", 0), at_start)
        for node, at_start in walk(ast.parse(source), True)
        for name in statement_names(node, package_of(file))
    ]


def fault(found: Import, file: str) -> str | None:
    """Say which rule of the house an import breaks, or None."""
    room, top = file.split("/")[0], found.name.split(".")[0]
    if top in (*ROOMS, "tests", "scripts"):
        return f"use hebbevo.{top}" if top in ROOMS else f"nothing imports {top}"
    if room in ROOMS and top == "hebbevo" and not found.inside(f"hebbevo.{room}"):
        return f"{room} imports nothing of ours outside its own room"
    if top in ONLY_IN and file != ONLY_IN[top]:
        return f"only {ONLY_IN[top]} imports {top}"
    if found.at_start and file != SEARCHERS and any(found.inside(module) for module in LAZY):
        return "import it inside the function that needs it"
    return None


def faults(source: str, file: str) -> list[str]:
    named = ((found, fault(found, file)) for found in imports(source, file))
    return [f"{file}:{found.line}: {found.name}: {what}" for found, what in named if what]


@pytest.mark.parametrize("file", source_files())
def test_a_file_opens_only_the_doors_of_its_room(file: str) -> None:
    assert faults((ROOT / file).read_text(encoding="utf-8"), file) == []


def test_every_room_is_seen() -> None:
    assert {file.split("/")[0] for file in source_files()} >= {*ROOMS, "hebbevo"}


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("rules/parser.py", "from hebbevo.envs import config_class"),
        ("rules/parser.py", "import hebbevo.search.noise"),
        ("rules/parser.py", "import hebbevo"),
        ("rules/parser.py", "from hebbevo import load_config"),
        ("rules/parser.py", "from hebbevo.rulesets import x"),
        ("rules/parser.py", "from ..envs import base"),
        ("rules/parser.py", "from .. import envs"),
        ("envs/base.py", "def build():\n    from hebbevo.rules import get"),
        ("envs/base.py", "class A:\n    import hebbevo.cli"),
        ("envs/base.py", "import importlib\nx = importlib.import_module('hebbevo.rules')"),
        ("envs/base.py", "x = __import__('hebbevo.search')"),
        ("search/noise.py", "import numpy, hebbevo.config"),
        ("search/noise.py", "def tell():\n    import ray"),
        ("search/noise.py", "from evotorch.algorithms import SNES"),
        ("search/evotorch_config.py", "try:\n    import ray.util\nexcept ImportError:\n    pass"),
        ("search/__init__.py", "from hebbevo.search.ray_executor import Ray"),
        ("search/__init__.py", "from hebbevo.search import evotorch_searchers"),
        ("search/evotorch_searchers.py", "from evotorch.algorithms import SNES"),
        ("hebbevo/evotorch_problem.py", "from hebbevo.search.evotorch_adapter import TaskProblem"),
        ("search/__init__.py", "from .evotorch_searchers import SNES"),
        ("search/config.py", "class A:\n    import hebbevo.search.evotorch_searchers"),
        ("hebbevo/evolve.py", "from hebbevo.search.ray_executor import Ray"),
        ("hebbevo/rollout.py", "from rules import get"),
        ("hebbevo/rollout.py", "import envs.base"),
        ("hebbevo/cli.py", "from tests.rules import reference"),
        ("scripts/bench_quadruped.py", "import search"),
    ],
)
def test_a_forbidden_import_is_caught(file: str, source: str) -> None:
    assert len(faults(source, file)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "rules/parser.py",
            "import ast, numpy\nfrom hebbevo.rules.errors import RuleError\nfrom . import layout",
        ),
        ("rules/parser.py", "import hebbevo.rules.errors"),
        ("search/ray_executor.py", "def connect():\n    import ray"),
        ("search/evotorch_searchers.py", "from hebbevo.search.evotorch_adapter import SNES"),
        ("search/ray_executor.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ray"),
        (
            "search/evotorch_adapter.py",
            "class A:\n    def build(self):\n        from evotorch import Problem",
        ),
        (
            "hebbevo/rollout.py",
            "from hebbevo.rules import get\nimport hebbevo.envs\nfrom hebbevo import search",
        ),
        ("scripts/bench_quadruped.py", "import hebbevo\nfrom hebbevo.envs import config_class"),
    ],
)
def test_an_allowed_import_passes(file: str, source: str) -> None:
    assert faults(source, file) == []

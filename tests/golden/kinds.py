"""Kinds of machine, on each of which results are the same to the last bit, and what was recorded on them.

Compiled kernels, MuJoCo and the C library choose instructions by the CPU, and any of the libraries below may round
differently in another version.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import llvmlite.binding

KINDS = Path(__file__).resolve().parent / "kinds"
LIBRARIES = (
    *("Box2D", "evotorch", "gymnasium", "llvmlite", "mujoco", "numba", "numpy"),
    *("pyarrow", "safetensors", "scipy", "torch"),
)
KIND_FILE, VALUES_FILE = "kind.json", "values.json"


@dataclass(frozen=True)
class Kind:
    """A kind of machine: CPU and its features as LLVM names them, C library, versions of libraries."""

    cpu: str
    features: str
    libc: str
    libraries: Mapping[str, str]

    @property
    def name(self) -> str:
        """The CPU, and a short hash of all the rest."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.cpu}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @property
    def folder(self) -> Path:
        """Where its results stand, if any were recorded."""
        return KINDS / self.name

    def difference(self, other: Kind) -> str:
        """Return what sets this kind apart from another, in a few words."""
        mine, theirs = ({"libc": kind.libc, **kind.libraries} for kind in (self, other))
        parts = [
            f"it has {name} {theirs[name]}, not {mine[name]}" for name in mine if mine[name] != theirs[name]
        ]
        if self.cpu != other.cpu:
            parts.insert(0, f"its CPU is {other.cpu}")
        elif self.features != other.features:
            parts.insert(0, "its CPU has other features")
        return ", ".join(parts)


@cache
def this_kind() -> Kind:
    """Return the kind of this machine."""
    return Kind(
        llvmlite.binding.get_host_cpu_name(),
        llvmlite.binding.get_host_cpu_features().flatten(),
        " ".join(platform.libc_ver()) or platform.system(),
        {name: metadata.version(name) for name in LIBRARIES},
    )


def recorded_kinds() -> list[Kind]:
    """Return the kinds whose results are recorded."""
    return [
        Kind(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted(KINDS.glob(f"*/{KIND_FILE}"))
    ]


def why_skipped() -> str:
    """Return why nothing can be compared on this machine, and what to do about it."""
    here = this_kind()
    known = "; ".join(f"{kind.name}: {here.difference(kind)}" for kind in recorded_kinds())
    return (
        f"no golden results of machines like this one, {here.name}, are recorded (there are those of {known}). "
        "Bits depend on the CPU and on versions: install those of scripts/constraints.txt, check out the commit whose "
        "results are to be kept, run `python tests/golden/record.py` there, and commit the folder that it names"
    )


def write_kind(kind: Kind) -> None:
    """Make the folder of a kind."""
    kind.folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(kind), indent=1, sort_keys=True)
    (kind.folder / KIND_FILE).write_text(f"{text}\n", encoding="utf-8")


def read_values(folder: Path) -> dict[str, Any]:
    """Return the recorded results of a kind, by case; none where there is no file."""
    file = folder / VALUES_FILE
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return values


def write_values(folder: Path, values: Mapping[str, Any]) -> None:
    """Write the results of a kind, a line per case."""
    lines = [f"{json.dumps(name)}: {json.dumps(values[name])}" for name in sorted(values)]
    (folder / VALUES_FILE).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

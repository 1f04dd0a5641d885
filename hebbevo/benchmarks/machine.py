"""The machine that a benchmark runs on: processor, load, versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from hebbevo.execution.build import cpu_kind
from hebbevo.execution.execution import cores

_PACKAGES = ("hebbevo", "mujoco", "numba", "numpy", "torch", "gymnasium", "evotorch", "ray")


def machine() -> dict[str, Any]:
    """Describe the machine; `load` is the load average of the last minute, before anything is measured."""
    return {
        "processor": cpu_kind(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: _version(package) for package in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

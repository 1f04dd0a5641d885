"""What a process runs: its build, which must be equal everywhere, and its machine, which is named where it is not.

Equal bits are promised for equal software on equal CPUs. The driver compares its own build (a hash of the hebbevo
sources, the versions of the libraries that round) with every worker's before the worker gets any work.
"""

import hashlib
import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata, resources
from pathlib import Path

LIBRARIES = ("numpy", "numba", "llvmlite", "mujoco", "gymnasium", "Box2D")

PROVENANCE = ("mujoco", "numba", "numpy", "torch")
"""Libraries whose versions genomes and logs name."""

Build = dict[str, str]
Machine = dict[str, str]


def this_build() -> Build:
    """Return the build of this process: `hebbevo` (a hash), `python` and a version per library."""
    return {
        "hebbevo": source_hash(Path(str(resources.files("hebbevo")))),
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
    }


def build_difference(own: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Return `numba 0.68.0 there, 0.67.0 here` for the first part that differs, or nothing."""
    for name in dict.fromkeys((*own, *other)):
        if own.get(name) != other.get(name):
            return f"{name} {other.get(name, 'unknown')} there, {own.get(name, 'unknown')} here"
    return ""


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries of `PROVENANCE`."""
    return {name: _version(name) for name in PROVENANCE}


def this_machine() -> Machine:
    """Return the kind of the CPU, LLVM's names of its architecture and features, and `library_versions`."""
    return {"cpu": cpu_kind(), **_cpu_target(), **library_versions()}


def machine_difference(own: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Return all that sets another machine apart, as ``cpu A there, B here; features without avx512f``, or nothing."""
    parts = [
        _feature_difference(own[name], other[name])
        if name == "features"
        else f"{name} {other[name]} there, {own[name]} here"
        for name in own
        if own[name] != other[name]
    ]
    return "; ".join(parts)


def _feature_difference(own: str, other: str) -> str:
    mine, theirs = set(own.split()), set(other.split())
    without = f"without {', '.join(sorted(mine - theirs))}" if mine - theirs else ""
    plus = f"with {', '.join(sorted(theirs - mine))}" if theirs - mine else ""
    return "features " + " and ".join(filter(None, (without, plus)))


@cache
def _cpu_target() -> dict[str, str]:
    """Return what kernels are compiled for; the features are sorted, with spaces between them."""
    from llvmlite import binding

    features = sorted(name for name, there in binding.get_host_cpu_features().items() if there)
    return {"architecture": binding.get_host_cpu_name(), "features": " ".join(features)}


def cpu_kind() -> str:
    """Return the model of this machine's CPU; kernels compiled for another may round differently."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def resident_memory() -> int:
    """Return the bytes of memory that this process holds now; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@cache
def source_hash(package: Path) -> str:
    """Return a hash over the path and text of every source file of a package."""
    digest = hashlib.sha256()
    for path in source_files(package):
        text = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()[:16]


def source_files(package: Path) -> list[Path]:
    """Return every Python file of a package, sorted folder by folder; links to folders are followed."""
    found = []
    for folder, folders, files in os.walk(package, followlinks=True):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".py")]
    return found


@cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"

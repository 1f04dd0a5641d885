"""The directory of a study: what was asked for, the genomes, and a file for each finished case.

    study.json             the study's kind and settings, as resolved, and the names of its genomes
    genomes/0.safetensors  the genomes, in their order
    cases/0000.safetensors the result of each finished case, in their order
    lifetimes.csv ...      tables, figures and report: pure functions of all that

It is there from the start, and can be killed at any instant: called again with the same settings and genomes, a study
computes the cases that it lacks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from hebbevo.config.difference import difference
from hebbevo.errors import FileError, InputError
from hebbevo.genomes.genome import Genome, load_genome, save_genome
from hebbevo.io.atomic import FAILING_DISK, remove_unfinished, sync_directory, write_atomically
from hebbevo.io.directories import discard, lock_directory, make_beside
from hebbevo.io.tensors import Arrays, read_tensors, write_tensors

STUDY_FILE: Final = "study.json"
_MOST_DIFFERENCES = 3
_ENDINGS: Final = (".csv", ".parquet", ".png", ".html")

Settings = Mapping[str, Any]
"""Plain JSON; the same for the same study."""


@dataclass(frozen=True)
class StoredStudy:
    """A study on the disk.

    Attributes:
        path: its directory.
        kind: a key of `hebbevo.studies.registry.STUDIES`.
        settings: as resolved.
        genomes: in their order, under the names that they were given by.
    """

    path: Path
    kind: str
    settings: Settings
    genomes: tuple[Genome, ...]

    @property
    def has_cases(self) -> bool:
        """Whether a case was ever finished."""
        return (self.path / "cases").is_dir()

    def save(self, number: int, name: str, arrays: Arrays) -> None:
        """Write the result of a finished case, in one rename."""
        self._case_path(number).parent.mkdir(exist_ok=True)
        write_tensors(self._case_path(number), arrays, {"case": name})

    def load(self, number: int, name: str) -> Arrays | None:
        """Return the result of a case; None where there is none that can be read, and it must be computed."""
        with suppress(FileError):
            arrays, header = read_tensors(self._case_path(number), "case")
            return arrays if header.get("case") == name else None
        return None

    def _case_path(self, number: int) -> Path:
        return self.path / "cases" / f"{number:04d}.safetensors"


def is_study(path: Path) -> bool:
    """Tell whether a path is the directory of a study."""
    return os.path.isfile(path / STUDY_FILE)


@contextmanager
def open_study(
    path: Path | str, kind: str, settings: Settings, genomes: Sequence[Genome]
) -> Iterator[StoredStudy]:
    """Make the directory of a study or take it up again, locked until the end of the `with` block.

    Where the block refuses to begin, no Ray at its address for one, a new directory is gone.

    Args:
        path: of the directory.
        kind: of the study.
        settings: all that its results depend on besides the genomes.
        genomes: of different names.

    Raises:
        InputError: `path` is something else, another study or in use; nothing has changed.
    """
    target = Path(path)
    asked = StoredStudy(target, kind, json.loads(json.dumps(settings)), tuple(genomes))
    is_new = not is_study(target)
    if not is_new:
        descriptor = lock_directory(target)
        try:
            _check_same(read_study(target), asked)
            remove_unfinished(target, lambda name: name.endswith(_ENDINGS))
            remove_unfinished(target / "cases")
        except BaseException:
            _close(descriptor)
            raise
    else:
        descriptor = _make(asked)
    try:
        yield asked
    except InputError:
        if is_new and not asked.has_cases:
            discard(target, descriptor)
            descriptor = -1
        raise
    finally:
        _close(descriptor)


def discard_other(path: Path, kind: str, settings: Settings, genomes: Sequence[Genome]) -> None:
    """Remove the study that a directory holds, if there is one and it is not this one.

    Raises:
        InputError: it is in use.
    """
    if not is_study(path):
        return
    descriptor = lock_directory(path)
    asked = StoredStudy(path, kind, json.loads(json.dumps(settings)), tuple(genomes))
    try:
        _check_same(read_study(path), asked)
    except InputError:
        discard(path, descriptor)
    else:
        _close(descriptor)


def read_study(path: Path) -> StoredStudy:
    """Return a study as it stands.

    Raises:
        InputError: there is none, or it is damaged.
    """
    file = path / STUDY_FILE
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        kind, settings, names = str(data["study"]), dict(data["settings"]), list(map(str, data["genomes"]))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}; name the directory of a study") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is damaged ({error}); restore it") from None
    genomes = [replace(load_genome(_genome_path(path, at)), name=name) for at, name in enumerate(names)]
    return StoredStudy(path, kind, settings, tuple(genomes))


def _make(study: StoredStudy) -> int:
    """Make the directory with all but the cases, in one rename; return its lock."""
    if os.path.lexists(study.path):
        raise InputError(f"{study.path} exists and is no study; choose another `out`")
    try:
        beside, descriptor = make_beside(study.path)
    except OSError as error:
        if error.errno in FAILING_DISK:
            raise
        raise InputError(f"cannot make {study.path}: {error.strerror}; choose another `out`") from None
    try:
        _fill(beside, study)
        if os.path.lexists(study.path):
            raise InputError(f"{study.path} came to exist meanwhile; choose another `out`")
        beside.rename(study.path)
    except BaseException:
        discard(beside, descriptor)
        raise
    sync_directory(study.path.parent)
    return descriptor


def _fill(folder: Path, study: StoredStudy) -> None:
    _genome_path(folder, 0).parent.mkdir()
    for number, genome in enumerate(study.genomes):
        save_genome(genome, _genome_path(folder, number))
    data = {
        "study": study.kind,
        "settings": study.settings,
        "genomes": [genome.name for genome in study.genomes],
    }
    write_atomically(folder / STUDY_FILE, (json.dumps(data, indent=2) + "\n").encode())


def _check_same(old: StoredStudy, new: StoredStudy) -> None:
    """Refuse a study that is not the one that the directory holds."""
    changed = [] if old.kind == new.kind else [f"study: {old.kind} -> {new.kind}"]
    changed += difference(old.settings, new.settings)
    names = [[genome.name for genome in one.genomes] for one in (old, new)]
    if names[0] != names[1]:
        changed.append(f"genomes: {', '.join(names[0])} -> {', '.join(names[1])}")
    else:
        pairs = zip(old.genomes, new.genomes, strict=True)
        changed += [f"genome {one.name} has changed" for one, other in pairs if not _same_genome(one, other)]
    if changed:
        more = f" and {len(changed) - _MOST_DIFFERENCES} more" if len(changed) > _MOST_DIFFERENCES else ""
        raise InputError(
            f"{old.path} exists and holds another study ({'; '.join(changed[:_MOST_DIFFERENCES])}{more}); choose "
            "another `out`"
        )


def _same_genome(one: Genome, other: Genome) -> bool:
    return np.array_equal(one.values, other.values) and one.task.header() == other.task.header()


def _genome_path(folder: Path, number: int) -> Path:
    return folder / "genomes" / f"{number}.safetensors"


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)

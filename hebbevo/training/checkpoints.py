"""The checkpoints of a run: the last three and the best are kept, damaged ones are skipped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from hebbevo.errors import InputError
from hebbevo.training.checkpoint import Tensors, load_checkpoint, save_checkpoint

KEPT_CHECKPOINTS = 3

_NAME = re.compile(r"generation_(\d{6,})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A run after `generation` generations; `best_generation` is the one of the best checkpoint, if any."""

    generation: int
    best_generation: int | None
    tensors: Tensors
    header: dict[str, Any]


class Checkpoints:
    """A folder of ``generation_000123.safetensors``.

    Args:
        folder: made with the first checkpoint.

    Attributes:
        damage: why `latest` skipped checkpoints.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.damage: list[str] = []
        self._generation = 0
        self._best_generation: int | None = None

    def save(
        self, generation: int, tensors: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any], best: bool
    ) -> None:
        """Write the checkpoint of a generation; keep the last three and the best.

        Raises:
            OSError: it cannot be written (a full disk); the checkpoints before it still stand.
        """
        best_generation = generation if best else self._best_generation
        self._folder.mkdir(exist_ok=True)
        outer = {"generation": generation, "best_generation": best_generation, "content": dict(header)}
        save_checkpoint(self._path(generation), tensors, outer)
        self._generation, self._best_generation = generation, best_generation
        self.prune()

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint that can be read, or None if there is none at all.

        Raises:
            InputError: there are checkpoints, all of them damaged.
        """
        self.damage = []
        for generation in reversed(self._generations()):
            try:
                checkpoint = self._load(generation)
            except InputError as error:
                self.damage.append(str(error))
                continue
            self._generation, self._best_generation = generation, checkpoint.best_generation
            return checkpoint
        if self.damage:
            raise InputError(
                f"{self.damage[0]}; no checkpoint can be read: restore one, or evolve into another directory"
            )
        return None

    def _path(self, generation: int) -> Path:
        return self._folder / f"generation_{generation:06d}.safetensors"

    def _generations(self) -> list[int]:
        names = (path.name for path in self._folder.glob("*.safetensors"))
        return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))

    def _load(self, generation: int) -> Checkpoint:
        path = self._path(generation)
        tensors, outer = load_checkpoint(path)
        best, header = outer.get("best_generation"), outer.get("content")
        if outer.get("generation") != generation or not isinstance(header, dict):
            raise InputError(f"checkpoint {str(path)!r} is of generation {outer.get('generation')!r}")
        return Checkpoint(generation, best if isinstance(best, int) else None, tensors, header)

    def prune(self) -> None:
        """Remove all but the last three up to the one saved or read last, and the best; later ones are damaged."""
        older = [number for number in self._generations() if number <= self._generation]
        for number in set(older[:-KEPT_CHECKPOINTS]) - {self._best_generation}:
            self._path(number).unlink(missing_ok=True)

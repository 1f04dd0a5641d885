"""The CPUs and GPUs that a worker takes of a node, and how many workers fit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Placement:
    """The CPUs and GPUs that one worker takes of its node."""

    cpus: int = 1
    gpus: int = 0

    def __str__(self) -> str:
        return f"{self.cpus} CPU" + (f" and {self.gpus} GPU" if self.gpus else "")

    def room(self, nodes: Iterable[Mapping[str, float]]) -> int:
        """Return how many workers fit on nodes with `CPU` and `GPU` resources; none spans two nodes."""
        return sum(self._on(node) for node in nodes)

    @classmethod
    def share(cls, nodes: Iterable[Mapping[str, float]], gpus: int) -> Self:
        """Return one worker per GPU with its share of the CPUs of its node, or without GPUs one per node.

        The smallest share counts for all; nodes without what a worker needs are left out.
        """
        shares = [
            int(node.get("CPU", 0)) // (int(node.get("GPU", 0)) // gpus if gpus else 1)
            for node in nodes
            if node.get("CPU", 0) >= 1 and node.get("GPU", 0) >= gpus
        ]
        return cls(max(1, min(shares, default=1)), gpus)

    def _on(self, node: Mapping[str, float]) -> int:
        by_cpu = int(node.get("CPU", 0)) // self.cpus
        return min(by_cpu, int(node.get("GPU", 0)) // self.gpus) if self.gpus else by_cpu

"""The tables of weight trajectories: their principal components, and how fast weights move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from hebbevo.studies.perturbation.lifetime_tables import Row
from hebbevo.studies.perturbation.records import SNAPSHOT_EVERY, Recorded, WeightTrajectory
from hebbevo.studies.perturbation.weight_trajectories import Components, directions, principal_components

WEIGHTS, DIRECTION = "weights", "direction"
"""What components are of: weights as they are, or scaled to one size."""

AllComponents = Mapping[tuple[str, str, str], Components]
"""By genome, rule (`EVOLVED`, `RANDOM`), and `WEIGHTS` or `DIRECTION`."""

TRAJECTORIES: Final = {
    **dict.fromkeys(("genome", "weights", "of"), "string"),
    **dict.fromkeys(("lifetime", "t"), "int64"),
    **dict.fromkeys(("component_1", "component_2", "component_3"), "float64"),
    **dict.fromkeys(("explained_1", "explained_2", "explained_3"), "float64"),
}
WEIGHT_SPEED: Final = {
    **dict.fromkeys(("genome", "weights"), "string"),
    "t": "int64",
    **dict.fromkeys(("change", "relative_change", "turn", "size"), "float64"),
}


def all_components(recorded: Recorded) -> AllComponents:
    """Return the principal components of every genome and rule."""
    return {
        (*key, of): principal_components([scale(trajectory.weights) for trajectory in trajectories])
        for key, trajectories in recorded.trajectories.items()
        if trajectories
        for of, scale in ((WEIGHTS, np.asarray), (DIRECTION, directions))
    }


def trajectory_rows(components: AllComponents) -> Iterator[Row]:
    """Yield every point of the trajectories in their principal components."""
    for (genome, rule, of), found in components.items():
        explained = {f"explained_{n}": float(share) for n, share in enumerate(found.explained, start=1)}
        for lifetime, points in enumerate(found.coordinates):
            for number, point in enumerate(points):
                yield {
                    "genome": genome,
                    "weights": rule,
                    "of": of,
                    "lifetime": lifetime,
                    "t": number * SNAPSHOT_EVERY,
                    **{f"component_{n}": float(x) for n, x in enumerate(point, start=1)},
                    **explained,
                }


def weight_speed_rows(recorded: Recorded) -> Iterator[Row]:
    """Yield how far weights move in each step: means over lifetimes of the root mean square over synapses."""
    for (genome, rule), trajectories in recorded.trajectories.items():
        for t in range(max((len(trajectory.change) for trajectory in trajectories), default=0)):
            going = [trajectory for trajectory in trajectories if t < len(trajectory.change)]
            yield {"genome": genome, "weights": rule, "t": t, **_weight_speed(going, t)}


def _weight_speed(trajectories: Sequence[WeightTrajectory], t: int) -> Row:
    relative = [
        trajectory.change[t] / trajectory.size[t] for trajectory in trajectories if trajectory.size[t]
    ]
    return {
        "change": float(np.mean([trajectory.change[t] for trajectory in trajectories])),
        "relative_change": float(np.mean(relative)) if relative else None,
        "turn": float(np.mean([trajectory.turn[t] for trajectory in trajectories])),
        "size": float(np.mean([trajectory.size[t] for trajectory in trajectories])),
    }

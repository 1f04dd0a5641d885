"""The registry of perturbations, their text forms, and the hooks of a list of them.

A new kind is a subclass of `Perturbation` and its entry in `PERTURBATIONS`. In YAML a perturbation is a mapping,
``{kind: zero_weights, at: 300, fraction: 0.333}``; as a short text ``zero_weights:at=300,fraction=0.333``, several
joined by ``+``. They are applied in the order given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from typing_extensions import override

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError, unknown
from hebbevo.io.text import visible
from hebbevo.io.yaml_text import read_yaml
from hebbevo.perturbations.body import Friction, Gravity, Push, SwitchMorphology
from hebbevo.perturbations.hooks import Hook
from hebbevo.perturbations.perturbation import BatchContext, NetworkExtent, Perturbation
from hebbevo.perturbations.signals import (
    KillActuators,
    SaturateActuators,
    SensorDropout,
    SensorNoise,
    SensorPermutation,
)
from hebbevo.perturbations.weights import Freeze, RandomiseWeights, ZeroWeights
from hebbevo.rules import Distribution
from hebbevo.validation import check_section

MOST: Final = 1000
"""In a list; each is asked at every step."""

Perturbations = tuple[Perturbation, ...]

_OUTSIDE_BRACKETS = r"(?![^\[(]*[\])])"
_COMMA = re.compile(rf",{_OUTSIDE_BRACKETS}")
_PLUS = re.compile(rf"\+(?=\s*[A-Za-z_]){_OUTSIDE_BRACKETS}")


class NoPerturbation(Perturbation):
    """No perturbation: the unperturbed lifetime, bit for bit."""

    persistent = True
    kind: Literal["none"] = "none"

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return Hook()


PERTURBATIONS: Final[dict[str, type[Perturbation]]] = {
    "none": NoPerturbation,
    "zero_weights": ZeroWeights,
    "randomise_weights": RandomiseWeights,
    "freeze": Freeze,
    "saturate_actuators": SaturateActuators,
    "kill_actuators": KillActuators,
    "sensor_noise": SensorNoise,
    "sensor_dropout": SensorDropout,
    "sensor_permutation": SensorPermutation,
    "push": Push,
    "friction": Friction,
    "gravity": Gravity,
    "switch_morphology": SwitchMorphology,
}
"""Settings of a perturbation, by kind."""


def hooks_of(
    perturbations: Sequence[Perturbation], seeds: Sequence[int], initial_weights: Distribution
) -> list[Hook]:
    """Return the hooks that perturb a batch of lifetimes with these seeds, in order; `none` has no hook."""
    context = BatchContext(seeds, initial_weights)
    return [
        perturbation.hook(index, context)
        for index, perturbation in enumerate(perturbations)
        if not isinstance(perturbation, NoPerturbation)
    ]


def build_perturbations(items: Any, where: str = "perturbations") -> Perturbations:
    """Check a list of mappings and short texts.

    Raises:
        InputError: one line with the position and the remedy.
    """
    if items is None:
        return ()
    if isinstance(items, str | Mapping):
        items = [items]
    if not isinstance(items, list | tuple):
        raise InputError(f"{where}: expected a list of perturbations, got {type(items).__name__}")
    if len(items) > MOST:
        raise InputError(
            f"{where}: {len(items)} perturbations are more than {MOST}; give fewer, or windows of time"
        )
    built: list[Perturbation] = []
    for item in items:
        if isinstance(item, str):
            built += parse_perturbations(item, f"{where}[{len(built)}]")
        else:
            built.append(_build(item, f"{where}[{len(built)}]"))
    return tuple(built)


def parse_perturbations(text: str, where: str = "perturbation") -> Perturbations:
    """Read the short form: ``KIND:KEY=VALUE,KEY=VALUE``, several joined by ``+``.

    Raises:
        InputError: one line with the position and the remedy.
    """
    return tuple(_build(_parse(part.strip(), where), where) for part in _PLUS.split(text))


def read_protocols(source: str) -> dict[str, Perturbations]:
    """Return lists of perturbations by name, from the short form or a YAML file.

    A file holds one perturbation, a list of them, or a mapping from names to lists.

    Raises:
        InputError: one line with the position and the remedy.
    """
    if not source.endswith((".yaml", ".yml")):
        perturbations = parse_perturbations(source)
        return {" + ".join(map(str, perturbations)): perturbations}
    path = Path(source)
    try:
        data = read_yaml(path.read_text(encoding="utf-8"), source)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(f"cannot read {source}: {reason}; name a file of perturbations") from None
    if isinstance(data, Mapping) and "kind" not in data:
        return {
            visible(str(name)): build_perturbations(items, f"{source}: {name}")
            for name, items in data.items()
        }
    return {visible(path.stem): build_perturbations(data, source)}


def check_perturbations(
    perturbations: Sequence[Perturbation],
    env: EnvConfig,
    extent: NetworkExtent | None = None,
    where: str = "perturbations",
) -> None:
    """Refuse perturbations that cannot be applied in `env`; with `extent`, also layers, sensors and actuators.

    Raises:
        InputError: one line with the position and the remedy.
    """
    for index, perturbation in enumerate(perturbations):
        perturbation.check(f"{where}[{index}]" if len(perturbations) > 1 else where, env, extent)


def _build(item: Any, where: str) -> Perturbation:
    if not isinstance(item, Mapping) or not isinstance(item.get("kind"), str):
        raise InputError(f"{where}: expected a mapping with `kind`, as {{kind: freeze, at: 300}}")
    kind = item["kind"]
    if kind not in PERTURBATIONS:
        raise InputError(f"{where}: {unknown('perturbation', kind, PERTURBATIONS)}")
    built = check_section(where, PERTURBATIONS[kind], item)
    assert isinstance(built, Perturbation)
    return built


def _parse(text: str, where: str) -> dict[str, Any]:
    kind, _, settings = text.partition(":")
    item: dict[str, Any] = {"kind": kind.strip()}
    for setting in _COMMA.split(settings) if settings.strip() else ():
        key, separator, value = setting.partition("=")
        key = key.strip()
        if not separator or not key or key in item:
            raise InputError(
                f"{where}: cannot read {setting.strip()[:60]!r}; write KIND:KEY=VALUE,KEY=VALUE, each key once, "
                "as zero_weights:at=300,fraction=0.333"
            )
        item[key] = value.strip() if "(" in value else read_yaml(value, f"{where}: {key}")
    return item

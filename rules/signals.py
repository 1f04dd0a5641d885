"""What a rule can read of the network and the world: one entry for each signal.

Any other name that a projection binds to a population (`signals: {v: values}`) is a signal too: per postsynaptic neuron
where the population has as many neurons as the target, per lifetime where it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PRE, POST, LIFETIME = "pre", "post", "lifetime"
"""Axes: a number per presynaptic neuron, per postsynaptic neuron, or per lifetime."""


@dataclass(frozen=True)
class Signal:
    """A signal.

    Attributes:
        axis: of its values; of one that is bound to a population, the axis follows from the population.
        meaning: in a few words, for lists.
        bound: whether it comes from a population that the projection names.
    """

    name: str
    axis: str
    meaning: str
    bound: bool = False


_TABLE = (
    Signal("pre", PRE, "presynaptic activation of this step's forward pass"),
    Signal("post", POST, "postsynaptic activation of this step's forward pass"),
    Signal("pre_last", PRE, "presynaptic activation of the step before"),
    Signal("post_last", POST, "postsynaptic activation of the step before"),
    Signal("drive", POST, "sum before the activation function, exploration noise included"),
    Signal("m", POST, "output of the modulator that projects onto the target", bound=True),
    Signal("reward", LIFETIME, "reward of the environment's step that just happened"),
    Signal("noise", POST, "exploration noise that was added to the drive"),
)

SIGNALS: Mapping[str, Signal] = {signal.name: signal for signal in _TABLE}
"""By name."""

_MEANT: Mapping[str, tuple[str, ...]] = {
    "pre": ("x", "presynaptic", "pre_activation", "per", "rpe"),
    "post": ("y", "postsynaptic", "post_activation", "pots", "psot", "opst"),
    "pre_last": ("pre_prev", "prev_pre", "pre_previous", "last_pre", "pre_old", "old_pre", "pre_before"),
    "post_last": (
        "post_prev",
        "prev_post",
        "post_previous",
        "last_post",
        "post_old",
        "old_post",
        "post_before",
    ),
    "drive": ("preactivation", "pre_activations", "net_input", "potential"),
    "m": ("modulator", "modulation", "mod", "neuromodulator", "dopamine"),
    "reward": ("r", "rew", "rewards", "R", "reward_last", "last_reward", "return"),
    "noise": ("xi", "perturbation", "exploration"),
    "w": ("W", "weights", "weight_", "dw", "dW", "delta_w"),
}
_REMEDY = {
    "t": "time is no signal; `every` and `offset` apply a rule in some steps only",
    "dt": "time is no signal; write the factor as a number",
    "dw": "a rule is the next value of w, not a change: write w + ...",
    "dW": "a rule is the next value of w, not a change: write w + ...",
    "delta_w": "a rule is the next value of w, not a change: write w + ...",
    "v": "a target comes from a population: bind it with signals: {v: POPULATION}",
    "target": "a target comes from a population: bind it with signals: {target: POPULATION}",
}


def meant(name: str) -> str:
    """Return the remedy for a coefficient's name that a reader would take for a signal; empty for any other name."""
    if name in _REMEDY:
        return _REMEDY[name]
    for signal, lookalikes in _MEANT.items():
        if name in lookalikes or (name.lower() == signal and name != signal):
            return f"write {signal!r}, or give the coefficient another name"
    return ""

"""Generate the fused CPU kernel of a network: plain Python text that numba compiles.

Multiply-adds are fused where the text says so and nowhere else: the bits do not depend on how it was compiled. Update
and forward pass share the loop over synapses: a step's pending update and the next forward pass stream each once. Two
lifetimes of one genome go through the loop together, so that its constants stream in once for both.
"""

from __future__ import annotations

from collections.abc import Iterator

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.numba.functions import functions_text
from hebbevo.networks.numba.lines import each, indented
from hebbevo.networks.numba.projection_text import OPTIONS, ProjectionText, entry_name, means_text, rows_of

_ENTRY = f"@njit(cache=True, no_cfunc_wrapper=True, {OPTIONS})"

_ARGUMENTS = (
    "active, genome_of, states, constants, older, old, new, observations, noise, actions, lanes, due, step"
)


def source(spec: KernelSpec) -> str:
    """Return the text of the kernel module; entry points `forward`, `learn` and `learn_forward`."""
    parts = [functions_text()]
    for learn, forward in _VARIANTS:
        for together in _together(spec, learn, forward):
            parts += [text.text() for text in _projections(spec, learn, forward, together)]
        parts.append(_entry(spec, learn, forward))
    return "\n\n".join(parts)


_VARIANTS = ((False, True), (True, False), (True, True))
"""Whether an entry learns, and whether it makes a forward pass."""


def _together(spec: KernelSpec, learn: bool, forward: bool) -> tuple[int, ...]:
    """Return how many lifetimes of one genome the parts of an entry take at once.

    Two lifetimes share the constants that they read. Normalisers that pass over the synapses twice gain little from it,
    and compile for long.
    """
    sharing = any(plan.streams for plan in spec.plans) and not any(
        plan.normalisation.needs_the_layer for plan in spec.plans
    )
    pauses = any(
        plan.projection.every > 1 for plan in spec.plans
    )  # then the forward pass alone runs in pairs too
    return (1, 2) if sharing and forward and (learn or pauses) else (1,)


def _projections(spec: KernelSpec, learn: bool, forward: bool, together: int) -> Iterator[ProjectionText]:
    """Yield the parts of an entry in the order of the forward pass."""
    for population, plans in spec.ordered:
        for plan in plans:
            if forward or plan.learns:
                yield ProjectionText(spec, plan, population, learn, forward, together, *spec.ends(plan))


def _entry(spec: KernelSpec, learn: bool, forward: bool) -> str:
    lines = ["count = active.shape[0]"]
    if forward:
        lines += ["for r in active:", *indented(_inputs(spec))]
    lines += ["q = 0", "while q < count:", "    r0 = active[q]", "    g = genome_of[r0]"]
    if learn and 2 in _together(spec, learn, forward):
        lines += [
            "    if q + 1 < count and genome_of[active[q + 1]] == g:",
            "        r1 = active[q + 1]",
            *indented(indented(_calls(spec, learn, forward, 2))),
            "        q += 2",
            "        continue",
        ]
    lines += indented([*_calls(spec, learn, forward, 1), "q += 1"])
    if forward:
        output = spec.activations[spec.network.output]
        lines += [
            "for r in active:",
            f"    for i in range({output.size}):",
            f"        actions[r, i] = new[r, {output.start} + i]",
        ]
    return "\n".join([_ENTRY, f"def {entry_name(learn, forward)}({_ARGUMENTS}):", *indented(lines)])


def _inputs(spec: KernelSpec) -> list[str]:
    """Return the lines that fill the input populations of row `r`, and the means of their activations."""
    values = {
        "observation": "observations[r, i]",
        "action": "actions[r, i]",
        "reward": f"old[r, {spec.reward.start}]",
        "one": "ONE",
    }
    lines = [f"new[r, {spec.reward.start}] = ZERO"] if spec.uses_reward else []
    for population in spec.network.inputs:
        segment = spec.activations[population.name]
        lines += [
            f"for i in range({segment.size}):",
            f"    new[r, {segment.start} + i] = {values[population.name]}",
        ]
        lines += means_text(spec, population.name, "states[r]", "new[r]")
    return lines


def _calls(spec: KernelSpec, learn: bool, forward: bool, together: int) -> list[str]:
    """Return the calls of all parts for the lifetimes `r0`, ..., those that are not due without their update."""
    rows = ", ".join(each(together, [", ".join(f"{array}[r#]" for array in rows_of(spec).values())]))
    lines = []
    for part in _projections(spec, learn, forward, together):
        call = f"{part.name}(constants[g], {rows}, step)"
        if not learn or part.plan.projection.every == 1:
            lines.append(call)
            continue
        lines += [f"if due & {1 << part.plan.number}:", f"    {call}"]
        if forward:
            lines += ["else:", f"    {part.without_learning}(constants[g], {rows}, step)"]
    return lines

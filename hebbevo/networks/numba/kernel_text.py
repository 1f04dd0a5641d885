"""Generate the fused CPU kernel of a rule: plain Python text that numba compiles.

One lifetime's synapses of a layer lie side by side as ``[outer, lane]``. The lane is the postsynaptic neuron
where there are at least `MINIMUM_LANES` of them, else the presynaptic one; the inner loop runs over lanes and
is elementwise, so that vectorising it reorders no sum. Multiply-adds are fused where the text says so and nowhere
else: the bits do not depend on how it was compiled.
Update and forward pass share the loop: a step's pending update and the next forward pass stream a synapse
once. Two lifetimes of one genome go through the loop together, so that its constants stream in once for both.
"""

from __future__ import annotations

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.numba.functions import functions_text
from hebbevo.networks.numba.layer_text import OPTIONS, LayerText, each, entry_name, indented

_ENTRY = f"@njit(cache=True, no_cfunc_wrapper=True, {OPTIONS})"


def source(spec: KernelSpec) -> str:
    """Return the text of the kernel module; entry points `forward`, `learn` and `learn_forward`."""
    parts = [functions_text()]
    for learn, forward in ((False, True), (True, False), (True, True)):
        for together in (1, 2) if _pairs(spec, learn, forward) else (1,):
            for layer in range(len(spec.layers)):
                parts.append(LayerText(spec, layer, learn, forward, together).text())
        parts.append(_entry(spec, learn, forward))
    return "\n\n".join(parts)


def _entry(spec: KernelSpec, learn: bool, forward: bool) -> str:
    name = entry_name(learn, forward)
    header = f"def {name}(active, genome_of, states, constants, old, new, observations, actions, lanes):"
    lines = ["count = active.shape[0]"]
    if forward:
        lines += [
            "for r in active:",
            f"    for i in range({spec.neurons[0].size}):",
            f"        new[r, {spec.neurons[0].start} + i] = observations[r, i]",
        ]
    lines += ["q = 0", "while q < count:", "    r0 = active[q]", "    g = genome_of[r0]"]
    if _pairs(spec, learn, forward):
        lines += [
            "    if q + 1 < count and genome_of[active[q + 1]] == g:",
            "        r1 = active[q + 1]",
            *indented(indented(_calls(spec, name, 2))),
            "        q += 2",
            "        continue",
        ]
    lines += indented([*_calls(spec, name, 1), "q += 1"])
    if forward:
        lines += [
            "for r in active:",
            f"    for i in range({spec.neurons[-1].size}):",
            f"        actions[r, i] = new[r, {spec.neurons[-1].start} + i]",
        ]
    return "\n".join([_ENTRY, header, *indented(lines)])


def _pairs(spec: KernelSpec, learn: bool, forward: bool) -> bool:
    """Whether an entry has a text for two lifetimes of one genome, whose constants it then reads once.

    Normalisers that pass over the synapses twice gain little from it, and compile for long.
    """
    return learn and forward and spec.streams and not spec.normalisation.needs_the_layer


def _calls(spec: KernelSpec, name: str, together: int) -> list[str]:
    """Return the calls of all layers for the lifetimes `r0`, ..."""
    states = ", ".join(f"states[r#, {k}]" for k in range(len(spec.rule.states)))
    rows = ", ".join(each(together, [f"{states}, old[r#], new[r#], lanes[r#]"]))
    layers = range(len(spec.layers))
    return [f"layer{layer}_{name}_{together}(constants[g], {rows})" for layer in layers]

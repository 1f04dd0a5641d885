"""Devices that networks can run on: their names, whether they are available, and how many lifetimes fit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hebbevo.errors import InputError, unknown

if TYPE_CHECKING:
    from hebbevo.networks.kernel_spec import KernelSpec

DEVICES = ("cpu", "cuda")
DEVICE_BATCH_SIZE = 32_768
"""Most lifetimes side by side on a device, whatever its memory."""

_SHARE = 0.6
"""Share of the free memory that the network may fill."""


def check_name(device: str) -> None:
    """Refuse an unknown device.

    Raises:
        InputError: with the nearest name.
    """
    if device not in DEVICES:
        line = unknown("device", device, DEVICES)
        raise InputError(f"{line} (CUDA_VISIBLE_DEVICES chooses among GPUs)")


def check_available(device: str) -> None:
    """Refuse a device that this process does not have.

    Raises:
        InputError: no GPU, or a torch that knows none.
    """
    if device != "cuda":
        return
    import torch

    if torch.cuda.is_available():
        return
    built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    raise InputError(
        f"device cuda: no GPU is usable here (torch {torch.__version__}, {built}); install a torch with CUDA on a "
        "machine with a GPU, use device cpu, or leave device out for the compiled CPU kernels"
    )


def bytes_per_lifetime(spec: KernelSpec, coefficients: int, device: str, pixels: int = 0) -> int:
    """Return the bytes of a device that a lifetime takes, a genome of its own of `coefficients` numbers included.

    Rule constants take at most as much again as the genome. On a CPU, intermediate results of torch are added: a few
    copies of the largest projection with its coefficients. A frame of `pixels` numbers counts twice.
    """
    most = max(
        plan.n_in
        * plan.n_out
        * (4 + len(plan.projection.rule.states) + len(plan.projection.rule.coefficients))
        for plan in spec.plans
    )
    kept = (
        sum(plan.device_width for plan in spec.plans) + coefficients + 4 * spec.activation_width + 2 * pixels
    )
    kept += sum(plan.n_in * plan.n_out * len(plan.constants) for plan in spec.plans)
    return 4 * (kept + (most if device == "cpu" else 0))


def lifetimes_that_fit(spec: KernelSpec, coefficients: int, device: str, pixels: int = 0) -> int:
    """Return how many lifetimes fit into the free memory of a device, at least 2."""
    each = bytes_per_lifetime(spec, coefficients, device, pixels)
    return max(2, min(int(_SHARE * free_memory(device)) // each, DEVICE_BATCH_SIZE))


def free_memory(device: str) -> int:
    """Return the bytes of memory that are free on a device; 4 GB where the system does not say."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 << 30

"""The kernel that suits a device."""

from __future__ import annotations

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.torch.kernel import DeviceKernel, TorchKernel


def device_kernel(spec: KernelSpec, device: str) -> DeviceKernel:
    """Return Triton's kernel on a GPU (every torch for CUDA brings it), else the reference in torch."""
    if device != "cuda":
        return TorchKernel(spec)
    from hebbevo.networks.triton.kernel import TritonKernel

    return TritonKernel(spec)

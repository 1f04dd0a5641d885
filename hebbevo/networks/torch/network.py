"""A batch of plastic multilayer perceptrons as tensors on a device.

On a GPU the Triton kernel runs, else its reference in torch. The host gets weights, states, activations and
actions as NumPy arrays; those of a GPU are copies, which go back before the network runs on, so that hooks may
write them as they do on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import numpy as np
import numpy.typing as npt
import torch
from typing_extensions import override

from hebbevo.networks.initial_weights import initial_weights
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import Layout
from hebbevo.networks.network import Network
from hebbevo.networks.torch.encoder import TorchEncoder
from hebbevo.networks.torch.kernel import TorchKernel
from hebbevo.networks.triton.kernel import TritonKernel
from hebbevo.rules.distribution import Distribution
from hebbevo.rules.implementations import torch_kernel_functions

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class TorchNetwork(Network):
    """The networks of a device.

    Args:
        spec: rule, layers, sharing, normaliser.
        layout: of the genomes.
        distribution: of each lifetime's initial weights; None where the genome holds them.
        batch_size: most lifetimes side by side.
        device: ``cpu`` or ``cuda``.
        kernel: by default Triton's on ``cuda``, torch's on ``cpu``.
        encoder: makes features of images, on the same device; None where observations go straight to the first layer.
        slopes: ``(n_out,)``, where the output layer is raw: actions are tanh(slope * output).
    """

    def __init__(
        self,
        spec: KernelSpec,
        layout: Layout,
        distribution: Distribution | None,
        batch_size: int,
        device: str = "cpu",
        *,
        kernel: TorchKernel | TritonKernel | None = None,
        encoder: TorchEncoder | None = None,
        slopes: FloatArray | None = None,
    ) -> None:
        self.batch_size, self.layout, self.plastic = batch_size, layout, True
        self.device = torch.device(device)
        self.kernel = kernel or default_kernel(spec, device)
        self._spec, self._distribution, self._encoder = spec, distribution, encoder
        self._slope_tensor = None if slopes is None else torch.from_numpy(slopes).to(self.device)
        self._tanh = torch_kernel_functions()["tanh"]
        on_gpu = self.device.type == "cuda"
        self._stream = torch.cuda.Stream() if on_gpu else None  # type: ignore[no-untyped-call]
        rows, states = batch_size, len(spec.rule.states)

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, device=self.device)

        self._synapses = [zeros(rows, states, n_out, n_in) for n_in, n_out in spec.layers]
        self._signals = [zeros(rows, size) for size in spec.sizes]
        self._next_signals = [zeros(rows, size) for size in spec.sizes]
        observed = spec.sizes[0] if encoder is None else encoder.spec.pixels
        self._observed = torch.zeros(rows, observed, pin_memory=on_gpu)
        self._acted = torch.zeros(rows, spec.sizes[-1], pin_memory=on_gpu)
        self._actions: FloatArray = self._acted.numpy()
        self._genome_rows = torch.zeros(rows, dtype=torch.int64, device=self.device)
        self._genome_constants: list[torch.Tensor] = []
        self._rows_of: tuple[IndexArray, torch.Tensor] | None = None
        self._pending: IndexArray | None = None
        self._lent: list[tuple[torch.Tensor, torch.Tensor]] = []

    @property
    @override
    def layers(self) -> int:
        return len(self._spec.layers)

    @property
    @override
    def states(self) -> tuple[str, ...]:
        return self._spec.rule.states

    @override
    def reset(
        self, genomes: FloatArray, genome_of: Sequence[int], seeds: Sequence[int], *, plastic: bool = True
    ) -> None:
        assert len(genome_of) == len(seeds) <= self.batch_size
        self.plastic = plastic and not self._spec.rule.is_static
        self._pending, self._rows_of, self._lent = None, None, []
        with self._on_device():
            moved = torch.from_numpy(np.ascontiguousarray(genomes)).to(self.device)
            self._genome_constants = [
                self.kernel.constants(layer, self._coefficients(moved, layer + 1))  # type: ignore[misc]
                for layer in range(self.layers)
            ]
            self._genome_rows[: len(seeds)] = torch.tensor(list(genome_of), device=self.device)
            for states in self._synapses:
                states[: len(seeds)] = 0.0
            matrices = initial_weights(
                self._distribution, self.layout, self._spec.layers, genomes, genome_of, seeds
            )
            for layer, weights in enumerate(matrices):
                self._synapses[layer][: len(seeds), 0] = torch.from_numpy(weights).to(self.device)
            if self._encoder is not None:
                self._encoder.reset(moved)

    @override
    def forward(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        seen = self._observed[: len(active)]
        np.take(observations, active, axis=0, out=seen.numpy(), mode="clip")
        with self._on_device():
            self._return_lent()
            rows = self._rows(active)
            inputs = seen.to(self.device, non_blocking=True)
            if self._encoder is not None:
                inputs = self._encoder.encode(inputs, self._genome_rows[rows])
            self._next_signals[0][rows] = inputs
            self._step(rows, learn=self._pending is not None, forward=True)
            self._signals, self._next_signals = self._next_signals, self._signals
            outputs = self._signals[-1]
            actions = outputs if self._slope_tensor is None else self._tanh(self._slope_tensor * outputs)
            self._acted.copy_(actions, non_blocking=True)
        self._pending = None
        return self._actions

    @override
    def learn(self, active: IndexArray) -> None:
        if self.plastic:
            self._pending = active

    @override
    def flush(self) -> None:
        if self._pending is not None:
            with self._on_device():
                self._return_lent()
                self._step(self._rows(self._pending), learn=True, forward=False)
            self._pending = None

    @override
    def state(self, name: str, layer: int) -> FloatArray:
        self.flush()
        return self._lend(self._synapses[layer - 1][:, self.states.index(name)])

    @override
    def activations(self, layer: int) -> FloatArray:
        return self._lend(self._signals[layer])

    def _step(self, rows: torch.Tensor, *, learn: bool, forward: bool) -> None:
        for layer in range(self.layers):
            self.kernel.run(
                layer,
                rows,
                self._genome_rows,
                self._synapses[layer],
                self._genome_constants[layer],  # type: ignore[arg-type]
                self._signals,
                self._next_signals,
                learn=learn,
                forward=forward,
            )

    @contextmanager
    def _on_device(self) -> Iterator[None]:
        """On a GPU, use this network's stream and wait until it has done its work."""
        with torch.inference_mode():
            stream = self._stream
            with torch.cuda.stream(stream) if stream is not None else nullcontext():
                yield
            if stream is not None:
                stream.synchronize()

    def _rows(self, active: IndexArray) -> torch.Tensor:
        """Return the rows on the device; those of the same array as last time are there already."""
        if self._rows_of is None or self._rows_of[0] is not active or len(self._rows_of[1]) != len(active):
            self._rows_of = active, torch.from_numpy(active.copy()).to(self.device)
        return self._rows_of[1]

    def _coefficients(self, genomes: torch.Tensor, layer: int) -> dict[str, torch.Tensor]:
        """Return the coefficients of layer 1, 2, ..., each ``(genomes, n_out or 1, n_in or 1)``."""
        entries = {entry.name: entry for entry in self.layout.entries}
        coefficients = {}
        for name in self._spec.rule.coefficients:
            shared = self._spec.sharing[name] == "network"
            entry = entries[f"network.{name}" if shared else f"layer{layer}.{name}"]
            part = genomes[:, entry.offset : entry.offset + entry.size]
            coefficients[name] = part.reshape(len(genomes), *entry.shape)
        return coefficients

    def _lend(self, tensor: torch.Tensor) -> FloatArray:
        """Return an array that the host may read and write: the memory itself, or a copy that goes back."""
        if self._stream is None:
            return tensor.numpy()
        self._stream.synchronize()
        copy = tensor.cpu()
        self._lent.append((tensor, copy))
        return copy.numpy()

    def _return_lent(self) -> None:
        for tensor, copy in self._lent:
            tensor.copy_(copy)
        self._lent = []


def default_kernel(spec: KernelSpec, device: str) -> TorchKernel | TritonKernel:
    """Return the kernel that suits a device: Triton's on a GPU (every torch for CUDA brings it), else torch's."""
    return TritonKernel(spec) if device == "cuda" else TorchKernel(spec)

"""A batch of plastic networks as tensors on a device.

On a GPU the Triton kernel runs, else its reference in torch. The host gets weights, states, activations and
actions as NumPy arrays; those of a GPU are copies, which go back before the network runs on, so that hooks may
write them as they do on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from typing_extensions import override

from hebbevo.networks.encodings import encoding
from hebbevo.networks.initial_states import initial_states
from hebbevo.networks.kernel_spec import KernelSpec, ProjectionPlan
from hebbevo.networks.layout import Layout, projection_coefficients
from hebbevo.networks.network import Network
from hebbevo.networks.noise import NoiseSource
from hebbevo.networks.torch.encoder import TorchEncoder
from hebbevo.networks.torch.kernel import Activations, DeviceKernel, TorchKernel, ordered_sum, state_views
from hebbevo.rules.implementations import torch_kernel_functions

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class TorchNetwork(Network):
    """The networks of a device.

    Args:
        spec: the network, made ready for kernels.
        layout: of the genomes.
        batch_size: most lifetimes side by side.
        device: ``cpu`` or ``cuda``.
        kernel: see `hebbevo.networks.device_kernels`; by default the reference in torch.
        encoder: makes features of images, on the same device; None where observations go straight to the first layer.
        slopes: ``(n_out,)``, where the output is raw: actions are tanh(slope * output).
    """

    def __init__(
        self,
        spec: KernelSpec,
        layout: Layout,
        batch_size: int,
        device: str = "cpu",
        *,
        kernel: DeviceKernel | None = None,
        encoder: TorchEncoder | None = None,
        slopes: FloatArray | None = None,
    ) -> None:
        self.batch_size, self.layout, self.plastic = batch_size, layout, True
        self.device = torch.device(device)
        self.kernel = kernel or TorchKernel(spec)
        self._spec, self._encoder = spec, encoder
        self._slope_tensor = None if slopes is None else torch.from_numpy(slopes).to(self.device)
        self._tanh = torch_kernel_functions()["tanh"]
        on_gpu = self.device.type == "cuda"
        self._stream = torch.cuda.Stream() if on_gpu else None  # type: ignore[no-untyped-call]
        rows, sizes = batch_size, spec.network.by_name

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, device=self.device)

        self._states = [zeros(rows, plan.device_width) for plan in spec.plans]
        self._activations = Activations(*(zeros(rows, spec.activation_width) for _ in range(3)))
        self._rings = {key: zeros(rows, key[1], segment.size) for key, segment in spec.means.items()}
        self._noise = NoiseSource(spec, batch_size)
        observed = sizes["observation"].size if encoder is None else encoder.spec.pixels
        self._observed = torch.zeros(rows, observed, pin_memory=on_gpu)
        self._acted = torch.zeros(rows, sizes[spec.network.output].size, pin_memory=on_gpu)
        self._actions: FloatArray = self._acted.numpy()
        self._genome_rows = torch.zeros(rows, dtype=torch.int64, device=self.device)
        self._constants: list[Any] = []
        self._rows_of: tuple[IndexArray, torch.Tensor] | None = None
        self._pending: IndexArray | None = None
        self._lent: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._due = self._step = 0

    @property
    @override
    def layers(self) -> int:
        return len(self._spec.plans)

    @override
    def states(self, layer: int) -> tuple[str, ...]:
        return self._spec.plans[layer - 1].projection.rule.states

    @override
    def reset(
        self, genomes: FloatArray, genome_of: Sequence[int], seeds: Sequence[int], *, plastic: bool = True
    ) -> None:
        assert len(genome_of) == len(seeds) <= self.batch_size
        self.plastic = plastic and self._spec.learns
        self._pending, self._rows_of, self._lent = None, None, []
        self._step = -1
        count = len(seeds)
        with self._on_device():
            moved = torch.from_numpy(np.ascontiguousarray(genomes)).to(self.device)
            self._constants = [
                self.kernel.constants(plan, self._coefficients(genomes, moved, plan))
                for plan in self._spec.plans
            ]
            self._genome_rows[:count] = torch.tensor(list(genome_of), device=self.device)
            rows_of_activations = (self._activations.older, self._activations.old, self._activations.new)
            for rows in (*self._states, *rows_of_activations, *self._rings.values()):
                rows[:count] = 0.0
            self._acted[:count] = 0.0
            drawn = initial_states(self._spec.network, self.layout, genomes, genome_of, seeds)
            for plan, states in zip(self._spec.plans, self._states, strict=True):
                views = state_views(plan, states[:count])
                for state, values in drawn[plan.projection.name].items():
                    views[state][...] = torch.from_numpy(values).to(self.device)
            if self._encoder is not None:
                self._encoder.reset(moved)
        self._noise.reset(seeds)

    @override
    def forward(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        seen = self._observed[: len(active)]
        np.take(observations, active, axis=0, out=seen.numpy(), mode="clip")
        self._step += 1
        self._noise.draw(self._step, active)
        with self._on_device():
            self._return_lent()
            rows = self._rows(active)
            inputs = seen.to(self.device, non_blocking=True)
            if self._encoder is not None:
                inputs = self._encoder.encode(inputs, self._genome_rows[rows])
            self._fill_inputs(inputs, rows, active)
            self._run(rows, due=self._due if self._pending is not None else 0, forward=True)
            self._activations.advance()
            output = self._spec.activations[self._spec.network.output]
            outputs = self._activations.old[:, output.start : output.stop]
            actions = outputs if self._slope_tensor is None else self._tanh(self._slope_tensor * outputs)
            self._acted.copy_(actions, non_blocking=True)
        self._pending = None
        return self._actions

    def _fill_inputs(self, observed: torch.Tensor, rows: torch.Tensor, active: IndexArray) -> None:
        """Write what the world shows in this step, and the exploration noise, into the new activations."""
        spec, old, new = self._spec, self._activations.old, self._activations.new
        for population in spec.network.inputs:
            segment = spec.activations[population.name]
            match population.name:
                case "observation":
                    values: torch.Tensor | float = observed
                case "action":
                    values = torch.from_numpy(self._actions[active]).to(self.device)
                case "reward":
                    values = old[rows, spec.reward.start][:, None]
                case _:
                    values = 1.0
            new[rows, segment.start : segment.stop] = values
            self._take_means(population.name, rows)
        if spec.uses_reward:
            new[rows, spec.reward.start] = 0.0
        if spec.noises:
            drawn = torch.from_numpy(self._noise.values[active]).to(self.device)
            for name, segment in spec.noises.items():
                source = spec.drawn_noises[name]
                new[rows, segment.start : segment.stop] = drawn[:, source.start : source.stop]

    def _take_means(self, population: str, rows: torch.Tensor) -> None:
        """Put a population's activations into its rings, and take their means."""
        spec, new = self._spec, self._activations.new
        for (name, window), mean in spec.means.items():
            if name == population:
                segment, ring = spec.activations[name], self._rings[name, window]
                ring[rows, self._step % window] = new[rows, segment.start : segment.stop]
                total = ordered_sum(ring[rows].movedim(1, 2).clone())
                new[rows, mean.start : mean.stop] = total / min(self._step + 1, window)

    @override
    def emit(self, active: IndexArray) -> None:
        output = self._spec.activations[self._spec.network.output]
        with self._on_device():
            emitted = torch.from_numpy(self._actions[active]).to(self.device)
            self._activations.old[self._rows(active), output.start : output.stop] = emitted

    @override
    def learn(self, active: IndexArray, rewards: npt.NDArray[np.float64] | None = None) -> None:
        if self._spec.uses_reward and rewards is not None:
            with self._on_device():
                given = torch.from_numpy(rewards[active].astype(np.float32)).to(self.device)
                self._activations.old[self._rows(active), self._spec.reward.start] = given
        if self.plastic:
            self._due = self._spec.due(self._step)
            self._pending = active if self._due else None

    @override
    def flush(self) -> None:
        if self._pending is not None:
            with self._on_device():
                self._return_lent()
                self._run(self._rows(self._pending), due=self._due, forward=False)
            self._pending = None

    @override
    def state(self, name: str, layer: int) -> FloatArray:
        self.flush()
        return self._lend(state_views(self._spec.plans[layer - 1], self._states[layer - 1])[name])

    @override
    def activations(self, layer: int) -> FloatArray:
        segment = self._spec.activations[self._spec.network.populations[layer].name]
        return self._lend(self._activations.old[:, segment.start : segment.stop])

    def _run(self, rows: torch.Tensor, *, due: int, forward: bool) -> None:
        """Update the projections whose bit is set in `due`; in a forward pass, run all in its order."""
        for population, plans in self._spec.ordered:
            for plan in plans:
                learn = bool(due >> plan.number & 1)
                if learn or forward:
                    self.kernel.run(
                        plan,
                        rows,
                        self._genome_rows,
                        self._states[plan.number],
                        self._constants[plan.number],
                        self._activations,
                        learn=learn,
                        forward=forward,
                    )
            if forward:
                self._take_means(population.name, rows)

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

    def _coefficients(
        self, genomes: FloatArray, moved: torch.Tensor, plan: ProjectionPlan
    ) -> dict[str, torch.Tensor]:
        """Return the coefficients of a projection, each ``(genomes, n_out or 1, n_in or 1)``.

        Plain encodings are views of the genomes on the device, others are decoded on the host, by NumPy.
        """
        network, projection = self._spec.network, plan.projection
        kinds = {name: encoding(text) for name, text in projection.sharing.items()}
        if not all(kinds[name].plain for name in projection.rule.coefficients):
            decoded = projection_coefficients(network, projection, self.layout.split(genomes))
            return {name: torch.from_numpy(array.copy()).to(self.device) for name, array in decoded.items()}
        entries, coefficients = {entry.name: entry for entry in self.layout.entries}, {}
        for name in projection.rule.coefficients:
            (array,) = kinds[name].arrays(network, projection, name)
            offset = entries[array.name].offset
            part = moved[:, offset : offset + entries[array.name].size]
            coefficients[name] = part.reshape(len(moved), *array.shape)
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

#!/usr/bin/env python3
"""Measure populations on a device: the halves' overlap, the network step's bandwidth, and the end-to-end rate.

`--device cuda` gives every figure on a machine with a GPU in one command; `--device cpu` runs the same code.

| part | measurement |
|---|---|
| overlap | two halves of quadrupeds take turns: wall time against both sides' sum; `--figure` draws it |
| network | one step per population size: microseconds, GB/s, fraction of a measured copy |
| rate | agent-steps per second of whole lifetimes on the device, and of the compiled CPU kernels |

On a CPU, `overlap` has a network that computes nothing and sleeps `--delay` ms a step, as a host waits for a GPU;
by default as long as half of the environments take to step.

Examples: `scripts/bench_device.py --part overlap --figure docs/figures/overlap.png`,
`scripts/bench_device.py --device cuda --json gpu.json`
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hebbevo.cli.output import STANDARD_OUTPUT, check_json_file, write_json
from hebbevo.config.loading import load_config
from hebbevo.errors import InputError
from hebbevo.evaluation.fitness import evaluate_generation
from hebbevo.execution.device_worker import DeviceWorker
from hebbevo.execution.execution import Execution, cores
from hebbevo.execution.executors import executor_for
from hebbevo.networks.device_kernels import device_kernel
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.torch.device import check_available, lifetimes_that_fit
from hebbevo.networks.torch.kernel import TorchKernel
from hebbevo.networks.torch.network import TorchNetwork
from hebbevo.rollouts.pipeline import Span
from hebbevo.search import MatrixProposals
from hebbevo.tasks.task import Task

PARTS = ("overlap", "network", "rate")


class SleepingNetwork(TorchNetwork):
    """A network elsewhere: the host waits for it, holding the device's turn and not the CPU."""

    delay = 0.0

    def forward(self, observations, active):  # type: ignore[no-untyped-def]
        """Wait, and return actions that move the legs."""
        time.sleep(self.delay)
        self._actions[...] = np.sin(40.0 * observations[:, : self._actions.shape[1]])
        return self._actions

    def learn(self, active, rewards=None) -> None:  # type: ignore[no-untyped-def]
        """Learn nothing."""


class SleepingWorker(DeviceWorker):
    """A worker with a network elsewhere."""

    delay = 0.0

    def _network_for(self, batch_size: int) -> TorchNetwork:
        network = super()._network_for(batch_size)
        network.__class__, network.delay = SleepingNetwork, self.delay  # type: ignore[attr-defined]
        return network


def overlap(
    task: Task, device: str, population: int, delay: float | None, threads: int | None
) -> dict[str, Any]:
    """Run a population in two halves, and return where the time went; seconds."""
    worker = (DeviceWorker if device == "cuda" else SleepingWorker)(
        task, population, device, threads or cores()
    )
    if isinstance(worker, SleepingWorker):
        worker.delay = 1e-3 * delay if delay is not None else step_seconds(task, population // 2, threads)
    rollout(worker, population)  # builds and compiles
    spans: list[Span] = []
    worker.pipeline.record = spans
    rollout(worker, population)
    began = max(min(span.begin for span in spans if span.half == half) for half in (0, 1))
    ended = min(max(span.end for span in spans if span.half == half) for half in (0, 1))
    both = [span for span in spans if span.begin >= began and span.end <= ended]
    sums = {part: sum(s.end - s.begin for s in both if s.part == part) for part in ("network", "environment")}
    together = sum(
        max(0.0, min(a.end, b.end) - max(a.begin, b.begin))
        for a in both
        if a.part == "network"
        for b in both
        if b.part == "environment" and b.half != a.half
    )
    wall = ended - began
    return {
        "population": population,
        "steps": task.env.steps,
        "delay_ms": 1e3 * getattr(worker, "delay", 0.0),
        "wall": wall,
        **sums,
        "one_after_the_other": sum(sums.values()),
        "speedup": sum(sums.values()) / wall,
        "longer_side": max(sums.values()),
        "both_at_work": together / wall,
        "spans": spans,
    }


def rollout(worker: Any, population: int) -> Any:
    """Run one lifetime each of as many random genomes."""
    morphologies = worker.task.env.morphology_names
    generator = np.random.default_rng(0)
    genomes = np.stack([worker.task.first_genome(generator) for _ in range(min(population, 64))])
    of = [row % len(genomes) for row in range(population)]
    names = [morphologies[row % len(morphologies)] for row in range(population)]
    return worker.rollout(genomes, of, list(range(population)), names, early_stop=False)


def step_seconds(task: Task, lifetimes: int, threads: int | None) -> float:
    """Return how long the environments of a half take to step, the median."""
    environment, morphologies = task.env.build(lifetimes), task.env.morphology_names
    environment.use_threads(threads or cores())
    environment.reset(
        list(range(lifetimes)), [morphologies[row % len(morphologies)] for row in range(lifetimes)]
    )
    actions, active, seconds = (
        np.zeros((lifetimes, environment.action_size), np.float32),
        np.arange(lifetimes),
        [],
    )
    for _ in range(40):
        began = time.perf_counter()
        environment.step(actions, active)
        seconds.append(time.perf_counter() - began)
    environment.close()
    return float(np.median(seconds))


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw twelve steps of both halves from the middle of a lifetime."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.patches import Patch

    spans: list[Span] = found["spans"]
    first = found["steps"] // 2
    shown = [span for span in spans if first <= span.step < first + 12]
    zero = min(span.begin for span in shown)
    colors = {"network": "#4477aa", "environment": "#ee7733"}
    figure, axes = pyplot.subplots(figsize=(9, 2.4), layout="constrained")
    for span in shown:
        left, width = 1e3 * (span.begin - zero), 1e3 * (span.end - span.begin)
        axes.barh(1 - span.half, width, left=left, color=colors[span.part], edgecolor="white", height=0.7)
    axes.set_yticks([1, 0], ["half A", "half B"])
    axes.set_xlabel("milliseconds")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    side = "network elsewhere" if found["delay_ms"] else "network on the GPU"
    patches = [
        Patch(color=colors["network"], label=side),
        Patch(color=colors["environment"], label="environments on the CPU"),
    ]
    axes.legend(handles=patches, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    axes.set_title(
        f"12 steps: {found['speedup']:.2f} times as fast as one after the other", loc="left", fontsize=10
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)


def bytes_that_must_move(spec: KernelSpec) -> int:
    """Return the bytes of an agent-step: states read, changed ones written, constants read where not shared.

    A constant that all synapses of a neuron share counts once a neuron; weights that a normaliser rescales once.
    """
    from hebbevo.networks.triton.kernel_text import ProjectionText

    total = 0
    for plan in spec.plans:
        text = ProjectionText(spec, plan)
        constants = sum(int(np.prod(text.constant_shape(slot))) for slot in range(len(plan.constants)))
        written = sum(plan.states[state].size for state in plan.changing)
        total += plan.device_width + written + constants + 2 * (plan.n_in + plan.n_out)
    return 4 * total


def copy_bandwidth(device: str, megabytes: int) -> float:
    """Return the bytes per second of a copy on the device, read and written ones counted."""
    source = torch.randn(megabytes << 18, device=device)
    target = torch.empty_like(source)
    return 2 * source.numel() * 4 / seconds_of(lambda: target.copy_(source), device, 10)


def seconds_of(work: Any, device: str, repeats: int) -> float:
    """Return the median seconds of some work, by device events on a GPU."""
    for _ in range(3):
        work()
    seconds = []
    for _ in range(repeats):
        if device == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
            begin.record()
            work()
            end.record()
            end.synchronize()
            seconds.append(1e-3 * begin.elapsed_time(end))
        else:
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def network(task: Task, device: str, populations: list[int], copy: float) -> list[dict[str, Any]]:
    """Time one step of learning and forward passes of every layer, for each kernel and population that fits."""
    spec, rows = task.kernel_spec, []
    every = spec.due(0)
    kernels = [device_kernel(spec, device)] + [TorchKernel(spec)] * (device == "cuda")
    moved = bytes_that_must_move(spec)
    for population in populations:
        if population > lifetimes_that_fit(spec, task.layout.size, device):
            print(f"population {population} does not fit into the free memory", file=sys.stderr)
            continue
        for kernel in kernels:
            net = TorchNetwork(spec, task.layout, population, device, kernel=kernel)
            genomes = np.random.default_rng(0).standard_normal((population, task.layout.size), np.float32)
            net.reset(genomes, range(population), range(population))
            active = torch.arange(population, device=device)
            with torch.inference_mode():
                step = seconds_of(lambda n=net, a=active: n._run(a, due=every, forward=True), device, 20)
            rows.append(
                {
                    "kernel": kernel.name,
                    "population": population,
                    "step_ms": 1e3 * step,
                    "us_per_agent_step": 1e6 * step / population,
                    "gigabytes_per_s": 1e-9 * moved * population / step,
                    "fraction_of_copy": moved * population / step / copy,
                }
            )
            del net, genomes
    return rows


def rate(task: Task, execution: Execution, population: int) -> float:
    """Return the agent-steps per second of a generation, resets included, once everything is compiled and made."""
    generator = np.random.default_rng(0)
    genomes = np.stack([task.first_genome(generator) for _ in range(population)])
    resolved = execution.resolve(task)
    with executor_for(resolved) as executor:
        for _ in range(2):
            began = time.perf_counter()
            fitness = evaluate_generation(
                executor,
                MatrixProposals(genomes),
                run_seed=1,
                number=0,
                morphologies=task.env.morphology_names,
                lifetime_seeds="individual",
                batch_size=resolved.batch_size,
                even=resolved.even,
            )
            seconds = time.perf_counter() - began
    return fitness.steps / seconds


def machine(device: str) -> dict[str, Any]:
    """Describe where the numbers come from."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    return {"gpu": gpu, "cores": cores(), "load": load, "torch": torch.__version__}


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--population", type=int, nargs="+", help="sizes; the first is that of overlap")
    parser.add_argument("--steps", type=int, default=200, help="length of a lifetime")
    parser.add_argument("--delay", type=float, help="milliseconds that the sleeping network takes")
    parser.add_argument("--threads", type=int, help="of the environments; by default all cores")
    parser.add_argument("--rule", default="ABCD_lr", help="a name or an equation")
    parser.add_argument("--sharing", default="synapse", help="who shares the coefficients")
    parser.add_argument("--normalise", default="none", help="the normaliser")
    parser.add_argument("--figure", type=Path, help="draw the timeline of overlap there")
    parser.add_argument("--json", metavar="FILE", help="write the result there; - is standard output")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the benchmark."""
    options = read_options(arguments)
    settings = {
        "env.steps": options.steps,
        "plasticity.rule": options.rule,
        "plasticity.sharing": options.sharing,
        "plasticity.normalise": options.normalise,
    }
    torch.set_num_threads(1)  # as the workers do
    device, on_gpu = options.device, options.device == "cuda"
    try:
        check_json_file(options.json)
        check_available(device)
        task = Task.of(load_config("quick-quadruped", [f"{key}={value}" for key, value in settings.items()]))
    except (InputError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    text = sys.stderr if options.json == STANDARD_OUTPUT else sys.stdout
    sizes = options.population or ([256, 1024, 4096, 16384] if on_gpu else [64, 128])
    result: dict[str, Any] = {"machine": machine(device)}
    print(json.dumps(result["machine"]), file=text)
    if "overlap" in options.part:
        found = overlap(
            task,
            device,
            options.population[0] if options.population else 4096 if on_gpu else 128,
            options.delay,
            options.threads,
        )
        if options.figure:
            draw(found, options.figure)
        del found["spans"]
        result["overlap"] = found
        print("overlap", json.dumps({key: round(value, 4) for key, value in found.items()}), file=text)
    if "network" in options.part:
        copy = copy_bandwidth(device, 2048 if on_gpu else 256)
        result["network"] = {"copy_gigabytes_per_s": 1e-9 * copy, "steps": network(task, device, sizes, copy)}
        print(
            f"copy {1e-9 * copy:.1f} GB/s; {bytes_that_must_move(task.kernel_spec):,} bytes an agent-step",
            file=text,
        )
        for row in result["network"]["steps"]:
            print(
                json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}), file=text
            )
    if "rate" in options.part:
        morphologies = len(task.env.morphology_names)
        population = max(sizes[0], min(4096, sizes[-1])) // morphologies
        rates = {
            "lifetimes": population * morphologies,
            "device": rate(task, Execution(device=device, threads=options.threads), population),
            "compiled_cpu": rate(task, Execution(threads=options.threads, workers=0), population),
        }
        result["rate"] = {**rates, "ratio": rates["device"] / rates["compiled_cpu"]}
        print("agent-steps/s", json.dumps({k: round(v, 3) for k, v in result["rate"].items()}), file=text)
    write_json(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Put a run's center among the genomes that hebbevo ships, with its config and an evaluation in the header.

    scripts/ship_genome.py RUN NAME [--also MORPHOLOGY ...] [--episodes N] [--seed S] [--steps N]
                           [--threads N] [--commit HASH] [--replace]

Writes hebbevo/genomes/zoo/NAME.safetensors, which is `zoo:NAME` from then on, and prints its row for docs/genomes.md.
It is evaluated with its controls on the bodies that it evolved on and on those of --also; --steps ships it with
lifetimes of another length than those of evolution. Equal runs give equal bytes; other versions may draw other random
numbers, so --commit notes the one whose code evolved it.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hebbevo import Evaluation, Execution, Genome, evaluate, load_genome, save_genome
from hebbevo.training.run_config import read_config
from hebbevo.training.run_directory import RunDirectory

ZOO = Path(__file__).resolve().parents[1] / "hebbevo" / "genomes" / "zoo"


def main() -> None:
    """Read the arguments, evaluate and write."""
    options = arguments()
    path = ZOO / f"{options.name}.safetensors"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", options.name):
        raise SystemExit(f"a shipped genome cannot be called {options.name!r}; use a-z, 0-9, '-' and '_'")
    if path.exists() and not options.replace:
        raise SystemExit(f"{path} exists; --replace writes it anew")
    genome = load_genome(options.run).lasting(options.steps)
    bodies = [*genome.task.env.morphology_names, *options.also]
    evaluation = evaluate(
        genome,
        episodes=options.episodes,
        seed=options.seed,
        morphologies=bodies if options.also else None,
        execution=Execution(threads=options.threads, workers=0),
    )
    shipped = with_provenance(genome, evaluation, options)
    ZOO.mkdir(exist_ok=True)
    save_genome(shipped, path)
    print(row(options.name, shipped))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument("name", metavar="NAME", help="TASK-RULE, such as quick-quadruped-abcd_lr")
    parser.add_argument("--also", nargs="+", default=[], metavar="MORPHOLOGY")
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--commit", metavar="HASH")
    parser.add_argument("--replace", action="store_true")
    return parser.parse_args()


def with_provenance(genome: Genome, evaluation: Evaluation, options: argparse.Namespace) -> Genome:
    """Return the genome with where it comes from and what it was measured to do."""
    config = read_config(RunDirectory.open(options.run, read_only=True)).model_dump(mode="json")
    figures = {"seed": options.seed, "episodes": options.episodes, **evaluation.summary()}
    del figures["genome"]  # where it lay
    provenance = {**genome.provenance, "config": config, "evaluation": figures, "commit": options.commit}
    return dataclasses.replace(genome, provenance=provenance)


def row(name: str, genome: Genome) -> str:
    """Return the genome's row for the table of docs/genomes.md."""
    evaluation: Mapping[str, Any] = genome.provenance["evaluation"]
    cells = [f"{part['mean']:.1f} ({part['sd']:.1f})" for part in evaluation["morphologies"].values()]
    return f"| `zoo:{name}` | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

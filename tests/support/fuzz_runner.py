"""Run a fuzzer's inputs in this process, and say which of them hebbevo did not take as it should.

An input is right when it is accepted (exit code 0), or refused with exit code 2, one line on standard error, and every
file and folder as it was; in either case without a traceback and within 5 seconds of CPU time.

    scripts/fuzz [--seconds 3600] [--inputs N] [--seed S] [--kind KIND] [--only NUMBER]
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import NoReturn

import numpy as np
from fuzz_inputs import KINDS, Words

import hebbevo
from hebbevo.cli.app import INTERRUPTED, run
from hebbevo.errors import InputError

LONGEST = 5.0
"""Seconds of CPU time that an input may take."""
GIVEN_UP = 300.0
"""Seconds on the clock after which the process says where it hangs, and ends."""
REPORTED = 300
TINY = (
    "env.steps=10",
    "network.hidden=[4]",
    "search.population=4",
    "training.generations=2",
    "evaluation.episodes=1",
)


@dataclass
class Report:
    """What became of inputs: how many were accepted and refused by kind, and what was wrong."""

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def inputs(self) -> int:
        """How many inputs there were."""
        return self.accepted.total() + self.refused.total() + len(self.wrong)


class Hang(BaseException):
    """An input takes too long."""


class Fuzzer:
    """Draws inputs, each from (seed, kind, number) alone, and runs them in a folder of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed, self.report = folder, seed, Report()
        self._work, self._good = folder / "work", folder / "good"
        self._good.mkdir()
        config = hebbevo.load_config("quick-quadruped", TINY)
        made = hebbevo.evolve(config, self._good / "run", execution=hebbevo.Execution(threads=1))
        shutil.copy(made.path / "center.safetensors", self._good / "genome.safetensors")
        (self._good / "file").write_text("dear")
        self._genome = hebbevo.load_genome(self._good / "genome.safetensors")
        shutil.copytree(self._good, self._work)

    def run(self, kind: str, number: int) -> None:
        """Run one input, and note what became of it."""
        make, _ = KINDS[kind]
        self._clean()
        words = make(Random(f"{self.seed}:{kind}:{number}"), self._work)
        before, began = contents(self._work), time.process_time()
        with contextlib.chdir(self._work), limited():
            code, err = self._call(words)
        seconds = time.process_time() - began
        self.report.slowest = max(self.report.slowest, seconds)
        if problem := self._problem(code, err, seconds, before):
            name = f"{kind} {number} (seed {self.seed})"
            self.report.wrong.append(f"{name}: {shlex.join(words)[:REPORTED]!a}: {problem[:2000]}")
        else:
            (self.report.refused if code else self.report.accepted)[kind] += 1

    def _call(self, words: Words) -> tuple[int, str]:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = self._load(words[1]) if words[0] == "load" else run(words)
                if code == INTERRUPTED:
                    raise KeyboardInterrupt
            except InputError as error:
                err.write(f"hebbevo: {error}\n")
                code = 2
            except Hang:
                code = -1
                err.write(f"hangs: {traceback.format_exc()}")
            except Exception:  # noqa: BLE001  (whatever it is, it is what we look for)
                code = -2
                err.write(traceback.format_exc())
        return code, err.getvalue()

    def _load(self, source: str) -> int:
        """Load a genome and live two steps: in full where the kernel is compiled, else in the environment alone."""
        genome = hebbevo.load_genome(source)
        if genome.task.kernel_spec == self._genome.task.kernel_spec and not genome.task.encoder:
            few = hebbevo.Execution(threads=1, batch_size=1, workers=0)
            hebbevo.evaluate(genome.lasting(2), episodes=1, controls=False, execution=few)
            return 0
        environment = genome.task.env.build(1)
        environment.reset([1], genome.task.env.morphology_names[:1])
        environment.step(np.zeros((1, environment.action_size), np.float32), np.arange(1))
        environment.close()
        return 0

    def _problem(self, code: int, err: str, seconds: float, before: dict[str, bytes | None]) -> str:
        """Return what is wrong, or nothing."""
        if code not in (0, 2):
            return f"exit code {code}: {err}"
        if "Traceback" in err or "Warning" in err:
            return err
        if seconds > LONGEST:
            return f"{seconds:.1f} s of CPU time"
        if code == 2 and not (err.startswith("hebbevo: ") and err.count("\n") == 1):
            return f"refused in other than one line: {err!r}"
        after = contents(self._work)
        changed = [name for name in {**before, **after} if before.get(name, 0) != after.get(name, 0)]
        return f"refused, but {', '.join(changed[:5])} changed" if code == 2 and changed else ""

    def _clean(self) -> None:
        """Make the folder what it was at first; the run is only copied where something touched it."""
        for path in self._work.iterdir():
            if path.name not in ("run", "genome.safetensors", "file"):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if contents(self._work) != contents(self._good):
            shutil.rmtree(self._work)
            shutil.copytree(self._good, self._work)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return every file of a folder with its bytes, and every folder in it."""
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise `Hang` after too much CPU time; end the process where that is deaf."""

    def hang(number: int, frame: FrameType | None) -> NoReturn:
        raise Hang

    before = signal.signal(signal.SIGPROF, hang), signal.getsignal(signal.SIGTERM)
    signal.setitimer(signal.ITIMER_PROF, 2 * LONGEST)
    faulthandler.dump_traceback_later(GIVEN_UP, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGPROF, before[0])
        signal.signal(signal.SIGTERM, before[1])


def drawn(seed: int) -> Iterator[tuple[str, int]]:
    """Yield kinds and numbers without end, by the kinds' shares."""
    random, counts = Random(seed), Counter[str]()
    while True:
        (kind,) = random.choices(list(KINDS), [share for _, share in KINDS.values()])
        yield kind, counts[kind]
        counts[kind] += 1


def main(arguments: Sequence[str]) -> int:
    """Fuzz for a while, print what is wrong at once and a summary at the end."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=3600, help="how long; 3600 by default")
    parser.add_argument("--inputs", type=int, default=sys.maxsize, help="how many at most")
    parser.add_argument("--seed", type=int, default=0, help="all inputs follow from it")
    parser.add_argument("--kind", choices=KINDS, help="inputs of this kind alone")
    parser.add_argument("--only", type=int, help="one input, by the number that a report gives; needs --kind")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        fuzzer, began = Fuzzer(Path(folder), asked.seed), time.monotonic()
        inputs = drawn(asked.seed) if asked.only is None else iter([(asked.kind, asked.only)])
        for kind, number in inputs:
            if asked.kind not in (None, kind):
                continue
            known = len(fuzzer.report.wrong)
            fuzzer.run(kind, number)
            for line in fuzzer.report.wrong[known:]:
                print(line, flush=True)
            if time.monotonic() - began > asked.seconds or fuzzer.report.inputs >= asked.inputs:
                break
    report, seconds = fuzzer.report, time.monotonic() - began
    for kind in KINDS:
        print(f"{kind}: {report.accepted[kind]} accepted, {report.refused[kind]} refused")
    print(
        f"{report.inputs} inputs in {seconds:.0f} s, the slowest {report.slowest:.1f} s; {len(report.wrong)} wrong"
    )
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

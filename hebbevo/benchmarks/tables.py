"""The tables of `hebbevo bench`, and the same rows as Markdown for docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Sheet:
    """A table: its title, the names of its columns, and rows of text; the first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Return the table as Markdown, without its title."""
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"

    def rich(self) -> Group:
        """Return the table for a terminal, under its title."""
        from rich import box
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column, name in enumerate(self.columns):
            table.add_column(name, justify="right" if column else "left", no_wrap=True)
        for cells in self.rows:
            table.add_row(*map(Text, cells))
        return Group(*([Text(self.title, style="bold")] if self.title else []), table)


def tables(key: str, numbers: Numbers) -> list[Group]:
    """Return the tables of one key of the record."""
    return [sheet.rich() for sheet in sheets(key, numbers)]


def sheets(key: str, numbers: Numbers) -> list[Sheet]:
    """Return the sheets of one key of the record."""
    return list(_SHEETS.get(key, _any)(key, numbers))


def _any(key: str, numbers: Numbers) -> Iterable[Sheet]:
    yield Sheet("", (key, ""), [(name, _text(value)) for name, value in numbers.items()])


def _quadruped(key: str, numbers: Numbers) -> Iterable[Sheet]:
    columns = ("batch", "lifetime", "physics", "network", "observing", "rest", "of floor", "steps/s")
    names = ("us_per_step", "physics_us", "network_us", "observation_us", "rest_us")
    rows = [
        (
            f"{entry['block']}" + ("*" if entry["block"] == numbers["block"] else ""),
            *(f"{entry[name]:.2f}" for name in names),
            f"{entry['fraction_of_floor']:.1%}",
            f"{entry['agent_steps_per_s']:,}",
        )
        for entry in numbers["blocks"]
    ]
    title = f"quadruped, {numbers['rule']}, {numbers['sharing']}: µs per agent-step on one core (CPU time)"
    yield Sheet(title, columns, rows)


def _network(key: str, numbers: Numbers) -> Iterable[Sheet]:
    for group, column in (("rules", "rule"), ("sharing", "shared by"), ("bodies", "lifetimes of a genome")):
        batch_sizes = list(next(iter(numbers[group].values()))["blocks"])
        columns = (column, "evolved", "best", *(f"of {batch_size}" for batch_size in batch_sizes), "reset")
        rows = [
            (
                name,
                f"{entry['evolved']:,}",
                f"{entry['us_per_step']:.2f}",
                *(f"{entry['blocks'][batch_size]:.2f}" for batch_size in batch_sizes),
                f"{entry['birth_us']:.0f}",
            )
            for name, entry in numbers[group].items()
        ]
        title = f"network step alone, by {column}: µs per agent-step in batches, reset in µs a lifetime"
        yield Sheet(title.replace("by shared", "shared"), columns, rows)


def _graphs(key: str, numbers: Numbers) -> Iterable[Sheet]:
    rows = [
        (
            name,
            f"{entry['synapses']:,}",
            f"{entry['us_per_step']:.2f} us",
            f"{entry['ns_per_synapse']:.2f} ns",
        )
        for name, entry in numbers.items()
        if "synapses" in entry
    ]
    yield Sheet("network", ("network", "synapses", "a step", "a synapse's"), rows)
    beside = numbers["modulated_beside_torch"]
    sides = [("compiled kernel", f"{beside['us_per_step']:.2f} us", "1.0")]
    times = beside["torch_us_per_step"] / beside["us_per_step"]
    sides.append(("batched torch", f"{beside['torch_us_per_step']:.2f} us", f"{times:.1f}"))
    yield Sheet(f"modulated, {beside['batch_size']} lifetimes", ("", "a step", "times ours"), sides)


def _tasks(key: str, numbers: Numbers) -> Iterable[Sheet]:
    columns = ("batch", "lifetime", "world", "its share", "per CPU second")
    rows = [
        (
            f"{entry['block']}" + ("*" if entry["block"] == numbers["block"] else ""),
            f"{entry['us_per_step']:.3f}",
            f"{entry['world_us']:.3f}",
            f"{entry['world_share']:.1%}",
            f"{entry['agent_steps_per_cpu_s']:,}",
        )
        for entry in numbers["blocks"]
    ]
    title = f"association, {numbers['synapses']} plastic synapses: µs per agent-step on one core (CPU time)"
    yield Sheet(title, columns, rows)
    beside = next(entry for entry in numbers["blocks"] if entry["block"] == numbers["beside"])
    peers = [
        (label, f"{numbers[name]['us_per_step']:.2f}", f"{numbers[name]['ratio']:.1f} times ours")
        for name, label in TASK_PEERS.items()
    ]
    verdict = "" if numbers["checks"]["same"] else ": NOT THE SAME NETWORKS"
    title = f"the same, {numbers['beside']} lifetimes side by side{verdict}"
    yield Sheet(title, ("", "µs", ""), [("hebbevo", f"{beside['us_per_step']:.2f}", ""), *peers])


TASK_PEERS = {
    "torch_over_the_batch": "world and network as tensors over the batch (torch)",
    "gymnasium_vector": "Gymnasium's SyncVectorEnv, the same torch network",
}


def _peers(key: str, numbers: Numbers) -> Iterable[Sheet]:
    rows = [
        ("physics alone", f"{numbers['physics_us']:.1f}", ""),
        ("hebbevo", f"{numbers['us_per_step']:.1f}", f"{numbers['fraction_of_floor']:.1%} of the floor"),
    ]
    for name, label in PEER_NAMES.items():
        if name in numbers:
            entry = numbers[name]
            rows.append((label, f"{entry['us_per_step']:.1f}", f"{entry['ratio']:.2f} times ours"))
    yield Sheet("Ant-v5's physics (RK4, 5 x 0.01 s): µs per agent-step on one core", ("", "µs", ""), rows)
    checks = numbers["checks"]
    yield Sheet(
        f"the same: after {checks['steps']} steps" + ("" if checks["same"] else ": NOT THE SAME"),
        ("", "largest difference"),
        [(name, f"{value:.1e}") for name, value in checks.items() if name not in ("steps", "same")],
    )


PEER_NAMES = {
    "gymnasium_loop": "plain Gymnasium + torch + numba loop",
    "evotorch_vecgymne": "EvoTorch VecGymNE, the same policy",
}


def _car_racing(key: str, numbers: Numbers) -> Iterable[Sheet]:
    rows = [
        ("hebbevo", numbers["us_per_step"], numbers["environment_us"], numbers["network_us"]),
        ("original style", numbers["original_us"], numbers["official_us"], None),
    ]
    cells = [
        (name, *("" if value is None else f"{value:,.0f}" for value in values)) for name, *values in rows
    ]
    ratio = numbers["ratio_to_original_style"]
    title = f"CarRacing, µs per agent-step: {numbers['steps_per_s']:,.0f} steps/s, {ratio:.0f} times faster"
    yield Sheet(title, ("", "lifetime", "environment", "network"), cells)
    drivers = [
        ("official", numbers["official_us"], numbers["official_reset_ms"]),
        ("ours", numbers["fast_us"], numbers["fast_reset_ms"]),
        ("ours, the same track again", None, numbers["shared_reset_ms"]),
        ("physics alone", numbers["physics_us"], None),
    ]
    cells = [
        (name, *("" if value is None else f"{value:,.1f}" for value in values)) for name, *values in drivers
    ]
    yield Sheet("CarRacing's environment alone, a scripted driver", ("", "step, µs", "reset, ms"), cells)
    checks = numbers["checks"]
    verdict = "" if checks["same"] else ": NOT THE SAME"
    rows_of_checks = [("weights", f"{checks['weights']:.1e}")]
    yield Sheet(
        f"the same: after {checks['steps']} steps{verdict}",
        ("", "largest difference"),
        rows_of_checks,
    )


def _workers(key: str, numbers: Numbers) -> Iterable[Sheet]:
    rows = [
        (
            name.replace("_", " "),
            f"{entry['agent_steps_per_s']:,.0f}",
            f"{entry['agent_steps_per_cpu_s']:,.0f}",
            f"{entry['utilisation']:.2f}",
            f"{entry['busy']:.2f}" if "busy" in entry else "",
        )
        for name, entry in numbers.items()
    ]
    yield Sheet("whole generations", ("", "agent-steps/s", "per CPU second", "utilisation", "busy"), rows)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "-" if value is None else str(value)


_SHEETS: dict[str, Callable[[str, Numbers], Iterable[Sheet]]] = {
    "quadruped": _quadruped,
    "network": _network,
    "graphs": _graphs,
    "tasks": _tasks,
    "car_racing": _car_racing,
    "peers": _peers,
    "workers": _workers,
}

"""The runs that the explorer shows: what can be chosen, and what a choice gives."""

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

import altair as alt

from rfcsim.charts import theme
from rfcsim.charts.explorer import CELL, NAMES, Choice, explorer_rows
from rfcsim.charts.explorer import explorer as picture
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.model.layout import design, policy
from rfcsim.runs.result import Result
from rfcsim.runs.simulate import simulate
from rfcsim.scenario.explain import did_you_mean
from rfcsim.scenario.presets import preset
from rfcsim.scenario.scenario import Scenario

PAGES = 65_536  # 256 MiB: the default size
MOST_THREADS = 16
MOST_EVENTS = 20_000  # of the trace, which the blame is computed from
MOST_CELLS = 500
BATCHES = tuple(2**power for power in range(2, 15))
PRESETS = {"memory": "anon-1gb", "page cache": "page-cache-1gb", "disk": "cold-file-1gb"}
WINDOWS_NS = {"memory": 5_000_000, "page cache": 5_000_000, "disk": 300_000_000}
CLASSES = ("locker", "worker", "allocator", "monitor")


class Chosen(NamedTuple):
    """A setting of the explorer's controls.

    backing : "memory", "page cache" or "disk": where the locked pages come from
    design : of mlock(), see `Scenario`
    lock_policy : of mmap_sem, see `Scenario`
    batch_pages : pages per hold, for the design "batched"
    threads : how many threads fault, and how many map and unmap
    """

    backing: str = "memory"
    design: str = "batched"
    lock_policy: str = "fifo"
    batch_pages: int = 256
    threads: int = 1


ALLOWED: dict[str, tuple[Any, ...]] = {
    "backing": tuple(PRESETS),
    "design": tuple(design.BY_NAME),
    "lock_policy": tuple(policy.BY_NAME),
    "batch_pages": BATCHES,
    "threads": tuple(range(1, MOST_THREADS + 1)),
}


def check(chosen: Chosen) -> None:
    """Refuse a setting that the controls cannot have.

    Raises
    ------
    RfcsimError
        One line: the field, its value and what is allowed.
    """
    for field, allowed in ALLOWED.items():
        value = getattr(chosen, field)
        if isinstance(value, bool) or value not in allowed:
            words = all(isinstance(each, str) for each in allowed)
            end = (
                did_you_mean(str(value), list(allowed))
                if words
                else f"must be one of {', '.join(map(str, allowed))}"
            )
            raise RfcsimError(f"{field} = {value!r}: {end}")


def scenario_of(chosen: Chosen) -> Scenario:
    """The scenario that a setting stands for."""
    check(chosen)
    return preset(PRESETS[chosen.backing]).replace(
        **{
            "design": chosen.design,
            "lock_policy": chosen.lock_policy,
            "batch_pages": chosen.batch_pages,
            "regions.data.pages": PAGES,
            "tasks.worker.count": chosen.threads,
            "tasks.allocator.count": chosen.threads,
        }
    )


def rows_of(chosen: Chosen, seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Run a setting, and reduce the run to the rows of the picture."""
    result = simulate(scenario_of(chosen), seed=seed, trace=MOST_EVENTS)
    window_ns = WINDOWS_NS[chosen.backing]
    return explorer_rows(result.trace, result.histogram, _said(result), window_ns=window_ns)


def _said(result: Result) -> str:
    took = human(result.longest_call("locker", "mlock"))
    waits = ", ".join(f"{name} {human(result.longest_wait(name))}" for name in CLASSES[1:])
    cut = "; blame of the first events" if result.trace_dropped else ""
    return f"mlock() takes {took}. Longest waits: {waits}{cut}."


def explorer_grid(
    *,
    backing: Iterable[str] = tuple(PRESETS),
    design: Iterable[str] = ("exclusive", "batched", "contended", "fault-retry"),
    lock_policy: Iterable[str] = ("fifo", "writer-stealing", "reader-stealing"),
    batch_pages: Iterable[int] = (16, 64, 256, 1024, 4096),
    threads: Iterable[int] = (1, 8),
    seed: int = 0,
    width: int = theme.WIDTH,
) -> alt.VConcatChart:
    """Run every combination, and draw the explorer's picture with menus that choose among them.

    It works without a Jupyter kernel, since all runs are in the chart.

    Parameters
    ----------
    backing, design, lock_policy, batch_pages, threads : iterables
        The options of each menu; see `explorer`. Batch sizes matter only to the design "batched".
    seed : int
    width : int
        Of the picture, in pixels.

    Returns
    -------
    altair.VConcatChart

    Raises
    ------
    RfcsimError
        One line: what cannot be chosen, or that there are too many combinations.
    """
    asked = zip(ALLOWED, (backing, design, lock_policy, batch_pages, threads), strict=True)
    axes: dict[str, list[Any]] = {field: list(values) for field, values in asked}
    for field, values in axes.items():
        if not values:
            raise RfcsimError(f"{field} is empty: must have a value or more")
    cells = 1
    for values in axes.values():
        cells *= len(values)
    if cells > MOST_CELLS:
        raise RfcsimError(f"{cells} combinations: must be {MOST_CELLS} or fewer")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    run: dict[Chosen, int] = {}
    numbers = []
    for number, values in enumerate(product(*axes.values())):
        chosen = Chosen(*values)
        check(chosen)
        if chosen.design != "batched":  # all batch sizes give the same run
            chosen = chosen._replace(batch_pages=BATCHES[0])
        if chosen not in run:
            run[chosen] = number
            for name, found in rows_of(chosen, seed).items():
                rows[name] += [{CELL: number} | row for row in found]
        numbers.append(run[chosen])
    controls = [
        Choice(field.replace("_", " "), list(map(str, values)), _start(field, values))
        for field, values in axes.items()
    ]
    return picture(rows, CLASSES, choices=controls, cell=f"{numbers}[{_place(axes)}]", width=width)


def _start(field: str, values: list[Any]) -> int:
    wanted = getattr(Chosen(), field)
    return values.index(wanted) if wanted in values else 0


def _place(axes: dict[str, list[Any]]) -> str:
    """A Vega expression for the number of the combination that the controls choose."""
    place = "0"
    for field, values in axes.items():
        place = f"({place}) * {len(values)} + {field}"
    return place

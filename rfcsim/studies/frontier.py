"""How long mlock() takes against how long others wait: with batches, and with later designs."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.runs.grid import Axis
from rfcsim.runs.simulate import Progress
from rfcsim.runs.sweep import sweep
from rfcsim.scenario.scenario import Scenario
from rfcsim.studies.tradeoff import locker_of, tradeoff

BATCHES = tuple(4**power for power in range(9))
# How the second pass lets others in; "pages" stands for the batches of the RFC, of each size.
WAYS = {"one hold": "exclusive", "on contention": "contended", "fault retry": "fault-retry"}


def frontier(
    scenarios: Scenario | Iterable[Scenario],
    batch_pages: Iterable[int] = BATCHES,
    *,
    over: Mapping[str, Axis] | None = None,
    replications: int = 10,
    seed: int = 0,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> pl.DataFrame:
    """Run scenarios with batches of several sizes, and with designs that have no batch size.

    Parameters
    ----------
    scenarios : Scenario, or several of different names
        Each has one group that locks memory, with the same name in all scenarios.
    batch_pages : iterable of int
    over : mapping, optional
        What else is varied, such as the load; as for `sweep`.
    replications, seed, executor, threads, progress
        As for `sweep`; all points meet the same random numbers.

    Returns
    -------
    polars.DataFrame
        One row per scenario, point of `over` and way: scenario, the columns of `over`, way
        ("pages", "one hold", "on contention", "fault retry"), batch_pages (null except for
        "pages"), mlock_ns, mlock_low_ns, mlock_high_ns (the mean time of the locker, pieces and
        pauses together), waiter, waits_for, wait_ns, wait_low_ns, wait_high_ns (p99 of the waits of
        whoever fares worst). Bounds are of 95 % intervals.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    cases = [scenarios] if isinstance(scenarios, Scenario) else list(scenarios)
    lockers = {locker_of(case).group.name for case in cases}
    if len(lockers) != 1:
        raise RfcsimError(f"scenarios: the lockers are {', '.join(sorted(lockers))}, must be one")
    if "way" in (over or {}):
        raise RfcsimError("over.way: must be another name, since frontier itself varies way")
    ways = {f"pages {size}": {"design": "batched", "batch_pages": size} for size in batch_pages}
    if not ways:
        raise RfcsimError("batch_pages is empty: must be one or more")
    ways |= {way: {"design": design} for way, design in WAYS.items()}
    rows = sweep(
        cases,
        {**(over or {}), "way": ways},
        replications=replications,
        seed=seed,
        executor=executor,
        threads=threads,
        progress=progress,
    )
    way, size = pl.col("way").str.split(" ").list.first(), pl.col("way").str.split(" ").list.last()
    batched = pl.col("way").str.starts_with("pages ")
    points = tradeoff(rows, lockers.pop())
    return points.select(
        pl.col("scenario"),
        *(over or {}),
        pl.when(batched).then(way).otherwise("way").alias("way"),
        pl.when(batched).then(size).cast(pl.Int64).alias("batch_pages"),
        *points.columns[points.columns.index("mlock_ns") :],
    )


def crossings(points: pl.DataFrame) -> pl.DataFrame:
    """Where the curve of the batch sizes crosses the other ways of a frontier.

    Parameters
    ----------
    points : polars.DataFrame
        What `frontier` returned.

    Returns
    -------
    polars.DataFrame
        One row per scenario, point of what else was varied, and way without batches: its mlock_ns
        and wait_ns; waits_alike_pages, the largest batch with which nobody waits longer than with
        that way; lasts_alike_pages, the smallest with which mlock() takes no longer; null if there
        is none. If waits_alike_pages is the smaller, no batch is as good in both figures, and those
        in between are worse in both; otherwise those in between are as good or better in both.

    Raises
    ------
    RfcsimError
        One line: the column of a frontier that is missing here.
    """
    for name in ("scenario", "way", "batch_pages", "mlock_ns", "wait_ns"):
        if name not in points.columns:
            raise RfcsimError(f"points: must be of frontier, but there is no column {name}")
    others = points.columns[: points.columns.index("way")]
    batched = points.filter(pl.col("way") == "pages")
    figures = ("mlock_ns", "wait_ns")
    paired = points.filter(pl.col("way") != "pages").join(
        batched.select(*others, "batch_pages", *(pl.col(f).alias(f"{f}_then") for f in figures)),
        on=others,
        maintain_order="left_right",
    )
    size = pl.col("batch_pages_right")
    return paired.group_by(*others, "way", maintain_order=True).agg(
        *(pl.col(figure).first() for figure in figures),
        size.filter(pl.col("wait_ns_then") <= pl.col("wait_ns")).max().alias("waits_alike_pages"),
        size.filter(pl.col("mlock_ns_then") <= pl.col("mlock_ns")).min().alias("lasts_alike_pages"),
    )

"""What a way to populate costs the locker, and how long others wait: two figures per point.

The locker's figure is the time from its first call to its last, including pauses between pieces.
The others' figure is p99 of the waits of whoever fares worst. Each class of task and mode of
mmap_sem counts by itself, since many short waits of one class are no comfort to another that waits
long.
"""

from typing import NamedTuple

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.runs.quantiles import quantile_intervals
from rfcsim.runs.statistics import axes_of, mean_intervals
from rfcsim.scenario.calls import Mlock, Mlockall, Populate
from rfcsim.scenario.process import TaskGroup
from rfcsim.scenario.scenario import Scenario

BY_TASK = "tasks: must be one group that calls mlock, mlockall or populate"


class Locker(NamedTuple):
    """Who locks memory in a scenario, and with which of its calls.

    group : TaskGroup
    calls : the numbers of the calls that may make pages present
    """

    group: TaskGroup
    calls: tuple[int, ...]

    @property
    def makes_pieces(self) -> bool:
        """Whether a program can make these calls piece by piece."""
        return not any(isinstance(self.group.calls[number], Mlockall) for number in self.calls)


def locker_of(scenario: Scenario) -> Locker:
    """The one group of tasks that locks memory.

    Raises
    ------
    RfcsimError
        If there is no such group, or more than one.
    """
    lockers = []
    for group in scenario.tasks:
        calls = [
            number
            for number, call in enumerate(group.calls)
            if isinstance(call, Mlockall | Populate)
            or (isinstance(call, Mlock) and not call.on_fault)
        ]
        if calls:
            lockers.append(Locker(group, tuple(calls)))
    if len(lockers) != 1:
        names = ", ".join(locker.group.name for locker in lockers)
        raise RfcsimError(f"{BY_TASK}; there {f'are {names}' if names else 'is none'}")
    if len(scenario.tasks) == 1:
        raise RfcsimError("tasks: must have a group besides the locker, which may wait")
    return lockers[0]


def tradeoff(rows: pl.DataFrame, locker: str, q: float = 0.99) -> pl.DataFrame:
    """Both figures of every point of a sweep, with 95 % intervals.

    Parameters
    ----------
    rows : polars.DataFrame
        From `sweep`.
    locker : str
        Name of the group that locks memory.
    q : float
        Which quantile of the waits.

    Returns
    -------
    polars.DataFrame
        One row per point: point, the columns of the grid, mlock_ns, mlock_low_ns, mlock_high_ns,
        waiter (who fares worst), waits_for ("shared" or "exclusive"), wait_ns, wait_low_ns,
        wait_high_ns, wait_longest_ns (of any task except the locker). Bounds are null where there
        are too few replications for one.
    """
    keys = ["point", *axes_of(rows)]
    rounds = rows.filter(pl.col("class") == locker, pl.col("record") == "round")
    durations = mean_intervals(rounds, ("mean_ns",)).select(
        *keys,
        pl.col("mean").alias("mlock_ns"),
        pl.col("low").alias("mlock_low_ns"),
        pl.col("high").alias("mlock_high_ns"),
    )
    others = rows.filter(pl.col("class") != locker, pl.col("record").str.starts_with("wait_"))
    if others.is_empty():
        raise RfcsimError("tasks: nobody except the locker asks for mmap_sem")
    worst = (
        quantile_intervals(others, q)
        .sort("quantile_ns", descending=True, maintain_order=True)
        .unique("point", keep="first", maintain_order=True)
        .select(
            "point",
            pl.col("class").alias("waiter"),
            pl.col("record").str.strip_prefix("wait_").alias("waits_for"),
            pl.col("quantile_ns").alias("wait_ns"),
            pl.col("low_ns").alias("wait_low_ns"),
            pl.col("high_ns").alias("wait_high_ns"),
        )
    )
    longest = others.group_by("point").agg(pl.col("max_ns").max().alias("wait_longest_ns"))
    worst = worst.join(longest, on="point", how="left", maintain_order="left")
    return durations.join(worst, on="point", how="left", maintain_order="left")

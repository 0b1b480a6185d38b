"""What a run of the clock found: who waited for mmap_sem, how long, and who held it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from rfcsim.clock.layout import clock, sched, span, stat, tally
from rfcsim.clock.machine import Machine
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.histogram import bucket_bounds, quantile
from rfcsim.model.layout import call as call_number
from rfcsim.runs.recorded import call_spans, trace_frame
from rfcsim.scenario.explain import check_known, show
from rfcsim.scenario.scenario import Scenario

_MODES = ("shared", "exclusive")
_WAITS = (span.WAIT_SHARED, span.WAIT_EXCLUSIVE)
_HOLDS = (span.HOLD_SHARED, span.HOLD_EXCLUSIVE)

_CALLS = call_number.NAMES[1:]  # without "none"

_TIMES = {name: pl.Int64() for name in ("p50_ns", "p99_ns", "max_ns", "total_ns")}
_WAITS_SCHEMA = {
    "class": pl.String(),
    "mode": pl.String(),
    "requests": pl.Int64(),
    "waited": pl.Int64(),
} | _TIMES
_HOLDS_SCHEMA = {"class": pl.String(), "mode": pl.String(), "holds": pl.Int64()} | _TIMES
_CALLS_SCHEMA = {
    "class": pl.String(),
    "call": pl.String(),
    "count": pl.Int64(),
    "failed": pl.Int64(),
    "mean_ns": pl.Float64(),
    "max_ns": pl.Int64(),
    "total_ns": pl.Int64(),
}
_ROUNDS_SCHEMA = {
    "class": pl.String(),
    "rounds": pl.Int64(),
    "p50_ns": pl.Int64(),
    "p99_ns": pl.Int64(),
    "max_ns": pl.Int64(),
    "total_ns": pl.Int64(),
}
_TASKS_SCHEMA = {
    "task": pl.String(),
    "class": pl.String(),
    "calls": pl.Int64(),
    "last_return": pl.Int64(),
}
_HISTOGRAM_SCHEMA = {
    "class": pl.String(),
    "record": pl.String(),
    "low_ns": pl.Int64(),
    "high_ns": pl.Int64(),
    "count": pl.Int64(),
}


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """One run of a scenario.

    Counts, sums and maxima are exact. A quantile is the upper end of the histogram's bucket that
    holds it, so it is too large by at most 1/32 (3.1 %), and never above the maximum.

    Attributes
    ----------
    scenario : Scenario
    seed, replication : int
    elapsed_ns : int
        Virtual time at the end.
    events : int
        Stretches of virtual time that were simulated: steps, timers, disk reads. Pages that went
        by in one jump are one stretch.
    trace_dropped : int
        Events for which the trace had no room.
    """

    scenario: Scenario
    seed: int
    replication: int
    elapsed_ns: int
    events: int
    trace_dropped: int
    _statistics: np.ndarray
    _histograms: np.ndarray
    _calls: np.ndarray
    _schedule: np.ndarray
    _trace: np.ndarray

    @classmethod
    def of(cls, scenario: Scenario, machine: Machine) -> "Result":
        """Take what a finished machine recorded; its memory and programs can then go."""
        kept = min(int(machine.clock[clock.TRACED]), len(machine.trace))
        return cls(
            scenario=scenario,
            seed=int(machine.clock[clock.SEED]),
            replication=int(machine.clock[clock.REPLICATION]),
            elapsed_ns=int(machine.clock[clock.NOW]),
            events=int(machine.clock[clock.EVENTS]),
            trace_dropped=int(machine.clock[clock.TRACED]) - kept,
            _statistics=machine.statistics,
            _histograms=machine.histograms,
            _calls=machine.calls,
            _schedule=machine.schedule,
            # Empty if no trace was asked for.
            _trace=machine.trace[:kept],
        )

    def __repr__(self) -> str:
        return (
            f"<Result of {self.scenario.name!r}, seed {self.seed}, replication {self.replication}:"
            f" {human(self.elapsed_ns)} in {self.events} events>"
        )

    @cached_property
    def waits(self) -> pl.DataFrame:
        """Waits for mmap_sem, one row per class of task and mode in which it asked.

        Columns: class, mode, requests, waited (those not granted at once), then p50_ns, p99_ns,
        max_ns and total_ns over all requests. A wait ends when the task runs again as the owner.
        """
        rows = []
        for name, what, mode in self._asked(_WAITS):
            zeros = int(self._histograms[name, what, 0])
            count, *times = self._times(name, what)
            rows.append((self._class(name), mode, count, count - zeros, *times))
        return pl.DataFrame(rows, _WAITS_SCHEMA, orient="row")

    @cached_property
    def holds(self) -> pl.DataFrame:
        """Holds of mmap_sem, from the grant to the release, one row per class and mode.

        Columns: class, mode, holds, p50_ns, p99_ns, max_ns, total_ns.
        """
        rows = [
            (self._class(name), mode, *self._times(name, what))
            for name, what, mode in self._asked(_HOLDS)
        ]
        return pl.DataFrame(rows, _HOLDS_SCHEMA, orient="row")

    @cached_property
    def calls(self) -> pl.DataFrame:
        """System calls and accesses, one row per class and call.

        Columns: class, call, count, failed (returned a negative value), mean_ns, max_ns, total_ns.
        """
        rows = []
        for name in range(len(self._calls)):
            for call in range(call_number.COUNT):
                row = self._calls[name, call]
                count, total = int(row[tally.COUNT]), int(row[tally.SUM_NS])
                if count:
                    rows.append(
                        (
                            self._class(name),
                            call_number.NAMES[call],
                            count,
                            int(row[tally.FAILED]),
                            total / count,
                            int(row[tally.MAX_NS]),
                            total,
                        )
                    )
        return pl.DataFrame(rows, _CALLS_SCHEMA, orient="row")

    @cached_property
    def rounds(self) -> pl.DataFrame:
        """Finished rounds, each once through a task's program, one row per class.

        Columns: class, rounds, then p50_ns, p99_ns, max_ns and total_ns, from the beginning of
        the first call to the end of the last, including pauses and think times in between.
        """
        rows = [
            (self._class(name), *self._times(name, span.ROUND))
            for name in range(len(self._statistics))
            if self._statistics[name, span.ROUND, stat.COUNT]
        ]
        return pl.DataFrame(rows, _ROUNDS_SCHEMA, orient="row")

    @cached_property
    def tasks(self) -> pl.DataFrame:
        """One row per task: task, class, calls (done), last_return (of the latest call)."""
        return pl.DataFrame(
            {
                "task": self.task_names,
                "class": [name.rsplit(" ", 1)[0] for name in self.task_names],
                "calls": self._schedule[:, sched.CALLS],
                "last_return": self._schedule[:, sched.LAST_RETURN],
            },
            _TASKS_SCHEMA,
        )

    @cached_property
    def histogram(self) -> pl.DataFrame:
        """Every bucket with an entry: class, record, low_ns, high_ns (inclusive), count.

        A record is wait_shared, wait_exclusive, hold_shared, hold_exclusive or call.
        """
        low, high = bucket_bounds()
        name, what, bucket = np.nonzero(self._histograms)
        classes = np.array([group.name for group in self.scenario.tasks])
        return pl.DataFrame(
            {
                "class": classes[name],
                "record": np.array(span.NAMES)[what],
                "low_ns": low[bucket],
                "high_ns": high[bucket],
                "count": self._histograms[name, what, bucket],
            },
            _HISTOGRAM_SCHEMA,
        )

    @cached_property
    def trace(self) -> pl.DataFrame:
        """The event frame (`rfcsim.trace.frame.EVENT_SCHEMA`) of the beginning of the run.

        Raises
        ------
        RfcsimError
            If the run kept no trace.
        """
        if not len(self._trace):
            raise RfcsimError("trace: the run kept none, must be simulated with trace = 1 or more")
        return trace_frame(self._trace, self.task_names)

    @cached_property
    def spans(self) -> pl.DataFrame:
        """When each call of the trace began and ended: task, class, call, began_ns, ended_ns.

        Raises
        ------
        RfcsimError
            If the run kept no trace.
        """
        if not len(self._trace):
            raise RfcsimError("spans: there is no trace, must be simulated with trace = 1 or more")
        return call_spans(self._trace, self.task_names)

    @property
    def task_names(self) -> list[str]:
        """The names of the tasks, such as "victim 3", in the order of their numbers."""
        return [f"{group.name} {i}" for group in self.scenario.tasks for i in range(group.count)]

    def quantile(self, class_name: str, record: str, q: float) -> int:
        """The least duration that a share q of the entries of a histogram does not exceed, in ns.

        Parameters
        ----------
        class_name : str
            Name of a task group.
        record : str
            "wait_shared", "wait_exclusive", "hold_shared", "hold_exclusive", "call" or "round".
        q : float
            From 0 to 1.

        Returns
        -------
        int
            At most 1/32 (3.1 %) too large; 0 if there is no entry.

        Raises
        ------
        RfcsimError
            One line: the argument, its value and what is allowed.
        """
        name, what = self._number(class_name), _place("record", record, span.NAMES)
        if not isinstance(q, int | float) or not 0 <= q <= 1:
            raise RfcsimError(f"q = {show(q)}: must be 0 to 1")
        return self._quantile(name, what, q)

    def longest_wait(self, class_name: str) -> int:
        """The longest that any task of a group waited for mmap_sem, in ns; 0 if it never asked.

        Parameters
        ----------
        class_name : str
            Name of a task group.

        Raises
        ------
        RfcsimError
            One line, if there is no group of that name.
        """
        waits = self._statistics[self._number(class_name), list(_WAITS), stat.MAX]
        return int(waits.max())

    def longest_call(self, class_name: str, call: str) -> int:
        """The longest that a call of any task of a group took, in ns; 0 if none was made.

        Parameters
        ----------
        class_name : str
            Name of a task group.
        call : str
            As a scenario names it: "mlock", "touch", "read_maps", ...

        Raises
        ------
        RfcsimError
            One line, if there is no such group, or no such call.
        """
        number = call_number.NAMES.index(_CALLS[_place("call", call, _CALLS)])
        return int(self._calls[self._number(class_name), number, tally.MAX_NS])

    def table(self) -> pl.DataFrame:
        """Who waited for what, and how long, in words."""
        times = ["p50_ns", "p99_ns", "max_ns", "total_ns"]
        return self.waits.select(
            "class",
            pl.format("mmap_sem, {}", "mode").alias("waited for"),
            "requests",
            "waited",
            *(
                pl.col(time).map_elements(human, pl.String()).alias(time.removesuffix("_ns"))
                for time in times
            ),
        )

    def _asked(self, records: tuple[int, int]) -> list[tuple[int, int, str]]:
        return [
            (name, what, mode)
            for name in range(len(self._statistics))
            for what, mode in zip(records, _MODES, strict=True)
            if self._statistics[name, what, stat.COUNT]
        ]

    def _class(self, number: int) -> str:
        return self.scenario.tasks[number].name

    def _number(self, class_name: str) -> int:
        return _place("class_name", class_name, [group.name for group in self.scenario.tasks])

    def _times(self, name: int, what: int) -> tuple[int, int, int, int, int]:
        """Count, median, 99th percentile, maximum and sum."""
        row = self._statistics[name, what]
        return (
            int(row[stat.COUNT]),
            self._quantile(name, what, 0.5),
            self._quantile(name, what, 0.99),
            int(row[stat.MAX]),
            int(row[stat.SUM]),
        )

    def _quantile(self, name: int, what: int, q: float) -> int:
        longest = int(self._statistics[name, what, stat.MAX])
        return quantile(self._histograms[name, what], longest, q)


def _place(argument: str, name: str, known: Sequence[str]) -> int:
    """The place of a name among those that are known; RfcsimError if it is not one of them."""
    check_known(f"{argument} = {show(name)}", name, known)
    return known.index(name)

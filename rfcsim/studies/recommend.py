"""Which batch keeps the others' waits within a target, what it costs, and what else would."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.runs.prepare import LARGEST_KEY
from rfcsim.runs.replicate import MOST_REPLICATIONS
from rfcsim.runs.simulate import Progress
from rfcsim.runs.sweep import sweep
from rfcsim.scenario.calls import Mlock, Populate
from rfcsim.scenario.checked import Limits, check_range
from rfcsim.scenario.costs import load_costs
from rfcsim.scenario.scenario import Scenario
from rfcsim.scenario.sizes import largest, sizes
from rfcsim.studies.tradeoff import Locker, locker_of, tradeoff
from rfcsim.words import count

AS_IT_IS = "as it is"
FIGURES = ("mlock_ns", "mlock_low_ns", "mlock_high_ns")
WAITS = (*("waiter", "waits_for", "wait_ns", "wait_low_ns", "wait_high_ns", "wait_longest_ns"),)


class Way(NamedTuple):
    """A way to lock memory: the scenario with it, and the fields that set the size of a batch.

    `sizes` is empty if the way has no size to choose.
    """

    name: str
    scenario: Scenario
    sizes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Recommendation:
    """What `recommend` found.

    Attributes
    ----------
    scenario : Scenario
    p99_wait_ns : int
        The target.
    unit : str
        What was chosen: the "batch" of the kernel, or the "piece" that the program makes.
    pages : int or None
        The largest batch that was found to reach the target; None if no size does.
    trials : polars.DataFrame
        One row per point that was run: way ("as it is", or what was changed), pages (null if there
        is no size), reaches (the upper end of the interval of the wait is within the target),
        mlock_ns, mlock_low_ns, mlock_high_ns, waiter, waits_for, wait_ns, wait_low_ns,
        wait_high_ns.
    """

    scenario: Scenario
    p99_wait_ns: int
    unit: str
    pages: int | None
    trials: pl.DataFrame

    def best(self) -> pl.DataFrame:
        """For each way, the fastest trial that reaches the target; if none does, the nearest."""
        order = pl.when("reaches").then("mlock_ns").otherwise("wait_ns")
        return (
            self.trials.with_columns(order=order)
            .sort("reaches", "order", descending=[True, False], maintain_order=True)
            .unique("way", keep="first", maintain_order=True)
            .sort(pl.col("way") != AS_IT_IS, ~pl.col("reaches"), "order", maintain_order=True)
            .drop("order")
        )

    def table(self) -> pl.DataFrame:
        """The best trial of each way, in words."""
        return self.best().select(
            "way",
            pl.col("pages").cast(pl.String).fill_null("").alias("pages"),
            pl.when("reaches").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("reaches"),
            _words("wait").alias("p99 wait"),
            pl.format("{}, {}", "waiter", "waits_for").fill_null("").alias("of"),
            _words("mlock").alias("mlock takes"),
        )

    @property
    def text(self) -> str:
        """The recommendation in a sentence or two."""
        target = human(self.p99_wait_ns)
        best = self.best()
        here = best.row(0, named=True)
        size = count(here["pages"], "page")
        if self.pages is not None:
            own = self.trials.filter(pl.col("way") == AS_IT_IS)
            longer = here["mlock_ns"] / own.sort("pages")["mlock_ns"][-1] - 1
            return (
                f"A {self.unit} of {size} keeps p99 of the waits at {_cell(here, 'wait')}, within "
                f"{target}; locking takes {_cell(here, 'mlock')}, "
                f"{100 * max(0.0, longer):.1f} % longer than in one {self.unit}."
            )
        others = best.filter(pl.col("reaches"))["way"].to_list()
        return (
            f"No {self.unit} keeps p99 of the waits within {target} under "
            f"{self.scenario.lock_policy}; the nearest, of {size}, makes it "
            f"{_cell(here, 'wait')}. What would: {'; '.join(others) or 'nothing that was tried'}."
        )


def recommend(
    scenario: Scenario,
    *,
    p99_wait_ns: int,
    replications: int = 10,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Recommendation:
    """Find the largest batch with which p99 of the others' waits stays within a target.

    The sizes are powers of two, found by bisection: a larger size is taken to make others wait no
    less. A size reaches the target if the upper end of the 95 % interval does, or, where there are
    too few waits for an interval, if the longest wait does. If no size does, other ways are tried
    as well: a pause between pieces, longer than a wake-up; the locker on the CPU of those who wait;
    real-time waiters; another lock policy or design.

    Parameters
    ----------
    scenario : Scenario
        It has one group that locks memory. If its design is "batched", the batch is chosen;
        otherwise, the pieces in which the program locks.
    p99_wait_ns : int
        The target for p99 of the waits for mmap_sem of whoever, except the locker, fares worst.
    replications, seed, threads
        As for `sweep`.
    progress : callable, optional
        Called with the share of the sizes and ways that is done.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    check_range("p99_wait_ns", p99_wait_ns, 1, Limits.NS)
    check_range("replications", replications, 1, MOST_REPLICATIONS)
    check_range("seed", seed, 0, LARGEST_KEY)
    locker = locker_of(scenario)
    search = _Search(locker, p99_wait_ns, replications, seed, threads)
    as_it_is = _as_it_is(scenario, locker)
    ways = _remedies(as_it_is, locker)
    pages = search.largest(as_it_is)
    for number, way in enumerate(ways if pages is None else ()):
        if progress is not None:
            progress((1 + number) / (1 + len(ways)))
        search.largest(way)
    if progress is not None:
        progress(1.0)
    return Recommendation(
        scenario=scenario,
        p99_wait_ns=p99_wait_ns,
        unit="batch" if as_it_is.sizes == ("batch_pages",) else "piece",
        pages=pages,
        trials=pl.concat(search.trials),
    )


class _Search:
    """Trials under one target, and what they found."""

    def __init__(
        self, locker: Locker, target_ns: int, replications: int, seed: int, threads: int | None
    ) -> None:
        self._locker = locker
        self._target_ns = target_ns
        self._how: dict[str, Any] = {
            "replications": replications,
            "seed": seed,
            "threads": threads,
            "progress": False,
        }
        self.trials: list[pl.DataFrame] = []

    def largest(self, way: Way) -> int | None:
        """The largest size with which a way reaches the target; None if there is none."""
        if not way.sizes:
            self._reaches(way, None)
            return None
        whole, *smaller = sizes(_pages(way.scenario, self._locker))
        if self._reaches(way, whole):
            return whole
        return largest(smaller, lambda size: self._reaches(way, size))

    def _reaches(self, way: Way, size: int | None) -> bool:
        case = way.scenario.replace(**dict.fromkeys(way.sizes, size))
        rows = sweep(case, {"design": [case.design]}, **self._how)
        found = tradeoff(rows, self._locker.group.name)
        surely = pl.coalesce("wait_high_ns", "wait_longest_ns") <= self._target_ns
        trial = found.select(
            pl.lit(way.name).alias("way"),
            pl.lit(size, pl.Int64).alias("pages"),
            surely.alias("reaches"),
            *FIGURES,
            *WAITS,
        )
        self.trials.append(trial)
        return trial["reaches"][0]


def _as_it_is(scenario: Scenario, locker: Locker) -> Way:
    if scenario.design == "batched":
        return Way(AS_IT_IS, scenario, ("batch_pages",))
    if not locker.makes_pieces:
        raise RfcsimError(
            f'design = "{scenario.design}": must be "batched", since mlockall() makes no pieces'
        )
    return Way(AS_IT_IS, scenario, _fields(locker, "piece_pages"))


def _remedies(way: Way, locker: Locker) -> list[Way]:
    """What else a program, an administrator or a kernel could do."""
    case, name = way.scenario, locker.group.name
    others = [group for group in case.tasks if group.name != name]
    ways: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = []
    if way.sizes != ("batch_pages",):
        pause_ns = 2 * load_costs(case.costs).costs["wake_up_ns"].value
        pauses = dict.fromkeys(_fields(locker, "pause_ns"), pause_ns)
        pieces = dict.fromkeys(way.sizes, 1)
        ways.append((f"a pause of {human(pause_ns)}", pieces | pauses, way.sizes))
    cpus = {group.cpu for group in others}
    if case.wake_up_preemption and len(cpus) == 1:
        cpu = cpus.pop() or 0
        pinned = {f"tasks.{group.name}.cpu": cpu for group in case.tasks}
        ways.append(("locker and waiters on one CPU", pinned, way.sizes))
    realtime = {f"tasks.{group.name}.realtime": True for group in others}
    ways.append(("real-time waiters", realtime, way.sizes))
    if case.lock_policy != "fifo":
        ways.append(("a lock with hand-over (fifo)", {"lock_policy": "fifo"}, way.sizes))
    if not any(isinstance(call, Populate) for call in locker.group.calls):
        ways += _other_kernels(way, locker)
    return [Way(name, case.replace(**changes), sizes) for name, changes, sizes in ways]


def _other_kernels(
    way: Way, locker: Locker
) -> Iterator[tuple[str, Mapping[str, Any], tuple[str, ...]]]:
    """The same program without pieces, on kernels that let others in by themselves."""
    whole: dict[str, Any] = {}
    if way.sizes != ("batch_pages",):
        whole = dict.fromkeys(way.sizes) | dict.fromkeys(_fields(locker, "pause_ns"), 0)
    for words, design in (
        ("a kernel that batches", "batched"),
        ("a kernel that drops the lock on contention", "contended"),
        ("a kernel that drops the lock to wait for the disk", "fault-retry"),
    ):
        if way.scenario.design != design:
            sizes = ("batch_pages",) if design == "batched" else ()
            yield words, {"design": design} | whole, sizes


def _fields(locker: Locker, field: str) -> tuple[str, ...]:
    """The dotted keys of a field of the locker's calls."""
    return tuple(f"tasks.{locker.group.name}.calls.{number}.{field}" for number in locker.calls)


def _pages(scenario: Scenario, locker: Locker) -> int:
    """The pages of the largest range that the locker locks at once."""
    size = {place.region.name: place.region.pages for place in scenario.placements()}
    ranges = [
        call.pages or size[call.region] - call.offset_pages
        for number in locker.calls
        if isinstance(call := locker.group.calls[number], Mlock | Populate)
    ]
    return max(ranges, default=sum(size.values()))


def _words(what: str) -> pl.Expr:
    columns = [f"{what}_ns", f"{what}_low_ns", f"{what}_high_ns"]
    return pl.struct(columns).map_elements(lambda row: _cell(row, what), pl.String)


def _cell(row: Mapping[str, Any], what: str) -> str:
    """A figure in words, "352 us (328 us to 352 us)"; without its interval if there is none."""
    value, low, high = (row[f"{what}{end}"] for end in ("_ns", "_low_ns", "_high_ns"))
    if value is None:
        return ""
    if low is None or high is None or low == high:
        return human(value)
    return f"{human(value)} ({human(low)} to {human(high)})"

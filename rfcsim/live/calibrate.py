"""How long each piece of work takes on a machine, from a measurement: a cost table of your own.

It rests on operations that were timed alone, and on runs over a whole range. Runs in pieces are
taken out before anything else happens, so that they can be predicted from the rest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from pydantic import TypeAdapter, ValidationError

from rfcsim.errors import RfcsimError
from rfcsim.live.figures import Figure, entries, figure, per_page, typical
from rfcsim.live.measurement import ALL, PAUSE, PLACEMENT, Measurement
from rfcsim.live.probe import TOUCHING
from rfcsim.scenario.costs import COST_ROWS, Cost, CostTable, load_costs
from rfcsim.scenario.explain import explain
from rfcsim.scenario.kernels import kernel
from rfcsim.scenario.scenario import LockPolicy

TAKEN_OVER = "vm-6.18"  # the table whose rows fill in for what was not measured
NEWEST, OLDEST = "6.19", "5.11"  # of the kernels that can be measured and whose rules we have
WHOLE = ("mlock", "populate", "onfault-populate", "lock_memory", "map-populate")
POPULATING = (
    "mlock",
    "madvise(MADV_POPULATE_WRITE)",
    "mmap(MAP_FIXED | MAP_POPULATE)",
)
SLEEP_NS = 40_000  # what the experiment sleep-40us asks for

_ROWS = pl.Schema(
    {
        "cost": pl.String(),
        "value": pl.Int64(),
        "low": pl.Int64(),
        "high": pl.Int64(),
        "unit": pl.String(),
        "status": pl.String(),
        "source": pl.String(),
    }
)


class Conditions(NamedTuple):
    """What a prediction needs to know of a machine besides its cost table.

    Attributes
    ----------
    design, lock_policy : str
        The rules of its kernel, or of the nearest one that the model has.
    sleep_extra_ns : mapping of str to int
        How much longer than asked for a thread sleeps, by its priority.
    own_ns : mapping of str to float64[n]
        How long rounds of the victim "mmap" took while nobody held the lock, by its placement.
    page_ns : float64[n]
        How long a page took in each run over a whole range.
    wake_up_ns : float64[n]
        The times from a wake-up to running on another CPU.
    """

    design: str
    lock_policy: str
    sleep_extra_ns: Mapping[str, int]
    own_ns: Mapping[str, np.ndarray]
    page_ns: np.ndarray
    wake_up_ns: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """What `calibrate` found.

    Attributes
    ----------
    table : CostTable
        Write it with `table.to_toml()`; a scenario names that file in `costs`.
    rows : polars.DataFrame
        One row per cost: cost, value, low, high (see `calibrate`; null where nothing was measured),
        unit, status, source.
    conditions : Conditions
    note : str
        Says so if the kernel is newer than any whose rules the model has; otherwise empty.
    """

    table: CostTable
    rows: pl.DataFrame
    conditions: Conditions
    note: str

    def __repr__(self) -> str:
        measured = self.rows["low"].is_not_null().sum()
        return f"<cost table {self.table.name!r}: {measured} of {len(self.rows)} rows measured>"

    def under(self, lock_policy: str) -> "Calibration":
        """The same machine with another lock policy of `Scenario`; RfcsimError if unknown."""
        try:
            TypeAdapter(LockPolicy).validate_python(lock_policy)
        except ValidationError as error:
            raise RfcsimError(f"lock_policy{explain(error, {})}") from None
        return replace(self, conditions=self.conditions._replace(lock_policy=lock_policy))

    def table_in_words(self) -> pl.DataFrame:
        """The rows in words, with an interval where there is one."""
        interval = pl.format("{} to {}", "low", "high").fill_null("")
        return self.rows.select("cost", "value", interval=interval, unit="unit", source="source")


def calibrate(measurement: Measurement, *, name: str = "measured") -> Calibration:
    """Make a cost table from a measurement.

    A figure is the median over repetitions, or over runs. With six figures or more, low and high
    are the interval in which the true median lies with 95 % certainty, whatever the distribution;
    with fewer, they are the least and the largest figure. Rows for which nothing was measured are
    those of `vm-6.18`, and say so. Where one row is subtracted from another, the interval takes
    what is subtracted as exact. `lock`, which cannot be timed by itself, is that of `vm-6.18` on
    every machine.

    Parameters
    ----------
    measurement : Measurement
        It has operations timed alone, and runs over a whole range. Runs in pieces are not looked
        at.
    name : str
        The name of the table.

    Returns
    -------
    Calibration

    Raises
    ------
    RfcsimError
        If the operations or the runs are missing, or the name is empty.
    """
    if not name:
        raise RfcsimError('name = "": must have at least one character')
    seen = without_pieces(measurement)
    alone = seen.records.filter(pl.col("experiment") != "probe")
    whole = whole_runs(seen)
    if alone.is_empty():
        raise RfcsimError(
            "measurement: has no operations timed alone, must have (measure without --no-alone)"
        )
    if whole.is_empty():
        raise RfcsimError(
            "measurement: has no runs over a whole range of anonymous memory that hold the lock, "
            "must have (measure without --piece-pages)"
        )
    figures = _figures(seen, alone, whole)
    rows = [_row(cost, figures.get(cost)) for cost in COST_ROWS]
    about = measurement.provenance
    table = CostTable(
        name=name,
        era=f"Linux {about.get('kernel', 'unknown')}, {about.get('cpu', 'an unknown CPU')}",
        description="Calibrated from a measurement of "
        f"{about.get('time', 'an unknown time')}, on whole ranges and single operations alone.",
        costs={
            cost: Cost(value=value, status=status, source=source)
            for cost, value, *_, status, source in rows
        },
    )
    return Calibration(
        table=table,
        rows=pl.DataFrame(rows, _ROWS, orient="row").with_columns(
            pl.col("cost").str.strip_suffix("_ns")
        ),
        conditions=_conditions(seen, alone, whole),
        note=_note(about.get("kernel", NEWEST)),
    )


def without_pieces(measurement: Measurement) -> Measurement:
    """The part of a measurement that a calibration may look at."""
    of_probe = pl.col("experiment") == "probe"
    admitted = ~of_probe | (pl.col("piece_pages").is_null() & (pl.col("pause_us") == 0))
    return Measurement(measurement.records.filter(admitted), measurement.provenance)


def whole_runs(measurement: Measurement) -> pl.DataFrame:
    """The records of calls that made a whole range of anonymous memory present under the lock."""
    return measurement.records.filter(
        pl.col("experiment") == "probe",
        pl.col("role") == "locker",
        pl.col("backing") == "anonymous",
        pl.col("piece_pages").is_null(),
        pl.col("method").is_in(WHOLE),
        pl.col("operation").is_in(POPULATING),
        pl.col("covered_pages") == pl.col("pages"),
    )


def rules_of(release: str) -> tuple[str, str]:
    """The design and lock policy of a kernel, or of the nearest one that the model has."""
    version = _version(release)
    if version > _version(NEWEST):
        return rules_of(NEWEST)
    try:
        found = kernel(".".join(map(str, version)))
    except RfcsimError:  # 5.18 to 6.3: they populate as the kernels before them do
        found = kernel("5.17" if version > _version(OLDEST) else OLDEST)
    return found["design"], found["lock_policy"]


def _note(release: str) -> str:
    if _version(release) <= _version(NEWEST):
        return ""
    return f"kernel {release}: is newer than {NEWEST}, whose rules are taken for its own"


def _version(release: str) -> tuple[int, int]:
    numbers = re.match(r"(\d+)\.(\d+)", release)
    if numbers is None:
        raise RfcsimError(f"kernel {release!r}: must begin with its version, such as 6.18.1")
    return int(numbers[1]), int(numbers[2])


def _figures(
    seen: Measurement, alone: pl.DataFrame, whole: pl.DataFrame
) -> dict[str, tuple[Figure, str, str]]:
    """The rows of a table that were measured: figure, status, source."""
    found: dict[str, tuple[Figure, str, str]] = {}

    def measured(cost: str, value: Figure | None, source: str) -> Figure | None:
        if value is not None:
            found[cost] = (value, "measured", source)
        return value

    def derived(cost: str, value: Figure | None, less_ns: float, source: str) -> Figure | None:
        if value is not None:
            found[cost] = (value.less(less_ns), "derived", source)
        return value

    def page(experiment: str, step: int = 0) -> Figure | None:
        return per_page(alone.filter(experiment=experiment, step=step))

    def call(experiment: str, step: int | None = 0) -> Figure | None:
        at = pl.col("step").is_null() if step is None else pl.col("step") == step
        return typical(alone.filter(pl.col("experiment") == experiment, at))

    # It includes one reading of the clock, for which a program that times its calls also pays.
    syscall = measured("syscall_ns", call("syscall"), "getppid(), with one reading of the clock")
    measured("mlock_anon_ns", per_page(whole), "calls over a whole range, a page of them")
    measured("mlock_zero_ns", page("zero-mlock"), "mlock() of absent read-only pages, a page")
    measured("mlock_file_ns", page("file-mlock"), "mlock() of pages in the page cache, a page")
    measured("mlock_present_ns", page("populate", 1), "mlock() of present pages, a page")
    measured("munlock_page_ns", page("populate", 2), "munlock(), a page")
    measured("unmap_page_ns", page("fault", 2), "madvise(MADV_DONTNEED), a present page")
    measured("touch_ns", page("fault", 1), "second write to a page")
    if hz := int(seen.provenance.get("hz", 0) or 0):
        measured("tick_ns", figure([1e9 / hz]), "the clock that advances with the tick")
    if syscall is None:
        return found

    entry = syscall.value
    lock = load_costs(TAKEN_OVER).costs["lock_ns"].value
    for row, experiment in (("anon", "fault"), ("zero", "zero-fault"), ("file", "file-fault")):
        derived(
            f"fault_{row}_ns",
            page(experiment),
            entry,
            f"accesses to absent pages ({experiment}), less syscall",
        )
    present = call("populate-present-page")
    derived(
        "vma_visit_ns",
        call("mprotect-nothing") if present is None else present,
        entry + 2 * lock,
        "a call that changes nothing "
        + ("(mprotect)" if present is None else "(MADV_POPULATE_WRITE of one present page)")
        + f", less syscall and two lock of {TAKEN_OVER}",
    )
    derived(
        "vma_change_ns",
        figure([own / 2 for own in _own_medians(seen)]),
        entry
        + 2 * lock
        + sum(found[row][0].value for row in ("vma_visit_ns", "unmap_page_ns") if row in found) / 2,
        "half of mmap() and munmap() of one page while nobody holds the lock, less syscall, two "
        f"lock of {TAKEN_OVER}, and half a vma_visit and an unmap_page",
    )
    derived(
        "wake_up_ns",
        typical(alone.filter(experiment="wake-other-cpu", priority="normal")),
        entry,
        "from sem_post() to running on another CPU, after a sleep of 1 ms, less syscall",
    )
    derived(
        "switch_ns",
        typical(alone.filter(experiment="wake-busy-cpu")),
        entry,
        "from sem_post() to running on the CPU of the thread that posts, less syscall",
    )
    measured("timeslice_ns", call("slice", None), "stretches on a CPU that two threads share")
    maps, vmas = call("maps"), int(seen.provenance.get("vmas", 0))
    if maps is not None and vmas:
        derived("maps_vma_ns", maps.over(vmas), 0, "a read of /proc/self/maps, a line of it")
    return found


def _row(cost: str, found: tuple[Figure, str, str] | None) -> tuple:
    unit = "ns" if cost.endswith("_ns") else "reads"
    if found is None:
        old = load_costs(TAKEN_OVER).costs[cost]
        source = f"not measured; that of {TAKEN_OVER}: {old.source}"
        return cost, old.value, None, None, unit, "estimate", source
    value, status, source = found
    least = 1 if cost in ("tick_ns", "timeslice_ns") else 0
    numbers = [max(least, round(number)) for number in (value.value, value.low, value.high)]
    middle, low, high = numbers
    number = len(value.figures)
    interval = f"{low} to {high} ns in {number} figure{'' if number == 1 else 's'}"
    return cost, middle, low, high, unit, status, f"{source}: {interval}"


def _own_records(seen: Measurement) -> pl.DataFrame:
    """Whole rounds of the victim "mmap" while nobody holds the lock for long.

    That is beside no locker or, with VMA locks, beside lockers that touch the pages. Before 6.4,
    every fault takes the lock, so only rounds beside no locker are of use.
    """
    records = seen.records.filter(
        pl.col("experiment") == "probe",
        pl.col("role") == "victim",
        pl.col("victim") == "mmap",
        pl.col("priority") == "normal",
        pl.col("operation") == ALL,
    )
    design, _ = rules_of(seen.provenance.get("kernel", NEWEST))
    busy = records.filter(pl.col("method").is_in(TOUCHING) & (design == "vma-lock"))
    return busy if len(busy) else records.filter(method="none")


def _own_medians(seen: Measurement) -> list[float]:
    found = typical(_own_records(seen))
    return [] if found is None else list(found.figures)


def _conditions(seen: Measurement, alone: pl.DataFrame, whole: pl.DataFrame) -> Conditions:
    design, lock_policy = rules_of(seen.provenance.get("kernel", NEWEST))
    slept = typical(alone.filter(experiment="sleep-40us", operation=PAUSE))
    extra_ns = max(0, round(slept.value) - SLEEP_NS) if slept is not None else 0
    slack_ns = int(seen.provenance.get("timer_slack_ns", 0) or 0)  # a real-time thread has none
    own = _own_records(seen).with_columns(placement=PLACEMENT)
    return Conditions(
        design=design,
        lock_policy=lock_policy,
        sleep_extra_ns={"normal": extra_ns, "fifo": max(0, extra_ns - slack_ns)},
        own_ns={
            placement: entries(own.filter(placement=placement) if _has(own, placement) else own)
            for placement in ("same", "other")
        },
        page_ns=(whole["sum_ns"] / whole["covered_pages"]).to_numpy(),
        wake_up_ns=entries(alone.filter(experiment="wake-other-cpu", priority="normal")),
    )


def _has(frame: pl.DataFrame, placement: str) -> bool:
    return not frame.filter(placement=placement).is_empty()

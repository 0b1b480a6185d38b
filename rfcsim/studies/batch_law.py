"""The batch law: what a batch size costs the locker and saves those who wait, by formula.

A batch has b pages of c ns each, and its hold is H = lock + visit + b c. The locker starts the next
batch g = lock later, so its cycle is C = H + g. A writer that comes at a random moment finds the
lock free with probability g / C. Otherwise it waits for what is left of the hold, uniform on
(0, H), and for its own wake-up. The locker pays 2 lock + visit for each batch. So the overhead, as
a share of the pages' own time, times the mean residual wait is about (2 lock + visit) / 2, whatever
the batch.

Assumptions: one locker; requests so rare that none meets another; enough CPUs for everybody; one
VMA, whose pages are all absent and cost the same. With `writers`, requests are not rare but a
closed loop: each writer asks again at once, and every end of a batch lets all of them go first.

Where a woken writer must still win the lock (5.11 on), and the locker is back before it runs, only
the hand-off lets the writer in: it tries once a cycle; it is overdue a whole number of ticks after
the tick in which it came; its next try sets the mark; and one more cycle passes. A further
assumption there: a hold is longer than a wake-up, or else the writer now and then wins by luck.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

import numpy as np
import polars as pl
from scipy import stats

from rfcsim.errors import RfcsimError
from rfcsim.model.layout import policy as policies
from rfcsim.scenario.checked import Limits, check_range
from rfcsim.scenario.costs import CostTable, load_costs
from rfcsim.scenario.explain import did_you_mean, show

Backing = Literal["anonymous", "page cache", "disk", "disk at random"]
BATCHES = tuple(2**power for power in range(17))

# The lock policies that the formula knows. The tests compare it with the clock under each of them.
POLICIES = (
    "fifo",
    "writer-stealing",
    "hand-off",
    "reader-stealing",
    "reader-preference",
    "writer-preference",
    "phase-fair",
)


class Work(NamedTuple):
    """What it takes to populate a range, all in ns.

    own : the time of all its pages, whoever asks for them
    hold, cycle, overhead : arrays by batch size: one hold, from one hold to the next, what is not
        `own`
    fixed : what is spent once
    """

    own: float
    hold: np.ndarray
    cycle: np.ndarray
    overhead: np.ndarray
    fixed: float


def batch_law(
    costs: str | CostTable,
    batch_pages: Iterable[int] = BATCHES,
    *,
    backing: Backing = "anonymous",
    pages: int = 262_144,
    readahead_pages: int = 32,
    lock_policy: str = "fifo",
    program: bool = False,
    pause_ns: int = 0,
    realtime: bool = False,
    writers: int = 0,
    writer_hold_ns: int = 0,
) -> pl.DataFrame:
    """Compute by formula how long mlock() takes in batches, and how long a writer waits for it.

    Parameters
    ----------
    costs : str or CostTable
        A table, its name or its path.
    batch_pages : iterable of int
        Pages per hold.
    backing : "anonymous", "page cache", "disk" or "disk at random"
        Where pages come from. "disk": read in a row, with readahead, which goes on while the
        earlier pages are mapped; a hold is then as long as the windows for which it waits, at
        least one. "disk at random": one read, with a seek, for each page.
    pages : int
        Pages of the range.
    readahead_pages : int
        Pages of a readahead window.
    lock_policy : str
        As in `Scenario`; one of POLICIES.
    program : bool
        The batches are not the kernel's, but pieces that a program makes with
        MADV_POPULATE_WRITE, after mlock2(MLOCK_ONFAULT).
    pause_ns : int
        The pause that the program makes between two pieces.
    realtime : bool
        The writer is real-time (SCHED_FIFO).
    writers : int
        0: writers are rare. Otherwise their number: each holds the lock for `writer_hold_ns` and,
        apart from the kernel's own work, asks again at once. Only under "fifo".
    writer_hold_ns : int

    Returns
    -------
    polars.DataFrame
        One row per batch size: batch_pages, hold_ns, mlock_ns (how long the call, or all pieces,
        take; with rare writers, if none comes), overhead (what the batches add to that, pauses and
        writers included, as a share of the pages' own time), mean_ns, p50_ns, p99_ns, longest_ns
        (of a writer's wait). A wait is null where the formula does not hold.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.

    Source: what rwsem does in each version is in the rules of the model, sections 2 and 5.
    """
    table = costs if isinstance(costs, CostTable) else load_costs(costs)
    batches = list(batch_pages)
    _check(batches, backing, pages, lock_policy, writers)
    check_range("readahead_pages", readahead_pages, 1, Limits.PAGES)
    check_range("pause_ns", pause_ns, 0, Limits.NS)
    check_range("writer_hold_ns", writer_hold_ns, 0, Limits.NS)
    if pause_ns and not program:
        raise RfcsimError(f"pause_ns = {pause_ns}: only with program, the kernel makes no pause")
    cost = {row: entry.value for row, entry in table.costs.items()}
    size = np.array(batches, np.int64)
    gap = cost["lock_ns"] + (cost["syscall_ns"] + pause_ns if program else 0)
    work = _work(cost, size, backing, pages, readahead_pages, gap)
    count = -(-pages // size)
    mlock = work.fixed + work.own + count * work.overhead - (pause_ns if program else 0)
    if writers:
        waits, cycle = _closed_loop(cost, work, writers, writer_hold_ns, gap)
        mlock = work.fixed + count * cycle
    else:
        waits = _rare(cost, work, policies.BY_NAME[lock_policy], gap, realtime)
    return pl.DataFrame(
        {
            "batch_pages": size,
            "hold_ns": work.hold,
            "mlock_ns": mlock,
            "overhead": (mlock - work.fixed) / work.own - 1,
            **waits,
        },
        nan_to_null=True,
    )


def _check(batches: list[int], backing: str, pages: int, lock_policy: str, writers: int) -> None:
    if not batches:
        raise RfcsimError("batch_pages is empty: must be one or more")
    for batch in batches:
        check_range("batch_pages", batch, 1, Limits.PAGES)
    check_range("pages", pages, 1, Limits.PAGES)
    check_range("writers", writers, 0, Limits.TASKS)
    for name, value, known in (
        ("backing", backing, get_args(Backing)),
        ("lock_policy", lock_policy, policies.BY_NAME),
    ):
        if value not in known:
            raise RfcsimError(f"{name} = {show(value)}: {did_you_mean(value, known)}")
    if lock_policy not in POLICIES:
        raise RfcsimError(
            f"lock_policy = {show(lock_policy)}: the batch law has no formula for it, "
            f"must be one of {', '.join(POLICIES)}"
        )
    if writers and lock_policy != "fifo":
        raise RfcsimError(f'writers = {writers}: only with lock_policy "fifo"')


def _work(
    cost: dict[str, int], size: np.ndarray, backing: str, pages: int, window: int, gap: int
) -> Work:
    """How long the pages of the range take by themselves, and in batches."""
    entry = cost["lock_ns"] + cost["vma_visit_ns"]
    fixed = cost["syscall_ns"] + cost["drain_all_ns"] + 2 * entry
    if backing == "disk":
        read = cost["disk_request_ns"] + window * cost["disk_page_ns"]
        window_ns = _window(cost, read, window * cost["mlock_file_ns"])
        own = -(-pages // window) * window_ns
        body = -(-size // window) * window_ns
        # The first window is requested when it is needed, and begins with a seek.
        fixed += cost["disk_seek_ns"] + read
        return Work(own, entry + body, entry + body + gap, np.full(len(size), entry + gap), fixed)
    page = {
        "anonymous": cost["mlock_anon_ns"],
        "page cache": cost["mlock_file_ns"],
        "disk at random": cost["disk_seek_ns"]
        + cost["disk_request_ns"]
        + cost["disk_page_ns"]
        + cost["wake_up_ns"]
        + cost["mlock_file_ns"],
    }[backing]
    body = np.minimum(size, pages) * float(page)
    return Work(
        own=float(pages * page),
        hold=entry + body,
        cycle=entry + body + gap,
        overhead=np.full(len(size), float(entry + gap)),
        fixed=fixed,
    )


def _window(cost: dict[str, int], read: int, mapping: int) -> float:
    """Ns from one readahead window to the next, if to read it takes `read` and to map `mapping`.

    When the locker reaches a window, it asks for the next one, and only then waits if it has to. So
    two reads are under way. A disk that serves one read at a time is the limit by itself.
    """
    if read <= mapping:
        return mapping
    two_under_way = (read + cost["wake_up_ns"] + mapping) / 2
    return max(mapping, two_under_way, read if cost["disk_depth"] == 1 else 0)


def _closed_loop(
    cost: dict[str, int], work: Work, writers: int, hold_ns: int, gap: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The waits of writers that are always there, and the locker's cycle: everybody takes turns.

    Each turn begins at a release, so its owner has yet to wake up.
    """
    wake_up = cost["wake_up_ns"]
    cycle = work.cycle - gap - cost["lock_ns"] + wake_up + writers * (wake_up + hold_ns)
    between = hold_ns + cost["lock_ns"] + cost["syscall_ns"]  # its own hold, then until it asks
    wait = cycle - between
    return dict.fromkeys(("mean_ns", "p50_ns", "p99_ns", "longest_ns"), wait), cycle


def _rare(
    cost: dict[str, int], work: Work, policy: int, gap: int, realtime: bool
) -> dict[str, np.ndarray]:
    """The mean, quantiles and maximum of the wait of a writer that comes at a random moment."""
    wake_up, cycle = cost["wake_up_ns"], work.cycle
    # If the release is nearer than this, the writer still spins, and gets the lock without a
    # wake-up.
    spins = policies.SPIN_NS + policies.SPIN_READER_NS if policy & policies.SPINS else 0
    spin = np.minimum(spins, work.hold)
    stolen = bool(policy & policies.READERS_STEAL) and gap < wake_up and not realtime
    if stolen:
        tick = cost["tick_ns"]
        behind = stats.trapezoid(  # the sum of two uniform times: within a tick, within a cycle
            np.minimum(tick, cycle) / (tick + cycle),
            np.maximum(tick, cycle) / (tick + cycle),
            loc=-(-policies.HAND_OFF_NS // tick) * tick + cycle,
            scale=tick + cycle,
        )
    else:
        behind = stats.uniform(spin + wake_up, work.hold - spin)
    free, spun = gap / cycle, spin / cycle
    rest = 1 - free - spun

    def quantile(q: float) -> np.ndarray:
        later = behind.ppf(np.clip((q - free - spun) / np.where(rest > 0, rest, 1), 0, 1))
        return np.where(q <= free, 0, np.where(q <= free + spun, (q - free) * cycle, later))

    waits = {
        "mean_ns": spun * spin / 2 + rest * behind.mean(),
        "p50_ns": quantile(0.5),
        "p99_ns": quantile(0.99),
        "longest_ns": behind.ppf(1.0),
    }
    if stolen:
        holds = work.hold > wake_up
        return {name: np.where(holds, wait, np.nan) for name, wait in waits.items()}
    return waits

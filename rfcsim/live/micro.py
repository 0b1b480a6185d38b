"""How long single operations take with nobody in their way: figures for a cost table."""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from rfcsim.errors import LiveError
from rfcsim.live import limits
from rfcsim.live.bench import Backing, new_bench
from rfcsim.live.calls import (
    DROP,
    MAP,
    MAP_OVER,
    MAP_OVER_POPULATED,
    MLOCK,
    MLOCK_ONFAULT,
    MUNLOCK,
    NOTHING,
    OPERATION_NAMES,
    POPULATE_READ,
    POPULATE_WRITE,
    PROTECT_READ,
    PROTECT_WRITE,
    READ,
    READ_FILE,
    SYSCALL,
    UNMAP,
    WRITE,
    Bench,
)
from rfcsim.live.loops import (
    BEGUN,
    CONTROL_SIZE,
    NEVER,
    ROW_FIRST,
    ROW_PAUSE,
    STAT_COUNT,
    Recorder,
    keep_busy,
    new_recorder,
    new_semaphores,
    rounds,
    wake,
    woken,
)
from rfcsim.live.measurement import PAUSE, record
from rfcsim.live.threads import Work, run_together

NO_THINK = np.zeros(1, np.int64)
RANGE = 1024  # pages: 4 MiB, of which RLIMIT_MEMLOCK usually allows 8
HUGE_RANGE = 4096  # pages: 16 MiB, most of them in whole huge pages


class Micro(NamedTuple):
    """A round of operations, done again and again on memory of its own.

    Attributes
    ----------
    name : str
    program : tuple of (operation, pages)
        One round. Operations on one page work in the middle of the memory, others on all pages.
    backing : "anonymous", "file" or "huge"
    pages : int
    prepare : tuple of int
        Operations on all of the memory before the first round.
    rounds : int
    path : str
        The file that READ_FILE reads.
    think_ns : int
        How long to sleep before each round.
    """

    name: str
    program: tuple[tuple[int, int], ...]
    backing: Backing = "anonymous"
    pages: int = 3
    prepare: tuple[int, ...] = (WRITE,)
    rounds: int = 500
    path: str = ""
    think_ns: int = 0

    def operations(self) -> set[int]:
        return {operation for operation, _ in self.program}


def _all_pages(
    name: str,
    *operations: int,
    backing: Backing = "anonymous",
    pages: int = RANGE,
    prepare: tuple[int, ...] = (),
) -> Micro:
    program = tuple((operation, pages) for operation in operations)
    return Micro(name, program, backing, pages, prepare, rounds=20)


MICROS = (
    # What every other figure includes.
    Micro("clock", ((NOTHING, 1),), rounds=5000),
    Micro("syscall", ((SYSCALL, 1),), rounds=5000),
    # Calls on one present page, in the middle of a VMA: the lock, the lookup, and the change, or
    # only the lock and the lookup if they change nothing.
    Micro("mlock-page", ((MLOCK, 1), (MUNLOCK, 1))),
    Micro("mlock-locked-page", ((MLOCK, 1),), prepare=(MLOCK,)),
    Micro("onfault-page", ((MLOCK_ONFAULT, 1), (MUNLOCK, 1))),
    Micro("populate-present-page", ((POPULATE_WRITE, 1),)),
    Micro("mprotect-page", ((PROTECT_READ, 1), (PROTECT_WRITE, 1))),
    Micro("mprotect-nothing", ((PROTECT_WRITE, 1),)),
    Micro("mmap-page", ((MAP, 1), (UNMAP, 1))),
    Micro("maps", ((READ_FILE, 1),), path="/proc/self/maps", rounds=20),
    Micro("smaps-rollup", ((READ_FILE, 1),), path="/proc/self/smaps_rollup", rounds=20),
    # A page, by how it becomes present, and what is done with it then.
    _all_pages("mlock", MLOCK, MUNLOCK, DROP),
    _all_pages("populate", POPULATE_WRITE, MLOCK, MUNLOCK, DROP),
    _all_pages("fault", WRITE, WRITE, DROP),
    _all_pages("onfault", MLOCK_ONFAULT, WRITE, MUNLOCK, DROP),
    _all_pages("map-populate", MAP_OVER_POPULATED, MAP_OVER),
    _all_pages("zero-mlock", MLOCK, MUNLOCK, DROP, prepare=(PROTECT_READ,)),
    _all_pages("zero-fault", READ, DROP),
    _all_pages("file-mlock", MLOCK, MUNLOCK, DROP, backing="file"),
    _all_pages("file-populate", POPULATE_READ, DROP, backing="file"),
    _all_pages("file-fault", READ, DROP, backing="file"),
    _all_pages("huge-populate", POPULATE_WRITE, DROP, backing="huge", pages=HUGE_RANGE),
    # What a pause takes.
    Micro("sleep-40us", ((NOTHING, 1),), rounds=100, think_ns=40_000),
)


class Wake(NamedTuple):
    """A thread wakes another one, again and again.

    Attributes
    ----------
    name : str
    placement : "same" or "other"
        The CPU of the thread that is woken.
    spins : bool
        The waking thread keeps its CPU busy until the other one has run; otherwise it sleeps.
    rounds : int
    gap_ns : int
        How long the other thread has slept.
    """

    name: str
    placement: limits.Placement
    spins: bool
    rounds: int
    gap_ns: int = 1_000_000


WAKES = (
    Wake("wake-other-cpu", placement="other", spins=False, rounds=100),
    Wake("wake-other-cpu-long", placement="other", spins=False, rounds=15, gap_ns=10_000_000),
    Wake("wake-same-cpu", placement="same", spins=False, rounds=100),
    Wake("wake-busy-cpu", placement="same", spins=True, rounds=40),
)

SLICE = "slice"  # two threads that never sleep share a CPU
SLICE_NS = 200_000_000
GAP_NS = 20_000  # a thread that does not see the clock for this long has not run
MOST_NS = 300_000_000  # the most that one repetition of one figure may take


def experiments() -> list[Callable[[], list[dict]]]:
    """Everything there is to time: each is a function that times one repetition of it.

    It raises LiveError if this machine does not allow it.
    """
    cpu, _ = limits.two_cpus("same")
    timed = [partial(_time, micro, cpu) for micro in MICROS]
    for priority in ("normal", "fifo"):
        timed += [partial(_wake, each, priority == "fifo") for each in WAKES]
    return [*timed, partial(_slice, cpu)]


def _time(micro: Micro, cpu: int) -> list[dict]:
    _require(micro)
    recorder = new_recorder(ROW_FIRST + len(micro.program))
    program = np.array(
        [(operation, 0 if pages == micro.pages else 1, pages) for operation, pages in micro.program]
    )
    control = np.zeros(CONTROL_SIZE, np.int64)
    control[BEGUN] = 1  # there is nobody to wait for
    thinks = np.array([micro.think_ns])
    with new_bench(micro.backing, micro.pages, micro.path) as bench:
        for operation in micro.prepare:
            prepare = np.array([(operation, 0, micro.pages)])
            rounds(prepare, bench, 0, NO_THINK, 1, NEVER, control, new_recorder(ROW_FIRST + 1))

        def body() -> int:
            until_ns = time.monotonic_ns() + MOST_NS
            return rounds(program, bench, 0, thinks, micro.rounds, until_ns, control, recorder)

        run_together(control, Work(micro.name[:15], body, cpu))
    about = {"experiment": micro.name, "backing": micro.backing, "pages": micro.pages}
    about |= {"role": "alone", "locker_cpu": cpu}
    rows = [*record(recorder, ROW_PAUSE, about, PAUSE)]
    for step, (operation, pages) in enumerate(micro.program):
        name, row = OPERATION_NAMES[operation], ROW_FIRST + step
        covered_pages = int(recorder.statistics[row, STAT_COUNT]) * pages
        rows += record(recorder, row, about, name, step=step, covered_pages=covered_pages)
    return rows


def _require(micro: Micro) -> None:
    """Refuse what this kernel or process does not allow."""
    operations = micro.operations() | set(micro.prepare)
    if operations & {MLOCK, MLOCK_ONFAULT}:
        limits.require_memlock(micro.name, micro.pages * limits.page_bytes())
    if operations & {POPULATE_READ, POPULATE_WRITE} and not limits.has_populate():
        raise LiveError(f"{micro.name}: the kernel has no MADV_POPULATE_WRITE (Linux 5.14)")


def _wake(wake_: Wake, fifo: bool) -> list[dict]:
    if fifo and not limits.fifo_allowed():
        raise LiveError(limits.NO_FIFO)
    waker_cpu, woken_cpu = limits.two_cpus(wake_.placement)
    control = np.zeros(CONTROL_SIZE, np.int64)
    semaphores = np.zeros((2, 8), np.int64)
    new_semaphores(semaphores)
    recorder = new_recorder(ROW_FIRST + 1)
    with new_bench("anonymous", 1) as bench, new_bench("anonymous", 1) as other:

        def waker() -> int:
            return wake(semaphores, bench, wake_.gap_ns, wake_.spins, wake_.rounds, control)

        def woken_() -> int:
            return woken(semaphores, other, control, recorder)

        run_together(
            control, Work("waker", waker, waker_cpu), Work("woken", woken_, woken_cpu, fifo)
        )
    about = {
        "experiment": wake_.name,
        "role": "alone",
        "locker_cpu": waker_cpu,
        "victim_cpu": woken_cpu,
        "priority": "fifo" if fifo else "normal",
    }
    return [*record(recorder, ROW_FIRST, about, "wake-up")]


def _slice(cpu: int) -> list[dict]:
    control = np.zeros(CONTROL_SIZE, np.int64)
    recorder, unseen = new_recorder(ROW_FIRST + 2), new_recorder(ROW_FIRST + 2)
    with new_bench("anonymous", 1) as one, new_bench("anonymous", 1) as two:

        def body(bench: Bench, recorder: Recorder) -> int:
            return keep_busy(bench, GAP_NS, time.monotonic_ns() + SLICE_NS, control, recorder)

        run_together(
            control,
            Work("busy", partial(body, one, recorder), cpu),
            Work("busy too", partial(body, two, unseen), cpu),
        )
    about = {"experiment": SLICE, "role": "alone", "locker_cpu": cpu, "victim_cpu": cpu}
    return [
        *record(recorder, ROW_FIRST, about, "run"),
        *record(recorder, ROW_FIRST + 1, about, "gap"),
    ]

"""What is measured: a thread that makes memory present, and one that it makes wait."""

from collections.abc import Sequence
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits
from rfcsim.live.bench import Backing
from rfcsim.live.calls import (
    MAP,
    MAP_OVER_POPULATED,
    MLOCK,
    MLOCK_ONFAULT,
    POPULATE_READ,
    POPULATE_WRITE,
    PROTECT_READ,
    PROTECT_WRITE,
    READ,
    READ_FILE,
    UNMAP,
    WRITE,
)
from rfcsim.live.lock import PAUSE_US
from rfcsim.live.loops import NEVER
from rfcsim.scenario.checked import Checked

Method = Literal[
    "none",
    "mlock",
    "onfault-populate",
    "onfault-touch",
    "lock_memory",
    "populate",
    "map-populate",
    "touch",
]
Victim = Literal["mmap", "mprotect", "fault", "maps", "smaps_rollup"]
Priority = Literal["normal", "fifo"]

METHODS: tuple[Method, ...] = get_args(Method)
LOCKING: tuple[Method, ...] = ("mlock", "onfault-populate", "onfault-touch", "lock_memory")
TOUCHING: tuple[Method, ...] = ("onfault-touch", "touch")
POPULATING: tuple[Method, ...] = ("onfault-populate", "lock_memory", "populate")

RANGE_PAGES = 65_536  # 256 MiB
THINK_US = 200.0
FAULT_PAGES = 4096  # the pages that the victim "fault" touches one after another

# The operations of one round of each victim, and how many pages of memory it works on.
VICTIMS: dict[Victim, tuple[tuple[int, ...], int]] = {
    "mmap": ((MAP, UNMAP), 1),
    "mprotect": ((PROTECT_READ, PROTECT_WRITE), 1),
    "fault": ((WRITE,), FAULT_PAGES),
    "maps": ((READ_FILE,), 1),
    "smaps_rollup": ((READ_FILE,), 1),
}

Micros = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1, le=2**31)]
Cpu = Annotated[int, Field(strict=True, ge=0)]


class Probe(Checked):
    """One setting: a thread that makes a range present, and a victim that it makes wait.

    Attributes
    ----------
    method : str
        How the range is made present. "mlock"; "onfault-populate": mlock2(MLOCK_ONFAULT) in one
        call, then MADV_POPULATE_WRITE; "onfault-touch": the same, then one write per page;
        "lock_memory": as that function does it; "populate", "map-populate", "touch": not locked, by
        MADV_POPULATE_WRITE, mmap(MAP_POPULATE) or one write per page; "none": the victim alone.
    backing : str
        "anonymous" (pages of the base size), "huge" or "file" (in the page cache).
    pages : int
        Pages of the range.
    piece_pages : int, optional
        Pages per call; None means the whole range.
    pause_us : float
        The pause between two pieces.
    pause_by : str
        During a pause, "sleep" gives up the CPU, "spin" does not.
    victim : str
        What waits. "mmap": mmap() and munmap() of one page; "mprotect": mprotect() of one page,
        twice; "fault": the first write to a page of another VMA; "maps", "smaps_rollup": a read of
        that file.
    think_us : float
        The mean time, exponentially distributed, that the victim sleeps before each round.
    locker_cpu, victim_cpu : int, optional
        The CPU of each; None leaves the choice to the kernel.
    priority : str
        The priority of the victim, "normal" or "fifo" (SCHED_FIFO).
    """

    error: ClassVar[type[RfcsimError]] = RfcsimError

    method: Method = "mlock"
    backing: Backing = "anonymous"
    pages: Count = RANGE_PAGES
    piece_pages: Count | None = None
    pause_us: Micros = 0.0
    pause_by: Literal["sleep", "spin"] = "sleep"
    victim: Victim = "mmap"
    think_us: Micros = THINK_US
    locker_cpu: Cpu | None = None
    victim_cpu: Cpu | None = None
    priority: Priority = "normal"

    @property
    def placement(self) -> limits.Placement:
        """Whether the victim is on the locker's CPU ("same") or not ("other")."""
        return "same" if self.locker_cpu == self.victim_cpu else "other"

    def passes(self) -> list[tuple[int, int, int]]:
        """The passes through the range, and what each does: rows of `lock_range`."""
        piece = min(self.piece_pages or self.pages, self.pages)
        shared = self.backing == "file"
        populate = POPULATE_READ if shared else POPULATE_WRITE
        touch = READ if shared else WRITE
        flags_at_once = (MLOCK_ONFAULT, self.pages, NEVER)
        flagged = min(limits.whole_huge_pages(piece), self.pages)
        flags_in_pieces = (MLOCK_ONFAULT, flagged, round(self.pause_us * 1000))
        return {
            "none": [],
            "mlock": [(MLOCK, piece, 0)],
            "onfault-populate": [flags_at_once, (populate, piece, 0)],
            "onfault-touch": [flags_at_once, (touch, piece, 0)],
            "lock_memory": [flags_in_pieces, (populate, piece, 0)],
            "populate": [(populate, piece, 0)],
            "map-populate": [(MAP_OVER_POPULATED, piece, 0)],
            "touch": [(touch, piece, 0)],
        }[self.method]

    def memory_bytes(self) -> int:
        """The memory that the probe takes while it runs."""
        return (self.pages + VICTIMS[self.victim][1]) * limits.page_bytes()

    def missing(self) -> str | None:
        """What this kernel or process lacks for the probe, in one line; None if nothing."""
        for field in ("locker_cpu", "victim_cpu"):
            cpu = getattr(self, field)
            if cpu is not None and cpu not in limits.cpus():
                allowed = ", ".join(map(str, limits.cpus()))
                return f"{field} = {cpu}: this process may use {allowed}"
        if self.priority == "fifo" and not limits.fifo_allowed():
            return limits.NO_FIFO
        if self.method in POPULATING and not limits.has_populate():
            return (
                f'method = "{self.method}": the kernel has no MADV_POPULATE_WRITE (Linux 5.14); '
                '"mlock", "map-populate" and "touch" work'
            )
        if self.method in LOCKING:
            try:
                limits.require_memlock(
                    f'method = "{self.method}"', self.pages * limits.page_bytes()
                )
            except LiveError as error:
                return f'{error}; "populate", "map-populate" and "touch" lock nothing and work'
        return None


def probes(
    *,
    methods: Sequence[Method] = ("mlock",),
    pieces: Sequence[int | None] = (None,),
    pauses_us: Sequence[float] = (0.0,),
    victims: Sequence[Victim] = ("mmap",),
    placements: Sequence[limits.Placement] = ("other",),
    priorities: Sequence[Priority] = ("normal",),
    pages: int = RANGE_PAGES,
    backing: Backing = "anonymous",
) -> list[Probe]:
    """List every combination of some settings.

    Parameters
    ----------
    methods, pieces, pauses_us, victims, priorities : sequences
        Values of the fields of a `Probe`.
    placements : sequence of "same" or "other"
        Whether the victim is on the CPU of the thread for which it waits, or on another one.
    pages : int
    backing : "anonymous", "huge" or "file"

    Returns
    -------
    list of Probe
        Pieces as large as the range count as the whole range. Only pieces have pauses.

    Raises
    ------
    LiveError
        If this is not Linux, or there is no other CPU.
    RfcsimError
        If a value is not allowed.
    """
    limits.require_linux("probes")
    cpus = {placement: limits.two_cpus(placement) for placement in placements}
    every = [
        Probe(
            method=method,
            backing=backing,
            pages=pages,
            piece_pages=piece if _has_pieces(method, piece, pages) else None,
            pause_us=pause_us if _has_pieces(method, piece, pages) else 0.0,
            victim=victim,
            locker_cpu=cpus[placement][0],
            victim_cpu=cpus[placement][1],
            priority=priority,
        )
        for method, piece, pause_us, victim, placement, priority in product(
            methods, pieces, pauses_us, victims, placements, priorities
        )
    ]
    return list(dict.fromkeys(every))


def standard_probes(pages: int = RANGE_PAGES) -> list[Probe]:
    """List what `measure` measures by default, including what this machine may not allow.

    First come whole ranges with each method, and each victim of one call; then
    `mlock2(MLOCK_ONFAULT)` and `MADV_POPULATE_WRITE` in pieces of 1 to `pages` pages, with and
    without a pause, with the victim on the same CPU and on another one, normal and real-time. If
    this much memory may not be locked, it is populated without being locked: that holds the lock
    for as long.

    Parameters
    ----------
    pages : int
        Pages of the range.

    Returns
    -------
    list of Probe

    Raises
    ------
    LiveError
        If this is not Linux.
    """
    limits.require_linux("standard_probes")
    placements: list[limits.Placement] = ["same", "other"] if len(limits.cpus()) > 1 else ["same"]
    may_lock = Probe(method="mlock", pages=pages).missing() is None
    whole: Method = "mlock" if may_lock else "populate"
    in_pieces: Method = "onfault-populate" if may_lock else "populate"
    common: dict[str, Any] = {"placements": placements, "pages": pages}
    every = [
        *probes(methods=["none", whole], victims=list(VICTIMS), **common),
        *probes(methods=METHODS[1:], **common),
        *probes(
            methods=[in_pieces],
            pieces=[*(4**power for power in range(16)), None],
            pauses_us=[0.0, PAUSE_US],
            priorities=["normal", "fifo"],
            **common,
        ),
        *probes(
            methods=["mlock", "lock_memory", "map-populate", "touch"],
            pieces=[256],
            pauses_us=[0.0, PAUSE_US],
            **common,
        ),
    ]
    return list(dict.fromkeys(every))


def _has_pieces(method: Method, piece_pages: int | None, pages: int) -> bool:
    return method != "none" and piece_pages is not None and piece_pages < pages

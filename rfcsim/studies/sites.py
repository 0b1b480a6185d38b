"""The calls that populate memory: how each kernel holds mmap_sem meanwhile, and who waits."""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.runs.simulate import simulate
from rfcsim.scenario.calls import (
    Brk,
    Call,
    GetUserPages,
    Mlock,
    Mlockall,
    Mmap,
    Mremap,
    Munmap,
    RemapFilePages,
    Touch,
)
from rfcsim.scenario.explain import check_known
from rfcsim.scenario.kernels import kernel as rules_of
from rfcsim.scenario.process import Region, TaskGroup
from rfcsim.scenario.scenario import Scenario

# Those whose calls here differ: the design and the policy of the lock of each.
KERNELS = {version: rules_of(version) for version in ("2.6.36", "RFC", "2.6.38", "3.9", "6.4")}
WITHOUT_REMAP = "6.4"  # remap_file_pages() is an mmap() since 4.0

STACK_PAGES = 2048  # RLIMIT_STACK is 8 MiB as a rule
BEFORE_NS = 20_000_000  # the others have been at work for so long
THINK_NS = 200_000

_SCHEMA = {
    "site": pl.String(),
    "kernel": pl.String(),
    "pages": pl.Int64(),
    "mode": pl.String(),
    "hold_ns": pl.Int64(),
    "fault_wait_ns": pl.Int64(),
    "fault_wait_beside_mapper_ns": pl.Int64(),
    "map_wait_ns": pl.Int64(),
    "call": pl.String(),
    "source": pl.String(),
    "cured": pl.String(),
}


class Site(NamedTuple):
    """A call that makes pages present, besides what else it does.

    call : the call as one writes it
    regions : where it does so
    calls : a program, whose last call populates
    source : where 2.6.36 populates in it
    cured : the first kernel that does not populate within the hold that the call needs anyway
    """

    call: str
    regions: tuple[Region, ...]
    calls: tuple[Call, ...]
    source: str
    cured: str


def call_site(
    site: str, kernel: str = "2.6.36", *, pages: int = 65_536, mapper: bool = True
) -> Scenario:
    """A scenario in which one call populates memory, beside a thread that faults and one that maps.

    Parameters
    ----------
    site : str
        "mlock"; "mmap-locked" (MAP_LOCKED), "mmap-populate" (MAP_POPULATE); "mmap-future" and
        "brk-future" (after mlockall(MCL_FUTURE)); "mremap-grow" (of locked memory); "stack-grow"
        (of a locked stack, by get_user_pages()); "remap-first", "remap-again" and "remap-locked"
        (remap_file_pages(), the first on a mapping, a later one, and the first on a locked one).
    kernel : str
        "2.6.36", "RFC", "2.6.38", "3.9" or "6.4": this sets the design and the lock policy.
    pages : int
        Pages to populate; at most 2048 for a stack.
    mapper : bool
        Whether there is a thread that maps.

    Returns
    -------
    Scenario
        Its task groups are "caller", "worker" (touches new pages of its own memory) and "mapper"
        (maps and unmaps a page).

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    known = _sites(pages)
    for name, value, allowed in (("site", site, known), ("kernel", kernel, KERNELS)):
        check_known(f"{name} = {value!r}", value, allowed)
    if not _has(kernel, site):
        raise RfcsimError(
            f"kernel = {kernel!r}: must be an older one, since remap_file_pages() is an mmap() "
            "from 4.0 on"
        )
    what = known[site]
    touch = Touch(region="heap", pick="sequential", think_ns=THINK_NS, think="exponential")
    mmap = Mmap(region="scratch", think_ns=THINK_NS, think="exponential")
    tasks = [
        TaskGroup(name="caller", calls=what.calls, start_ns=BEFORE_NS),
        TaskGroup(name="worker", calls=(touch,), repeats=0),
    ]
    if mapper:
        tasks.append(TaskGroup(name="mapper", calls=(mmap, Munmap(region="scratch")), repeats=0))
    return Scenario(
        name=f"{site}-{kernel.replace('.', '_')}",
        description=f"{what.call} in {kernel}.",
        **KERNELS[kernel],
        costs="anon-2010",
        cpus=4,
        regions=(
            *what.regions,
            Region(name="heap", pages=65_536),
            Region(name="scratch", pages=1, mapped=False),
        ),
        tasks=tuple(tasks),
    )


def call_sites(
    sites: Iterable[str] | None = None, *, pages: int = 65_536, seed: int = 0
) -> pl.DataFrame:
    """Run the calls that populate memory on each kernel, and see who waits.

    Parameters
    ----------
    sites : iterable of str, optional
        See `call_site`; by default all of them.
    pages : int
        Pages to populate; at most 2048 for a stack.
    seed : int

    Returns
    -------
    polars.DataFrame
        One row per site and kernel: site, kernel, pages; mode and hold_ns of the caller's longest
        hold; the longest waits: fault_wait_ns (of a thread that faults beside the caller) and, with
        another thread that maps, fault_wait_beside_mapper_ns and map_wait_ns; then, as published,
        call, source (where 2.6.36 populates in it) and cured (the first kernel that does not
        populate within the hold that the call needs anyway). remap_file_pages() has no row for 6.4.
    """
    known = _sites(pages)
    rows = []
    for site in known if sites is None else sites:
        for kernel in KERNELS:
            if not _has(kernel, site):
                continue
            alone = simulate(call_site(site, kernel, pages=pages, mapper=False), seed=seed)
            both = simulate(call_site(site, kernel, pages=pages), seed=seed)
            holds = alone.holds.filter(pl.col("class") == "caller").sort("max_ns")
            rows.append(
                (
                    site,
                    kernel,
                    min(pages, STACK_PAGES) if site == "stack-grow" else pages,
                    holds["mode"][-1],
                    holds["max_ns"][-1],
                    alone.longest_wait("worker"),
                    both.longest_wait("worker"),
                    both.longest_wait("mapper"),
                    known[site].call,
                    known[site].source,
                    known[site].cured,
                )
            )
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def _has(kernel: str, site: str) -> bool:
    return kernel != WITHOUT_REMAP or not site.startswith("remap-")


def _sites(pages: int) -> dict[str, Site]:
    """Every call site, with a range of this many pages."""
    room = Region(name="data", pages=pages, mapped=False)
    behind = Region(name="behind", pages=pages, mapped=False, gap_pages=0)
    below = Region(name="below", pages=min(pages, STACK_PAGES), mapped=False)
    stack = Region(name="stack", pages=32, grows_down=True, locked=True, gap_pages=0)
    data = Region(name="data", pages=pages)
    file = Region(name="data", pages=pages, backing="file", cached=True)
    locked_file = Region(name="data", pages=pages, backing="file", cached=True, locked=True)
    one_locked = Region(name="data", pages=1, locked=True)
    future = Mlockall(current=False, future=True)
    remap = RemapFilePages(region="data")
    convert = RemapFilePages(region="data", pages=1, nonblock=True)
    return {
        "mlock": Site("mlock()", (data,), (Mlock(region="data"),), "mm/mlock.c:424", "2.6.38"),
        "mmap-locked": Site(
            "mmap(MAP_LOCKED)",
            (room,),
            (Mmap(region="data", locked=True),),
            "mm/mmap.c:1350",
            "3.9",
        ),
        "mmap-populate": Site(
            "mmap(MAP_POPULATE)",
            (room,),
            (Mmap(region="data", populate=True),),
            "mm/mmap.c:1353",
            "3.9",
        ),
        "mmap-future": Site(
            "mmap() after mlockall(MCL_FUTURE)",
            (room,),
            (future, Mmap(region="data")),
            "mm/mmap.c:1350",
            "3.9",
        ),
        "brk-future": Site(
            "brk() after mlockall(MCL_FUTURE)",
            (room,),
            (future, Brk(region="data", pages=pages)),
            "mm/mmap.c:2240",
            "3.9",
        ),
        "mremap-grow": Site(
            "mremap() of locked memory that grows",
            (one_locked, behind),
            (Mremap(region="data", new_pages=1 + pages, may_move=False),),
            "mm/mremap.c:472",
            "3.9",
        ),
        "stack-grow": Site(
            "get_user_pages() below a locked stack",
            (below, stack),
            (GetUserPages(region="below", pages=1),),
            "mm/mmap.c:1863",
            "6.5",
        ),
        "remap-first": Site(
            "remap_file_pages(), the first", (file,), (remap,), "mm/fremap.c:246", "3.9"
        ),
        "remap-again": Site(
            "remap_file_pages(), a later one", (file,), (convert, remap), "mm/fremap.c:246", "3.9"
        ),
        "remap-locked": Site(
            "remap_file_pages() of locked memory",
            (locked_file,),
            (remap,),
            "mm/fremap.c:240",
            "3.9",
        ),
    }

"""Random small scenarios that meet every rule, and cost tables under which ties are common."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from rfcsim.experiment.parts import (
    Hold,
    Mlock,
    Mmap,
    Munlock,
    Munmap,
    ReadMaps,
    Region,
    TaskGroup,
    Touch,
)
from rfcsim.experiment.scenario import Scenario
from tests.twin.cost_values import COLUMNS, cost_values

DISTRIBUTIONS = st.sampled_from(["constant", "constant", "exponential", "uniform"])


class Case(NamedTuple):
    """One run."""

    scenario: Scenario
    costs: np.ndarray
    seed: int
    replication: int


class Place(NamedTuple):
    """Where the last copy of a region begins: its calls may not reach past the space from there."""

    region: Region
    start: int


def seldom(values: st.SearchStrategy[Any], usual: Any) -> st.SearchStrategy[Any]:
    """The usual value three times out of four."""
    return st.sampled_from([True, True, True, False]).flatmap(
        lambda is_usual: st.just(usual) if is_usual else values
    )


PLAIN = st.fixed_dictionaries(
    {
        "pages": st.integers(1, 8),
        "protection": seldom(st.just("r"), "rw"),
        "present": seldom(st.just(True), False),
        "locked": seldom(st.just(True), False),
        "grows_down": seldom(st.just(True), False),
    }
)
COLD_FILE = st.fixed_dictionaries(
    {
        "backing": st.just("file"),
        "pages": st.integers(3, 16),
        "protection": st.sampled_from(["r", "rw", "rx"]),
        "access": st.sampled_from(["normal", "normal", "sequential", "random"]),
        "end_of_file_page": seldom(st.integers(0, 3), None),
    }
)


@st.composite
def odd_regions(draw: st.DrawFn) -> dict[str, Any]:
    """Anything that a region can be."""
    backing = draw(st.sampled_from(["anonymous", "file", "hugetlb"]))
    special = draw(st.sampled_from(["none", "io", "pfnmap", "dontexpand", "reserved", "gate"]))
    pages = draw(st.integers(1, 8))
    is_file = backing == "file"
    mapped = draw(seldom(st.just(False), True))
    may_be_locked = mapped and special == "none" and backing != "hugetlb"
    return {
        "pages": pages,
        "backing": backing,
        "special": special,
        "mapped": mapped,
        "protection": draw(st.sampled_from(["rw", "r", "none", "rx", "x"])),
        "access": draw(st.sampled_from(["normal", "sequential", "random"])),
        "cached": is_file and draw(st.booleans()),
        "present": mapped and draw(st.booleans()),
        "locked": may_be_locked and draw(st.booleans()),
        "grows_down": mapped and draw(st.booleans()),
        "end_of_file_page": draw(st.none() | st.integers(0, pages)) if is_file else None,
    }


@st.composite
def regions(draw: st.DrawFn, name: str, groups: list[str]) -> Region:
    kind = draw(st.sampled_from([PLAIN, COLD_FILE, COLD_FILE, odd_regions()]))
    return Region(
        name=name,
        gap_pages=draw(st.sampled_from([0, 0, 1, 3])),
        one_per=draw(seldom(st.sampled_from(groups), None)),
        **draw(kind),
    )


def last_places(all_regions: list[Region], counts: dict[str, int]) -> tuple[list[Place], int]:
    """Where the last copy of each region begins, and where the address space ends."""
    places = []
    end = 0
    for region in all_regions:
        start = end
        for _ in range(counts[region.one_per] if region.one_per else 1):
            start = end + region.gap_pages
            end = start + region.pages
        places.append(Place(region, start))
    return places, end


@st.composite
def ranges(draw: st.DrawFn, places: list[Place], space_end: int) -> dict[str, Any]:
    """Part of a region, or more: a range that runs into the next region or a hole.

    The first region is everybody's favourite, so that calls get into one another's way.
    """
    region, start = draw(st.sampled_from([places[0], places[0], *places]))
    if draw(st.booleans()):
        return {"region": region.name, "offset_pages": draw(st.integers(0, region.pages - 1))}
    room = space_end - start
    offset = draw(st.integers(0, min(room - 1, region.pages + 1)))
    pages = draw(st.integers(1, min(room - offset, 16)))
    return {"region": region.name, "offset_pages": offset, "pages": pages}


@st.composite
def calls(draw: st.DrawFn, places: list[Place], space_end: int, least_think_ns: int) -> Any:
    think = {"think_ns": draw(st.sampled_from([0, 0, 0, 1, 5, 20])), "think": draw(DISTRIBUTIONS)}
    if least_think_ns:
        think = {"think_ns": draw(st.integers(least_think_ns, 40))}
    kinds = [ReadMaps, Hold]
    if places:
        kinds = [Mlock, Mlock, Mlock, Munlock, Munlock, Mmap, Munmap, Touch, Touch, Touch, *kinds]
    kind = draw(st.sampled_from(kinds))
    if kind is ReadMaps:
        return ReadMaps(**think)
    if kind is Hold:
        return Hold(
            mode=draw(st.sampled_from(["shared", "exclusive"])),
            hold_ns=draw(st.sampled_from([0, 1, 4, 15])),
            distribution=draw(DISTRIBUTIONS),
            **think,
        )
    where = draw(ranges(places, space_end))
    if kind is Touch:
        return Touch(
            write=draw(st.booleans()),
            pick=draw(st.sampled_from(["fixed", "random", "sequential"])),
            **where,
            **think,
        )
    return kind(**where, **think)


@st.composite
def task_groups(
    draw: st.DrawFn,
    name: str,
    count: int,
    places: list[Place],
    space_end: int,
    cpus: int,
    for_ever: bool,
) -> TaskGroup:
    usable = [place for place in places if place.region.one_per in (None, name)]
    first = draw(calls(usable, space_end, least_think_ns=5 if for_ever else 0))
    others = draw(st.lists(calls(usable, space_end, least_think_ns=0), max_size=3))
    return TaskGroup(
        name=name,
        count=count,
        calls=(first, *others),
        repeats=0 if for_ever else draw(st.integers(1, 3)),
        start_ns=draw(st.sampled_from([0, 0, 3, 10, 40])),
        start=draw(DISTRIBUTIONS),
        cpu=draw(seldom(st.integers(0, cpus - 1), None)),
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    counts = draw(st.lists(st.sampled_from([1, 2, 3, 3]), min_size=1, max_size=3))
    names = [f"group{number}" for number in range(len(counts))]
    sizes = dict(zip(names, counts, strict=True))
    all_regions = [
        draw(regions(f"region{number}", names)) for number in range(draw(st.integers(1, 4)))
    ]
    places, space_end = last_places(all_regions, sizes)
    cpus = draw(st.integers(1, 4))
    end_ns = draw(st.sampled_from([0, 0, 0, 1, 30, 150]))
    endless = draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    if end_ns == 0:
        endless[draw(st.integers(0, len(names) - 1))] = False
    mapped = sum(
        sizes[region.one_per] if region.one_per else 1 for region in all_regions if region.mapped
    )
    return Scenario(
        name="random",
        costs="none",
        design=draw(st.sampled_from(["exclusive", "batched"])),
        batch_pages=draw(st.integers(1, 8)),
        cpus=cpus,
        end_ns=end_ns,
        rlimit_memlock_pages=draw(seldom(st.just(0) | st.integers(1, 12), None)),
        cap_ipc_lock=draw(seldom(st.just(True), False)),
        max_map_count=max(1, mapped + draw(st.sampled_from([0, 1, 2, 100, 100]))),
        readahead_pages=draw(st.integers(1, 8)),
        regions=tuple(all_regions),
        tasks=tuple(
            draw(task_groups(name, sizes[name], places, space_end, cpus, for_ever))
            for name, for_ever in zip(names, endless, strict=True)
        ),
    )


@st.composite
def costs(draw: st.DrawFn) -> np.ndarray:
    """Small whole numbers, so that many things happen at the same instant."""
    work = st.sampled_from([0, 1, 1, 2, 3])
    values = {name: draw(work) for name in COLUMNS if name != "ns"}
    values["switch"] = draw(st.integers(0, 2))
    # A slice must outlast the switch to it, or nobody gets anywhere.
    values["timeslice"] = values["switch"] + draw(st.sampled_from([1, 2, 4, 10, 10**9]))
    values["disk_request"] = draw(st.integers(0, 20))
    values["disk_seek"] = draw(st.integers(0, 10))
    values["disk_depth"] = draw(st.sampled_from([1, 1, 2, 3]))
    return cost_values(**values)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    keys = st.sampled_from([0, 1, 2, 2**63 - 1])
    return Case(draw(scenarios()), draw(costs()), draw(keys), draw(keys))

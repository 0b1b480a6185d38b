"""Random small scenarios that meet every rule, and cost tables under which ties are common."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from rfcsim.scenario.process import Region, TaskGroup
from rfcsim.scenario.scenario import Scenario
from tests.twin.cost_values import COLUMNS, cost_values
from tests.twin.random_calls import (
    DISTRIBUTIONS,
    EVERYTHING,
    ON_FILES,
    ON_PRIVATE_PAGES,
    Place,
    Surroundings,
    random_call,
)
from tests.twin.tape import Tape

TAPE_BYTES = 400  # more than the largest scenario takes


class Case(NamedTuple):
    """One run."""

    scenario: Scenario
    costs: np.ndarray
    seed: int
    replication: int


def tapes() -> st.SearchStrategy[Tape]:
    return st.binary(min_size=TAPE_BYTES, max_size=TAPE_BYTES).map(Tape)


def scenarios() -> st.SearchStrategy[Scenario]:
    return tapes().map(random_scenario)


def cases() -> st.SearchStrategy[Case]:
    return tapes().map(random_case)


def random_case(tape: Tape) -> Case:
    keys = [0, 1, 2, 2**63 - 1]
    return Case(random_scenario(tape), random_costs(tape), tape.pick(keys), tape.pick(keys))


def random_scenario(tape: Tape) -> Scenario:
    sizes = {f"group{number}": tape.pick([1, 2, 2, 3]) for number in range(tape.pick([1, 2, 3, 3]))}
    region_kinds, call_kinds = tape.pick(THEMES)
    regions = random_regions(tape, region_kinds, list(sizes))
    places, space_end = last_places(regions, sizes)
    mapped = sum(
        sizes[region.one_per] if region.one_per else 1 for region in regions if region.mapped
    )
    cpus = tape.integer(1, 4)
    end_ns = tape.pick([0, 0, 0, 0, 0, 0, 30, 100])
    endless = {name: tape.seldom() for name in sizes}
    if end_ns == 0:
        endless["group0"] = False

    def random_group(name: str) -> TaskGroup:
        usable = [place for place in places if place.region.one_per in (None, name)]
        around = Surroundings(usable, space_end, sizes, call_kinds)
        first = random_call(tape, around, least_think_ns=5 if endless[name] else 0)
        others = [random_call(tape, around) for _ in range(tape.integer(0, 6))]
        return TaskGroup(
            name=name,
            count=sizes[name],
            calls=(first, *others),
            repeats=0 if endless[name] else tape.pick([1, 1, 1, 2]),
            start_ns=tape.pick([0, 0, 3, 10, 40]),
            start=tape.pick(DISTRIBUTIONS),
            cpu=tape.integer(0, cpus - 1) if tape.seldom() else None,
        )

    return Scenario(
        name="random",
        costs="none",
        design=tape.pick(["exclusive", "batched"]),
        batch_pages=tape.integer(1, 8),
        cpus=cpus,
        end_ns=end_ns,
        rlimit_memlock_pages=tape.pick([None, None, None, 0, 3, 5, 8, 12, 16, 30]),
        cap_ipc_lock=tape.seldom(),
        max_map_count=max(1, mapped + tape.pick([100, 100, 100, 100, 100, 0, 1, 1, 2])),
        readahead_pages=tape.pick([1, 2, 3, 8]),
        regions=tuple(regions),
        tasks=tuple(random_group(name) for name in sizes),
    )


# --- the address space ----------------------------------------------------------------------------

RegionKind = Callable[[Tape], dict[str, Any]]


def random_regions(tape: Tape, kinds: list[RegionKind], groups: list[str]) -> list[Region]:
    """A few regions, mostly with room behind them, and seldom a stack that may grow into it."""
    regions = [
        Region(
            name=f"region{number}",
            gap_pages=tape.pick([0, 0, 1, 4]),
            one_per=tape.pick(groups) if tape.seldom() else None,
            **tape.pick(kinds)(tape),
        )
        for number in range(tape.integer(1, 3))
    ]
    if not tape.seldom():
        regions.append(Region(name="room", pages=tape.integer(4, 20), mapped=False))
    if tape.seldom():
        regions.append(Region(name="stack", gap_pages=0, grows_down=True, **stack(tape)))
    return regions


def private(tape: Tape) -> dict[str, Any]:
    return {
        "pages": tape.integer(1, 8),
        "protection": tape.pick(["rw", "rw", "rw", "rw", "r", "none"]),
        "present": tape.pick([False, True]),
        "locked": tape.pick([False, False, True]),
        "grows_down": tape.seldom(),
    }


def stack(tape: Tape) -> dict[str, Any]:
    return {
        "pages": tape.integer(1, 4),
        "locked": tape.pick([True, False]),
        "present": tape.pick([True, False]),
    }


def file(tape: Tape) -> dict[str, Any]:
    return {
        "backing": "file",
        "pages": tape.integer(3, 16),
        "protection": tape.pick(["r", "rw", "rx"]),
        "access": tape.pick(["normal", "normal", "sequential", "random"]),
        "cached": tape.seldom(),
        "end_of_file_page": tape.integer(0, 3) if tape.seldom() else None,
    }


def odd(tape: Tape) -> dict[str, Any]:
    """Anything that a region can be."""
    backing = tape.pick(["anonymous", "file", "hugetlb"])
    special = tape.pick(["none", "io", "pfnmap", "dontexpand", "reserved", "gate"])
    pages = tape.integer(1, 8)
    is_file = backing == "file"
    mapped = not tape.seldom()
    may_be_locked = mapped and special == "none" and backing != "hugetlb"

    def perhaps(possible: bool) -> bool:
        return possible and tape.pick([False, True])

    return {
        "pages": pages,
        "backing": backing,
        "special": special,
        "mapped": mapped,
        "protection": tape.pick(["rw", "r", "none", "rx", "x"]),
        "access": tape.pick(["normal", "sequential", "random"]),
        "cached": perhaps(is_file),
        "present": perhaps(mapped),
        "locked": perhaps(may_be_locked),
        "grows_down": perhaps(mapped),
        "end_of_file_page": tape.integer(0, pages) if perhaps(is_file) else None,
    }


THEMES = [
    ([private, file, odd], EVERYTHING),
    ([private, file, odd], EVERYTHING),
    ([file], ON_FILES),
    ([private], ON_PRIVATE_PAGES),
]


def last_places(regions: list[Region], counts: dict[str, int]) -> tuple[list[Place], int]:
    """Where the last copy of each region begins, and where the address space ends."""
    places = []
    end = 0
    for region in regions:
        start = end
        for _ in range(counts[region.one_per] if region.one_per else 1):
            start = end + region.gap_pages
            end = start + region.pages
        places.append(Place(region, start))
    return places, end


# --- costs ----------------------------------------------------------------------------------------


def random_costs(tape: Tape) -> np.ndarray:
    """Small whole numbers, so that many things happen at the same instant."""
    values = {name: tape.pick([0, 1, 1, 2, 3, 6]) for name in COLUMNS if name != "ns"}
    values["switch"] = tape.integer(0, 2)
    # A slice must outlast the switch to it, or nobody gets anywhere.
    values["timeslice"] = values["switch"] + tape.pick([10**9, 10, 10, 4, 2, 1])
    values["disk_request"] = tape.integer(0, 40)
    values["disk_seek"] = tape.integer(0, 10)
    values["disk_depth"] = tape.pick([1, 1, 2, 3])
    return cost_values(**values)

"""A scenario's regions and tasks, as the twin's own objects (rules 3 to 6).

Takes anything with the fields of `rfcsim.Scenario`, and none of its methods.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rfcsim.model.layout import (
    BACKING_ANON,
    BACKING_FILE,
    CALL_NAMES,
    EXCLUSIVE,
    SHARED,
    VM_DONTEXPAND,
    VM_EXEC,
    VM_GATE,
    VM_GROWSDOWN,
    VM_HUGETLB,
    VM_IO,
    VM_LOCKED,
    VM_PFNMAP,
    VM_RAND_READ,
    VM_READ,
    VM_RESERVED,
    VM_SEQ_READ,
    VM_WRITE,
)
from tests.twin.address_space import AddressSpace, Page
from tests.twin.draws import Draws
from tests.twin.effects import Effect
from tests.twin.mapping import mmap, munmap
from tests.twin.mlock import mlock, munlock
from tests.twin.users import hold, read_maps, touch

PROTECTION = {
    "none": 0,
    "r": VM_READ,
    "rw": VM_READ | VM_WRITE,
    "rx": VM_READ | VM_EXEC,
    "x": VM_EXEC,
}
ACCESS = {"normal": 0, "sequential": VM_SEQ_READ, "random": VM_RAND_READ}
SPECIAL = {
    "none": 0,
    "io": VM_IO,
    "pfnmap": VM_PFNMAP,
    "dontexpand": VM_DONTEXPAND,
    "reserved": VM_RESERVED,
    "gate": VM_GATE,
}


@dataclass(frozen=True)
class Operation:
    """One call of a program: which, on which pages, and how long the task thinks before it."""

    what: Any  # the scenario's call
    flags: int  # of a new mapping
    backing: int
    start: int
    pages: int

    @property
    def call(self) -> int:
        return CALL_NAMES.index(self.what.call)

    @property
    def think(self) -> str:
        return self.what.think

    @property
    def think_ns(self) -> int:
        return self.what.think_ns

    def begin(self, space: AddressSpace, draws: Draws, times_made: int) -> Iterator[Effect]:
        """Draw what is left to chance, and begin."""
        what = self.what
        match what.call:
            case "mlock":
                return mlock(space, self.start, self.pages)
            case "munlock":
                return munlock(space, self.start, self.pages)
            case "mmap":
                return mmap(space, self.start, self.pages, self.flags, self.backing)
            case "munmap":
                return munmap(space, self.start, self.pages)
            case "touch":
                offset = 0
                if what.pick == "random":
                    offset = draws.below(self.pages)
                elif what.pick == "sequential":
                    offset = times_made % self.pages
                return touch(space, self.start + offset, what.write)
            case "read_maps":
                return read_maps(space)
            case "hold":
                mode = SHARED if what.mode == "shared" else EXCLUSIVE
                return hold(mode, draws.duration(what.distribution, what.hold_ns))
        raise ValueError(what.call)


@dataclass(frozen=True)
class Program:
    """What one task does."""

    task_class: int
    operations: list[Operation]
    repeats: int  # times through the operations; 0: for ever
    start: str  # distribution of the delay before the first call
    start_ns: int
    cpu: int | None  # the one CPU that it may use


def region_flags(region: Any) -> int:
    """What mmap() of the region gives its VMA."""
    flags = PROTECTION[region.protection] | ACCESS[region.access] | SPECIAL[region.special]
    return flags | (VM_HUGETLB if region.backing == "hugetlb" else 0)


def region_backing(region: Any) -> int:
    return BACKING_FILE if region.backing == "file" else BACKING_ANON


def lay_out(scenario: Any) -> tuple[AddressSpace, dict[tuple[str, int], int]]:
    """The address space at time 0, and where each copy of each region begins."""
    copies = {group.name: group.count for group in scenario.tasks}
    space = AddressSpace(
        pages=[],
        max_map_count=scenario.max_map_count,
        lock_limit=scenario.rlimit_memlock_pages,
        cap_ipc_lock=scenario.cap_ipc_lock,
        batch_pages=scenario.batch_pages if scenario.design == "batched" else None,
        readahead_pages=scenario.readahead_pages,
    )
    starts = {}
    for region in scenario.regions:
        for copy in range(copies[region.one_per] if region.one_per else 1):
            space.pages += [Page() for _ in range(region.gap_pages)]
            starts[region.name, copy] = len(space.pages)
            add_region(space, region)
    return space, starts


def add_region(space: AddressSpace, region: Any) -> None:
    """Put a region behind all the others."""
    start = len(space.pages)
    is_file = region.backing == "file"
    end_of_file = region.pages if region.end_of_file_page is None else region.end_of_file_page
    for number in range(region.pages):
        page = Page(past_eof=number >= end_of_file)
        if is_file and not page.past_eof:
            page.cached = region.cached or region.present
        page.present = region.present and not page.past_eof
        page.zero = page.present and not is_file and region.protection != "rw"
        page.mlocked = page.present and region.locked and not page.zero
        space.pages.append(page)
    if region.mapped:
        flags = region_flags(region)
        flags |= VM_LOCKED if region.locked else 0
        flags |= VM_GROWSDOWN if region.grows_down else 0
        vma = space.insert(start, start + region.pages, flags, region_backing(region))
        space.locked_vm += vma.pages if region.locked else 0


def programs(scenario: Any, starts: dict[tuple[str, int], int]) -> list[Program]:
    """The tasks in order: those of the first group, then those of the next."""
    regions = {region.name: region for region in scenario.regions}

    def operation(call: Any, copy: int) -> Operation:
        if not hasattr(call, "region"):
            return Operation(call, flags=0, backing=BACKING_ANON, start=0, pages=0)
        region = regions[call.region]
        start = starts[call.region, copy if region.one_per else 0] + call.offset_pages
        pages = region.pages - call.offset_pages if call.pages is None else call.pages
        return Operation(call, region_flags(region), region_backing(region), start, pages)

    return [
        Program(
            task_class=number,
            operations=[operation(call, copy) for call in group.calls],
            repeats=group.repeats,
            start=group.start,
            start_ns=group.start_ns,
            cpu=group.cpu,
        )
        for number, group in enumerate(scenario.tasks)
        for copy in range(group.count)
    ]

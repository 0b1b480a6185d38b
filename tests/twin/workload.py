"""The regions and tasks of a scenario, as the twin's own objects (rules 3 to 6).

Anything will do that has the fields of `rfcsim.Scenario`. None of its methods is used.
"""

from dataclasses import dataclass
from typing import Any

from rfcsim.model.layout import vm
from tests.twin.address_space import AddressSpace, Page
from tests.twin.operations import Operation, Place

Places = dict[tuple[str, int], Place]  # by region and number of the copy


@dataclass(frozen=True)
class Program:
    """What one task does."""

    task_class: int
    operations: list[Operation]
    repeats: int  # times through the operations; 0: for ever
    start: str  # distribution of the delay before the first call
    start_ns: int
    cpu: int | None  # the one CPU that it may use


def lay_out(scenario: Any) -> tuple[AddressSpace, Places]:
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
    places = {}
    for region in scenario.regions:
        for copy in range(copies[region.one_per] if region.one_per else 1):
            space.pages += [Page() for _ in range(region.gap_pages)]
            place = Place(region, start=len(space.pages))
            places[region.name, copy] = place
            add_region(space, place)
    return space, places


def add_region(space: AddressSpace, place: Place) -> None:
    """Put a region behind all the others."""
    region = place.region
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
        flags = place.flags
        flags |= vm.LOCKED if region.locked else 0
        flags |= vm.GROWSDOWN if region.grows_down else 0
        vma = space.insert(place.start, place.start + region.pages, flags, place.backing)
        space.locked_vm += vma.pages if region.locked else 0


def programs(scenario: Any, places: Places) -> list[Program]:
    """The tasks in order: those of the first group, then those of the next."""
    tasks = [(group.name, number) for group in scenario.tasks for number in range(group.count)]

    def operation(call: Any, copy: int) -> Operation:
        def place_of(region: str) -> Place:
            """The task's own copy, or the only one."""
            return places.get((region, copy)) or places[region, 0]

        def task_of(group: str, number: int) -> int:
            return tasks.index((group, number))

        return Operation(call, place_of, task_of)

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

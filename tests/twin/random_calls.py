"""Random calls on random ranges of a given address space."""

from typing import Any, NamedTuple

from rfcsim.scenario.calls import (
    BaseCall,
    Brk,
    Fork,
    Hold,
    Kill,
    Mlock,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Munlock,
    Munlockall,
    Munmap,
    ReadMaps,
    Touch,
    Truncate,
)
from rfcsim.scenario.process import Region
from tests.twin.tape import Tape

DISTRIBUTIONS = ["constant", "constant", "exponential", "uniform"]

# What a scenario's calls are drawn from: everything, or those that make a longer story about the
# pages of files, or about private pages.
WITHOUT_REGION = [Hold, ReadMaps, Mlockall, Mlockall, Munlockall, Fork, Kill]
EVERYTHING = [
    *WITHOUT_REGION,
    *(Touch, Touch, Touch, Mlock, Mlock, Mlock, Munlock, Mmap, Mmap, Mmap, Munmap),
    *(Mprotect, Mprotect, Mremap, Mremap, Mremap, Mremap, Brk, Truncate),
]
ON_FILES = [
    *(Touch, Touch, Touch, Mlock, Mlock, Munlock, Mlockall, Mremap, Mremap),
    *(Truncate, Truncate, Kill),
]
ON_PRIVATE_PAGES = [
    *(Touch, Touch, Mlock, Mlock, Mlockall, Mremap, Mremap, Mremap, Mprotect, Mmap, Brk),
    *(Fork, Fork, Kill),
]


class Place(NamedTuple):
    """Where the last copy of a region begins. From there no call may reach past the space."""

    region: Region
    start: int


class Surroundings(NamedTuple):
    """What a task can name in its calls."""

    places: list[Place]  # that it may use
    space_end: int
    group_sizes: dict[str, int]
    kinds: list[type[BaseCall]]  # what its calls are drawn from


def random_call(tape: Tape, around: Surroundings, least_think_ns: int = 0) -> BaseCall:
    """Any call, after a time to think."""
    kind = tape.pick(around.kinds)
    if kind not in WITHOUT_REGION and not around.places:
        kind = Hold
    think = {"think_ns": tape.pick([0, 0, 0, 1, 5, 20]), "think": tape.pick(DISTRIBUTIONS)}
    if least_think_ns:
        think = {"think_ns": tape.integer(least_think_ns, 40)}
    return kind(**arguments(tape, kind, around), **think)


def arguments(tape: Tape, kind: type[BaseCall], around: Surroundings) -> dict[str, Any]:
    """The fields of a call of this kind, apart from the time to think."""
    if kind in (ReadMaps, Fork, Munlockall):
        return {}
    if kind is Hold:
        return {
            "mode": tape.pick(["shared", "exclusive"]),
            "hold_ns": tape.pick([0, 1, 4, 15]),
            "distribution": tape.pick(DISTRIBUTIONS),
        }
    if kind is Mlockall:
        current = tape.pick([True, True, False])
        future = tape.pick([False, True] if current else [True, True, True, False])
        return {"current": current, "future": future}
    if kind is Kill:
        group = tape.pick(list(around.group_sizes))
        return {"task": group, "number": tape.integer(0, around.group_sizes[group] - 1)}
    region, start = random_place(tape, kind, around.places)
    room = around.space_end - start
    if kind is Brk:
        pages = min(room, max(0, region.pages + tape.integer(-3, 6)))
        return {"region": region.name, "pages": pages}
    where = random_range(tape, region, room)
    pages = where.get("pages", region.pages - where["offset_pages"])
    return {"region": region.name} | where | beside_range(tape, kind, around, region, pages)


def random_place(tape: Tape, kind: type[BaseCall], places: list[Place]) -> Place:
    """A place for a call. The first is the most likely, so that calls get in one another's way."""
    suitable = places
    if kind is Truncate:
        suitable = [place for place in places if place.region.backing == "file"]
    if kind is Mremap:
        suitable = [place for place in places if place.region.mapped]
    return tape.pick([*suitable[:1] * 2, *suitable] or places)


def random_range(tape: Tape, region: Region, room: int) -> dict[str, int]:
    """The rest of a region from some page on, a part of it, or any pages.

    The last may also be in a hole behind the region, or in the next region.
    """
    offset = tape.pick([0, tape.integer(0, region.pages - 1)])
    match tape.integer(0, 2):
        case 0:
            return {"offset_pages": offset}
        case 1:
            return {"offset_pages": offset, "pages": tape.integer(1, region.pages - offset)}
    offset = tape.integer(0, min(room - 1, region.pages + 2))
    return {"offset_pages": offset, "pages": tape.integer(1, min(room - offset, 16))}


def beside_range(
    tape: Tape, kind: type[BaseCall], around: Surroundings, region: Region, pages: int
) -> dict[str, Any]:
    """The fields of a call on a range of this many pages, apart from the range."""
    if kind is Touch:
        return {
            "write": tape.pick([True, False]),
            "pick": tape.pick(["fixed", "random", "sequential"]),
        }
    if kind is Mmap:
        return {"locked": tape.pick([False, True]), "populate": tape.pick([False, True])}
    if kind is Mprotect:
        return {"protection": tape.pick(["rw", "rw", "r", "r", "none", "rx", "x"])}
    if kind is Mremap:
        new_pages = max(1, pages + tape.integer(-3, 6))
        if tape.pick([False, True]):
            return {"new_pages": new_pages, "may_move": tape.pick([True, True, False])}
        return destination(tape, around, region, new_pages)
    return {}


def destination(tape: Tape, around: Surroundings, source: Region, new_pages: int) -> dict[str, Any]:
    """Where MREMAP_FIXED is to put the mapping: mostly away from where it is."""
    elsewhere = [place for place in around.places if place.region is not source]
    region, start = tape.pick(elsewhere * 3 + around.places)
    room = around.space_end - start
    new_pages = min(new_pages, room)
    return {
        "new_pages": new_pages,
        "to_region": region.name,
        "to_offset_pages": tape.integer(0, min(region.pages, room - new_pages)),
    }

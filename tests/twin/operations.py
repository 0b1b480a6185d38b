"""The calls of a scenario, as calls of the twin (rules 4 and 6).

Anything will do that has the fields of `rfcsim`'s calls. None of their methods is used.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rfcsim.model.layout import backing, call, lock, vm
from tests.twin.address_space import AddressSpace
from tests.twin.brk import brk
from tests.twin.draws import Draws
from tests.twin.effects import Effect
from tests.twin.fork import fork
from tests.twin.kill import kill
from tests.twin.mlock import mlock, munlock
from tests.twin.mlockall import mlockall, munlockall
from tests.twin.mmap import mmap
from tests.twin.mprotect import mprotect
from tests.twin.mremap import mremap
from tests.twin.truncate import truncate
from tests.twin.unmap import munmap
from tests.twin.users import hold, read_maps, touch

PROTECTION = {
    "none": 0,
    "r": vm.READ,
    "rw": vm.READ | vm.WRITE,
    "rx": vm.READ | vm.EXEC,
    "x": vm.EXEC,
}
ACCESS = {"normal": 0, "sequential": vm.SEQ_READ, "random": vm.RAND_READ}
SPECIAL = {
    "none": 0,
    "io": vm.IO,
    "pfnmap": vm.PFNMAP,
    "dontexpand": vm.DONTEXPAND,
    "reserved": vm.RESERVED,
    "gate": vm.GATE,
}


@dataclass(frozen=True)
class Place:
    """A copy of a region, and the page where it begins."""

    region: Any
    start: int

    @property
    def flags(self) -> int:
        """What mmap() of the region gives its VMA."""
        region = self.region
        flags = PROTECTION[region.protection] | ACCESS[region.access] | SPECIAL[region.special]
        return flags | (vm.HUGETLB if region.backing == "hugetlb" else 0)

    @property
    def backing(self) -> int:
        return backing.FILE if self.region.backing == "file" else backing.ANON


@dataclass(frozen=True)
class Operation:
    """One call of a program, as one task makes it."""

    what: Any  # the scenario's call
    place_of: Callable[[str], Place]  # where a region is, by its name
    task_of: Callable[[str, int], int]  # a task, by its group and its number in the group

    @property
    def call(self) -> int:
        return call.NAMES.index(self.what.call)

    def begin(self, space: AddressSpace, draws: Draws, times_made: int) -> Iterator[Effect]:
        """Draw what is left to chance, and begin."""
        what = self.what
        match what.call:
            case "mlockall":
                return mlockall(space, what.current, what.future)
            case "munlockall":
                return munlockall(space)
            case "read_maps":
                return read_maps(space)
            case "fork":
                return fork(space)
            case "kill":
                return kill(space, self.task_of(what.task, what.number))
            case "hold":
                mode = lock.SHARED if what.mode == "shared" else lock.EXCLUSIVE
                return hold(mode, draws.duration(what.distribution, what.hold_ns))
            case "brk":
                return brk(space, self.place_of(what.region).start, what.pages)
        return self.begin_on_range(space, draws, times_made)

    def begin_on_range(
        self, space: AddressSpace, draws: Draws, times_made: int
    ) -> Iterator[Effect]:
        what = self.what
        place = self.place_of(what.region)
        start = place.start + what.offset_pages
        pages = place.region.pages - what.offset_pages if what.pages is None else what.pages
        match what.call:
            case "mlock":
                return mlock(space, start, pages)
            case "munlock":
                return munlock(space, start, pages)
            case "mmap":
                return mmap(
                    space,
                    start,
                    pages,
                    place.flags,
                    place.backing,
                    map_locked=what.locked,
                    map_populate=what.populate,
                )
            case "munmap":
                return munmap(space, start, pages)
            case "mprotect":
                return mprotect(space, start, pages, PROTECTION[what.protection])
            case "mremap":
                to = None
                if what.to_region is not None:
                    to = self.place_of(what.to_region).start + what.to_offset_pages
                new = pages if what.new_pages is None else what.new_pages
                return mremap(space, start, pages, new, to, may_move=what.may_move)
            case "truncate":
                return truncate(space, start, pages)
            case "touch":
                offset = 0
                if what.pick == "random":
                    offset = draws.below(pages)
                elif what.pick == "sequential":
                    offset = times_made % pages
                return touch(space, start + offset, what.write)
        raise ValueError(what.call)

"""brk() (rules 4; mm/mmap.c of 2.6.36)."""

from collections.abc import Generator, Iterator

from rfcsim.model.layout import backing, lock, vm, work
from tests.twin.address_space import AddressSpace, Vma
from tests.twin.effects import Cpu, Done, Down, Effect, Up
from tests.twin.populate import populate_range
from tests.twin.unmap import unmap


def brk(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    """Give the heap that begins at `start` this many pages; the value is where it then ends."""
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.EXCLUSIVE)
    last = last_of_heap(space, start)
    end = start if last is None else last.end
    wanted = start + pages
    if wanted < end:
        error = yield from unmap(space, wanted, end)
        if not error:
            end = wanted
    elif wanted > end and may_grow(space, end, wanted):
        yield from grow(space, last, end, wanted)
        end = wanted
    yield Up(lock.EXCLUSIVE)
    yield Done(end)


def last_of_heap(space: AddressSpace, start: int) -> Vma | None:
    """The last VMA of the heap: those of one mapping that lie end to end from `start` on."""
    last = None
    vma = space.covering(start)
    while vma is not None and (last is None or vma.identity == last.identity):
        last = vma
        vma = space.covering(last.end)
    return last


def may_grow(space: AddressSpace, end: int, wanted: int) -> bool:
    """Is there room, with a page to spare, and may that much be mapped?"""
    return (
        wanted <= len(space.pages)
        and not space.all_intersecting(end, wanted + 1)
        and (not space.def_flags or space.may_lock(wanted - end))
        and space.map_count <= space.max_map_count
    )


def grow(
    space: AddressSpace, last: Vma | None, end: int, wanted: int
) -> Generator[Effect, None, None]:
    """Map [end, wanted), as part of the heap's last VMA if they are alike."""
    growth = Vma(
        start=end,
        end=wanted,
        flags=vm.READ | vm.WRITE | space.def_flags,
        backing=backing.ANON,
        identity=space.next_identity if last is None else last.identity,
        read_position=end - 1,
    )
    if last is None:
        space.next_identity += 1
    space.add(growth)
    space.merge(end)
    space.locked_vm += growth.pages if growth.locked else 0
    yield Cpu(work.VMA_CHANGE, 1)
    if growth.locked:
        vma = space.covering(end)
        assert vma is not None
        yield from populate_range(space, vma, end, wanted)  # errors are hidden

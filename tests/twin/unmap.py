"""munmap() (rules 4; mm/mmap.c of 2.6.36)."""

from collections.abc import Generator, Iterator

from rfcsim.model.layout import errno, lock, vm, work
from tests.twin.address_space import AddressSpace
from tests.twin.effects import VISIT, Cpu, Done, Down, Effect, Up, changes_made
from tests.twin.mlock import munlock_pages


def munmap(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.EXCLUSIVE)
    value = errno.EINVAL
    if pages > 0:
        value = yield from unmap(space, start, start + pages)
    yield Up(lock.EXCLUSIVE)
    yield Done(value)


def unmap(
    space: AddressSpace, start: int, end: int, *, clear_entries: bool = True
) -> Generator[Effect, None, int]:
    """Take [start, end) out of the address space; the page cache stays. 0, or ENOMEM."""
    if not space.all_intersecting(start, end):
        return 0
    first = space.covering(start)
    cut_out_of_one = first is not None and first.start < start and end < first.end
    if cut_out_of_one and space.map_count >= space.max_map_count:
        return errno.ENOMEM
    splits = space.split(start, limited=False) + space.split(end, limited=False)
    yield changes_made(splits)

    leaving = space.all_intersecting(start, end)
    for vma in leaving:
        if vma.locked:
            space.locked_vm -= vma.pages
            vma.flags &= ~vm.LOCKED
            yield VISIT
            yield from munlock_pages(space, vma.start, vma.end)

    for vma in leaving:
        space.remove(vma)
    yield Cpu(work.VMA_CHANGE, len(leaving))

    if clear_entries:
        for page in range(leaving[0].start, leaving[-1].end):
            space.pages[page].clear_entry()
            yield Cpu(work.UNMAP_PAGE, 1)
    return 0

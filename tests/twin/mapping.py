"""mmap(MAP_FIXED) and munmap() (rules 4; mm/mmap.c of 2.6.36)."""

from collections.abc import Generator, Iterator

from rfcsim.model.layout import (
    EINVAL,
    ENOMEM,
    EXCLUSIVE,
    VM_LOCKED,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
)
from tests.twin.address_space import AddressSpace
from tests.twin.effects import Cpu, Done, Down, Effect, Up
from tests.twin.mlock import VISIT, changes_made, munlock_pages


def mmap(space: AddressSpace, start: int, pages: int, flags: int, backing: int) -> Iterator[Effect]:
    end = start + pages
    yield Cpu(WORK_SYSCALL, 1)
    yield Down(EXCLUSIVE)
    if pages == 0:
        value = EINVAL
    elif space.map_count > space.max_map_count:
        value = ENOMEM
    else:
        value = 0
        if space.all_intersecting(start, end):
            value = yield from unmap(space, start, end)
        if value == 0:
            space.insert(start, end, flags, backing)
            yield Cpu(WORK_VMA_CHANGE, 1)
            value = start
    yield Up(EXCLUSIVE)
    yield Done(value)


def munmap(space: AddressSpace, start: int, pages: int) -> Iterator[Effect]:
    end = start + pages
    yield Cpu(WORK_SYSCALL, 1)
    yield Down(EXCLUSIVE)
    if pages == 0:
        value = EINVAL
    elif not space.all_intersecting(start, end):
        value = 0
    else:
        value = yield from unmap(space, start, end)
    yield Up(EXCLUSIVE)
    yield Done(value)


def unmap(space: AddressSpace, start: int, end: int) -> Generator[Effect, None, int]:
    """Take [start, end) out of the address space; the page cache stays."""
    first = space.covering(start)
    cut_out_of_one = first is not None and first.start < start and end < first.end
    if cut_out_of_one and space.map_count >= space.max_map_count:
        return ENOMEM
    splits = space.split(start, limited=False) + space.split(end, limited=False)
    yield changes_made(splits)

    leaving = space.all_intersecting(start, end)
    for vma in leaving:
        if vma.locked:
            space.locked_vm -= vma.pages
            vma.flags &= ~VM_LOCKED
            yield VISIT
            yield from munlock_pages(space, vma.start, vma.end)

    for vma in leaving:
        space.remove(vma)
    yield Cpu(WORK_VMA_CHANGE, len(leaving))

    for page in range(leaving[0].start, leaving[-1].end):
        entry = space.pages[page]
        entry.present = entry.mlocked = entry.zero = False
        yield Cpu(WORK_UNMAP_PAGE, 1)
    return 0

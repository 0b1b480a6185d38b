"""fork(), as far as the parent goes (rules 4; dup_mmap() of 2.6.36)."""

from collections.abc import Iterator

from rfcsim.model.layout import (
    BACKING_ANON,
    EXCLUSIVE,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
)
from tests.twin.address_space import AddressSpace
from tests.twin.effects import Cpu, Done, Down, Effect, Up


def fork(space: AddressSpace) -> Iterator[Effect]:
    """Share every anonymous page with the child, until a write copies it."""
    yield Cpu(WORK_SYSCALL, 1)
    yield Down(EXCLUSIVE)
    if space.vmas:
        yield Cpu(WORK_VMA_CHANGE, space.map_count)
    for vma in space.vmas:
        if vma.backing == BACKING_ANON:
            for page in space.pages[vma.start : vma.end]:
                if page.present and not page.zero:
                    page.cow = True
                    yield Cpu(WORK_UNMAP_PAGE, 1)
    yield Up(EXCLUSIVE)
    yield Done(0)

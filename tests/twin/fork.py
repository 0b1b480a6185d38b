"""fork(), as far as it concerns the parent (rules 4; dup_mmap() of 2.6.36)."""

from collections.abc import Iterator

from rfcsim.model.layout import backing, lock, work
from tests.twin.address_space import AddressSpace
from tests.twin.effects import Cpu, Done, Down, Effect, Up


def fork(space: AddressSpace) -> Iterator[Effect]:
    """Share every anonymous page with the child, until a write copies it."""
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.EXCLUSIVE)
    if space.vmas:
        yield Cpu(work.VMA_CHANGE, space.map_count)
    for vma in space.vmas:
        if vma.backing == backing.ANON:
            for page in space.pages[vma.start : vma.end]:
                if page.present and not page.zero:
                    page.cow = True
                    yield Cpu(work.UNMAP_PAGE, 1)
    yield Up(lock.EXCLUSIVE)
    yield Done(0)

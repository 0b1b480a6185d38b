"""mprotect() (rules 4; mm/mprotect.c of 2.6.36)."""

from collections.abc import Generator, Iterator

from rfcsim.model.layout import lock, vm, work
from tests.twin.address_space import AddressSpace, Vma
from tests.twin.effects import VISIT, Cpu, Done, Down, Effect, Up
from tests.twin.walk import change_flags, walk_range


def mprotect(space: AddressSpace, start: int, pages: int, protection: int) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    if pages == 0:
        yield Done(0)
        return

    def fixup(vma: Vma, part_start: int, part_end: int) -> Generator[Effect, None, int]:
        flags = vma.flags & ~(vm.READ | vm.WRITE | vm.EXEC) | protection
        if flags == vma.flags:
            yield VISIT
            return 0
        error = yield from change_flags(space, vma, part_start, part_end, flags)
        present = sum(page.present for page in space.pages[part_start:part_end])
        if present and not error:
            yield Cpu(work.UNMAP_PAGE, present)  # change_protection(): the pages themselves stay
        return error

    yield Down(lock.EXCLUSIVE)
    value = yield from walk_range(space, start, start + pages, fixup)
    yield Up(lock.EXCLUSIVE)
    yield Done(value)

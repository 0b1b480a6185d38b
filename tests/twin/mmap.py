"""mmap(MAP_FIXED), also with MAP_LOCKED or MAP_POPULATE (rules 4; mm/mmap.c of 2.6.36)."""

from collections.abc import Generator, Iterator

from rfcsim.model.layout import errno, lock, vm, work
from tests.twin.address_space import AddressSpace
from tests.twin.effects import Cpu, Done, Down, Effect, Up
from tests.twin.populate import populate_range
from tests.twin.unmap import unmap


def mmap(
    space: AddressSpace,
    start: int,
    pages: int,
    flags: int,
    backing: int,
    *,
    map_locked: bool = False,
    map_populate: bool = False,
) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.EXCLUSIVE)
    wanted = flags | (vm.LOCKED if map_locked else 0) | space.def_flags
    error = refusal(space, pages, wanted, map_locked)
    if not error:
        error = yield from unmap(space, start, start + pages)
    if not error:
        yield from map_region(space, start, start + pages, wanted, backing, map_populate)
    yield Up(lock.EXCLUSIVE)
    yield Done(error or start)


def refusal(space: AddressSpace, pages: int, flags: int, map_locked: bool) -> int:
    """The tests that come before anything is unmapped: 0, or an errno."""
    if pages == 0:
        return errno.EINVAL
    if space.map_count > space.max_map_count:
        return errno.ENOMEM
    if map_locked and not space.may_lock_at_all():
        return errno.EPERM
    if flags & vm.LOCKED and not space.may_lock(pages):
        return errno.EAGAIN
    return 0


def map_region(
    space: AddressSpace, start: int, end: int, flags: int, backing: int, map_populate: bool
) -> Generator[Effect, None, None]:
    """Map free room and, if it is locked or to be populated, make its pages present.

    An error while populating ends that silently: the mapping stands.
    """
    vma = space.insert(start, end, flags, backing)
    populated = (vma.locked or map_populate) and not vma.untouchable
    if vma.special or vma.untouchable:
        vma.flags &= ~vm.LOCKED
    elif vma.locked:
        space.locked_vm += vma.pages
    yield Cpu(work.VMA_CHANGE, 1)
    if populated:
        yield from populate_range(space, vma, start, end)

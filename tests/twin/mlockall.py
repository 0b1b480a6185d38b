"""mlockall() by both designs, and munlockall() (rules 4; mm/mlock.c of 2.6.36, and the patch)."""

from collections.abc import Iterator

from rfcsim.model.layout import errno, lock, vm, work
from tests.twin.address_space import AddressSpace
from tests.twin.effects import Cpu, Done, Down, Effect, Up
from tests.twin.mlock import do_mlock_pages, mlock_fixup
from tests.twin.walk import walk_all


def mlockall(space: AddressSpace, current: bool, future: bool) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    if not (current or future):
        yield Done(errno.EINVAL)
        return
    if not space.may_lock_at_all():
        yield Done(errno.EPERM)
        return
    yield Cpu(work.DRAIN_ALL, 1)
    yield Down(lock.EXCLUSIVE)
    value = 0
    if current and not space.within_limit(space.total_vm):
        value = errno.ENOMEM
    else:
        space.def_flags = vm.LOCKED if future else 0
        if current:
            yield from walk_all(space, mlock_fixup(space, lock=True))
    yield Up(lock.EXCLUSIVE)
    if current and value == 0 and space.batch_pages is not None:
        value = yield from do_mlock_pages(space, 0, len(space.pages), space.batch_pages)
    yield Done(value)


def munlockall(space: AddressSpace) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    yield Down(lock.EXCLUSIVE)
    space.def_flags = 0
    yield from walk_all(space, mlock_fixup(space, lock=False))
    yield Up(lock.EXCLUSIVE)
    yield Done(0)

"""A fatal signal to a task (rules 4): `populate` and the clock look out for it."""

from collections.abc import Iterator

from rfcsim.model.layout import work
from tests.twin.address_space import AddressSpace
from tests.twin.effects import Cpu, Done, Effect


def kill(space: AddressSpace, task: int) -> Iterator[Effect]:
    yield Cpu(work.SYSCALL, 1)
    space.killed.add(task)
    yield Done(0)

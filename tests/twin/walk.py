"""From VMA to VMA: what mlock(), munlock(), mprotect() and their kin have in common (rules 4)."""

from collections.abc import Callable, Generator
from dataclasses import replace

from rfcsim.model.layout import errno
from tests.twin.address_space import AddressSpace, TooManyVmas, Vma
from tests.twin.effects import VISIT, Effect, changes_made

Fixup = Callable[[Vma, int, int], Generator[Effect, None, int]]  # of a VMA's part [start, end)


def walk_range(
    space: AddressSpace, start: int, end: int, fixup: Fixup
) -> Generator[Effect, None, int]:
    """Fix up the range, VMA by VMA, until one fails; a hole is noticed when it is reached."""
    if space.covering(start) is None:
        return errno.ENOMEM
    yield VISIT
    position = start
    while position < end:
        vma = space.covering(position)
        if vma is None:
            return errno.ENOMEM
        part_end = min(end, vma.end)
        error = yield from fixup(vma, position, part_end)
        if error:
            return error
        position = end_of_vma(space, part_end)
    return 0


def walk_all(space: AddressSpace, fixup: Fixup) -> Generator[Effect, None, None]:
    """Fix up every VMA there is; holes and errors are stepped over."""
    yield VISIT
    position = 0
    while True:
        vma = space.first_ending_after(position)
        if vma is None:
            return
        vma_end = vma.end
        yield from fixup(vma, vma.start, vma_end)
        position = end_of_vma(space, vma_end)


def end_of_vma(space: AddressSpace, part_end: int) -> int:
    """The end of the VMA that the part has become: it may have merged with the one behind it."""
    fixed = space.covering(part_end - 1)
    assert fixed is not None
    return fixed.end


def change_flags(
    space: AddressSpace, vma: Vma, start: int, end: int, flags: int
) -> Generator[Effect, None, int]:
    """Split a part off its VMA, give it these flags, and merge it with neighbours like it.

    VM_LOCKED pages are charged. Too many VMAs are an error; the splits made before it stay.
    """
    splits = 0
    limited = not joins_a_neighbour(space, vma, start, end, flags)
    try:
        splits += space.split(start, limited=limited)
        splits += space.split(end, limited=limited)
    except TooManyVmas:
        yield changes_made(splits)
        return errno.ENOMEM
    part = space.covering(start)
    assert part is not None
    was_locked = part.locked
    part.flags = flags
    space.locked_vm += part.pages * (part.locked - was_locked)
    merges = space.merge(start) + space.merge(end)
    yield changes_made(splits + merges)
    return 0


def joins_a_neighbour(space: AddressSpace, vma: Vma, start: int, end: int, flags: int) -> bool:
    """Would vma_merge() just move the boundary to a neighbour, so that no VMA is added?"""
    changed = replace(vma, flags=flags)
    before = space.covering(start - 1) if start == vma.start else None
    after = space.covering(end) if end == vma.end else None
    return (before is not None and changed.continues(before)) or (
        after is not None and after.continues(changed)
    )

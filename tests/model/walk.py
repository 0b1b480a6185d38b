"""Walking the model by hand: one task, one call, step by step, with an idle lock and disk."""

import numpy as np
import pytest

from rfcsim.model.layout import backing as backings
from rfcsim.model.layout import bit, effect, mm, vm, vma
from rfcsim.model.layout import design as designs
from rfcsim.model.pages import complete_read
from rfcsim.model.rwsem import down, downgrade, up
from rfcsim.model.state import State, new_state
from rfcsim.model.step import begin, take_step

READ_WRITE = vm.READ | vm.WRITE
BOTH = pytest.mark.parametrize("design", [designs.EXCLUSIVE, designs.BATCHED])


def address_space(*vmas, design=designs.EXCLUSIVE, batch_pages=2, pages=64, tasks=2):
    """A state with VMAs, each given as (start, end), (start, end, flags) or (..., backing)."""
    state = new_state(pages, vma_capacity=64, tasks=tasks)
    state.mm[mm.DESIGN] = design
    state.mm[mm.BATCH_PAGES] = batch_pages
    for row, given in enumerate(vmas):
        start, end, *rest = given
        flags = rest[0] if rest else READ_WRITE
        backing = rest[1] if len(rest) > 1 else backings.ANON
        state.vmas[row] = (start, end, flags, backing, row + 1, start - 1, 0)
        state.mm[mm.TOTAL_VM] += end - start
        if flags & vm.LOCKED:
            state.mm[mm.LOCKED_VM] += end - start
    state.mm[mm.MAP_COUNT] = len(vmas)
    state.mm[mm.NEXT_IDENTITY] = len(vmas) + 1
    return state


def moves(state: State, task: int, call: int, start=0, pages=0, arg=0, backing=0, reads=True):
    """Begin a call and yield its effects until it is done.

    Lock operations and disk reads are carried out at once. Without `reads` the disk never delivers.
    """
    begin(state, task, call, start, pages, arg, backing)
    while True:
        kind, a, b = (int(number) for number in take_step(state, task))
        if kind == effect.DOWN:
            assert down(state, task, a)
        elif kind == effect.UP:
            up(state, task)
        elif kind == effect.DOWNGRADE:
            downgrade(state, task)
        elif kind == effect.SUBMIT and reads:
            complete_read(state, a, b)
        yield kind, a, b
        if kind == effect.DONE:
            return


def value_of(state: State, call: int, start=0, pages=0, arg=0, backing=0, task=0) -> int:
    """What a call returns when nobody interferes."""
    return list(moves(state, task, call, start, pages, arg, backing))[-1][1]


def at_release(state, number, call, start=0, pages=0, arg=0, *, then) -> int:
    """What a call returns when `then` is called at its release of that number, counted from 1."""
    seen = []
    for move in moves(state, 0, call, start, pages, arg):
        seen.append(move)
        releases = [kind for kind, _, _ in seen].count(effect.UP)
        if move[0] == effect.UP and releases == number:
            then()
    assert releases >= number
    return seen[-1][1]


def layout(state: State) -> list[tuple[int, int, bool]]:
    """(start, end, whether VM_LOCKED) of every VMA."""
    rows = state.vmas[: state.mm[mm.MAP_COUNT]]
    return [
        (int(row[vma.START]), int(row[vma.END]), bool(row[vma.FLAGS] & vm.LOCKED)) for row in rows
    ]


def pages_with(state: State, bits: int) -> list[int]:
    return [int(page) for page in np.flatnonzero(state.pages & bits)]


def present(state: State) -> list[int]:
    return pages_with(state, bit.PRESENT)


def mlocked(state: State) -> list[int]:
    return pages_with(state, bit.MLOCKED)

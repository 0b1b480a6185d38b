"""Walking the model by hand: one task, one call, step by step, with an idle lock and disk."""

import numpy as np
import pytest

from rfcsim.model.layout import (
    BACKING_ANON,
    DESIGN_BATCHED,
    DESIGN_EXCLUSIVE,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_DOWNGRADE,
    EFFECT_SUBMIT,
    EFFECT_UP,
    MM_BATCH_PAGES,
    MM_DESIGN,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_NEXT_IDENTITY,
    MM_TOTAL_VM,
    PAGE_MLOCKED,
    PAGE_PRESENT,
    VM_LOCKED,
    VM_READ,
    VM_WRITE,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    State,
)
from rfcsim.model.pages import complete_read
from rfcsim.model.rwsem import down, downgrade, up
from rfcsim.model.state import new_state
from rfcsim.model.step import begin, take_step

READ_WRITE = VM_READ | VM_WRITE
BOTH = pytest.mark.parametrize("design", [DESIGN_EXCLUSIVE, DESIGN_BATCHED])


def address_space(*vmas, design=DESIGN_EXCLUSIVE, batch_pages=2, pages=64, tasks=2):
    """A state with VMAs given as (start, end) or (start, end, flags) or (..., backing)."""
    state = new_state(pages, vma_capacity=64, tasks=tasks)
    state.mm[MM_DESIGN] = design
    state.mm[MM_BATCH_PAGES] = batch_pages
    for row, vma in enumerate(vmas):
        start, end, *rest = vma
        flags = rest[0] if rest else READ_WRITE
        backing = rest[1] if len(rest) > 1 else BACKING_ANON
        state.vmas[row] = (start, end, flags, backing, row + 1, start - 1, 0)
        state.mm[MM_TOTAL_VM] += end - start
        if flags & VM_LOCKED:
            state.mm[MM_LOCKED_VM] += end - start
    state.mm[MM_MAP_COUNT] = len(vmas)
    state.mm[MM_NEXT_IDENTITY] = len(vmas) + 1
    return state


def moves(state: State, task: int, call: int, start=0, pages=0, arg=0, backing=0, reads=True):
    """Begin a call and yield its effects until it is done, performing locks and reads at once.

    Without `reads` the disk never delivers.
    """
    begin(state, task, call, start, pages, arg, backing)
    while True:
        kind, a, b = (int(number) for number in take_step(state, task))
        if kind == EFFECT_DOWN:
            assert down(state, task, a)
        elif kind == EFFECT_UP:
            up(state, task)
        elif kind == EFFECT_DOWNGRADE:
            downgrade(state, task)
        elif kind == EFFECT_SUBMIT and reads:
            complete_read(state, a, b)
        yield kind, a, b
        if kind == EFFECT_DONE:
            return


def value_of(state: State, call: int, start=0, pages=0, arg=0, backing=0, task=0) -> int:
    """What a call returns when nobody interferes."""
    return list(moves(state, task, call, start, pages, arg, backing))[-1][1]


def at_release(state, number, call, start=0, pages=0, arg=0, *, then) -> int:
    """What a call returns when `then` happens at its release of that number, from 1."""
    effects = []
    for effect in moves(state, 0, call, start, pages, arg):
        effects.append(effect)
        releases = [kind for kind, _, _ in effects].count(EFFECT_UP)
        if effect[0] == EFFECT_UP and releases == number:
            then()
    assert releases >= number
    return effects[-1][1]


def layout(state: State) -> list[tuple[int, int, bool]]:
    """(start, end, whether VM_LOCKED) of every VMA."""
    rows = state.vmas[: state.mm[MM_MAP_COUNT]]
    return [
        (int(row[VMA_START]), int(row[VMA_END]), bool(row[VMA_FLAGS] & VM_LOCKED)) for row in rows
    ]


def pages_with(state: State, bit: int) -> list[int]:
    return [int(page) for page in np.flatnonzero(state.pages & bit)]


def present(state: State) -> list[int]:
    return pages_with(state, PAGE_PRESENT)


def mlocked(state: State) -> list[int]:
    return pages_with(state, PAGE_MLOCKED)

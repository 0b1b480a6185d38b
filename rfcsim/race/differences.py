"""Where the patch differs from the original with nobody else there, on all small address spaces."""

from collections.abc import Iterator
from itertools import groupby, product
from typing import NamedTuple

from rfcsim._jit import njit
from rfcsim.model.layout import backing, design, effect, mm, vm
from rfcsim.model.rwsem import down, downgrade, up
from rfcsim.model.state import State, new_state
from rfcsim.model.step import begin, step
from rfcsim.race.outcomes import Outcome, outcome

# What a page of a small address space can be; neighbours of one kind are one VMA.
HOLE = "hole"
KINDS = {
    "ordinary": vm.READ | vm.WRITE,
    "PROT_NONE": 0,
    "read-only": vm.READ,
    "locked": vm.READ | vm.WRITE | vm.LOCKED,
    "locked PROT_NONE": vm.LOCKED,
    "special": vm.READ | vm.WRITE | vm.DONTEXPAND,
    "device": vm.READ | vm.WRITE | vm.IO,
}


class Case(NamedTuple):
    """A call on a small address space.

    kinds : a key of KINDS, or HOLE, for each page
    call : call.*
    start, pages : its range
    arg : as `rfcsim.model.step.begin` takes it
    """

    kinds: tuple[str, ...]
    call: int
    start: int
    pages: int
    arg: int


class Difference(NamedTuple):
    """A case in which the two designs leave different things behind."""

    case: Case
    original: Outcome
    patched: Outcome


def differences(pages: int, calls: dict[int, int]) -> Iterator[Difference]:
    """Every case of `pages` pages in which the patch differs from the original.

    Parameters
    ----------
    pages : int
        Size of the address spaces.
    calls : dict of int to int
        The calls to try (call.*), each with its argument; every range is tried.

    Yields
    ------
    Difference
    """
    for kinds in product((HOLE, *KINDS), repeat=pages):
        for call, arg in calls.items():
            for start in range(pages):
                for length in range(1, pages - start + 1):
                    case = Case(kinds, call, start, length, arg)
                    original, patched = (
                        run_case(case, rules) for rules in (design.EXCLUSIVE, design.BATCHED)
                    )
                    if original != patched:
                        yield Difference(case, original, patched)


def run_case(case: Case, rules: int) -> Outcome:
    """Make one call alone, by a design (design.*, a sum of rules)."""
    state = address_space(case.kinds)
    state.mm[mm.DESIGN] = rules
    state.mm[mm.BATCH_PAGES] = 2  # so that small ranges are more than one batch
    value = run_alone(state, 0, case.call, case.start, case.pages, case.arg, 0)
    return outcome(state, [value])


def address_space(kinds: tuple[str, ...]) -> State:
    """An address space whose pages are of these kinds, none of them present."""
    state = new_state(len(kinds), 2 * len(kinds) + 2, tasks=1)
    end = 0
    for kind, same in groupby(kinds):
        start, end = end, end + len(list(same))
        if kind == HOLE:
            continue
        row = int(state.mm[mm.MAP_COUNT])
        state.vmas[row] = (start, end, KINDS[kind], backing.ANON, row + 1, start - 1, 0)
        state.mm[mm.MAP_COUNT] += 1
        state.mm[mm.TOTAL_VM] += end - start
        if KINDS[kind] & vm.LOCKED:
            state.mm[mm.LOCKED_VM] += end - start
    state.mm[mm.NEXT_IDENTITY] = state.mm[mm.MAP_COUNT] + 1
    return state


@njit
def run_alone(state, task, call, start, pages, arg, backing):
    """Make a call while nobody else does anything; returns what it returns.

    No page may have to come from the disk.
    """
    begin(state, task, call, start, pages, arg, backing)
    while True:
        kind, a, _ = step(state, task, -1, 1)
        if kind == effect.DOWN:
            down(state, task, a)
        elif kind == effect.UP:
            up(state, task)
        elif kind == effect.DOWNGRADE:
            downgrade(state, task)
        elif kind == effect.DONE:
            return a

"""What a run of all calls leaves behind, and what whole calls one after another would leave.

*As if sequential* is computed, not assumed: every order of the whole calls is run by the same
step functions, on the original design, and each concurrent outcome must be among theirs.
"""

from collections.abc import Iterable
from typing import NamedTuple

from rfcsim.model.layout import bit, mm, vm, vma
from rfcsim.model.state import State
from rfcsim.race.problem import Problem
from rfcsim.race.search import Exploration, search_all

_PROMISED = bit.PRESENT | bit.MLOCKED | bit.ZERO
_RESIDUE = _PROMISED | bit.COW


class Outcome(NamedTuple):
    """What is left once every call has returned.

    results : what the calls returned, in the order of their rows
    pages : for each page (identity of its mapping, VM_* flags, page bits), or (0, 0, 0)
    locked_vm : pages charged
    """

    results: tuple[int, ...]
    pages: tuple[tuple[int, int, int], ...]
    locked_vm: int

    def promised(self) -> "Outcome":
        """The outcome without what no caller may rely on.

        A page outside a VM_LOCKED VMA may be reclaimed or faulted in at any time. A page that is
        shared with a child is present all the same.
        """
        pages = tuple(
            (identity, flags, bits & _PROMISED if flags & vm.LOCKED else 0)
            for identity, flags, bits in self.pages
        )
        return self._replace(pages=pages)


def outcome(state: State, results: Iterable[int]) -> Outcome:
    """Read the outcome from the model's arrays."""
    pages = [(0, 0, 0)] * len(state.pages)
    for area in state.vmas[: state.mm[mm.MAP_COUNT]]:
        for page in range(area[vma.START], area[vma.END]):
            bits = int(state.pages[page]) & _RESIDUE
            pages[page] = (int(area[vma.IDENTITY]), int(area[vma.FLAGS]), bits)
    return Outcome(tuple(map(int, results)), tuple(pages), int(state.mm[mm.LOCKED_VM]))


def concurrent_outcomes(exploration: Exploration) -> dict[Outcome, int]:
    """Every outcome of an exploration, with the number of the nearest state that has it."""
    found: dict[Outcome, int] = {}
    for number in exploration.terminal():
        state = exploration.look_at(int(number))
        found.setdefault(outcome(state, exploration.search.results), int(number))
    return found


def sequential_outcomes(problem: Problem, design: int) -> set[Outcome]:
    """The outcomes of all orders of whole calls, each task's own in their order.

    Parameters
    ----------
    problem : Problem
    design : int
        design.*, by which the calls are run instead of by the problem's own.

    Raises
    ------
    CheckerError
        As `rfcsim.race.search.search_all` does.
    """
    other = problem.state.mm.copy()
    other[mm.DESIGN] = design
    problem = problem._replace(state=problem.state._replace(mm=other))
    return set(concurrent_outcomes(search_all(problem, whole_calls=True)))

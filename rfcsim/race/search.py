"""An exploration from beginning to end: room for states, paths to them, replays of paths."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from rfcsim.model.state import State
from rfcsim.race.arrays import Search
from rfcsim.race.explore import explore, find_move, look_at, start, take
from rfcsim.race.layout import control, grant, search_status
from rfcsim.race.parts import done_parts
from rfcsim.race.problem import CheckerError, Problem, make_room, new_search, refuse_uncached

STATES_A_CHUNK = 200_000  # between two chunks a search can be interrupted


class Leg(NamedTuple):
    """A stretch of a schedule: a number of steps of one task."""

    task: int
    steps: int


def legs_of(moves: Iterable[tuple[int, int]]) -> list[Leg]:
    """The schedule of some moves (task, steps); moves of one task in a row are one leg."""
    by_task = groupby(moves, key=itemgetter(0))
    return [Leg(int(task), sum(int(steps) for _, steps in several)) for task, several in by_task]


@dataclass(eq=False)
class Exploration:
    """A search that is over: every reachable state, how it was reached, what it violates.

    Attributes
    ----------
    problem : Problem
    search : Search
        The arrays; states are numbered in the order in which they were found.
    seconds : float
        Time that the search took.
    """

    problem: Problem
    search: Search
    seconds: float

    @property
    def states(self) -> int:
        """Distinct states."""
        return int(self.search.states.count[0])

    @property
    def moves(self) -> int:
        """Moves taken, to new states and to old ones."""
        return int(self.search.control[control.MOVES])

    @property
    def nbytes(self) -> int:
        """Bytes that the states take, with their parts and what is remembered of moves."""
        search = self.search
        sets = (search.states, search.common_parts, search.task_parts)
        arrays = [array for row_set in sets for array in row_set]
        return sum(array.nbytes for array in (*arrays, search.parents, *search.remembered))

    def terminal(self) -> np.ndarray:
        """Numbers of the states in which every call has returned, the nearest first."""
        done = done_parts(self.search)
        rows = self.search.states.rows[: self.states]
        terminal = np.ones(self.states, bool)
        for parts in rows.T[1:]:
            terminal &= done[parts]
        return np.flatnonzero(terminal)

    def violation(self, claim: int) -> int | None:
        """The first state that violates a claim (claim.*), or None if it holds."""
        number = int(self.search.violated[claim])
        return None if number < 0 else number

    def look_at(self, number: int) -> State:
        """The model's arrays in a state; the next look overwrites them."""
        look_at(self.search, number)
        return self.search.state

    def results(self, number: int) -> list[int]:
        """What each call has returned in a state, in the order of the rows of calls."""
        look_at(self.search, number)
        return [int(value) for value in self.search.results]

    def path(self, number: int) -> list[Leg]:
        """A shortest schedule that leads to a state."""
        numbers = [number]
        while numbers[-1] > 0:
            numbers.append(int(self.search.parents[numbers[-1]]))
        pairs = pairwise(reversed(numbers))
        return legs_of(find_move(self.search, before, after) for before, after in pairs)


def search_all(
    problem: Problem,
    *,
    policy: int = grant.ANY,
    reduce: bool = True,
    remember: bool = True,
    whole_calls: bool = False,
    most_gib: float = 4.0,
    progress: Callable[[int], None] | None = None,
) -> Exploration:
    """Find every state that a problem can reach.

    Parameters
    ----------
    problem : Problem
    policy : int
        grant.ANY: any waiter that the holders allow is granted next, which covers every policy.
        grant.FIFO: the hand-over of 2.6.36 alone.
    reduce : bool
        Whether to take steps together that commute with everybody else's. The verdicts are the
        same.
    remember : bool
        Whether to make a move only once for all states that differ in other tasks only. What is
        found is the same.
    whole_calls : bool
        Whether each move is a whole call, made alone.
    most_gib : float
        Memory that the search may take, in GiB.
    progress : callable, optional
        Called now and then with the number of states found so far.

    Returns
    -------
    Exploration

    Raises
    ------
    CheckerError
        If the problem is too large, if a page would have to come from the disk, or if the memory
        does not suffice; then the message says how far the search came.
    """
    search = new_search(
        problem, policy=policy, reduce=reduce, remember=remember, whole_calls=whole_calls
    )
    began = time.perf_counter()
    make_room(search, most_gib)
    start(search)
    while explore(search, STATES_A_CHUNK) == search_status.SEARCHING:
        if progress is not None:
            progress(int(search.states.count[0]))
        make_room(search, most_gib)
    refuse_uncached(search)
    return Exploration(problem, search, time.perf_counter() - began)


def replay(problem: Problem, legs: Sequence[Leg], policy: int = grant.ANY) -> Iterator[Search]:
    """Take a schedule step by step.

    Yields
    ------
    Search
        Always the same one. Its working state is first the start, then that after each step.

    Raises
    ------
    CheckerError
        If a task cannot make the step that the schedule gives it.
    """
    search = new_search(problem, policy=policy, reduce=False)
    start(search)
    yield search
    for leg in legs:
        for step in range(leg.steps):
            if leg.task >= len(search.actors) or take(search, leg.task) == 0:
                raise CheckerError(
                    f"schedule: task {leg.task} cannot make step {step + 1} of {leg.steps}"
                )
            yield search

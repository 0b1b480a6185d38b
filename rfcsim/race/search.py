"""An exploration from beginning to end: room for states, paths to them, replays of paths."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rfcsim.model.layout import (
    CALL_FORK,
    CALL_KILL,
    CALL_MMAP,
    CALL_MREMAP,
    CALL_TOUCH,
    CALL_TRUNCATE,
    MM_MAP_COUNT,
    MM_NEXT_IDENTITY,
    VMA_BACKING,
    VMA_IDENTITY,
    State,
)
from rfcsim.race.explorer import explore, look_at, start, step_from
from rfcsim.race.layout import (
    ACTOR_SIZE,
    EXHAUSTED,
    N_STATE_CLAIMS,
    OP_BACKING,
    OP_CALL,
    OP_PAGES,
    OP_START,
    POLICY_ANY,
    SEARCH_HEAD,
    SEARCH_LOCK_FREE,
    SEARCH_MOVES,
    SEARCH_POLICY,
    SEARCH_REDUCE,
    SEARCH_SIZE,
    SEARCH_STATES,
    SEARCH_STATUS,
    SEARCHING,
    UNCACHED,
    Search,
)
from rfcsim.race.packing import (
    MOST_CALLS,
    MOST_IDENTITIES,
    MOST_PAGES,
    MOST_TASKS,
    MOST_VMAS,
    words_needed,
)
from rfcsim.race.visited import refill

LOCK_FREE = (CALL_TOUCH, CALL_TRUNCATE)  # calls that see or change pages without mmap_sem
FAR_REACHING = (CALL_MREMAP, CALL_FORK, CALL_KILL)  # calls that reach beyond their range
FIRST_ROOM = 1 << 12
STATES_A_CHUNK = 200_000  # between two of them a search can be interrupted
GIB = 1 << 30


class ExplorerError(ValueError):
    """The explorer cannot take this on, or cannot finish it; one line."""


class Problem(NamedTuple):
    """What to explore: an address space, and tasks with their calls.

    state : State, at the start; its arrays are copied
    calls : int64[calls, OP_SIZE]
    first_op : int64[tasks + 1], task t makes the calls [first_op[t], first_op[t + 1])
    """

    state: State
    calls: np.ndarray
    first_op: np.ndarray


class Leg(NamedTuple):
    """A stretch of a schedule: so many steps of one task."""

    task: int
    steps: int


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
        return int(self.search.search[SEARCH_STATES])

    @property
    def moves(self) -> int:
        """Moves taken, to new states and to old ones."""
        return int(self.search.search[SEARCH_MOVES])

    def terminal(self) -> np.ndarray:
        """Numbers of the states in which every call has returned, the nearest first."""
        return np.flatnonzero(self.search.terminal[: self.states])

    def violation(self, claim: int) -> int | None:
        """The first state that violates a claim (CLAIM_*), or None if it holds."""
        number = int(self.search.violated[claim])
        return None if number < 0 else number

    def look_at(self, number: int) -> State:
        """The model's arrays in a state; they are overwritten by the next look."""
        look_at(self.search, number)
        return self.search.state

    def results(self, number: int) -> list[int]:
        """What each call has returned in a state, in the order of the rows of calls."""
        look_at(self.search, number)
        return [int(value) for value in self.search.results]

    def path(self, number: int) -> list[Leg]:
        """A shortest schedule that leads to a state."""
        numbers = []
        links = self.search.links
        while number > 0:
            numbers.append((int(links[number]) >> 8, int(links[number]) & 255))
            number = numbers[-1][0]
        legs: list[Leg] = []
        for before, task in reversed(numbers):
            steps = int(step_from(self.search, before, task))
            if legs and legs[-1].task == task:
                legs[-1] = Leg(task, legs[-1].steps + steps)
            else:
                legs.append(Leg(task, steps))
        return legs


def search_all(
    problem: Problem,
    *,
    policy: int = POLICY_ANY,
    reduce: bool = True,
    most_gib: float = 4.0,
    progress: Callable[[int], None] | None = None,
) -> Exploration:
    """Find every state that a problem can reach.

    Parameters
    ----------
    problem : Problem
    policy : int
        POLICY_ANY: any waiter that the holders allow is granted next, which covers every policy.
        POLICY_FIFO: the hand-over of 2.6.36 alone.
    reduce : bool
        Take steps that commute with everybody else's together; the verdicts are the same.
    most_gib : float
        Memory that the states may take.
    progress : callable, optional
        Told now and then how many states have been found.

    Raises
    ------
    ExplorerError
        If the problem does not fit the packing, if a page would have to come from the disk, or
        if the memory does not suffice; then the message says how far the search came.
    """
    search = new_search(problem, policy, reduce)
    began = time.perf_counter()
    start(search)
    while explore(search, STATES_A_CHUNK) == SEARCHING:
        count = int(search.search[SEARCH_STATES])
        if progress is not None:
            progress(count)
        if count + len(search.actors) >= len(search.keys):
            search = _grow(search, most_gib)
    if search.search[SEARCH_STATUS] == UNCACHED:
        raise ExplorerError(
            "regions: a call needs a file page that is not in the page cache; "
            "must be cached, since the explorer has no disk"
        )
    assert search.search[SEARCH_STATUS] == EXHAUSTED
    return Exploration(problem, search, time.perf_counter() - began)


def replay(problem: Problem, legs: Sequence[Leg], policy: int = POLICY_ANY) -> Iterator[Search]:
    """Take a schedule step by step; the working state is first the start, then after each step.

    Raises
    ------
    ExplorerError
        If a task cannot make the step that the schedule gives it.
    """
    search = new_search(problem, policy, reduce=False)
    start(search)
    yield search
    for leg in legs:
        for step in range(leg.steps):
            if leg.task >= len(search.actors) or step_from(search, 0, leg.task) == 0:
                raise ExplorerError(
                    f"schedule: task {leg.task} cannot make step {step + 1} of {leg.steps}"
                )
            search.keys[0] = search.keys[1]
            yield search


def new_search(problem: Problem, policy: int, reduce: bool) -> Search:
    """The arrays of a search that has not begun.

    Raises
    ------
    ExplorerError
        If the problem does not fit the packing.
    """
    state, calls, first_op = problem.state, problem.calls, problem.first_op
    tasks = len(first_op) - 1
    identities = int(state.mm[MM_NEXT_IDENTITY]) + len(calls) - 1
    for what, number, most in (
        ("pages", len(state.pages), MOST_PAGES),
        ("tasks", tasks, MOST_TASKS),
        ("calls", len(calls), MOST_CALLS),
        ("VMAs", len(state.vmas), MOST_VMAS),
        ("mappings, with those that calls make", identities, MOST_IDENTITIES),
    ):
        if number > most:
            raise ExplorerError(f"{number} {what}: must be {most} or fewer to be explored")
    words = words_needed(len(state.pages), len(state.vmas), tasks, len(calls))
    control = np.zeros(SEARCH_SIZE, np.int64)
    control[SEARCH_POLICY] = policy
    # A signal can come between any two steps, so with one no two of them can be taken together.
    control[SEARCH_REDUCE] = reduce and not (calls[:, OP_CALL] == CALL_KILL).any()
    control[SEARCH_LOCK_FREE] = np.isin(calls[:, OP_CALL], LOCK_FREE).any()
    return Search(
        state=State(*(array.copy() for array in state)),
        actors=np.column_stack([first_op[:-1], np.zeros((tasks, ACTOR_SIZE - 1), np.int64)]),
        results=np.zeros(len(calls), np.int64),
        calls=np.ascontiguousarray(calls, np.int64),
        first_op=np.ascontiguousarray(first_op, np.int64),
        free_identity=np.array([state.mm[MM_NEXT_IDENTITY]], np.int64),
        backings=_backings(state, calls),
        alone=_alone(calls),
        keys=np.zeros((FIRST_ROOM, words), np.uint64),
        links=np.zeros(FIRST_ROOM, np.int64),
        table=np.zeros(2 * FIRST_ROOM, np.int64),
        violated=np.full(N_STATE_CLAIMS, -1, np.int64),
        terminal=np.zeros(FIRST_ROOM, np.uint8),
        search=control,
    )


def _backings(state: State, calls: np.ndarray) -> np.ndarray:
    """What is behind each mapping, those of the start and those that calls make."""
    backings = np.zeros(MOST_IDENTITIES + 1, np.int64)
    vmas = state.vmas[: state.mm[MM_MAP_COUNT]]
    backings[vmas[:, VMA_IDENTITY]] = vmas[:, VMA_BACKING]
    maps = np.flatnonzero(calls[:, OP_CALL] == CALL_MMAP)
    backings[state.mm[MM_NEXT_IDENTITY] + maps] = calls[maps, OP_BACKING]
    return backings


def _alone(calls: np.ndarray) -> np.ndarray:
    """Which calls have no page in common with any other call of the scenario."""
    starts = calls[:, OP_START]
    ends = starts + calls[:, OP_PAGES]
    meets = (starts[:, None] < ends[None, :]) & (starts[None, :] < ends[:, None])
    meets |= np.isin(calls[:, OP_CALL], FAR_REACHING)[None, :]
    np.fill_diagonal(meets, False)
    return np.where(meets.any(axis=1), 0, 1)


def _grow(search: Search, most_gib: float) -> Search:
    """The same search with room for twice as many states."""
    count, room = int(search.search[SEARCH_STATES]), 2 * len(search.keys)
    row_bytes = search.keys.itemsize * search.keys.shape[1] + search.links.itemsize + 1
    needed = room * (row_bytes + 2 * search.table.itemsize)
    expanded = int(search.search[SEARCH_HEAD])
    if needed > most_gib * GIB:
        raise ExplorerError(
            f"memory: {count:,} states found, {expanded:,} of them expanded, "
            f"when {most_gib:g} GiB were full; must be given more, or be a smaller scenario"
        )
    keys = np.zeros((room, search.keys.shape[1]), np.uint64)
    keys[:count] = search.keys[:count]
    links = np.zeros(room, np.int64)
    links[:count] = search.links[:count]
    terminal = np.zeros(room, np.uint8)
    terminal[:count] = search.terminal[:count]
    table = np.zeros(2 * room, np.int64)
    refill(keys, count, table)
    return search._replace(keys=keys, links=links, terminal=terminal, table=table)

"""What is to be explored, the arrays for it, and their room."""

from typing import NamedTuple

import numpy as np

from rfcsim.model.layout import mm, operation, reach
from rfcsim.model.state import State
from rfcsim.race import remembered, rows
from rfcsim.race.arrays import Reached, Search
from rfcsim.race.explore import STATES_A_BATCH
from rfcsim.race.layout import actor, claim, control, search_status
from rfcsim.race.parts import OWN_RESULTS, new_working_state

MOST_PAGES = 1024  # of which there is a byte in every common part
MOST_TASKS = 26  # a schedule names them by letters
MOST_STATES = 2**32 - 2  # a slot of a table has 32 bits for a number + 1
GIB = 1 << 30


class CheckerError(ValueError):
    """The checker cannot take this on, or cannot finish it; one line."""


class Problem(NamedTuple):
    """What to explore: an address space, and tasks with their calls.

    state : State, at the start; its arrays are copied
    calls : int64[calls, operation.SIZE]
    first_op : int64[tasks + 1], task t makes the calls [first_op[t], first_op[t + 1])
    """

    state: State
    calls: np.ndarray
    first_op: np.ndarray


def new_search(
    problem: Problem,
    *,
    policy: int,
    reduce: bool,
    remember: bool = True,
    whole_calls: bool = False,
) -> Search:
    """The arrays of a search that has not begun; `search_all` says what the parameters are.

    Raises
    ------
    CheckerError
        If the problem is too large.
    """
    state, calls, first_op = problem.state, problem.calls, problem.first_op
    tasks = len(first_op) - 1
    refuse_large(len(state.pages), tasks)
    scalars = np.zeros(control.SIZE, np.int64)
    scalars[control.POLICY] = policy
    # A signal can come between any two steps, so with one no two of them can be taken together.
    signals = _are(calls, reach.TASKS).any()
    scalars[control.REDUCE] = reduce and not signals and not whole_calls
    scalars[control.WHOLE_CALLS] = whole_calls
    scalars[control.LOCK_FREE] = _are(calls, reach.UNLOCKED).any()
    scalars[control.REMEMBER] = remember
    working, common = new_working_state(state)
    own = np.zeros(OWN_RESULTS + np.diff(first_op).max(), np.int64)
    states = rows.new_rows(1 + tasks, np.uint32)
    moves = STATES_A_BATCH * tasks
    return Search(
        state=working,
        common=common,
        actors=np.column_stack([first_op[:-1], np.zeros((tasks, actor.SIZE - 1), np.int64)]),
        results=np.zeros(len(calls), np.int64),
        own=own,
        calls=np.ascontiguousarray(calls, np.int64),
        first_op=np.ascontiguousarray(first_op, np.int64),
        free_identity=np.array([state.mm[mm.NEXT_IDENTITY]], np.int64),
        alone=_alone(calls),
        states=states,
        parents=np.zeros(len(states.rows), np.uint32),
        common_parts=rows.new_rows(len(common), np.int64),
        task_parts=rows.new_rows(len(own), np.int64),
        remembered=remembered.new_remembered(),
        reached=Reached(
            rows=np.zeros((moves, 1 + tasks), np.uint32),
            hashes=np.zeros(moves, np.uint64),
            origins=np.zeros(moves, np.uint32),
        ),
        violated=np.full(claim.COUNT, -1, np.int64),
        control=scalars,
    )


def refuse_large(pages: int, tasks: int) -> None:
    """Raise CheckerError if there are too many pages or tasks."""
    for what, number, most in (("pages", pages, MOST_PAGES), ("tasks", tasks, MOST_TASKS)):
        if number > most:
            raise CheckerError(f"{number} {what}: must be {most} or fewer to be explored")


def _are(calls: np.ndarray, bit: int) -> np.ndarray:
    """Which calls reach so far, by `rfcsim.model.layout.reach`."""
    return np.isin(calls[:, operation.CALL], reach.calls_that(bit))


def _alone(calls: np.ndarray) -> np.ndarray:
    """Which calls have no page in common with any other call of the scenario."""
    starts = calls[:, operation.START]
    ends = starts + calls[:, operation.PAGES]
    meets = (starts[:, None] < ends[None, :]) & (starts[None, :] < ends[:, None])
    meets |= _are(calls, reach.BEYOND)[None, :]
    np.fill_diagonal(meets, False)
    return np.where(meets.any(axis=1), 0, 1)


def make_room(search: Search, most_gib: float) -> None:
    """Let everything grow that has no room for another batch of states.

    Raises
    ------
    CheckerError
        If that takes more memory than is allowed; the message says how far the search came.
    """
    tasks = len(search.actors)
    moves = STATES_A_BATCH * tasks
    sets = (
        (search.states, moves),
        (search.common_parts, moves),
        (search.task_parts, moves * tasks),
    )
    sizes = [rows.bytes_for(row_set, more) for row_set, more in sets]
    sizes.append(remembered.bytes_for(search.remembered, moves))
    room, _ = rows.size_for(search.states, moves)
    taken = room * search.parents.itemsize + sum(size for size, _ in sizes)
    needed = taken + max(copied for _, copied in sizes)  # they grow one after another
    if needed > most_gib * GIB or room > MOST_STATES:
        raise CheckerError(
            f"memory: {search.states.count[0]:,} states found, "
            f"{search.control[control.HEAD]:,} of them expanded, "
            f"when {most_gib:g} GiB were full; must be given more, or be a smaller scenario"
        )
    try:
        for row_set, more in sets:
            rows.grow(row_set, more)
        search.parents.resize(room, refcheck=False)
        remembered.grow(search.remembered, moves)
    except MemoryError:
        raise CheckerError(
            f"memory: {search.states.count[0]:,} states found when this machine had no more of it"
        ) from None


def refuse_uncached(search: Search) -> None:
    """Raise CheckerError if a call wanted a page from the disk."""
    if search.control[control.STATUS] == search_status.UNCACHED:
        raise CheckerError(
            "regions: a call needs a file page that is not in the page cache; "
            "must be cached, since the checker has no disk"
        )

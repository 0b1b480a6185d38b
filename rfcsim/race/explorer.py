"""Breadth-first over all orders of moves, so that what is found first is found by fewest moves."""

from rfcsim._jit import inner, njit
from rfcsim.race.claims import check_state, check_terminal
from rfcsim.race.layout import (
    CLAIM_PROGRESS,
    EXHAUSTED,
    SEARCH_HEAD,
    SEARCH_MOVES,
    SEARCH_STATES,
    SEARCH_STATUS,
    SEARCH_TERMINAL,
    SEARCHING,
)
from rfcsim.race.moves import enter, is_done, may_move, move
from rfcsim.race.packing import pack, unpack
from rfcsim.race.visited import find_or_add


@njit
def start(search):
    """Enter every task's first call and make that the first state."""
    for task in range(search.actors.shape[0]):
        enter(search, task)
    pack(search, search.keys[0])
    find_or_add(search, 0)
    check_state(search, 0)


@njit
def explore(search, most_states):
    """Expand states until all are done, or `most_states` more have been.

    Parameters
    ----------
    search : Search
        Changed in place. It needs room for one state more than each task can add: see below.
    most_states : int
        States to expand before returning.

    Returns
    -------
    int
        EXHAUSTED; UNCACHED; or SEARCHING: call again. If then SEARCH_STATES + tasks is not below
        the room of `keys`, there must be more room first.
    """
    control, keys = search.search, search.keys
    tasks = search.actors.shape[0]
    for _ in range(most_states):
        head, count = control[SEARCH_HEAD], control[SEARCH_STATES]
        if control[SEARCH_STATUS] != SEARCHING:
            break
        if head == count:
            control[SEARCH_STATUS] = EXHAUSTED
            break
        if count + tasks >= keys.shape[0]:
            break
        _expand(search, head)
        control[SEARCH_HEAD] = head + 1
    return control[SEARCH_STATUS]


@inner
def _expand(search, number):
    """Take every move from a state."""
    control, keys = search.search, search.keys
    tasks = search.actors.shape[0]
    moved, done = 0, 0
    for task in range(tasks):
        unpack(search, keys[number])
        if is_done(search, task):
            done += 1
        elif may_move(search, task):
            move(search, task)
            moved += 1
            pack(search, keys[control[SEARCH_STATES]])
            other, new = find_or_add(search, 256 * number + task)
            if new:
                check_state(search, other)
    control[SEARCH_MOVES] += moved
    if done == tasks:
        unpack(search, keys[number])
        control[SEARCH_TERMINAL] += 1
        search.terminal[number] = 1
        check_terminal(search, number)
    elif moved == 0 and search.violated[CLAIM_PROGRESS] < 0:
        search.violated[CLAIM_PROGRESS] = number


@njit
def step_from(search, number, task):
    """Let a task move from a state; how many steps it makes, 0 if it cannot.

    The working state is then the one that it moves to, and its key stands behind the last one.
    """
    unpack(search, search.keys[number])
    if not may_move(search, task):
        return 0
    steps = move(search, task)
    pack(search, search.keys[search.search[SEARCH_STATES]])
    return steps


@njit
def pack_working(search):
    """Write the key of the working state into the row behind the last state."""
    pack(search, search.keys[search.search[SEARCH_STATES]])


@njit
def look_at(search, number):
    """Make a state the working state."""
    unpack(search, search.keys[number])

"""Breadth-first over all orders of moves, so that what is found first is found by fewest moves.

What a move becomes is decided by the common part of the state and the mover's own part, except for
what `_find_out` names. So a move is made once for all states that differ in other tasks only, and
is remembered as the numbers of the two parts after it.

Source: S. Blom, J. van de Pol, M. Weber, LTSmin: Distributed and Symbolic Reachability, 2010,
where this is called transition caching.
"""

import numpy as np

from rfcsim._jit import inner, njit
from rfcsim.race.claims import check_state, check_terminal
from rfcsim.race.layout import actor, claim, control, search_status
from rfcsim.race.moves import enter, is_done, may_move, move, sees_other_tasks
from rfcsim.race.parts import pack, unpack
from rfcsim.race.remembered import UNKNOWN, can_remember, recall, remember
from rfcsim.race.rows import (
    copy_row,
    find_or_add,
    has_room,
    hash_of,
    prefetch_row,
    prefetch_slot,
    same,
)

# States that are expanded before what they lead to is looked up: enough for many of the accesses
# to memory to be under way at once, few enough for what is looked up to stay in the cache.
STATES_A_BATCH = 16

# What a move becomes: 2^32 x the number of the mover's part + that of the common part, or
IS_DONE = -2  # there is none, the task has made all its calls
IS_STUCK = -3  # there is none, the task waits


@njit
def start(search):
    """Enter every task's first call and make that the first state."""
    for task in range(search.actors.shape[0]):
        enter(search, task)
    keep(search)
    _check_new_part(search, 0)


@njit
def explore(search, most_states):
    """Expand states until all are done, or until `most_states` or a few more have been expanded.

    Parameters
    ----------
    search : Search
        Changed in place.
    most_states : int
        States to expand before returning.

    Returns
    -------
    int
        search_status.*: EXHAUSTED, UNCACHED, or SEARCHING: call again, after making room for a
        batch if there is none.
    """
    states = search.states
    stop = search.control[control.HEAD] + most_states
    while (
        search.control[control.STATUS] == search_status.SEARCHING
        and search.control[control.HEAD] < stop
    ):
        if not _has_room_for_batch(search):
            break
        head = search.control[control.HEAD]
        end = min(head + STATES_A_BATCH, states.count[0])
        reached = 0
        for number in range(head, end):
            reached = _expand(search, number, reached)
        _keep_reached(search, reached)
        search.control[control.HEAD] = end
        search.control[control.MOVES] += reached
        if search.control[control.STATUS] == search_status.SEARCHING and end == states.count[0]:
            search.control[control.STATUS] = search_status.EXHAUSTED
    return search.control[control.STATUS]


@inner
def _has_room_for_batch(search):
    tasks = search.actors.shape[0]
    moves = STATES_A_BATCH * tasks
    return (
        has_room(search.states, moves)
        and has_room(search.common_parts, moves)
        and has_room(search.task_parts, moves * tasks)
        and can_remember(search.remembered, moves)
    )


@inner
def _expand(search, number, reached):
    """Take every move from a state; returns how many rows of the batch are `reached` afterwards."""
    row = search.states.rows[number]
    tasks = search.actors.shape[0]
    before, done = reached, 0
    for task in range(tasks):
        after = search.reached.rows[reached]
        became = _recall(search, row, task, after)
        if became == UNKNOWN:
            became = _find_out(search, row, task, after)
        if became == IS_DONE:
            done += 1
        elif became != IS_STUCK:
            search.reached.origins[reached] = number
            reached += 1
    if done == tasks:
        unpack(search, row)
        check_terminal(search, number)
    elif reached == before and search.violated[claim.PROGRESS] < 0:
        search.violated[claim.PROGRESS] = number
    return reached


@inner
def _recall(search, row, task, after):
    """What a move becomes, if it is remembered, and the state behind it in `after`."""
    became = recall(search.remembered, _key(row, task))
    if became >= 0:
        copy_row(row, after)
        after[0] = became & 0xFFFFFFFF
        after[1 + task] = became >> 32
    return became


@inner
def _find_out(search, row, task, after):
    """Make a move: what it becomes, and the state behind it in `after`.

    It is not remembered if it changed other tasks, or may have looked at them.
    """
    unpack(search, row)
    sees_others = sees_other_tasks(search, task)
    if is_done(search, task):
        became = IS_DONE
    elif _move(search, task) == 0:
        became = IS_STUCK
    else:
        copy_row(row, after)
        pack(search, after)
        became = np.int64(after[1 + task]) << 32 | np.int64(after[0])
        for other in range(search.actors.shape[0]):
            if other != task and after[1 + other] != row[1 + other]:
                return became
    if search.control[control.REMEMBER] != 0 and not sees_others:
        remember(search.remembered, _key(row, task), became)
    return became


@inner
def _key(row, task):
    """The parts that decide a move as one number, not 0."""
    return (np.int64(row[1 + task]) << 32 | np.int64(row[0])) + 1


@inner
def _keep_reached(search, reached):
    """Find what a batch has reached among the states, or add it; in order."""
    states, hashes = search.states, search.reached.hashes
    for n in range(reached):
        hashes[n] = hash_of(search.reached.rows[n])
        prefetch_slot(states, hashes[n])
    for n in range(reached):
        prefetch_row(states, hashes[n])
    for n in range(reached):
        number, new = find_or_add(states, search.reached.rows[n], hashes[n])
        if new:
            search.parents[number] = search.reached.origins[n]
            _check_new_part(search, number)


@inner
def _check_new_part(search, number):
    """Check the claims about a new state if it is the first with its common part.

    They are about nothing else, and common parts are first seen in the order of their numbers.
    """
    if search.states.rows[number, 0] == search.control[control.CHECKED]:
        unpack(search, search.states.rows[number])
        check_state(search, number)
        search.control[control.CHECKED] += 1


@njit
def look_at(search, number):
    """Make a state the working state."""
    unpack(search, search.states.rows[number])


@njit
def keep(search):
    """Find the working state among the states, or add it.

    Returns
    -------
    (int, bool)
        Its number, and whether it is new.
    """
    row = search.reached.rows[0]
    pack(search, row)
    return find_or_add(search.states, row, hash_of(row))


@njit
def take(search, task):
    """Let a task move in the working state; how many steps it makes, 0 if it cannot."""
    return _move(search, task)


@inner
def _move(search, task):
    """One move, or all of one call with control.WHOLE_CALLS; steps made, 0 if it cannot be."""
    op, steps = search.actors[task, actor.OP], 0
    while may_move(search, task):
        steps += move(search, task)
        if (
            search.control[control.WHOLE_CALLS] == 0
            or search.actors[task, actor.OP] != op
            or search.control[control.STATUS] == search_status.UNCACHED
        ):
            return steps
    return 0


@njit
def find_move(search, before, after):
    """The task whose move leads from one state to another, and the steps of that move."""
    rows, row = search.states.rows, search.reached.rows[0]
    for task in range(search.actors.shape[0]):
        unpack(search, rows[before])
        steps = _move(search, task)
        if steps > 0:
            pack(search, row)
            if same(row, rows[after]):
                return task, steps
    return -1, 0

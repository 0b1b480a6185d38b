"""The arrays of the explorer, beside those of the model.

A state of the exploration is a row of numbers, those of its parts: see :mod:`rfcsim.race.parts`.
"""

from typing import NamedTuple

import numpy as np

from rfcsim.model.layout import State
from rfcsim.race.remembered import Remembered
from rfcsim.race.rows import RowSet

# --- calls: one row a call, those of a task one after another ---------------------------------
OP_CALL = 0  # CALL_* of the model
OP_START = 1  # first page
OP_PAGES = 2  # pages
OP_ARG = 3  # as `rfcsim.model.step.begin` wants it ...
OP_BACKING = 4  # ... and this
OP_SIZE = 5

# --- actors: what the explorer knows of a task beyond its registers ------------------------------
ACTOR_OP = 0  # row of calls that it is in; the end of its rows once it is done
ACTOR_WAITS = 1  # mode of mmap_sem that it waits for, or UNLOCKED
ACTOR_SIZE = 2

# --- search: scalars of one exploration -------------------------------------------------------
SEARCH_POLICY = 0  # POLICY_*
SEARCH_REDUCE = 1  # 1: steps that commute with everybody else's are taken together
SEARCH_LOCK_FREE = 2  # 1: some call looks at pages, or changes them, without mmap_sem
SEARCH_REMEMBER = 3  # 1: a move is made once for all states that differ in other tasks only
SEARCH_WHOLE_CALLS = 4  # 1: a move is a whole call, made alone
SEARCH_HEAD = 5  # next state to expand; those before it are done
SEARCH_MOVES = 6  # moves taken, to new states and to old
SEARCH_CHECKED = 7  # common parts that the claims have been checked about
SEARCH_STATUS = 8  # SEARCHING, ...
SEARCH_SIZE = 9

POLICY_ANY = 0  # any waiter that the holders allow may be granted next: sound for all policies
POLICY_FIFO = 1  # 2.6.36's hand-over, and nothing else

SEARCHING = 0  # call explore() again, with more room if something is full
EXHAUSTED = 1  # every reachable state has been expanded
UNCACHED = 2  # a call wants a page from the disk, which the explorer does not model

# --- claims that are checked state by state; their bits -------------------------------------------
CLAIM_MLOCKED = 0  # no page is mlocked outside a VM_LOCKED VMA
CLAIM_CHARGED = 1  # the pages of VM_LOCKED VMAs add up to locked_vm
CLAIM_COMPLETE = 2  # mlock returned 0 and nobody interfered: all is present and mlocked
CLAIM_PROGRESS = 3  # nobody waits for ever
N_STATE_CLAIMS = 4


class Reached(NamedTuple):
    """What the moves of a few states lead to, before it is looked up among the states.

    rows : uint32[most, 1 + tasks], as those of the states
    hashes : uint64[most], of the rows
    origins : uint32[most], number of the state that the move starts from
    """

    rows: np.ndarray
    hashes: np.ndarray
    origins: np.ndarray


class Search(NamedTuple):
    """An exploration: what it works on, what it has found, and where it stands.

    state : State, working arrays for one state at a time
    common : int64[words], what in `state` the tasks have in common, array after array
    actors : int64[tasks, ACTOR_SIZE], working likewise
    results : int64[calls], likewise: what each call returned, 0 before it did
    own : int64[columns], scratch: the part of one task
    calls : int64[calls, OP_SIZE]
    first_op : int64[tasks + 1], the rows of calls of task t are [first_op[t], first_op[t + 1])
    free_identity : int64[1], identities from here on are those of calls that map
    alone : int64[calls], 1 if no other call has a page in common with this one
    states : RowSet of uint32[1 + tasks], in the order in which they were found
    parents : uint32[room], the state that each was first reached from
    common_parts : RowSet of int64[words]
    task_parts : RowSet of int64[columns]
    remembered : Remembered, from a move to what becomes of its parts
    reached : Reached
    violated : int64[N_STATE_CLAIMS], the first state that violates each claim, or -1
    search : int64[SEARCH_SIZE]
    """

    state: State
    common: np.ndarray
    actors: np.ndarray
    results: np.ndarray
    own: np.ndarray
    calls: np.ndarray
    first_op: np.ndarray
    free_identity: np.ndarray
    alone: np.ndarray
    states: RowSet
    parents: np.ndarray
    common_parts: RowSet
    task_parts: RowSet
    remembered: Remembered
    reached: Reached
    violated: np.ndarray
    search: np.ndarray

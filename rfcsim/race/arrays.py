"""The arrays of an exploration, in one record.

A state of the exploration is a row with the numbers of its parts: see :mod:`rfcsim.race.parts`.
"""

from typing import NamedTuple

import numpy as np

from rfcsim.model.state import State
from rfcsim.race.remembered import Remembered
from rfcsim.race.rows import RowSet


class Reached(NamedTuple):
    """What the moves of a few states lead to, before it is looked up among the states.

    rows : uint32[most, 1 + tasks], like those of the states
    hashes : uint64[most], of the rows
    origins : uint32[most], the number of the state that each move starts from
    """

    rows: np.ndarray
    hashes: np.ndarray
    origins: np.ndarray


class Search(NamedTuple):
    """An exploration: what it works on, what it has found, and where it stands.

    state : State, working arrays: one state at a time is looked at in them
    common : int64[words], what the tasks have in common in `state`, array after array
    actors : int64[tasks, actor.SIZE], working too
    results : int64[calls], working too: what each call has returned, 0 until then
    own : int64[columns], scratch: the part of one task
    calls : int64[calls, operation.SIZE]
    first_op : int64[tasks + 1], the rows of calls of task t are [first_op[t], first_op[t + 1])
    free_identity : int64[1], identities from here on belong to calls that map
    alone : int64[calls], 1 if no other call has a page in common with this one
    states : RowSet of uint32[1 + tasks], in the order in which they were found
    parents : uint32[room], the state that each was first reached from
    common_parts : RowSet of int64[words], the different common parts
    task_parts : RowSet of int64[columns], the different parts of tasks
    remembered : Remembered, from a move to what becomes of its parts
    reached : Reached, what the moves of the latest states lead to
    violated : int64[claim.COUNT], the first state that violates each claim, or -1
    control : int64[control.SIZE], scalars
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
    control: np.ndarray

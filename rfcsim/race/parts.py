"""States as rows of the numbers of their parts, and back.

A state has a common part, which is the address space and the lock with its queue, and a part for
each task, which is its registers and the results of its calls. There are many states and few
different parts. So each part is kept once, word for word, and a state is the number of its common
part and those of its tasks' parts. A field or register that the model gains is in the parts by
itself.

Two states are one if every order of moves from here on has the same outcome. So whatever no move
can see any more is first made the same: by `_settle`, and when a task comes to rest.

Source: G. J. Holzmann, State compression in SPIN, 1997, where this is called collapse.
"""

import numpy as np

from rfcsim._jit import inner
from rfcsim.model.layout import mm, reg, sem, vma
from rfcsim.model.state import State
from rfcsim.race.arrays import Search
from rfcsim.race.layout import actor
from rfcsim.race.rows import find_or_add, hash_of, same

WORD_BYTES = 8
NOT_COMMON = ("tasks", "granted")  # arrays of a state: each task's own, and scratch of a step

# --- a task's part: its number + 1, since no part may be all zeros, then what is its own ---------
OWN_REGISTERS = 1
OWN_ACTOR = OWN_REGISTERS + reg.SIZE
OWN_RESULTS = OWN_ACTOR + actor.SIZE  # one per call, with room for the task that has most calls


def new_working_state(state: State) -> tuple[State, np.ndarray]:
    """A copy of a state, and the one array (int64[words]) in which its common arrays lie."""
    arrays = state._asdict()
    words = {
        name: -(-array.nbytes // WORD_BYTES)
        for name, array in arrays.items()
        if name not in NOT_COMMON
    }
    common = np.zeros(sum(words.values()), np.int64)
    first = 0
    for name, array in arrays.items():
        arrays[name] = array.copy()
        if name in words:
            room = common[first : first + words[name]].view(array.dtype)
            arrays[name] = room[: array.size].reshape(array.shape)
            arrays[name][:] = array
            first += words[name]
    return State(**arrays), common


def done_parts(search: Search) -> np.ndarray:
    """For each row of `task_parts`, whether its task has made all its calls: bool[parts]."""
    parts = search.task_parts.rows[: search.task_parts.count[0]]
    return parts[:, OWN_ACTOR + actor.OP] == search.first_op[parts[:, 0]]


@inner
def pack(search, row):
    """Write the working state into `row`, which holds the numbers of a state much like it."""
    _settle(search)
    row[0], _ = find_or_add(search.common_parts, search.common, hash_of(search.common))
    own = search.own
    for task in range(search.actors.shape[0]):
        _gather(search, task, own)
        if not same(own, search.task_parts.rows[row[1 + task]]):
            row[1 + task], _ = find_or_add(search.task_parts, own, hash_of(own))


@inner
def unpack(search, row):
    """Make the state of a row the working state."""
    common = search.common_parts.rows[row[0]]
    for word in range(common.size):
        search.common[word] = common[word]
    for task in range(search.actors.shape[0]):
        _scatter(search, task, search.task_parts.rows[row[1 + task]])


@inner
def _settle(search):
    """Give one value to everything in the working state that cannot matter any more."""
    state = search.state
    queue, vmas = state.queue, state.vmas
    state.mm[mm.NEXT_IDENTITY] = 0  # set again for each step
    for row in range(state.mm[mm.MAP_COUNT]):
        vmas[row, vma.READ_POSITION] = 0  # for readahead, and there is no disk
        vmas[row, vma.READ_MISSES] = 0
    while state.sem[sem.HEAD] > 0:  # the queue is a ring: turn it until its head is in front
        first = queue[0]
        for place in range(1, queue.size):
            queue[place - 1] = queue[place]
        queue[queue.size - 1] = first
        state.sem[sem.HEAD] -= 1
    for place in range(state.sem[sem.WAITERS], queue.size):
        queue[place] = 0


@inner
def _gather(search, task, own):
    """Write the part of a task in the working state."""
    own[0] = task + 1
    for register in range(reg.SIZE):
        own[OWN_REGISTERS + register] = search.state.tasks[task, register]
    for known in range(actor.SIZE):
        own[OWN_ACTOR + known] = search.actors[task, known]
    own[OWN_RESULTS:] = 0
    first = search.first_op[task]
    for op in range(first, search.first_op[task + 1]):
        own[OWN_RESULTS + op - first] = search.results[op]


@inner
def _scatter(search, task, own):
    """Read the part of a task into the working state."""
    for register in range(reg.SIZE):
        search.state.tasks[task, register] = own[OWN_REGISTERS + register]
    for known in range(actor.SIZE):
        search.actors[task, known] = own[OWN_ACTOR + known]
    first = search.first_op[task]
    for op in range(first, search.first_op[task + 1]):
        search.results[op] = own[OWN_RESULTS + op - first]

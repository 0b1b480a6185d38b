"""Packing a state into words and back: what the visited set compares.

Two states are one if every order of moves from here on has the same outcome: so the words hold
the address space, the lock with its queue, where each task is, and what its calls returned, but
not what is the same in all states (arguments, limits), nor what a call no longer needs.

====== ============================================================================
words  content, from the lowest bit
====== ============================================================================
1      mmap_sem: readers 4, writer 4, waiters 4, the queue from its head 5 each
1      locked_vm 10, total_vm 10, map count 6, default flags 15
tasks  call 6, step 6, next page 7, stop 7, held 2, waits for 2, value 11, looked up 7,
       killed 1, part 6
calls  what calls returned that are not their task's last, 11 bits each, 5 a word
pages  the bytes of the pages, 8 a word
VMAs   start 6, end 6, flags 15, identity 5: two a word; the identity tells the backing
====== ============================================================================
"""

import numpy as np

from rfcsim._jit import inner
from rfcsim.model.layout import (
    CALL_NONE,
    MM_DEF_FLAGS,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_TOTAL_VM,
    REG_ARG,
    REG_BACKING,
    REG_CALL,
    REG_END,
    REG_HELD,
    REG_KILLED,
    REG_LOOKED_UP,
    REG_NEXT,
    REG_PART,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    SEM_HEAD,
    SEM_READERS,
    SEM_WAITERS,
    SEM_WRITER,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_IDENTITY,
    VMA_START,
)
from rfcsim.race.layout import (
    ACTOR_OP,
    ACTOR_WAITS,
    OP_ARG,
    OP_BACKING,
    OP_CALL,
    OP_PAGES,
    OP_START,
)

MOST_PAGES = 62
MOST_TASKS = 8
MOST_CALLS = 15
MOST_VMAS = 62
MOST_IDENTITIES = 31
FLAGS = 32767  # every VM_*
LOWEST_VALUE = -1024  # of what a call returns; the highest is 1023
RESULTS_A_WORD = 5


def words_needed(pages: int, vma_capacity: int, tasks: int, calls: int) -> int:
    """Words of a packed state."""
    return 2 + tasks + -(-calls // RESULTS_A_WORD) + -(-pages // 8) + -(-vma_capacity // 2)


@inner
def pack(search, key):
    """Write the working state into `key`, uint64[words]."""
    state = search.state
    sem, mm, pages, vmas = state.sem, state.mm, state.pages, state.vmas
    tasks, calls = search.actors.shape[0], search.calls.shape[0]

    lock = sem[SEM_READERS] | sem[SEM_WRITER] << 4 | sem[SEM_WAITERS] << 8
    place = sem[SEM_HEAD]
    for waiter in range(sem[SEM_WAITERS]):
        lock |= state.queue[place] << (12 + 5 * waiter)
        place += 1
        if place == tasks:
            place = 0
    key[0] = lock
    key[1] = (
        mm[MM_LOCKED_VM] | mm[MM_TOTAL_VM] << 10 | mm[MM_MAP_COUNT] << 20 | mm[MM_DEF_FLAGS] << 26
    )
    word = 2
    for task in range(tasks):
        key[word] = _task_word(state.tasks[task], search.actors[task])
        word += 1
    for first in range(0, calls, RESULTS_A_WORD):
        results = 0
        for i in range(min(RESULTS_A_WORD, calls - first)):
            results |= (search.results[first + i] - LOWEST_VALUE) << (11 * i)
        key[word] = results
        word += 1
    for first in range(0, pages.size, 8):
        bits = 0
        for i in range(min(8, pages.size - first)):
            bits |= np.int64(pages[first + i]) << (8 * i)
        key[word] = np.uint64(bits)
        word += 1
    for row in range(0, vmas.shape[0], 2):
        pair = 0
        for i in range(min(2, vmas.shape[0] - row)):
            if row + i < mm[MM_MAP_COUNT]:
                pair |= _vma_bits(vmas[row + i]) << (32 * i)
        key[word] = np.uint64(pair)
        word += 1


@inner
def _task_word(regs, actor):
    return (
        actor[ACTOR_OP]
        | regs[REG_STEP] << 6
        | regs[REG_NEXT] << 12
        | regs[REG_STOP] << 19
        | regs[REG_HELD] << 26
        | actor[ACTOR_WAITS] << 28
        | (regs[REG_RETURN] - LOWEST_VALUE) << 30
        | (regs[REG_LOOKED_UP] + 1) << 41
        | regs[REG_KILLED] << 48
        | regs[REG_PART] << 49
    )


@inner
def _vma_bits(vma):
    return vma[VMA_START] | vma[VMA_END] << 6 | vma[VMA_FLAGS] << 12 | vma[VMA_IDENTITY] << 27


@inner
def unpack(search, key):
    """Make `key` the working state."""
    state = search.state
    sem, mm, pages, vmas = state.sem, state.mm, state.pages, state.vmas
    tasks, calls = search.actors.shape[0], search.calls.shape[0]

    lock = np.int64(key[0])
    sem[SEM_READERS] = lock & 15
    sem[SEM_WRITER] = lock >> 4 & 15
    sem[SEM_WAITERS] = lock >> 8 & 15
    sem[SEM_HEAD] = 0
    for waiter in range(sem[SEM_WAITERS]):
        state.queue[waiter] = lock >> (12 + 5 * waiter) & 31
    sizes = np.int64(key[1])
    mm[MM_LOCKED_VM] = sizes & 1023
    mm[MM_TOTAL_VM] = sizes >> 10 & 1023
    mm[MM_MAP_COUNT] = sizes >> 20 & 63
    mm[MM_DEF_FLAGS] = sizes >> 26 & FLAGS
    word = 2
    for task in range(tasks):
        _load_task(search, task, np.int64(key[word]))
        word += 1
    for first in range(0, calls, RESULTS_A_WORD):
        results = np.int64(key[word])
        for i in range(min(RESULTS_A_WORD, calls - first)):
            search.results[first + i] = (results >> (11 * i) & 2047) + LOWEST_VALUE
        word += 1
    for first in range(0, pages.size, 8):
        bits = key[word]
        for i in range(min(8, pages.size - first)):
            pages[first + i] = np.uint8(bits >> np.uint64(8 * i) & np.uint64(255))
        word += 1
    for row in range(0, vmas.shape[0], 2):
        pair = key[word]
        for i in range(min(2, vmas.shape[0] - row)):
            bits = np.int64(pair >> np.uint64(32 * i) & np.uint64(0xFFFFFFFF))
            _load_vma(vmas[row + i], bits, search.backings)
        word += 1


@inner
def _load_task(search, task, bits):
    regs, actor = search.state.tasks[task], search.actors[task]
    op = bits & 63
    actor[ACTOR_OP] = op
    regs[REG_STEP] = bits >> 6 & 63
    regs[REG_NEXT] = bits >> 12 & 127
    regs[REG_STOP] = bits >> 19 & 127
    regs[REG_HELD] = bits >> 26 & 3
    actor[ACTOR_WAITS] = bits >> 28 & 3
    regs[REG_RETURN] = (bits >> 30 & 2047) + LOWEST_VALUE
    regs[REG_LOOKED_UP] = (bits >> 41 & 127) - 1
    regs[REG_KILLED] = bits >> 48 & 1
    regs[REG_PART] = bits >> 49 & 63
    if op < search.first_op[task + 1]:
        call = search.calls[op]
        regs[REG_CALL] = call[OP_CALL]
        regs[REG_START] = call[OP_START]
        regs[REG_END] = call[OP_START] + call[OP_PAGES]
        regs[REG_ARG] = call[OP_ARG]
        regs[REG_BACKING] = call[OP_BACKING]
    else:
        regs[REG_CALL] = CALL_NONE


@inner
def _load_vma(vma, bits, backings):
    identity = bits >> 27 & 31
    vma[VMA_START] = bits & 63
    vma[VMA_END] = bits >> 6 & 63
    vma[VMA_FLAGS] = bits >> 12 & FLAGS
    vma[VMA_BACKING] = backings[identity]
    vma[VMA_IDENTITY] = identity

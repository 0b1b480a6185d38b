"""Lock policies: how a kernel grants `mmap_sem`.

A policy is a sum of rules, in `state.mm[mm.LOCK_POLICY]`. BY_NAME has the names that a scenario may
give. The times below belong to the rules that hand off and that spin.
"""

from rfcsim.model.layout.complete import bits_of

WAKES_WRITERS = 1  # a release only wakes a writer at the front, who must run and win
WRITERS_STEAL = 2  # a writer takes a free lock though others wait
WAKES_ALL_READERS = 4  # readers are granted the lock wherever they stand in the queue
HANDS_OFF = 8  # a first waiter that has waited long enough keeps everybody from stealing
SPINS = 16  # a writer spins for a while on a lock that readers hold
READERS_STEAL = 32  # a reader takes a lock that nobody holds though others wait
READERS_JOIN = 64  # a reader takes a lock that it may share though others wait
READERS_FIRST = 128  # a release prefers readers to writers
WRITERS_FIRST = 256  # a release prefers writers to readers
ALTERNATES = 512  # a release prefers readers after a writer, and a writer after readers

BITS = bits_of(vars())

_SINCE_5_3 = WAKES_WRITERS | WRITERS_STEAL | WAKES_ALL_READERS | HANDS_OFF
BY_NAME = {
    "fifo": 0,  # to 3.8: hand-over
    "writer-stealing": WAKES_WRITERS | WRITERS_STEAL,  # 3.9
    "hand-off": _SINCE_5_3 | SPINS,  # 5.3
    "reader-stealing": _SINCE_5_3 | SPINS | READERS_STEAL,  # 5.11
    "reader-preference": READERS_JOIN | READERS_FIRST | WAKES_ALL_READERS,
    "writer-preference": WRITERS_FIRST | WAKES_ALL_READERS,
    "phase-fair": ALTERNATES | WAKES_ALL_READERS,
}

# Times, in nanoseconds, since 5.3 (kernel/locking/rwsem.c, to 6.19).
HAND_OFF_NS = 4_000_000  # RWSEM_WAIT_TIMEOUT: when a first waiter is overdue; in ticks, rounded up
SPIN_NS = 10_000  # how long a writer spins (rwsem_rspin_threshold) on a lock that readers hold,
SPIN_READER_NS = 500  # plus this for each reader,
SPIN_MOST_READERS = 30  # of whom at most this many count

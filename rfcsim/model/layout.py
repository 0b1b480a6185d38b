"""The one vocabulary of the model: what each column of each array means.

Every array of the model is described here and nowhere else; jitted functions index with these
constants. Memory is counted in page numbers, never byte addresses: one page is 4 KiB.
"""

from typing import NamedTuple

import numpy as np

# --- errno, negative as the kernel returns them (include/asm-generic/errno-base.h) ---------
EPERM = -1
EINTR = -4
EAGAIN = -11
ENOMEM = -12
EFAULT = -14
EINVAL = -22
ERESTARTSYS = -512  # include/linux/errno.h; user space never sees it

# --- mm: one process' address space and the kernel that serves it -----------------------------
MM_LOCKED_VM = 0  # pages charged to RLIMIT_MEMLOCK (mm->locked_vm)
MM_TOTAL_VM = 1  # pages mapped (mm->total_vm)
MM_MAP_COUNT = 2  # rows of vmas in use (mm->map_count)
MM_MAX_MAP_COUNT = 3  # sysctl vm.max_map_count
MM_LOCK_LIMIT = 4  # RLIMIT_MEMLOCK in pages; -1 is RLIM_INFINITY
MM_CAP_IPC_LOCK = 5  # 1: the process may exceed the limit
MM_NEXT_IDENTITY = 6  # identity that the next mmap() receives
MM_DESIGN = 7  # DESIGN_*, a sum of RULE_*: how this kernel populates
MM_BATCH_PAGES = 8  # pages per shared hold under RULE_BATCHES
MM_READAHEAD_PAGES = 9  # file->f_ra.ra_pages; 32 pages = 128 KiB in 2.6.36
MM_DEF_FLAGS = 10  # VM_LOCKED after mlockall(MCL_FUTURE), else 0 (mm->def_flags)
MM_MUTANT = 11  # MUTANT_*: a deliberate mistake in the patch, for positive controls; else 0
MM_LOCK_POLICY = 12  # LOCK_*: how mmap_sem is granted
MM_SIZE = 13

# Each mistake stands in rfcsim.model.calls.mlock or second_pass where the guard is that it removes; but
# for the last, which is a design of its own.
MUTANT_NO_RECHECK = 1  # a batch does not look whether the VMA is still VM_LOCKED
MUTANT_CHECK_BEFORE_LOCK = 2  # ... or looks before it takes the lock
MUTANT_FIRST_PASS_SHARED = 3  # the first pass takes the lock shared
MUTANT_NO_CLIP = 4  # a batch is not cut at the end of its VMA
MUTANT_MARKS_STAY = 5  # munlock clears VM_LOCKED and leaves the pages mlocked
MUTANT_MUNLOCK_SHARED = 6  # munlock takes the lock shared
MUTANT_UNCHARGED = 7  # the first pass does not charge locked_vm
MUTANT_SKIPS_A_PAGE = 8  # the second pass goes on one page too far
MUTANT_IGNORES_ERROR = 9  # the second pass does not return its error
MUTANT_KEEPS_LOCK = 10  # a batch that has nothing to do does not give the lock back
MUTANT_DOWNGRADES = 11  # each VMA is populated under a downgraded lock, as in 2.6.28
MUTANT_NAMES = (
    "none",
    "no-recheck",
    "check-before-lock",
    "first-pass-shared",
    "no-clip",
    "marks-stay",
    "munlock-shared",
    "uncharged",
    "skips-a-page",
    "ignores-error",
    "keeps-lock",
    "downgrades",
)

# --- designs: what kernels differ in, as rules that add up --------------------------------------
RULE_SECOND_PASS = 1  # mlock sets flags under the exclusive lock, then populates under the shared
RULE_BATCHES = 2  # ... which it gives up after MM_BATCH_PAGES, and wherever a VMA ends
RULE_CONTENDED = 4  # ... and after a page if somebody waits for it
RULE_DISK = 8  # ... and before it sleeps for the disk
RULE_ANY_VMA = 16  # ... in VMAs too that are no longer VM_LOCKED
RULE_HIDES_ERRORS = 32  # ... of which mlockall does not tell
RULE_MAP_AFTERWARDS = 64  # mmap, brk, mremap, remap_file_pages populate in such a pass too
RULE_DOWNGRADES = 128  # mlock populates each VMA with the lock downgraded, then takes it anew
RULE_WALKS_PRESENT = 256  # the first pass marks each page that is present
RULE_FAULT_RETRY = 512  # a page fault gives the lock up, once, before it sleeps for the disk
RULE_VMA_LOCK = 1024  # a page fault takes the lock of its VMA, and mmap_sem only if it must
RULE_UNMAP_DOWNGRADES = 2048  # munmap visits the pages, once out of their VMAs, downgraded (4.20)

DESIGN_EXCLUSIVE = 0  # 2.6.36: flags and pages under one exclusive hold
DESIGN_DOWNGRADE = RULE_DOWNGRADES  # 2.6.28, reverted in 2.6.29-rc4
DESIGN_BATCHED = RULE_SECOND_PASS | RULE_BATCHES  # the RFC, November 2010
# Its second version, December 2010, on top of 2.6.37.
DESIGN_CONTENDED = RULE_SECOND_PASS | RULE_CONTENDED | RULE_DISK | RULE_ANY_VMA | RULE_FAULT_RETRY
# 2.6.38: what was merged.
DESIGN_FAULT_RETRY = (
    RULE_SECOND_PASS | RULE_DISK | RULE_ANY_VMA | RULE_HIDES_ERRORS | RULE_FAULT_RETRY
)
DESIGN_MM_POPULATE = DESIGN_FAULT_RETRY | RULE_MAP_AFTERWARDS  # 3.9
DESIGN_VMA_LOCK = (  # 4.20, 5.18, 6.4
    DESIGN_MM_POPULATE | RULE_UNMAP_DOWNGRADES | RULE_WALKS_PRESENT | RULE_VMA_LOCK
)
DESIGNS = {
    "downgrade": DESIGN_DOWNGRADE,
    "exclusive": DESIGN_EXCLUSIVE,
    "batched": DESIGN_BATCHED,
    "contended": DESIGN_CONTENDED,
    "fault-retry": DESIGN_FAULT_RETRY,
    "mm-populate": DESIGN_MM_POPULATE,
    "vma-lock": DESIGN_VMA_LOCK,
}

# --- vmas: one row a VMA, sorted by start, rows [0, MM_MAP_COUNT) in use ----------------------
VMA_START = 0  # first page
VMA_END = 1  # one past the last page
VMA_FLAGS = 2  # VM_*
VMA_BACKING = 3  # BACKING_*
VMA_IDENTITY = 4  # which mmap() made it: tells a range mapped anew from the old one
VMA_READ_POSITION = 5  # last file page faulted here (file_ra_state.prev_pos)
VMA_READ_MISSES = 6  # net page-cache misses (file_ra_state.mmap_miss)
VMA_SIZE = 7

VM_READ = 1
VM_WRITE = 2
VM_EXEC = 4
VM_GROWSDOWN = 8
VM_LOCKED = 16
VM_IO = 32
VM_PFNMAP = 64
VM_DONTEXPAND = 128
VM_RESERVED = 256
VM_HUGETLB = 512
VM_GATE = 1024  # stands for "vma == get_gate_vma(current)"
VM_SEQ_READ = 2048
VM_RAND_READ = 4096
VM_LOCKONFAULT = 8192  # VM_LOCKED, but nothing is populated for it
VM_NONLINEAR = 16384  # remap_file_pages has put pages out of the file's order

# Arguments beside VM_*, with the values of include/asm-generic/mman.h.
MAP_POPULATE = 32768  # mmap: make the pages present
MAP_NONBLOCK = 65536  # remap_file_pages: do not
MLOCK_ONFAULT = 1  # mlock2: only set the flags
MCL_CURRENT = 1  # mlockall: lock what is mapped
MCL_FUTURE = 2  # mlockall: lock what will be mapped

# Where mremap may put a mapping, in place of the page of MREMAP_FIXED.
MREMAP_MAYMOVE = -1  # wherever there is room, if it cannot grow where it is
MREMAP_IN_PLACE = -2  # nowhere else

BACKING_ANON = 0
BACKING_FILE = 1

# --- pages: one byte a page of address space --------------------------------------------------
PAGE_PRESENT = 1  # a page-table entry maps it
PAGE_MLOCKED = 2  # PG_mlocked
PAGE_ZERO = 4  # the entry maps the shared zero page, which has no mapping
PAGE_CACHED = 8  # the file page behind this address is in the page cache, up to date
PAGE_READING = 16  # ... is being read from the disk
PAGE_MARKED = 32  # PG_readahead: reaching it starts the next window
PAGE_PAST_EOF = 64  # the file ends before this page: a fault gets SIGBUS
PAGE_COW = 128  # an anonymous page shared with a child: a write copies it first
ALL_BITS = 255  # ALL_BITS ^ x clears x: a byte has no negative numbers, which ~x is in Python

# --- sem: mmap_sem, with its queue in a ring --------------------------------------------------
SEM_READERS = 0  # shared holders
SEM_WRITER = 1  # the exclusive holder's task + 1, or 0
SEM_HEAD = 2  # index in queue of the first waiter
SEM_WAITERS = 3  # waiters
SEM_HAND_OFF = 4  # 1: the first waiter is a writer that has waited long: nobody takes it before
SEM_SPINNER = 5  # task + 1 of the writer that spins for it, or 0
SEM_TIRED = 6  # 1: a writer spun in vain since the last exclusive hold, so no other does
SEM_SIZE = 7
# An entry of queue is 2 * task + (mode == EXCLUSIVE).

# --- lock policies: what kernels differ in, as rules that add up in MM_LOCK_POLICY ----------------
LOCK_WAKES_WRITERS = 1  # a release only wakes a writer at the front, who must run and win
LOCK_WRITERS_STEAL = 2  # a writer takes a free lock whoever waits
LOCK_WAKES_ALL_READERS = 4  # readers are granted wherever in the queue they stand
LOCK_HANDS_OFF = 8  # a first waiter that has waited long enough keeps everybody from stealing
LOCK_SPINS = 16  # a writer spins for a while on a lock that readers hold
LOCK_READERS_STEAL = 32  # a reader takes a lock that nobody holds whoever waits
LOCK_READERS_JOIN = 64  # a reader never waits for a waiter
LOCK_READERS_FIRST = 128  # a release prefers readers to writers
LOCK_WRITERS_FIRST = 256  # ... writers to readers
LOCK_ALTERNATES = 512  # ... after a writer readers, after readers a writer

_SINCE_5_3 = LOCK_WAKES_WRITERS | LOCK_WRITERS_STEAL | LOCK_WAKES_ALL_READERS | LOCK_HANDS_OFF
LOCK_POLICIES = {
    "fifo": 0,  # to 3.8: hand-over
    "writer-stealing": LOCK_WAKES_WRITERS | LOCK_WRITERS_STEAL,  # 3.9
    "hand-off": _SINCE_5_3 | LOCK_SPINS,  # 5.3
    "reader-stealing": _SINCE_5_3 | LOCK_SPINS | LOCK_READERS_STEAL,  # 5.11
    "reader-preference": LOCK_READERS_JOIN | LOCK_READERS_FIRST | LOCK_WAKES_ALL_READERS,
    "writer-preference": LOCK_WRITERS_FIRST | LOCK_WAKES_ALL_READERS,
    "phase-fair": LOCK_ALTERNATES | LOCK_WAKES_ALL_READERS,
}

UNLOCKED = 0
SHARED = 1
EXCLUSIVE = 2

# --- tasks: one row of registers a task -------------------------------------------------------
REG_CALL = 0  # CALL_*; CALL_NONE between calls
REG_STEP = 1  # where in the call: the step that runs next
REG_START = 2  # argument: first page
REG_END = 3  # argument: one past the last page
REG_ARG = 4  # argument: VM_*, MAP_*, write access, lock mode, MLOCK_*, MCL_*, task, mremap's pages
REG_BACKING = 5  # argument of mmap: BACKING_*; of hold: nanoseconds; of mremap: new first page
REG_NEXT = 6  # next page to visit
REG_STOP = 7  # one past the last page of this VMA or batch
REG_HELD = 8  # UNLOCKED, SHARED or EXCLUSIVE
REG_RETURN = 9  # value that the call will return
REG_LOOKED_UP = 10  # the file page that this fault has looked up in the page cache, or -1
REG_KILLED = 11  # 1: a fatal signal is pending; outlives the call
REG_PART = 12  # first page of the part of its range that a downgraded mlock populates
REG_MARKS = 12  # the same register, of remap_file_pages: 1 if what it populates is mlocked
REG_PAGE = 12  # ... of get_user_pages: the page that it is at
REG_SIZE = 13

CALL_NONE = 0
CALL_MLOCK = 1
CALL_MUNLOCK = 2
CALL_MMAP = 3
CALL_MUNMAP = 4
CALL_TOUCH = 5
CALL_READ_MAPS = 6
CALL_HOLD = 7
CALL_MPROTECT = 8
CALL_MREMAP = 9
CALL_MLOCKALL = 10
CALL_MUNLOCKALL = 11
CALL_TRUNCATE = 12
CALL_KILL = 13
CALL_FORK = 14
CALL_BRK = 15
CALL_POPULATE = 16
CALL_REMAP_FILE_PAGES = 17
CALL_GET_USER_PAGES = 18
N_CALLS = 19
CALL_NAMES = (
    "none",
    "mlock",
    "munlock",
    "mmap",
    "munmap",
    "touch",
    "read_maps",
    "hold",
    "mprotect",
    "mremap",
    "mlockall",
    "munlockall",
    "truncate",
    "kill",
    "fork",
    "brk",
    "populate",
    "remap_file_pages",
    "get_user_pages",
)

# --- effects: what a step asks of the world ---------------------------------------------------
EFFECT_CPU = 0  # use the CPU: (work class, units)
EFFECT_DOWN = 1  # take mmap_sem: (mode, 0); the next step runs once it is held
EFFECT_UP = 2  # release mmap_sem: (mode, 0)
EFFECT_SUBMIT = 3  # submit a disk read and go on: (first page, pages)
EFFECT_WAIT_PAGE = 4  # sleep until the read that covers the page is done: (page, 0)
EFFECT_DONE = 5  # the call returns: (value, 0)
EFFECT_DOWNGRADE = 6  # turn the exclusive hold of mmap_sem into a shared one: (SHARED, 0)

# --- work: classes of CPU work; a cost table gives nanoseconds a unit -------------------------
WORK_NS = 0  # one unit is one nanosecond, by definition
WORK_SYSCALL = 1  # entry and exit of a system call, or of an exception
WORK_DRAIN_ALL = 2  # lru_add_drain_all(): a visit to every CPU
WORK_VMA_VISIT = 3  # look at one VMA
WORK_VMA_CHANGE = 4  # insert, remove, split or merge one VMA
WORK_MLOCK_ANON = 5  # mlock makes one absent anonymous page present
WORK_MLOCK_ZERO = 6  # ... maps the zero page (no write permission)
WORK_MLOCK_FILE = 7  # ... maps one page of the page cache
WORK_MLOCK_PRESENT = 8  # ... meets a page that is present
WORK_MUNLOCK_PAGE = 9  # munlock visits one page of the range
WORK_UNMAP_PAGE = 10  # munmap visits one page of the range
WORK_FAULT_ANON = 11  # a user access faults in an anonymous page
WORK_FAULT_ZERO = 12  # ... the zero page
WORK_FAULT_FILE = 13  # ... a page of the page cache
WORK_TOUCH = 14  # a user access that needs no fault
WORK_MAPS_VMA = 15  # /proc/PID/maps prints one VMA
N_WORK = 16
WORK_NAMES = (
    "ns",
    "syscall",
    "drain_all",
    "vma_visit",
    "vma_change",
    "mlock_anon",
    "mlock_zero",
    "mlock_file",
    "mlock_present",
    "munlock_page",
    "unmap_page",
    "fault_anon",
    "fault_zero",
    "fault_file",
    "touch",
    "maps_vma",
)


class State(NamedTuple):
    """Everything a step function may read or write.

    mm : int64[MM_SIZE]
    vmas : int64[capacity, VMA_SIZE]
    pages : uint8[pages]
    sem : int64[SEM_SIZE]
    queue : int64[tasks], a ring
    granted : int64[tasks], scratch: who the latest release granted, in queue order
    tasks : int64[tasks, REG_SIZE]
    """

    mm: np.ndarray
    vmas: np.ndarray
    pages: np.ndarray
    sem: np.ndarray
    queue: np.ndarray
    granted: np.ndarray
    tasks: np.ndarray

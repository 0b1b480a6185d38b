"""The one vocabulary of the model: what each column of each array means.

Every array of the model is described here and nowhere else; jitted functions index with these
constants. Memory is counted in page numbers, never byte addresses: one page is 4 KiB.
"""

from typing import NamedTuple

import numpy as np

# --- errno, negative as the kernel returns them (include/asm-generic/errno-base.h) ---------
EPERM = -1
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
MM_DESIGN = 7  # DESIGN_*: how this kernel's mlock() populates
MM_BATCH_PAGES = 8  # pages per shared hold under DESIGN_BATCHED
MM_READAHEAD_PAGES = 9  # file->f_ra.ra_pages; 32 pages = 128 KiB in 2.6.36
MM_DEF_FLAGS = 10  # VM_LOCKED after mlockall(MCL_FUTURE), else 0 (mm->def_flags)
MM_MUTANT = 11  # MUTANT_*: a deliberate mistake in the patch, for positive controls; else 0
MM_SIZE = 12

# Each mistake stands in rfcsim.model.mlock where the guard is that it removes.
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
)

DESIGN_EXCLUSIVE = 0  # 2.6.36: flags and pages under one exclusive hold
DESIGN_BATCHED = 1  # the RFC: flags first, then pages n at a time under shared holds

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

# Arguments beside VM_*, with the values of include/asm-generic/mman.h.
MAP_POPULATE = 32768  # mmap: make the pages present
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
SEM_SIZE = 4
# An entry of queue is 2 * task + (mode == EXCLUSIVE).

UNLOCKED = 0
SHARED = 1
EXCLUSIVE = 2

# --- tasks: one row of registers a task -------------------------------------------------------
REG_CALL = 0  # CALL_*; CALL_NONE between calls
REG_STEP = 1  # where in the call: the step that runs next
REG_START = 2  # argument: first page
REG_END = 3  # argument: one past the last page
REG_ARG = 4  # argument: VM_* flags, write access, lock mode, MCL_*, task, or mremap's pages
REG_BACKING = 5  # argument of mmap: BACKING_*; of hold: nanoseconds; of mremap: new first page
REG_NEXT = 6  # next page to visit
REG_STOP = 7  # one past the last page of this VMA or batch
REG_HELD = 8  # UNLOCKED, SHARED or EXCLUSIVE
REG_RETURN = 9  # value that the call will return
REG_LOOKED_UP = 10  # the file page that this fault has looked up in the page cache, or -1
REG_KILLED = 11  # 1: a fatal signal is pending; outlives the call
REG_SIZE = 12

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
N_CALLS = 16
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
)

# --- effects: what a step asks of the world ---------------------------------------------------
EFFECT_CPU = 0  # use the CPU: (work class, units)
EFFECT_DOWN = 1  # take mmap_sem: (mode, 0); the next step runs once it is held
EFFECT_UP = 2  # release mmap_sem: (mode, 0)
EFFECT_SUBMIT = 3  # submit a disk read and go on: (first page, pages)
EFFECT_WAIT_PAGE = 4  # sleep until the read that covers the page is done: (page, 0)
EFFECT_DONE = 5  # the call returns: (value, 0)

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

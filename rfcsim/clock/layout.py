"""The arrays of the clock, beside those of the model: one table for all of them.

Times are int64 nanoseconds of virtual time; a task is its row number everywhere.
"""

from typing import NamedTuple

import numpy as np

from rfcsim.model.layout import N_WORK, State

# --- distributions of think times, start delays and hold times --------------------------------
CONSTANT = 0
EXPONENTIAL = 1
UNIFORM = 2  # on [0, 2 x mean]
DISTRIBUTION_NAMES = ("constant", "exponential", "uniform")

# --- programs: one row a call that a task makes -----------------------------------------------
OP_CALL = 0  # CALL_* of the model
OP_START = 1  # first page
OP_PAGES = 2  # pages
OP_ARG = 3  # as `rfcsim.model.step.begin` wants it, ...
OP_BACKING = 4  # ... and this, but for hold, whose nanoseconds are drawn
OP_PICK = 5  # touch: PICK_*
OP_WORK_KIND = 6  # hold: distribution of its length ...
OP_WORK_NS = 7  # ... and its mean
OP_THINK_KIND = 8  # distribution of the time before this call ...
OP_THINK_NS = 9  # ... and its mean
OP_PIECE_PAGES = 10  # the call is made for so many pages at a time; 0: for all at once ...
OP_PAUSE_NS = 11  # ... and this long after the one before
OP_SIZE = 12

PICK_FIXED = 0  # the first page
PICK_RANDOM = 1  # a page of the range at random
PICK_SEQUENTIAL = 2  # the next page of the range, round and round

# --- threads: what each task is told to do ----------------------------------------------------
T_FIRST_OP = 0  # its rows of programs are [T_FIRST_OP, T_FIRST_OP + T_OPS)
T_OPS = 1
T_REPEATS = 2  # times through the rows; 0 is for ever
T_START_KIND = 3  # distribution of the delay before the first call ...
T_START_NS = 4  # ... and its mean
T_CPU = 5  # the one CPU that it may use, or -1
T_CLASS = 6  # class of task, for the recorders
T_REALTIME = 7  # 1: runs before all tasks that are not, and takes its CPU from them
T_SIZE = 8

# --- costs: nanoseconds a unit of each class of work, then the rest of a cost table ----------
COST_LOCK = N_WORK  # one mmap_sem operation that does not wait
COST_WAKE_UP = N_WORK + 1  # from being granted or woken to being runnable
COST_SWITCH = N_WORK + 2  # a CPU changes from one task to another
COST_TIMESLICE = N_WORK + 3  # how long a task keeps its CPU while others are ready
COST_DISK_REQUEST = N_WORK + 4  # each read
COST_DISK_SEEK = N_WORK + 5  # ... that does not continue the one before it
COST_DISK_PAGE = N_WORK + 6  # ... and for each page of it
COST_DISK_DEPTH = N_WORK + 7  # reads served at a time (a count, not a time)
COST_TICK = N_WORK + 8  # 1 / HZ: lock time-outs are counted in whole ticks
N_COSTS = N_WORK + 9

# --- clock: scalars of one run ----------------------------------------------------------------
CLOCK_NOW = 0
CLOCK_END = 1  # no call begins at or after it; 0: when the finite tasks are done
CLOCK_SEED = 2
CLOCK_REPLICATION = 3
CLOCK_FINITE = 4  # tasks with finite repeats that have not finished
CLOCK_UNFINISHED = 5  # tasks that have not finished
CLOCK_READY = 6  # tasks in the run queue
CLOCK_TICKET = 7  # next number in the run queue
CLOCK_JUMP = 8  # 1: pages of one hold in one jump; 0: one event a page
CLOCK_EVENTS = 9  # stretches of time that began: steps that took time, timers, disk reads
CLOCK_TRACED = 10  # events offered to the trace, also those that it had no room for
CLOCK_DISK_HEAD = 11  # page after the last page of the read that started last; -1 at first
CLOCK_DISK_FIRST = 12  # ring of queued reads: index of the first
CLOCK_DISK_QUEUED = 13  # ... and how many
CLOCK_IDLE_CPUS = 14
CLOCK_STATUS = 15  # RUNNING, ...
CLOCK_PREEMPTS = 16  # 1: a task that is woken takes its CPU from the task that runs there
CLOCK_SIZE = 17

RUNNING = 0  # call run() again
FINISHED = 1  # every task has finished
STUCK = 2  # tasks wait, and nothing will ever wake them
ENDLESS = 3  # a task makes call after call and no time passes
DISK_FULL = 4  # more reads are queued than there is room for
NO_ROOM = 5  # the rows of the run do not fit: see rfcsim.clock.replications

# --- schedule: where each task is -------------------------------------------------------------
S_PHASE = 0  # PHASE_*
S_CPU = 1  # the CPU that it owns, or -1
S_TICKET = 2  # its number in the run queue
S_SLICE_END = 3  # when its time slice is over
S_OP = 4  # row of programs that it runs or will run next
S_ROUND = 5  # times it has been through its program
S_DRAWS = 6  # random draws taken
S_CALL_BEGAN = 7  # when its call began
S_WAIT_BEGAN = 8  # when it asked for mmap_sem; -1: it did not have to wait
S_HOLD_BEGAN = 9  # when mmap_sem was granted to it
S_WAIT_PAGE = 10  # the page that it sleeps for, or -1
S_LAST_CLASS = 11  # work class of its last step, the guess for a jump
S_LAST_RETURN = 12  # what its latest call returned
S_CALLS = 13  # calls done
S_PIECE = 14  # pages of its call that pieces have done
S_ROUND_BEGAN = 15  # when the first call of this time through its program began
S_SIZE = 16

PHASE_THINKING = 0
PHASE_WAKING = 1
PHASE_READY = 2
PHASE_RUNNING = 3
PHASE_BLOCKED = 4
PHASE_FINISHED = 5

# --- cpus -------------------------------------------------------------------------------------
CPU_TASK = 0  # the task that owns it, or -1
CPU_LAST_TASK = 1  # the task that owned it last, or -1
CPU_SIZE = 2

# --- disk: rows [0, depth) are slots in service, the rest a ring of queued reads ------------------
DISK_FIRST_PAGE = 0  # -1: the slot is idle
DISK_PAGES = 1
DISK_SIZE = 2

# --- recorders, by class of task --------------------------------------------------------------
REC_WAIT_SHARED = 0
REC_WAIT_EXCLUSIVE = 1
REC_HOLD_SHARED = 2
REC_HOLD_EXCLUSIVE = 3
REC_CALL = 4
REC_ROUND = 5  # once through a task's program, from its first call's beginning to its last's end
N_RECORDS = 6
RECORD_NAMES = ("wait_shared", "wait_exclusive", "hold_shared", "hold_exclusive", "call", "round")

STAT_COUNT = 0
STAT_SUM = 1
STAT_MAX = 2
N_STATS = 3

CALL_COUNT = 0
CALL_FAILED = 1  # returned a negative value
CALL_SUM_NS = 2
CALL_MAX_NS = 3
N_CALL_STATS = 4

# --- rows of a run: one a class and record that has an entry, and one a class and call ---------
ROW_REPLICATION = 0
ROW_CLASS = 1
ROW_RECORD = 2  # REC_*
ROW_CALL = 3  # CALL_*; null: all of them together
ROW_COUNT = 4
ROW_WAITED = 5  # requests that were not granted at once; null but for waits
ROW_FAILED = 6  # calls that returned a negative value; null but for calls
ROW_QUANTILES = 7  # QUANTILES, in ns; null for a single call
ROW_MAX_NS = 10
ROW_TOTAL_NS = 11
ROW_ELAPSED_NS = 12  # virtual time at the end of the run
ROW_LISTED = 13  # buckets with an entry; none for a single call
ROW_SIZE = 14
ROW_NULL = -1
QUANTILES = (0.5, 0.99, 0.999)

ROWS_FILLED = 0  # how many rows there are ...
ROWS_LISTED = 1  # ... and how many buckets they list, one row's behind another's

# --- trace: one row an event ------------------------------------------------------------------
TRACE_TIME = 0
TRACE_EVENT = 1  # EV_*
TRACE_TASK = 2  # -1 for the disk
TRACE_A = 3
TRACE_B = 4
TRACE_SIZE = 5

EV_CALL_BEGIN = 0  # (call, 0)
EV_CALL_END = 1  # (call, value)
EV_RUN = 2  # (cpu, 0)
EV_STOP = 3  # (cpu, 0)
EV_START_LOCKING = 4  # (mode, 0)
EV_GRANTED = 5  # (mode, 0)
EV_ACQUIRE_RETURNED = 6  # (mode, 0)
EV_RELEASED = 7  # (mode, 0)
EV_DISK_START = 8  # (first page, pages)
EV_DISK_DONE = 9  # (first page, pages)
EV_WOKEN = 10  # (mode, 0): not granted the lock, but woken to try
EVENT_NAMES = (
    "call_begin",
    "call_end",
    "run",
    "stop",
    "start_locking",
    "granted",
    "acquire_returned",
    "released",
    "disk_start",
    "disk_done",
    "woken",
)


class Machine(NamedTuple):
    """A run of the clock: everything that it reads and writes, so that it can stop and go on.

    state : State, the model's arrays
    programs : int64[operations, OP_SIZE]
    threads : int64[tasks, T_SIZE]
    costs : int64[N_COSTS]
    clock : int64[CLOCK_SIZE]
    schedule : int64[tasks, S_SIZE]
    timers : int64[leaves], when each source of events has its next one
    winners : int64[2 * leaves], a winner tree: the source whose event is first below each node
    cpus : int64[cpus, CPU_SIZE]
    disk : int64[depth + queue capacity, DISK_SIZE]
    statistics : int64[classes, N_RECORDS, N_STATS]
    histograms : int64[classes, N_RECORDS, buckets]
    calls : int64[classes, N_CALLS, N_CALL_STATS]
    trace : int64[capacity, TRACE_SIZE]
    """

    state: State
    programs: np.ndarray
    threads: np.ndarray
    costs: np.ndarray
    clock: np.ndarray
    schedule: np.ndarray
    timers: np.ndarray
    winners: np.ndarray
    cpus: np.ndarray
    disk: np.ndarray
    statistics: np.ndarray
    histograms: np.ndarray
    calls: np.ndarray
    trace: np.ndarray

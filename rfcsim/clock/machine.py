"""Building a machine: the arrays of one run, ready to start."""

import numpy as np

from rfcsim._jit import njit
from rfcsim.clock.layout import (
    CLOCK_DISK_HEAD,
    CLOCK_END,
    CLOCK_FINITE,
    CLOCK_IDLE_CPUS,
    CLOCK_JUMP,
    CLOCK_PREEMPTS,
    CLOCK_REPLICATION,
    CLOCK_SEED,
    CLOCK_SIZE,
    CLOCK_UNFINISHED,
    COST_DISK_DEPTH,
    CPU_SIZE,
    DISK_FIRST_PAGE,
    DISK_SIZE,
    N_CALL_STATS,
    N_COSTS,
    N_RECORDS,
    N_STATS,
    OP_SIZE,
    S_CPU,
    S_DRAWS,
    S_LAST_CLASS,
    S_OP,
    S_SIZE,
    S_WAIT_BEGAN,
    S_WAIT_PAGE,
    T_CPU,
    T_FIRST_OP,
    T_OPS,
    T_REPEATS,
    T_SIZE,
    T_START_KIND,
    T_START_NS,
    TRACE_SIZE,
    Machine,
)
from rfcsim.clock.random import duration
from rfcsim.clock.timers import NEVER, set_timer
from rfcsim.histogram import N_BUCKETS
from rfcsim.model.layout import N_CALLS, State

READS_A_TASK = 64  # room in the disk's queue; a task has one or two reads under way as a rule


def build(
    state: State,
    programs: np.ndarray,
    threads: np.ndarray,
    costs: np.ndarray,
    *,
    cpus: int,
    classes: int,
    seed: int = 0,
    replication: int = 0,
    end_ns: int = 0,
    trace_capacity: int = 0,
    jump: bool = True,
    preempts: bool = False,
) -> Machine:
    """Set up a run: every task thinks until its start delay is over.

    Parameters
    ----------
    state : State
        Address space and lock at time 0; owned and changed by the machine from now on.
    programs : int64[operations, OP_SIZE]
    threads : int64[tasks, T_SIZE]
    costs : int64[N_COSTS]
        Nanoseconds, but for the disk's depth.
    cpus, classes : int
        CPUs of the machine; classes of task for the recorders.
    seed, replication : int
        What the random draws depend on, beside the task.
    end_ns : int
        No call begins at or after it; 0: none begins once all finite tasks are done.
    trace_capacity : int
        Events that the trace has room for; 0: no trace.
    jump : bool
        Whether pages of one hold go by in one jump. The results are the same.
    preempts : bool
        Whether a task that is woken takes its CPU from the task that runs there.

    Raises
    ------
    ValueError
        An array of the wrong shape, or a value that the engine cannot work with.
    """
    tasks = len(threads)
    for name, array, columns in (("programs", programs, OP_SIZE), ("threads", threads, T_SIZE)):
        if array.ndim != 2 or array.shape[1] != columns or len(array) == 0:
            raise ValueError(f"{name} has shape {array.shape}: must be (1 or more, {columns})")
    if costs.shape != (N_COSTS,) or (costs < 0).any() or costs[COST_DISK_DEPTH] < 1:
        raise ValueError(
            f"costs must be {N_COSTS} numbers of at least 0, with a depth of 1 or more"
        )
    if len(state.tasks) != tasks:
        raise ValueError(f"the state is for {len(state.tasks)} tasks, the threads are {tasks}")
    last_op = threads[:, T_FIRST_OP] + threads[:, T_OPS]
    if (threads[:, T_OPS] < 1).any() or (last_op > len(programs)).any():
        raise ValueError("a thread names operations that are not in programs")
    if cpus < 1 or threads[:, T_CPU].max() >= cpus:
        raise ValueError(f"{cpus} CPUs, and a thread is pinned to CPU {threads[:, T_CPU].max()}")

    depth = int(costs[COST_DISK_DEPTH])
    leaves = 1 << (depth + tasks - 1).bit_length()
    # Reads under way cover different pages, so there are never more reads than pages.
    reads = max(1, min(READS_A_TASK * (tasks + 1), state.pages.size))
    machine = Machine(
        state=state,
        programs=np.ascontiguousarray(programs, np.int64),
        threads=np.ascontiguousarray(threads, np.int64),
        costs=np.ascontiguousarray(costs, np.int64),
        clock=np.zeros(CLOCK_SIZE, np.int64),
        schedule=np.zeros((tasks, S_SIZE), np.int64),
        timers=np.full(leaves, NEVER, np.int64),
        winners=np.concatenate([np.zeros(leaves, np.int64), np.arange(leaves)]),
        cpus=np.full((cpus, CPU_SIZE), -1, np.int64),
        disk=np.full((depth + reads, DISK_SIZE), -1, np.int64),
        statistics=np.zeros((classes, N_RECORDS, N_STATS), np.int64),
        histograms=np.zeros((classes, N_RECORDS, N_BUCKETS), np.int64),
        calls=np.zeros((classes, N_CALLS, N_CALL_STATS), np.int64),
        trace=np.zeros((trace_capacity, TRACE_SIZE), np.int64),
    )
    for node in range(leaves - 1, 0, -1):
        machine.winners[node] = machine.winners[2 * node]
    clock, schedule = machine.clock, machine.schedule
    clock[CLOCK_END] = end_ns
    clock[CLOCK_FINITE] = np.count_nonzero(threads[:, T_REPEATS])
    clock[CLOCK_UNFINISHED] = tasks
    clock[CLOCK_JUMP] = jump
    clock[CLOCK_PREEMPTS] = preempts
    clock[CLOCK_DISK_HEAD] = -1
    clock[CLOCK_IDLE_CPUS] = cpus
    machine.disk[:, DISK_FIRST_PAGE] = -1
    for column in (S_CPU, S_WAIT_BEGAN, S_WAIT_PAGE, S_LAST_CLASS):
        schedule[:, column] = -1
    schedule[:, S_OP] = threads[:, T_FIRST_OP]
    start(machine, seed, replication)
    return machine


@njit
def start(machine, seed, replication):
    """Let a machine at time 0 make the random draws of that key from now on, its delays first."""
    clock, schedule, threads = machine.clock, machine.schedule, machine.threads
    clock[CLOCK_SEED] = seed
    clock[CLOCK_REPLICATION] = replication
    for task in range(threads.shape[0]):
        schedule[task, S_DRAWS] = 0
        kind, mean_ns = threads[task, T_START_KIND], threads[task, T_START_NS]
        delay = duration(clock, schedule, task, kind, mean_ns)
        source = machine.costs[COST_DISK_DEPTH] + task
        set_timer(machine.timers, machine.winners, source, delay)


def copy_of(machine: Machine) -> Machine:
    """A machine with arrays of its own, in the same state."""
    state = State(*(array.copy() for array in machine.state))
    return Machine(state, *(array.copy() for array in machine[1:]))

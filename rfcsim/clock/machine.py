"""A machine: the arrays of one run of the clock, and how to build them."""

from typing import NamedTuple

import numpy as np

from rfcsim._jit import njit
from rfcsim.clock.layout import clock, cost, disk, processor, sched, span, stat, tally, trace
from rfcsim.clock.random import duration
from rfcsim.clock.timers import NEVER, set_timer
from rfcsim.histogram import N_BUCKETS
from rfcsim.model.layout import call, operation, thread
from rfcsim.model.state import State

READS_A_TASK = 64  # room in the disk's queue; as a rule a task has one or two reads under way


class Machine(NamedTuple):
    """A run of the clock: everything that it reads and writes, so that it can stop and go on.

    state : State, the model's arrays
    programs : int64[operations, operation.SIZE], the calls of all tasks
    threads : int64[tasks, thread.SIZE], what each task is told to do
    costs : int64[cost.COUNT], what work takes
    clock : int64[clock.SIZE], the scalars of the run
    schedule : int64[tasks, sched.SIZE], where each task is
    timers : int64[leaves], when each source of events has its next one
    winners : int64[2 * leaves], a winner tree: the source whose event is first below each node
    cpus : int64[cpus, processor.SIZE], who owns each CPU
    disk : int64[depth + queue capacity, disk.SIZE], reads in service and queued
    statistics : int64[classes, span.KINDS, stat.SIZE], counts and sums of what was recorded
    histograms : int64[classes, span.KINDS, buckets], by the buckets of :mod:`rfcsim.histogram`
    calls : int64[classes, call.COUNT, tally.SIZE], counts and sums by call
    trace : int64[capacity, trace.SIZE], events in order of time
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
    programs : int64[operations, operation.SIZE]
    threads : int64[tasks, thread.SIZE]
    costs : int64[cost.COUNT]
        Nanoseconds, except for the disk's depth.
    cpus, classes : int
        CPUs of the machine; classes of task for the recorders.
    seed, replication : int
        What the random draws depend on, besides the task.
    end_ns : int
        No call begins at or after it; 0: none begins once all finite tasks are done.
    trace_capacity : int
        Events that the trace has room for; 0: no trace.
    jump : bool
        Whether pages of one hold go by in one jump. The results are the same.
    preempts : bool
        Whether a task that is woken takes its CPU from the task that runs there.

    Returns
    -------
    Machine
        At time 0, before its first event.

    Raises
    ------
    ValueError
        An array of the wrong shape, or a value that the engine cannot work with.
    """
    tasks = len(threads)
    for name, array, columns in (
        ("programs", programs, operation.SIZE),
        ("threads", threads, thread.SIZE),
    ):
        if array.ndim != 2 or array.shape[1] != columns or len(array) == 0:
            raise ValueError(f"{name} has shape {array.shape}: must be (1 or more, {columns})")
    if costs.shape != (cost.COUNT,) or (costs < 0).any() or costs[cost.DISK_DEPTH] < 1:
        raise ValueError(
            f"costs must be {cost.COUNT} numbers of at least 0, with a depth of 1 or more"
        )
    if len(state.tasks) != tasks:
        raise ValueError(f"the state is for {len(state.tasks)} tasks, the threads are {tasks}")
    last_op = threads[:, thread.FIRST_OP] + threads[:, thread.OPS]
    if (threads[:, thread.OPS] < 1).any() or (last_op > len(programs)).any():
        raise ValueError("a thread names operations that are not in programs")
    if cpus < 1 or threads[:, thread.CPU].max() >= cpus:
        raise ValueError(
            f"{cpus} CPUs, and a thread is pinned to CPU {threads[:, thread.CPU].max()}"
        )

    depth = int(costs[cost.DISK_DEPTH])
    leaves = 1 << (depth + tasks - 1).bit_length()
    # Reads under way cover different pages, so there are never more reads than pages.
    reads = max(1, min(READS_A_TASK * (tasks + 1), state.pages.size))
    machine = Machine(
        state=state,
        programs=np.ascontiguousarray(programs, np.int64),
        threads=np.ascontiguousarray(threads, np.int64),
        costs=np.ascontiguousarray(costs, np.int64),
        clock=np.zeros(clock.SIZE, np.int64),
        schedule=np.zeros((tasks, sched.SIZE), np.int64),
        timers=np.full(leaves, NEVER, np.int64),
        winners=np.concatenate([np.zeros(leaves, np.int64), np.arange(leaves)]),
        cpus=np.full((cpus, processor.SIZE), -1, np.int64),
        disk=np.full((depth + reads, disk.SIZE), -1, np.int64),
        statistics=np.zeros((classes, span.KINDS, stat.SIZE), np.int64),
        histograms=np.zeros((classes, span.KINDS, N_BUCKETS), np.int64),
        calls=np.zeros((classes, call.COUNT, tally.SIZE), np.int64),
        trace=np.zeros((trace_capacity, trace.SIZE), np.int64),
    )
    for node in range(leaves - 1, 0, -1):
        machine.winners[node] = machine.winners[2 * node]
    schedule = machine.schedule
    machine.clock[clock.END] = end_ns
    machine.clock[clock.FINITE] = np.count_nonzero(threads[:, thread.REPEATS])
    machine.clock[clock.UNFINISHED] = tasks
    machine.clock[clock.JUMP] = jump
    machine.clock[clock.PREEMPTS] = preempts
    machine.clock[clock.DISK_HEAD] = -1
    machine.clock[clock.IDLE_CPUS] = cpus
    machine.disk[:, disk.FIRST_PAGE] = -1
    for column in (sched.CPU, sched.WAIT_BEGAN, sched.WAIT_PAGE, sched.LAST_CLASS):
        schedule[:, column] = -1
    schedule[:, sched.OP] = threads[:, thread.FIRST_OP]
    start(machine, seed, replication)
    return machine


@njit
def start(machine, seed, replication):
    """Give a machine at time 0 the key of its random draws, and draw the start delays."""
    schedule, threads = machine.schedule, machine.threads
    machine.clock[clock.SEED] = seed
    machine.clock[clock.REPLICATION] = replication
    for task in range(threads.shape[0]):
        schedule[task, sched.DRAWS] = 0
        kind, mean_ns = threads[task, thread.START_KIND], threads[task, thread.START_NS]
        delay = duration(machine, task, kind, mean_ns)
        source = machine.costs[cost.DISK_DEPTH] + task
        set_timer(machine.timers, machine.winners, source, delay)


def copy_of(machine: Machine) -> Machine:
    """A machine with arrays of its own, in the same state."""
    state = State(*(array.copy() for array in machine.state))
    return Machine(state, *(array.copy() for array in machine[1:]))

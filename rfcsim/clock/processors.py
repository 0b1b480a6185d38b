"""CPUs: who runs, who is ready, who is next."""

from rfcsim._jit import inner
from rfcsim.clock.layout import (
    CLOCK_IDLE_CPUS,
    CLOCK_NOW,
    CLOCK_PREEMPTS,
    CLOCK_READY,
    CLOCK_TICKET,
    COST_SWITCH,
    COST_TIMESLICE,
    CPU_LAST_TASK,
    CPU_TASK,
    EV_RUN,
    EV_STOP,
    PHASE_READY,
    PHASE_RUNNING,
    S_CPU,
    S_PHASE,
    S_SLICE_END,
    S_TICKET,
    T_CPU,
    T_REALTIME,
)
from rfcsim.clock.recorder import emit


@inner
def make_ready(machine, task):
    """A task can run: the lowest idle CPU that it may use, or -1 and it joins the run queue."""
    clock, cpus = machine.clock, machine.cpus
    if clock[CLOCK_IDLE_CPUS] > 0:
        pinned = machine.threads[task, T_CPU]
        if pinned >= 0:
            if cpus[pinned, CPU_TASK] < 0:
                return pinned
        else:
            for cpu in range(cpus.shape[0]):
                if cpus[cpu, CPU_TASK] < 0:
                    return cpu
    enqueue(machine, task)
    return -1


@inner
def preempt(machine, task):
    """Let the task that runs where a woken one is pinned give way at the end of its stretch.

    Source: `check_preempt_curr`, kernel/sched, which a sleeper as a rule wins.
    """
    cpu = machine.threads[task, T_CPU]
    if cpu >= 0:
        running = machine.cpus[cpu, CPU_TASK]
        realtime = machine.threads[task, T_REALTIME] > machine.threads[running, T_REALTIME]
        if realtime or machine.clock[CLOCK_PREEMPTS] != 0:
            machine.schedule[running, S_SLICE_END] = machine.clock[CLOCK_NOW]


@inner
def enqueue(machine, task):
    """Put a task at the tail of the run queue."""
    clock, schedule = machine.clock, machine.schedule
    schedule[task, S_PHASE] = PHASE_READY
    schedule[task, S_TICKET] = clock[CLOCK_TICKET]
    clock[CLOCK_TICKET] += 1
    clock[CLOCK_READY] += 1


@inner
def next_ready(machine, cpu):
    """The task to run on `cpu`: of those that may, a real-time one, or the longest ready; or -1."""
    if machine.clock[CLOCK_READY] == 0:
        return -1
    schedule, threads = machine.schedule, machine.threads
    best = -1
    for task in range(schedule.shape[0]):
        may_use = threads[task, T_CPU] < 0 or threads[task, T_CPU] == cpu
        ready = schedule[task, S_PHASE] == PHASE_READY
        if ready and may_use and (best < 0 or _goes_before(machine, task, best)):
            best = task
    return best


@inner
def _goes_before(machine, task, other):
    """Which of two tasks that are ready runs first: real-time ones, then who came first."""
    realtime, other_realtime = machine.threads[task, T_REALTIME], machine.threads[other, T_REALTIME]
    if realtime != other_realtime:
        return realtime > other_realtime
    return machine.schedule[task, S_TICKET] < machine.schedule[other, S_TICKET]


@inner
def take_cpu(machine, task, cpu):
    """Give an idle CPU to a task; how long the switch takes, in ns."""
    clock, cpus, schedule = machine.clock, machine.cpus, machine.schedule
    last = cpus[cpu, CPU_LAST_TASK]
    cpus[cpu, CPU_TASK] = task
    cpus[cpu, CPU_LAST_TASK] = task
    clock[CLOCK_IDLE_CPUS] -= 1
    if schedule[task, S_PHASE] == PHASE_READY:
        clock[CLOCK_READY] -= 1
    schedule[task, S_PHASE] = PHASE_RUNNING
    schedule[task, S_CPU] = cpu
    switch = machine.costs[COST_SWITCH] if last >= 0 and last != task else 0
    schedule[task, S_SLICE_END] = clock[CLOCK_NOW] + switch + machine.costs[COST_TIMESLICE]
    emit(machine, EV_RUN, task, cpu, 0)
    return switch


@inner
def leave_cpu(machine, task):
    """Take a task off its CPU; which one that was."""
    cpu = machine.schedule[task, S_CPU]
    machine.schedule[task, S_CPU] = -1
    machine.cpus[cpu, CPU_TASK] = -1
    machine.clock[CLOCK_IDLE_CPUS] += 1
    emit(machine, EV_STOP, task, cpu, 0)
    return cpu

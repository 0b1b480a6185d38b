"""CPUs: who runs, who is ready, who is next."""

from rfcsim._jit import inner
from rfcsim.clock.layout import clock, cost, event, phase, processor, sched
from rfcsim.clock.recorder import emit
from rfcsim.model.layout import thread


@inner
def make_ready(machine, task):
    """The lowest idle CPU that a runnable task may use; if there is none, -1: it is queued."""
    cpus = machine.cpus
    if machine.clock[clock.IDLE_CPUS] > 0:
        pinned = machine.threads[task, thread.CPU]
        if pinned >= 0:
            if cpus[pinned, processor.TASK] < 0:
                return pinned
        else:
            for cpu in range(cpus.shape[0]):
                if cpus[cpu, processor.TASK] < 0:
                    return cpu
    enqueue(machine, task)
    return -1


@inner
def preempt(machine, task):
    """If a woken task is pinned, let the task that runs there give way at the end of its stretch.

    Source: `check_preempt_curr`, kernel/sched; as a rule the sleeper wins.
    """
    cpu = machine.threads[task, thread.CPU]
    if cpu >= 0:
        running = machine.cpus[cpu, processor.TASK]
        realtime = (
            machine.threads[task, thread.REALTIME] > machine.threads[running, thread.REALTIME]
        )
        if realtime or machine.clock[clock.PREEMPTS] != 0:
            machine.schedule[running, sched.SLICE_END] = machine.clock[clock.NOW]


@inner
def enqueue(machine, task):
    """Put a task at the tail of the run queue."""
    schedule = machine.schedule
    schedule[task, sched.PHASE] = phase.READY
    schedule[task, sched.TICKET] = machine.clock[clock.TICKET]
    machine.clock[clock.TICKET] += 1
    machine.clock[clock.READY] += 1


@inner
def next_ready(machine, cpu):
    """The task to run on `cpu`, real-time tasks first, then who has been ready longest; or -1."""
    if machine.clock[clock.READY] == 0:
        return -1
    schedule, threads = machine.schedule, machine.threads
    best = -1
    for task in range(schedule.shape[0]):
        may_use = threads[task, thread.CPU] < 0 or threads[task, thread.CPU] == cpu
        ready = schedule[task, sched.PHASE] == phase.READY
        if ready and may_use and (best < 0 or _goes_before(machine, task, best)):
            best = task
    return best


@inner
def _goes_before(machine, task, other):
    """Whether a ready task runs before another: real-time tasks first, then who came first."""
    realtime, other_realtime = (
        machine.threads[task, thread.REALTIME],
        machine.threads[other, thread.REALTIME],
    )
    if realtime != other_realtime:
        return realtime > other_realtime
    return machine.schedule[task, sched.TICKET] < machine.schedule[other, sched.TICKET]


@inner
def take_cpu(machine, task, cpu):
    """Give an idle CPU to a task; returns how long the switch takes, in ns."""
    cpus, schedule = machine.cpus, machine.schedule
    last = cpus[cpu, processor.LAST_TASK]
    cpus[cpu, processor.TASK] = task
    cpus[cpu, processor.LAST_TASK] = task
    machine.clock[clock.IDLE_CPUS] -= 1
    if schedule[task, sched.PHASE] == phase.READY:
        machine.clock[clock.READY] -= 1
    schedule[task, sched.PHASE] = phase.RUNNING
    schedule[task, sched.CPU] = cpu
    switch = machine.costs[cost.SWITCH] if last >= 0 and last != task else 0
    schedule[task, sched.SLICE_END] = (
        machine.clock[clock.NOW] + switch + machine.costs[cost.TIMESLICE]
    )
    emit(machine, event.RUN, task, cpu, 0)
    return switch


@inner
def leave_cpu(machine, task):
    """Take a task off its CPU; returns that CPU."""
    cpu = machine.schedule[task, sched.CPU]
    machine.schedule[task, sched.CPU] = -1
    machine.cpus[cpu, processor.TASK] = -1
    machine.clock[clock.IDLE_CPUS] += 1
    emit(machine, event.STOP, task, cpu, 0)
    return cpu

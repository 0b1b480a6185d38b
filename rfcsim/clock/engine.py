"""The event engine: it gives the effect of every step a duration, and plays the tasks in time."""

from rfcsim._jit import inner, njit
from rfcsim.clock.disk import finish_read, submit
from rfcsim.clock.layout import clock, cost, event, phase, run_status, sched, span
from rfcsim.clock.processors import leave_cpu, make_ready, next_ready, preempt, take_cpu
from rfcsim.clock.program import PROGRAM_OVER, begin_call, end_call, finish, may_begin
from rfcsim.clock.recorder import emit, record
from rfcsim.clock.timers import NEVER, first_of_others, next_source, set_timer
from rfcsim.model.layout import effect, lock, policy, reg, sem, thread
from rfcsim.model.rwsem import down, downgrade, may_spin, try_again, up
from rfcsim.model.step import step

NOBODY = -1
MANY_CALLS = 1_000_000  # calls in a row that take no time: the run would never end


@njit
def run(machine, most_events):
    """Let virtual time pass.

    Parameters
    ----------
    machine : Machine
        Changed in place; a later call goes on where this one stopped.
    most_events : int
        About how many events to play before returning.

    Returns
    -------
    int
        run_status.* (:mod:`rfcsim.clock.layout.run_status`). RUNNING: call again.

    Notes
    -----
    **Invariants.** Equal machines at the start are equal machines at the end, bit for bit, however
    the events are divided among calls, and whether pages go by in jumps or one by one (except for
    the count of events).
    """
    depth = machine.costs[cost.DISK_DEPTH]
    stop = machine.clock[clock.EVENTS] + most_events
    while machine.clock[clock.EVENTS] < stop and machine.clock[clock.STATUS] == run_status.RUNNING:
        source = next_source(machine.winners)
        if machine.timers[source] == NEVER:
            done = machine.clock[clock.UNFINISHED] == 0
            machine.clock[clock.STATUS] = run_status.FINISHED if done else run_status.STUCK
            break
        machine.clock[clock.NOW] = machine.timers[source]
        machine.clock[clock.EVENTS] += 1
        if source < depth:
            finish_read(machine, source)
        else:
            task = _wake(machine, source - depth)
            while task != NOBODY:
                task = _advance(machine, task, stop)
    return machine.clock[clock.STATUS]


@inner
def _wake(machine, task):
    """Do what a task's timer was set for; returns the task that advances now, or NOBODY."""
    doing = machine.schedule[task, sched.PHASE]
    if doing == phase.RUNNING:
        return _end_stretch(machine, task)
    set_timer(machine.timers, machine.winners, machine.costs[cost.DISK_DEPTH] + task, NEVER)
    if doing == phase.THINKING:
        if not may_begin(machine, task):
            finish(machine, task)
            return NOBODY
        begin_call(machine, task)
    cpu = make_ready(machine, task)
    if cpu >= 0:
        return _run_on(machine, task, cpu)
    preempt(machine, task)
    return NOBODY


@inner
def _run_on(machine, task, cpu):
    """Give a CPU to a task; returns the task, or NOBODY if the CPU takes time to switch."""
    switch = take_cpu(machine, task, cpu)
    if switch == 0:
        return task
    source = machine.costs[cost.DISK_DEPTH] + task
    set_timer(machine.timers, machine.winners, source, machine.clock[clock.NOW] + switch)
    return NOBODY


@inner
def _hand_on(machine, task):
    """Take a task off its CPU and stop its timer; the next in the run queue gets the CPU.

    Returns that task if it advances at once, else NOBODY.
    """
    set_timer(machine.timers, machine.winners, machine.costs[cost.DISK_DEPTH] + task, NEVER)
    cpu = leave_cpu(machine, task)
    heir = next_ready(machine, cpu)
    return NOBODY if heir == NOBODY else _run_on(machine, heir, cpu)


@inner
def _end_stretch(machine, task):
    """End a stretch of CPU work; returns who advances now, which the time slice decides."""
    now, schedule = machine.clock[clock.NOW], machine.schedule
    if now < schedule[task, sched.SLICE_END]:
        return task
    heir = next_ready(machine, schedule[task, sched.CPU])
    if (
        heir == NOBODY
        or machine.threads[heir, thread.REALTIME] < machine.threads[task, thread.REALTIME]
    ):
        schedule[task, sched.SLICE_END] = now + machine.costs[cost.TIMESLICE]
        return task
    heir = _hand_on(machine, task)
    cpu = make_ready(machine, task)
    if cpu >= 0:  # the heir was pinned here, and another CPU is idle
        switch = take_cpu(machine, task, cpu)
        source = machine.costs[cost.DISK_DEPTH] + task
        set_timer(machine.timers, machine.winners, source, now + switch)
    return heir


@inner
def _advance(machine, task, stop):
    """Run the steps of a task that owns a CPU; returns the task that advances next, or NOBODY."""
    costs, schedule = machine.costs, machine.schedule
    timers, winners = machine.timers, machine.winners
    source = costs[cost.DISK_DEPTH] + task
    timeless_calls = 0
    if schedule[task, sched.WAIT_BEGAN] >= 0 and not _return_from_wait(machine, task):
        return _hand_on(machine, task)
    while True:
        kind, a, b = step(
            machine.state, task, schedule[task, sched.LAST_CLASS], _run_limit(machine, task, source)
        )
        time = 0
        if kind == effect.CPU:
            schedule[task, sched.LAST_CLASS] = a
            time = costs[a] * b
        elif kind == effect.DOWN:
            if not _lock(machine, task, a):
                if schedule[task, sched.PHASE] == phase.RUNNING:  # it spins
                    return NOBODY
                return _hand_on(machine, task)
            time = costs[cost.LOCK]
        elif kind in (effect.UP, effect.DOWNGRADE):
            _give_up(machine, task, kind, a)
            time = costs[cost.LOCK]
        elif kind == effect.SUBMIT:
            if not submit(machine, a, b):
                machine.clock[clock.STATUS] = run_status.DISK_FULL
                return NOBODY
        elif kind == effect.WAIT_PAGE:
            schedule[task, sched.WAIT_PAGE] = a
            schedule[task, sched.PHASE] = phase.BLOCKED
            return _hand_on(machine, task)
        else:
            think = end_call(machine, task, a)
            if think == PROGRAM_OVER or not may_begin(machine, task):
                finish(machine, task)
                return _hand_on(machine, task)
            if think > 0:
                schedule[task, sched.PHASE] = phase.THINKING
                heir = _hand_on(machine, task)
                set_timer(timers, winners, source, machine.clock[clock.NOW] + think)
                return heir
            begin_call(machine, task)
            timeless_calls += 1
            if timeless_calls == MANY_CALLS:
                machine.clock[clock.STATUS] = run_status.ENDLESS
                return NOBODY
        if time > 0:
            timeless_calls = 0
            end = machine.clock[clock.NOW] + time
            other = first_of_others(timers, winners, source)
            overtaken = timers[other] < end or (timers[other] == end and other < source)
            if overtaken or machine.clock[clock.EVENTS] >= stop:
                set_timer(timers, winners, source, end)
                return NOBODY
            # Nothing happens before this stretch is over: no need to queue its end.
            machine.clock[clock.NOW] = end
            machine.clock[clock.EVENTS] += 1
            heir = _end_stretch(machine, task)
            if heir != task:
                return heir


@inner
def _run_limit(machine, task, source):
    """How many pages may go by in one jump, if their work is of the class of the last step.

    Every page after the first has to begin before any other event, and not after the end of the
    time slice. Then the jump does what page by page would have done.
    """
    schedule = machine.schedule
    work = schedule[task, sched.LAST_CLASS]
    if machine.clock[clock.JUMP] == 0 or work < 0:
        return 1
    page_ns = machine.costs[work]
    if page_ns == 0:
        return NEVER
    now = machine.clock[clock.NOW]
    other = first_of_others(machine.timers, machine.winners, source)
    horizon = machine.timers[other] - now
    if other < source:
        horizon -= 1
    slice_left = schedule[task, sched.SLICE_END] - now
    return max(1, min(1 + horizon // page_ns, (slice_left + page_ns - 1) // page_ns))


@inner
def _lock(machine, task, mode):
    """Ask for `mmap_sem`; False if the task has to wait, either asleep or spinning on its CPU."""
    now, schedule, state = machine.clock[clock.NOW], machine.schedule, machine.state
    emit(machine, event.START_LOCKING, task, mode, 0)
    # A real-time task does not spin: it could keep a reader off its own CPU for ever.
    if mode == lock.EXCLUSIVE and machine.threads[task, thread.REALTIME] == 0 and may_spin(state):
        state.sem[sem.SPINNER] = task + 1
        schedule[task, sched.WAIT_BEGAN] = now
        readers = min(state.sem[sem.READERS], policy.SPIN_MOST_READERS)
        source = machine.costs[cost.DISK_DEPTH] + task
        end = now + policy.SPIN_NS + policy.SPIN_READER_NS * readers
        set_timer(machine.timers, machine.winners, source, end)
        return False
    if not down(state, task, mode):
        schedule[task, sched.WAIT_BEGAN] = now
        schedule[task, sched.PHASE] = phase.BLOCKED
        if mode == lock.EXCLUSIVE and machine.threads[task, thread.REALTIME] != 0:
            try_again(state, task, True)  # so that nobody else takes the lock first
        return False
    emit(machine, event.GRANTED, task, mode, 0)
    emit(machine, event.ACQUIRE_RETURNED, task, mode, 0)
    schedule[task, sched.HOLD_BEGAN] = now
    record(machine, task, span.WAIT_SHARED if mode == lock.SHARED else span.WAIT_EXCLUSIVE, 0)
    return True


@inner
def _end_hold(machine, task, mode):
    """Record a hold that ends now."""
    emit(machine, event.RELEASED, task, mode, 0)
    held = machine.clock[clock.NOW] - machine.schedule[task, sched.HOLD_BEGAN]
    record(machine, task, span.HOLD_SHARED if mode == lock.SHARED else span.HOLD_EXCLUSIVE, held)


@inner
def _give_up(machine, task, kind, mode):
    """Release or downgrade `mmap_sem`; whoever is granted it, or may try, begins to wake up."""
    now, schedule, state = machine.clock[clock.NOW], machine.schedule, machine.state
    if kind == effect.UP:
        _end_hold(machine, task, mode)
        granted = up(state, task)
    else:
        _end_hold(machine, task, lock.EXCLUSIVE)
        emit(machine, event.GRANTED, task, lock.SHARED, 0)
        emit(machine, event.ACQUIRE_RETURNED, task, lock.SHARED, 0)
        schedule[task, sched.HOLD_BEGAN] = now
        granted = downgrade(state, task)
    for i in range(granted):
        other = state.granted[i]
        held = state.tasks[other, reg.HELD]
        if held == lock.UNLOCKED:
            emit(machine, event.WOKEN, other, lock.EXCLUSIVE, 0)
        else:
            emit(machine, event.GRANTED, other, held, 0)
            schedule[other, sched.HOLD_BEGAN] = now
        source = machine.costs[cost.DISK_DEPTH] + other
        if schedule[other, sched.PHASE] == phase.BLOCKED:
            schedule[other, sched.PHASE] = phase.WAKING
            wake = now + _wake_up_time(machine, task, other)
            set_timer(machine.timers, machine.winners, source, wake)
        elif schedule[other, sched.PHASE] == phase.RUNNING and held != lock.UNLOCKED:  # it spun
            set_timer(machine.timers, machine.winners, source, now)


@inner
def _wake_up_time(machine, waker, task):
    """How long a task takes to wake up; no time at all if it takes the waker's own CPU."""
    preempts = (
        machine.clock[clock.PREEMPTS] != 0
        or machine.threads[task, thread.REALTIME] > machine.threads[waker, thread.REALTIME]
    )
    if preempts and machine.threads[task, thread.CPU] == machine.schedule[waker, sched.CPU]:
        return 0
    return machine.costs[cost.WAKE_UP]


@inner
def _return_from_wait(machine, task):
    """Go on with a task that waited for `mmap_sem` and runs again; False if it must wait on."""
    now, schedule, state = machine.clock[clock.NOW], machine.schedule, machine.state
    if state.tasks[task, reg.HELD] == lock.UNLOCKED:
        if not _try_for_lock(machine, task):
            schedule[task, sched.PHASE] = phase.BLOCKED
            return False
        emit(machine, event.GRANTED, task, lock.EXCLUSIVE, 0)
        schedule[task, sched.HOLD_BEGAN] = now
    mode = state.tasks[task, reg.HELD]
    waited = now - schedule[task, sched.WAIT_BEGAN]
    record(machine, task, span.WAIT_SHARED if mode == lock.SHARED else span.WAIT_EXCLUSIVE, waited)
    schedule[task, sched.WAIT_BEGAN] = -1
    emit(machine, event.ACQUIRE_RETURNED, task, mode, 0)
    return True


@inner
def _try_for_lock(machine, task):
    """Let a writer try that was woken, or has spun long enough; whether it has the lock now."""
    state = machine.state
    realtime = machine.threads[task, thread.REALTIME] != 0
    if state.sem[sem.SPINNER] == task + 1:
        state.sem[sem.SPINNER] = 0
        state.sem[sem.TIRED] = 1
        if down(state, task, lock.EXCLUSIVE):
            return True
        return try_again(state, task, realtime)
    return try_again(state, task, realtime or _is_overdue(machine, task))


@inner
def _is_overdue(machine, task):
    """Whether a first waiter has waited so long that the lock is to be handed to it.

    Source: RWSEM_WAIT_TIMEOUT, kernel/locking/rwsem.c, 5.3 to 6.19. The ticks that make up 4 ms
    have to be over, so with a tick of 4 ms it takes between one and two of them.
    """
    tick = machine.costs[cost.TICK]
    began = machine.schedule[task, sched.WAIT_BEGAN] // tick
    return machine.clock[clock.NOW] // tick - began > -(-policy.HAND_OFF_NS // tick)

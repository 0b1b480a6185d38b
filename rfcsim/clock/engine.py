"""The event engine: gives every effect of a step its duration and plays the tasks in time."""

from rfcsim._jit import inner, njit
from rfcsim.clock.disk import finish_read, submit
from rfcsim.clock.layout import (
    CLOCK_EVENTS,
    CLOCK_JUMP,
    CLOCK_NOW,
    CLOCK_PREEMPTS,
    CLOCK_STATUS,
    CLOCK_UNFINISHED,
    COST_DISK_DEPTH,
    COST_LOCK,
    COST_TICK,
    COST_TIMESLICE,
    COST_WAKE_UP,
    DISK_FULL,
    ENDLESS,
    EV_ACQUIRE_RETURNED,
    EV_GRANTED,
    EV_RELEASED,
    EV_START_LOCKING,
    EV_WOKEN,
    FINISHED,
    PHASE_BLOCKED,
    PHASE_RUNNING,
    PHASE_THINKING,
    PHASE_WAKING,
    REC_HOLD_EXCLUSIVE,
    REC_HOLD_SHARED,
    REC_WAIT_EXCLUSIVE,
    REC_WAIT_SHARED,
    RUNNING,
    S_CPU,
    S_HOLD_BEGAN,
    S_LAST_CLASS,
    S_PHASE,
    S_SLICE_END,
    S_WAIT_BEGAN,
    S_WAIT_PAGE,
    STUCK,
    T_CPU,
    T_REALTIME,
)
from rfcsim.clock.processors import leave_cpu, make_ready, next_ready, preempt, take_cpu
from rfcsim.clock.program import PROGRAM_OVER, begin_call, end_call, finish, may_begin
from rfcsim.clock.recorder import emit, record
from rfcsim.clock.timers import NEVER, first_of_others, next_source, set_timer
from rfcsim.model.layout import (
    EFFECT_CPU,
    EFFECT_DOWN,
    EFFECT_DOWNGRADE,
    EFFECT_SUBMIT,
    EFFECT_UP,
    EFFECT_WAIT_PAGE,
    EXCLUSIVE,
    REG_HELD,
    SEM_READERS,
    SEM_SPINNER,
    SEM_TIRED,
    SHARED,
    UNLOCKED,
)
from rfcsim.model.rwsem import down, downgrade, may_spin, try_again, up
from rfcsim.model.step import step

NOBODY = -1
MANY_CALLS = 1_000_000  # calls in a row that take no time: the run would never end

# Constants of kernel/locking/rwsem.c, 5.3 to 6.19.
HAND_OFF_NS = 4_000_000  # RWSEM_WAIT_TIMEOUT, in ticks, rounded up
SPIN_NS = 10_000  # how long a writer spins on a lock that readers hold (rwsem_rspin_threshold) ...
SPIN_READER_NS = 500  # ... and for each of them ...
SPIN_MOST_READERS = 30  # ... of so many


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
        RUNNING: call again. FINISHED, STUCK, ENDLESS, DISK_FULL: see
        :mod:`rfcsim.clock.layout`.

    Notes
    -----
    **Invariants.** Same machine at the start, same machine at the end, bit for bit, however
    the events are divided among calls, and whether pages go by in jumps or one by one (but for
    the count of events).
    """
    clock = machine.clock
    depth = machine.costs[COST_DISK_DEPTH]
    stop = clock[CLOCK_EVENTS] + most_events
    while clock[CLOCK_EVENTS] < stop and clock[CLOCK_STATUS] == RUNNING:
        source = next_source(machine.winners)
        if machine.timers[source] == NEVER:
            done = clock[CLOCK_UNFINISHED] == 0
            clock[CLOCK_STATUS] = FINISHED if done else STUCK
            break
        clock[CLOCK_NOW] = machine.timers[source]
        clock[CLOCK_EVENTS] += 1
        if source < depth:
            finish_read(machine, source)
        else:
            task = _wake(machine, source - depth)
            while task != NOBODY:
                task = _advance(machine, task, stop)
    return clock[CLOCK_STATUS]


@inner
def _wake(machine, task):
    """A task's timer is up; the task that advances now, or NOBODY."""
    phase = machine.schedule[task, S_PHASE]
    if phase == PHASE_RUNNING:
        return _end_stretch(machine, task)
    set_timer(machine.timers, machine.winners, machine.costs[COST_DISK_DEPTH] + task, NEVER)
    if phase == PHASE_THINKING:
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
    """Give a CPU to a task; the task if it advances at once, NOBODY while the CPU switches."""
    switch = take_cpu(machine, task, cpu)
    if switch == 0:
        return task
    source = machine.costs[COST_DISK_DEPTH] + task
    set_timer(machine.timers, machine.winners, source, machine.clock[CLOCK_NOW] + switch)
    return NOBODY


@inner
def _hand_on(machine, task):
    """Take a task off its CPU, without a timer, for the next in the run queue."""
    set_timer(machine.timers, machine.winners, machine.costs[COST_DISK_DEPTH] + task, NEVER)
    cpu = leave_cpu(machine, task)
    heir = next_ready(machine, cpu)
    return NOBODY if heir == NOBODY else _run_on(machine, heir, cpu)


@inner
def _end_stretch(machine, task):
    """A stretch of CPU work is over: who advances now, by the time slice."""
    now, schedule = machine.clock[CLOCK_NOW], machine.schedule
    if now < schedule[task, S_SLICE_END]:
        return task
    heir = next_ready(machine, schedule[task, S_CPU])
    if heir == NOBODY or machine.threads[heir, T_REALTIME] < machine.threads[task, T_REALTIME]:
        schedule[task, S_SLICE_END] = now + machine.costs[COST_TIMESLICE]
        return task
    heir = _hand_on(machine, task)
    cpu = make_ready(machine, task)
    if cpu >= 0:  # the heir was pinned here, and another CPU is idle
        switch = take_cpu(machine, task, cpu)
        source = machine.costs[COST_DISK_DEPTH] + task
        set_timer(machine.timers, machine.winners, source, now + switch)
    return heir


@inner
def _advance(machine, task, stop):
    """Run the steps of a task that owns a CPU; the task that advances next, or NOBODY."""
    clock, costs, schedule = machine.clock, machine.costs, machine.schedule
    timers, winners = machine.timers, machine.winners
    source = costs[COST_DISK_DEPTH] + task
    timeless_calls = 0
    if schedule[task, S_WAIT_BEGAN] >= 0 and not _return_from_wait(machine, task):
        return _hand_on(machine, task)
    while True:
        kind, a, b = step(
            machine.state, task, schedule[task, S_LAST_CLASS], _run_limit(machine, task, source)
        )
        time = 0
        if kind == EFFECT_CPU:
            schedule[task, S_LAST_CLASS] = a
            time = costs[a] * b
        elif kind == EFFECT_DOWN:
            if not _lock(machine, task, a):
                if schedule[task, S_PHASE] == PHASE_RUNNING:  # it spins
                    return NOBODY
                return _hand_on(machine, task)
            time = costs[COST_LOCK]
        elif kind in (EFFECT_UP, EFFECT_DOWNGRADE):
            _give_up(machine, task, kind, a)
            time = costs[COST_LOCK]
        elif kind == EFFECT_SUBMIT:
            if not submit(machine, a, b):
                clock[CLOCK_STATUS] = DISK_FULL
                return NOBODY
        elif kind == EFFECT_WAIT_PAGE:
            schedule[task, S_WAIT_PAGE] = a
            schedule[task, S_PHASE] = PHASE_BLOCKED
            return _hand_on(machine, task)
        else:
            think = end_call(machine, task, a)
            if think == PROGRAM_OVER or not may_begin(machine, task):
                finish(machine, task)
                return _hand_on(machine, task)
            if think > 0:
                schedule[task, S_PHASE] = PHASE_THINKING
                heir = _hand_on(machine, task)
                set_timer(timers, winners, source, clock[CLOCK_NOW] + think)
                return heir
            begin_call(machine, task)
            timeless_calls += 1
            if timeless_calls == MANY_CALLS:
                clock[CLOCK_STATUS] = ENDLESS
                return NOBODY
        if time > 0:
            timeless_calls = 0
            end = clock[CLOCK_NOW] + time
            other = first_of_others(timers, winners, source)
            overtaken = timers[other] < end or (timers[other] == end and other < source)
            if overtaken or clock[CLOCK_EVENTS] >= stop:
                set_timer(timers, winners, source, end)
                return NOBODY
            # Nothing happens before this stretch is over: no need to queue its end.
            clock[CLOCK_NOW] = end
            clock[CLOCK_EVENTS] += 1
            heir = _end_stretch(machine, task)
            if heir != task:
                return heir


@inner
def _run_limit(machine, task, source):
    """How many pages of the class of the last step may go by in one jump.

    A page after the first may begin only before every other event, and not after the end of
    the time slice: then the jump is what page by page would have done.
    """
    clock, schedule = machine.clock, machine.schedule
    work = schedule[task, S_LAST_CLASS]
    if clock[CLOCK_JUMP] == 0 or work < 0:
        return 1
    cost = machine.costs[work]
    if cost == 0:
        return NEVER
    now = clock[CLOCK_NOW]
    other = first_of_others(machine.timers, machine.winners, source)
    horizon = machine.timers[other] - now
    if other < source:
        horizon -= 1
    slice_left = schedule[task, S_SLICE_END] - now
    return max(1, min(1 + horizon // cost, (slice_left + cost - 1) // cost))


@inner
def _lock(machine, task, mode):
    """Ask for `mmap_sem`; False if the task has to wait, asleep or, running on, in a spin."""
    now, schedule, state = machine.clock[CLOCK_NOW], machine.schedule, machine.state
    emit(machine, EV_START_LOCKING, task, mode, 0)
    # A real-time task does not spin: it could keep a reader off its own CPU for ever.
    if mode == EXCLUSIVE and machine.threads[task, T_REALTIME] == 0 and may_spin(state):
        state.sem[SEM_SPINNER] = task + 1
        schedule[task, S_WAIT_BEGAN] = now
        readers = min(state.sem[SEM_READERS], SPIN_MOST_READERS)
        source = machine.costs[COST_DISK_DEPTH] + task
        end = now + SPIN_NS + SPIN_READER_NS * readers
        set_timer(machine.timers, machine.winners, source, end)
        return False
    if not down(state, task, mode):
        schedule[task, S_WAIT_BEGAN] = now
        schedule[task, S_PHASE] = PHASE_BLOCKED
        if mode == EXCLUSIVE and machine.threads[task, T_REALTIME] != 0:
            try_again(state, task, True)  # to say that nobody shall have it before
        return False
    emit(machine, EV_GRANTED, task, mode, 0)
    emit(machine, EV_ACQUIRE_RETURNED, task, mode, 0)
    schedule[task, S_HOLD_BEGAN] = now
    record(machine, task, REC_WAIT_SHARED if mode == SHARED else REC_WAIT_EXCLUSIVE, 0)
    return True


@inner
def _end_hold(machine, task, mode):
    """Record a hold that ends now."""
    emit(machine, EV_RELEASED, task, mode, 0)
    held = machine.clock[CLOCK_NOW] - machine.schedule[task, S_HOLD_BEGAN]
    record(machine, task, REC_HOLD_SHARED if mode == SHARED else REC_HOLD_EXCLUSIVE, held)


@inner
def _give_up(machine, task, kind, mode):
    """Release or downgrade `mmap_sem`; whoever it is handed to, or may try, starts to wake up."""
    now, schedule, state = machine.clock[CLOCK_NOW], machine.schedule, machine.state
    if kind == EFFECT_UP:
        _end_hold(machine, task, mode)
        granted = up(state, task)
    else:
        _end_hold(machine, task, EXCLUSIVE)
        emit(machine, EV_GRANTED, task, SHARED, 0)
        emit(machine, EV_ACQUIRE_RETURNED, task, SHARED, 0)
        schedule[task, S_HOLD_BEGAN] = now
        granted = downgrade(state, task)
    for i in range(granted):
        other = state.granted[i]
        held = state.tasks[other, REG_HELD]
        if held == UNLOCKED:
            emit(machine, EV_WOKEN, other, EXCLUSIVE, 0)
        else:
            emit(machine, EV_GRANTED, other, held, 0)
            schedule[other, S_HOLD_BEGAN] = now
        source = machine.costs[COST_DISK_DEPTH] + other
        if schedule[other, S_PHASE] == PHASE_BLOCKED:
            schedule[other, S_PHASE] = PHASE_WAKING
            wake = now + _wake_up_time(machine, task, other)
            set_timer(machine.timers, machine.winners, source, wake)
        elif schedule[other, S_PHASE] == PHASE_RUNNING and held != UNLOCKED:  # it spun
            set_timer(machine.timers, machine.winners, source, now)


@inner
def _wake_up_time(machine, waker, task):
    """How long a task takes to wake; where it takes the waker's own CPU, no time at all."""
    preempts = (
        machine.clock[CLOCK_PREEMPTS] != 0
        or machine.threads[task, T_REALTIME] > machine.threads[waker, T_REALTIME]
    )
    if preempts and machine.threads[task, T_CPU] == machine.schedule[waker, S_CPU]:
        return 0
    return machine.costs[COST_WAKE_UP]


@inner
def _return_from_wait(machine, task):
    """A task that waits for `mmap_sem` runs again; False if it has to go on waiting."""
    now, schedule, state = machine.clock[CLOCK_NOW], machine.schedule, machine.state
    if state.tasks[task, REG_HELD] == UNLOCKED:
        if not _try_for_lock(machine, task):
            schedule[task, S_PHASE] = PHASE_BLOCKED
            return False
        emit(machine, EV_GRANTED, task, EXCLUSIVE, 0)
        schedule[task, S_HOLD_BEGAN] = now
    mode = state.tasks[task, REG_HELD]
    waited = now - schedule[task, S_WAIT_BEGAN]
    record(machine, task, REC_WAIT_SHARED if mode == SHARED else REC_WAIT_EXCLUSIVE, waited)
    schedule[task, S_WAIT_BEGAN] = -1
    emit(machine, EV_ACQUIRE_RETURNED, task, mode, 0)
    return True


@inner
def _try_for_lock(machine, task):
    """A writer was woken to try, or has spun long enough; whether it has the lock now."""
    state = machine.state
    realtime = machine.threads[task, T_REALTIME] != 0
    if state.sem[SEM_SPINNER] == task + 1:
        state.sem[SEM_SPINNER] = 0
        state.sem[SEM_TIRED] = 1
        if down(state, task, EXCLUSIVE):
            return True
        return try_again(state, task, realtime)
    return try_again(state, task, realtime or _is_overdue(machine, task))


@inner
def _is_overdue(machine, task):
    """Whether a first waiter has waited so long that the lock is to be handed to it.

    Source: RWSEM_WAIT_TIMEOUT, kernel/locking/rwsem.c, 5.3 to 6.19: the ticks of 4 ms have to be
    over, so that it takes between one and two of them.
    """
    tick = machine.costs[COST_TICK]
    began = machine.schedule[task, S_WAIT_BEGAN] // tick
    return machine.clock[CLOCK_NOW] // tick - began > -(-HAND_OFF_NS // tick)

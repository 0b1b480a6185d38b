"""One move of one task: its next step, and what the lock does about it."""

from rfcsim._jit import inner, njit
from rfcsim.model.layout import call, effect, lock, mm, operation, reach, reg, rule, sem, work
from rfcsim.model.rwsem import down, downgrade, take, up
from rfcsim.model.step import begin, step
from rfcsim.race.layout import actor, control, grant, search_status

LOOK_ON_ENTRY = reach.calls_that(reach.ON_ENTRY)
LOOK_AT_TASKS = reach.calls_that(reach.TASKS)


@inner
def is_done(search, task):
    return search.actors[task, actor.OP] == search.first_op[task + 1]


@inner
def may_move(search, task):
    """Whether a task can make a move in the working state."""
    if is_done(search, task):
        return False
    waits = search.actors[task, actor.WAITS]
    if waits == lock.UNLOCKED:
        return True
    if search.control[control.POLICY] != grant.ANY:
        return False  # in the queue: its turn comes with somebody's release
    return search.state.sem[sem.WRITER] == 0 and (
        waits == lock.SHARED or search.state.sem[sem.READERS] == 0
    )


@inner
def move(search, task):
    """Let a task that may move do so; returns how many steps it made.

    With control.REDUCE a move is more than one step. First come the task's *own* steps, which
    nobody else can see and which see nobody. Then comes one step that matters; or, under an
    exclusive hold, all steps up to the release, if no call of the scenario looks at pages without
    the lock. Every order of steps has the outcome of some order of such moves.
    """
    steps = 0
    while True:
        if search.actors[task, actor.WAITS] != lock.UNLOCKED:
            if not may_move(search, task):
                return steps
            _grant(search, task)
            kind, own = effect.DOWN, False
        else:
            kind, own = _step(search, task)
        steps += 1
        if (
            search.control[control.REDUCE] == 0
            or search.control[control.STATUS] == search_status.UNCACHED
        ):
            return steps
        if own:
            if is_done(search, task):
                return steps
            continue
        held = search.state.tasks[task, reg.HELD]
        if held == lock.EXCLUSIVE and search.control[control.LOCK_FREE] == 0:
            continue
        if kind == effect.UP and search.control[control.POLICY] == grant.ANY:
            # What follows a release is a return or a request; as a rule both are the task's own.
            if _looks_at_waiters(search.state):
                return steps
            _step(search, task)
            steps += 1
        return steps


@inner
def _grant(search, task):
    """Grant the lock to a task that waits for it and may have it."""
    take(search.state, task, search.actors[task, actor.WAITS])
    search.actors[task, actor.WAITS] = lock.UNLOCKED


@inner
def sees_other_tasks(search, task):
    """Whether what a task does next may depend on more than its own part and the common one.

    A signal looks at its target. A fault that takes the lock of its VMA looks at what the exclusive
    holder of mmap_sem is about to change; it may come at the end of a move that began before it.
    Only a call that needs no mmap_sem can look at that. Where there is no queue, who waits is in
    the waiters' own parts.
    """
    state = search.state
    at_holder = state.mm[mm.DESIGN] & rule.LOOK_AT_HOLDER != 0
    if at_holder and search.control[control.LOCK_FREE] != 0 and state.sem[sem.WRITER] != 0:
        return True
    if search.control[control.POLICY] == grant.ANY and _looks_at_waiters(state):
        return True
    return state.tasks[task, reg.CALL] in LOOK_AT_TASKS


@inner
def _looks_at_waiters(state):
    """Whether some step looks at how many wait: then to ask for the lock is no task's own step."""
    return state.mm[mm.DESIGN] & rule.LOOK_AT_WAITERS != 0


@inner
def _waiting(search):
    """How many tasks wait for the lock; one that could have it may still be on its way."""
    waiting = 0
    for task in range(search.actors.shape[0]):
        if search.actors[task, actor.WAITS] != lock.UNLOCKED:
            waiting += 1
    return waiting


@inner
def _step(search, task):
    """Make a step of a task that does not wait; returns its effect, and whether it is its own."""
    state = search.state
    op = search.actors[task, actor.OP]
    this_call = state.tasks[task, reg.CALL]
    # An identity tells which call mapped a range, whatever the order of the calls.
    state.mm[mm.NEXT_IDENTITY] = search.free_identity[0] + op
    # Under grant.ANY there is no queue, but its length may matter.
    no_queue = search.control[control.POLICY] == grant.ANY
    if no_queue:
        state.sem[sem.WAITERS] = _waiting(search)
    kind, a, _ = step(state, task, -1, 1)
    if no_queue:
        state.sem[sem.WAITERS] = 0
    if kind == effect.CPU:
        own = this_call not in LOOK_ON_ENTRY and a in (work.SYSCALL, work.DRAIN_ALL)
        return kind, own
    if kind == effect.DOWN:
        if search.control[control.POLICY] == grant.ANY:
            search.actors[task, actor.WAITS] = a
            return kind, not _looks_at_waiters(state)
        if not down(state, task, a):
            search.actors[task, actor.WAITS] = a
        return kind, False
    if kind in (effect.UP, effect.DOWNGRADE):
        granted = up(state, task) if kind == effect.UP else downgrade(state, task)
        for i in range(granted):
            search.actors[state.granted[i], actor.WAITS] = lock.UNLOCKED
        return kind, False
    if kind == effect.DONE:
        _return(search, task, a)
        if this_call == call.KILL:
            _bury(search)
        return kind, True
    search.control[control.STATUS] = search_status.UNCACHED
    return kind, False


@njit
def enter_call(search, task):
    """Let a task begin the call of its row, or be at rest if it is done; for Python callers."""
    if is_done(search, task):
        _rest(search.state.tasks[task])
    else:
        enter(search, task)


@inner
def _return(search, task, value):
    """Keep what a call returned, and begin the task's next one."""
    op = search.actors[task, actor.OP]
    search.results[op] = value
    search.actors[task, actor.OP] = op + 1
    if search.state.tasks[task, reg.KILLED] != 0:
        search.actors[task, actor.OP] = search.first_op[task + 1]
    elif op + 1 < search.first_op[task + 1]:
        enter(search, task)
        return
    _rest(search.state.tasks[task])


@inner
def _bury(search):
    """Take their call from killed tasks that have not begun it: they make no further call."""
    for task in range(search.actors.shape[0]):
        regs = search.state.tasks[task]
        if regs[reg.KILLED] != 0 and regs[reg.STEP] == 0:
            search.actors[task, actor.OP] = search.first_op[task + 1]
            _rest(regs)


@inner
def _rest(regs):
    """Set the registers of a task with no call to make: all alike, however it came there."""
    for register in range(reg.SIZE):
        if register not in (reg.HELD, reg.KILLED):
            regs[register] = 0
    regs[reg.CALL] = call.NONE
    regs[reg.LOOKED_UP] = -1


@inner
def enter(search, task):
    """Let a task begin the call of its row."""
    row = search.calls[search.actors[task, actor.OP]]
    begin(
        search.state,
        task,
        row[operation.CALL],
        row[operation.START],
        row[operation.PAGES],
        row[operation.ARG],
        row[operation.BACKING],
    )

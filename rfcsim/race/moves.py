"""One move of one task: its next step, with what the lock makes of it."""

from rfcsim._jit import inner, njit
from rfcsim.model.layout import (
    CALL_KILL,
    CALL_NONE,
    CALL_TOUCH,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_DOWNGRADE,
    EFFECT_UP,
    EXCLUSIVE,
    MM_DESIGN,
    MM_NEXT_IDENTITY,
    REG_CALL,
    REG_HELD,
    REG_KILLED,
    REG_LOOKED_UP,
    REG_SIZE,
    REG_STEP,
    RULE_CONTENDED,
    RULE_VMA_LOCK,
    SEM_READERS,
    SEM_WAITERS,
    SEM_WRITER,
    SHARED,
    UNLOCKED,
    WORK_DRAIN_ALL,
    WORK_SYSCALL,
)
from rfcsim.model.rwsem import down, downgrade, take, up
from rfcsim.model.step import begin, step
from rfcsim.race.layout import (
    ACTOR_OP,
    ACTOR_WAITS,
    OP_ARG,
    OP_BACKING,
    OP_CALL,
    OP_PAGES,
    OP_START,
    POLICY_ANY,
    SEARCH_LOCK_FREE,
    SEARCH_POLICY,
    SEARCH_REDUCE,
    SEARCH_STATUS,
    UNCACHED,
)


@inner
def is_done(search, task):
    return search.actors[task, ACTOR_OP] == search.first_op[task + 1]


@inner
def may_move(search, task):
    """Whether a task can make a move in the working state."""
    if is_done(search, task):
        return False
    waits = search.actors[task, ACTOR_WAITS]
    if waits == UNLOCKED:
        return True
    if search.search[SEARCH_POLICY] != POLICY_ANY:
        return False  # in the queue: its turn comes with somebody's release
    sem = search.state.sem
    return sem[SEM_WRITER] == 0 and (waits == SHARED or sem[SEM_READERS] == 0)


@inner
def move(search, task):
    """Let a task that may move do so; how many steps it made.

    With SEARCH_REDUCE a move is more than a step: the task's *own* steps, which nobody else can
    see and which see nobody, then one that matters, or all that happens under an exclusive
    hold where no call of the scenario looks at pages without the lock, up to the release. Every
    order of steps has the outcome of some order of such moves.
    """
    control, actor = search.search, search.actors[task]
    steps = 0
    while True:
        if actor[ACTOR_WAITS] != UNLOCKED:
            if not may_move(search, task):
                return steps
            _grant(search, task)
            kind, own = EFFECT_DOWN, False
        else:
            kind, own = _step(search, task)
        steps += 1
        if control[SEARCH_REDUCE] == 0 or control[SEARCH_STATUS] == UNCACHED:
            return steps
        if own:
            if is_done(search, task):
                return steps
            continue
        held = search.state.tasks[task, REG_HELD]
        if held == EXCLUSIVE and control[SEARCH_LOCK_FREE] == 0:
            continue
        if kind == EFFECT_UP and control[SEARCH_POLICY] == POLICY_ANY:
            # What follows a release is a return or a request; as a rule both are the task's own.
            if _looks_at_waiters(search.state):
                return steps
            _step(search, task)
            steps += 1
        return steps


@inner
def _grant(search, task):
    """Grant the lock to a task that waits for it and may have it."""
    actor = search.actors[task]
    take(search.state, task, actor[ACTOR_WAITS])
    actor[ACTOR_WAITS] = UNLOCKED


@inner
def sees_other_tasks(search, task):
    """Whether what a task does next may depend on more than its own part and the common one.

    A signal looks at its target. A fault that takes the lock of its VMA looks at what the exclusive
    holder of mmap_sem is about to change; it may come at the end of a move that began before it.
    Where there is no queue, who waits is in the waiters' own parts.
    """
    state, control = search.state, search.search
    locks_vmas = state.mm[MM_DESIGN] & RULE_VMA_LOCK != 0
    if locks_vmas and control[SEARCH_LOCK_FREE] != 0 and state.sem[SEM_WRITER] != 0:
        return True
    if control[SEARCH_POLICY] == POLICY_ANY and _looks_at_waiters(state):
        return True
    return state.tasks[task, REG_CALL] == CALL_KILL


@inner
def _looks_at_waiters(state):
    """Whether some step looks at how many wait: then to ask for the lock is no task's own step."""
    return state.mm[MM_DESIGN] & RULE_CONTENDED != 0


@inner
def _waiting(search):
    """How many tasks wait for the lock; one that could have it may be on its way to it."""
    waiting = 0
    for task in range(search.actors.shape[0]):
        if search.actors[task, ACTOR_WAITS] != UNLOCKED:
            waiting += 1
    return waiting


@inner
def _step(search, task):
    """One step of a task that does not wait; its effect, and whether it is the task's own."""
    state, control = search.state, search.search
    op = search.actors[task, ACTOR_OP]
    call = state.tasks[task, REG_CALL]
    # An identity tells which call mapped a range, in whatever order the calls came.
    state.mm[MM_NEXT_IDENTITY] = search.free_identity[0] + op
    # Under POLICY_ANY there is no queue, but its length may matter.
    no_queue = control[SEARCH_POLICY] == POLICY_ANY
    if no_queue:
        state.sem[SEM_WAITERS] = _waiting(search)
    kind, a, _ = step(state, task, -1, 1)
    if no_queue:
        state.sem[SEM_WAITERS] = 0
    if kind == EFFECT_CPU:
        own = call != CALL_TOUCH and a in (WORK_SYSCALL, WORK_DRAIN_ALL)
        return kind, own
    if kind == EFFECT_DOWN:
        if control[SEARCH_POLICY] == POLICY_ANY:
            search.actors[task, ACTOR_WAITS] = a
            return kind, not _looks_at_waiters(state)
        if not down(state, task, a):
            search.actors[task, ACTOR_WAITS] = a
        return kind, False
    if kind in (EFFECT_UP, EFFECT_DOWNGRADE):
        granted = up(state, task) if kind == EFFECT_UP else downgrade(state, task)
        for i in range(granted):
            search.actors[state.granted[i], ACTOR_WAITS] = UNLOCKED
        return kind, False
    if kind == EFFECT_DONE:
        _return(search, task, a)
        if call == CALL_KILL:
            _bury(search)
        return kind, True
    control[SEARCH_STATUS] = UNCACHED
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
    op = search.actors[task, ACTOR_OP]
    search.results[op] = value
    search.actors[task, ACTOR_OP] = op + 1
    if search.state.tasks[task, REG_KILLED] != 0:
        search.actors[task, ACTOR_OP] = search.first_op[task + 1]
    elif op + 1 < search.first_op[task + 1]:
        enter(search, task)
        return
    _rest(search.state.tasks[task])


@inner
def _bury(search):
    """Let killed tasks that have not begun their call not begin it: they make no further one."""
    for task in range(search.actors.shape[0]):
        regs = search.state.tasks[task]
        if regs[REG_KILLED] != 0 and regs[REG_STEP] == 0:
            search.actors[task, ACTOR_OP] = search.first_op[task + 1]
            _rest(regs)


@inner
def _rest(regs):
    """Registers of a task with no call to make: one state, however it came there."""
    for register in range(REG_SIZE):
        if register not in (REG_HELD, REG_KILLED):
            regs[register] = 0
    regs[REG_CALL] = CALL_NONE
    regs[REG_LOOKED_UP] = -1


@inner
def enter(search, task):
    """Let a task begin the call of its row."""
    call = search.calls[search.actors[task, ACTOR_OP]]
    begin(
        search.state,
        task,
        call[OP_CALL],
        call[OP_START],
        call[OP_PAGES],
        call[OP_ARG],
        call[OP_BACKING],
    )

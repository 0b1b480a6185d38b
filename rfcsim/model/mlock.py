"""`mlock` and `munlock`, by the design of 2.6.36 and by that of the RFC."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    ALL_BITS,
    DESIGN_BATCHED,
    EAGAIN,
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    ENOMEM,
    EPERM,
    EXCLUSIVE,
    MM_BATCH_PAGES,
    MM_CAP_IPC_LOCK,
    MM_DESIGN,
    MM_LOCK_LIMIT,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    PAGE_MLOCKED,
    PAGE_ZERO,
    REG_END,
    REG_NEXT,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    SHARED,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_WRITE,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    WORK_DRAIN_ALL,
    WORK_MLOCK_ANON,
    WORK_MUNLOCK_PAGE,
    WORK_SYSCALL,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
)
from rfcsim.model.pages import FAILED, make_present, sure_work
from rfcsim.model.vma import SPECIAL, UNTOUCHABLE, change_flags, find_vma, intersects

# Where in the call a task is (REG_STEP).
ENTER = 0
MAY_LOCK = 1
LOCK = 2
CHECK_RANGE = 3
FIXUP = 4
POPULATE = 5
CLEAR = 6
LEAVE_FIRST_PASS = 7
AFTER_FIRST_PASS = 8
NEXT_BATCH = 9
FIND_BATCH = 10
POPULATE_BATCH = 11
AFTER_BATCH = 12


@inner
def step_mlock(state, task, run_class, run_limit):
    """One move of `mlock(start, length)`.

    Design *exclusive* follows `sys_mlock`, `do_mlock` and `mlock_fixup` of 2.6.36: flags and
    pages under one exclusive hold. Design *batched* follows the RFC's hunks: those only set
    flags, then `do_mlock_pages` populates under shared holds of at most `MM_BATCH_PAGES` pages.
    See :func:`rfcsim.model.step.step` for parameters and result.
    """
    regs = state.tasks[task]
    while True:
        where = regs[REG_STEP]
        if where in (POPULATE_BATCH, POPULATE):
            kind, a, b = _populate(state, task, run_class, run_limit)
            if kind != EFFECT_DONE:
                return kind, a, b
            if where == POPULATE_BATCH:
                regs[REG_STEP] = AFTER_BATCH
                return EFFECT_UP, SHARED, 0
            regs[REG_STEP] = LEAVE_FIRST_PASS if regs[REG_RETURN] != 0 else FIXUP
        elif where == FIND_BATCH:
            if _find_batch(state, task):
                regs[REG_STEP] = POPULATE_BATCH
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            regs[REG_STEP] = AFTER_BATCH
            return EFFECT_UP, SHARED, 0
        elif where == AFTER_BATCH:
            if regs[REG_RETURN] != 0:
                return EFFECT_DONE, regs[REG_RETURN], 0
            regs[REG_NEXT] = regs[REG_STOP]
            regs[REG_STEP] = NEXT_BATCH
        elif where == NEXT_BATCH:
            if regs[REG_NEXT] >= regs[REG_END]:
                return EFFECT_DONE, 0, 0
            regs[REG_STEP] = FIND_BATCH
            return EFFECT_DOWN, SHARED, 0
        elif where == FIXUP:
            kind, a, b = _fixup(state, task, True)
            if kind != EFFECT_DONE:
                return kind, a, b
            return _leave_first_pass(state, task)
        elif where == LEAVE_FIRST_PASS:
            return _leave_first_pass(state, task)
        elif where == ENTER:
            regs[REG_STEP] = MAY_LOCK
            return EFFECT_CPU, WORK_SYSCALL, 1
        elif where == MAY_LOCK:
            if state.mm[MM_CAP_IPC_LOCK] == 0 and state.mm[MM_LOCK_LIMIT] == 0:
                return EFFECT_DONE, EPERM, 0
            regs[REG_STEP] = LOCK
            return EFFECT_CPU, WORK_DRAIN_ALL, 1
        elif where == LOCK:
            regs[REG_STEP] = CHECK_RANGE
            return EFFECT_DOWN, EXCLUSIVE, 0
        elif where == CHECK_RANGE:
            length = regs[REG_END] - regs[REG_START]
            if over_limit(state, length):
                regs[REG_RETURN] = ENOMEM
                return _leave_first_pass(state, task)
            if not _begin_walk(state, task):
                return _leave_first_pass(state, task)
            return EFFECT_CPU, WORK_VMA_VISIT, 1
        else:  # AFTER_FIRST_PASS
            if regs[REG_RETURN] != 0 or state.mm[MM_DESIGN] != DESIGN_BATCHED:
                return EFFECT_DONE, regs[REG_RETURN], 0
            regs[REG_NEXT] = regs[REG_START]
            regs[REG_STEP] = NEXT_BATCH


@inner
def _leave_first_pass(state, task):
    state.tasks[task, REG_STEP] = AFTER_FIRST_PASS
    return EFFECT_UP, EXCLUSIVE, 0


@inner
def step_munlock(state, task, run_class, run_limit):
    """One move of `munlock(start, length)`: no limit, no privilege, pages under the write lock.

    See :func:`rfcsim.model.step.step` for parameters and result.

    Source: `sys_munlock`, `do_mlock(on = 0)` and `munlock_vma_pages_range`, 2.6.36.
    """
    regs = state.tasks[task]
    while True:
        where = regs[REG_STEP]
        if where == CLEAR:
            count = clear_mlocked(state, task, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_MUNLOCK_PAGE, count
            regs[REG_STEP] = FIXUP
        elif where == FIXUP:
            kind, a, b = _fixup(state, task, False)
            if kind != EFFECT_DONE:
                return kind, a, b
            return _leave_first_pass(state, task)
        elif where == ENTER:
            regs[REG_STEP] = LOCK
            return EFFECT_CPU, WORK_SYSCALL, 1
        elif where == LOCK:
            regs[REG_STEP] = CHECK_RANGE
            return EFFECT_DOWN, EXCLUSIVE, 0
        elif where == CHECK_RANGE:
            if not _begin_walk(state, task):
                return _leave_first_pass(state, task)
            return EFFECT_CPU, WORK_VMA_VISIT, 1
        else:
            return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def over_limit(state, pages):
    """Whether `pages` more would exceed RLIMIT_MEMLOCK. Pages locked already count twice.

    Source: the limit test of `sys_mlock`, 2.6.36.
    """
    mm = state.mm
    if mm[MM_CAP_IPC_LOCK] != 0 or mm[MM_LOCK_LIMIT] < 0:
        return False
    return pages + mm[MM_LOCKED_VM] > mm[MM_LOCK_LIMIT]


@inner
def _begin_walk(state, task):
    """The checks of `do_mlock` before its loop; False if the call is over, with its value set."""
    regs = state.tasks[task]
    start = regs[REG_START]
    if start == regs[REG_END]:
        return False
    if not intersects(state, find_vma(state, start), start, start + 1):
        regs[REG_RETURN] = ENOMEM
        return False
    regs[REG_NEXT] = start
    regs[REG_STEP] = FIXUP
    return True


@inner
def _fixup(state, task, on):
    """Set or clear VM_LOCKED on the part of the range that the next VMA covers.

    Returns an effect, or `EFFECT_DONE` when the walk is over and REG_RETURN says how.
    REG_STEP and [REG_NEXT, REG_STOP) tell what is to be done with the part's pages.

    Source: the loop of `do_mlock` and `mlock_fixup`, 2.6.36; the RFC's first three hunks.
    """
    regs, vmas, mm = state.tasks[task], state.vmas, state.mm
    start = regs[REG_NEXT]
    if start >= regs[REG_END]:
        return EFFECT_DONE, 0, 0
    if start > regs[REG_START]:
        # The part before may have merged with the VMA after it, which then has been dealt with.
        start = vmas[find_vma(state, start - 1), VMA_END]
        regs[REG_NEXT] = start
        if start >= regs[REG_END]:
            return EFFECT_DONE, 0, 0
    row = find_vma(state, start)
    if row >= mm[MM_MAP_COUNT] or vmas[row, VMA_START] > start:
        regs[REG_RETURN] = ENOMEM
        return EFFECT_DONE, 0, 0
    end = min(vmas[row, VMA_END], regs[REG_END])
    flags = vmas[row, VMA_FLAGS]
    new_flags = flags | VM_LOCKED if on else flags & ~VM_LOCKED
    populates = on and mm[MM_DESIGN] != DESIGN_BATCHED
    regs[REG_STOP] = end
    if flags == new_flags or flags & UNTOUCHABLE or (flags & SPECIAL and not populates):
        regs[REG_NEXT] = end
        return EFFECT_CPU, WORK_VMA_VISIT, 1
    changes = 0
    if not flags & SPECIAL:
        row, changes = change_flags(state, row, start, end, new_flags)
        if row < 0:
            regs[REG_RETURN] = row
            regs[REG_NEXT] = regs[REG_END]
        else:
            mm[MM_LOCKED_VM] += end - start if on else start - end
    if row >= 0:
        if populates:
            _skip_stack_guard(state, row, regs)
            regs[REG_STEP] = POPULATE
        elif on:
            regs[REG_NEXT] = end
        else:
            regs[REG_STEP] = CLEAR
    if changes > 0:
        return EFFECT_CPU, WORK_VMA_CHANGE, changes
    return EFFECT_CPU, WORK_VMA_VISIT, 1


@inner
def _skip_stack_guard(state, row, regs):
    """Step over the guard page of a stack.

    The first page of a grow-down VMA is one, unless the VMA continues another such: the upper
    part of a stack that was split. Source: `stack_guard_page`, mm/mlock.c, 2.6.36.
    """
    vmas = state.vmas
    start = vmas[row, VMA_START]
    if regs[REG_NEXT] != start or vmas[row, VMA_FLAGS] & (VM_GROWSDOWN | SPECIAL) != VM_GROWSDOWN:
        return
    if row > 0 and vmas[row - 1, VMA_END] == start and vmas[row - 1, VMA_FLAGS] & VM_GROWSDOWN:
        return
    regs[REG_NEXT] += 1


@inner
def _find_batch(state, task):
    """Find the next pages to populate, under the shared lock; False if there are none here.

    Afterwards REG_STOP says how far this hold has dealt with the range. The VMA is looked up
    and its flags are tested anew each time: the lock had been dropped.

    Source: `do_mlock_pages` of the RFC.
    """
    regs, vmas = state.tasks[task], state.vmas
    row = find_vma(state, regs[REG_NEXT])
    regs[REG_STOP] = regs[REG_END]
    if not intersects(state, row, regs[REG_NEXT], regs[REG_END]):
        return False
    flags = vmas[row, VMA_FLAGS]
    regs[REG_STOP] = min(regs[REG_END], vmas[row, VMA_END])
    if flags & UNTOUCHABLE:
        return False
    regs[REG_NEXT] = max(regs[REG_NEXT], vmas[row, VMA_START])
    if not flags & (SPECIAL | VM_LOCKED):
        return False
    regs[REG_STOP] = min(regs[REG_STOP], regs[REG_NEXT] + state.mm[MM_BATCH_PAGES])
    _skip_stack_guard(state, row, regs)
    return True


@inner
def _populate(state, task, run_class, run_limit):
    """Make pages of [REG_NEXT, REG_STOP) present: one, or a run of `run_class`.

    `EFFECT_DONE` when none is left; on an error too, with REG_RETURN set unless the VMA is
    special, whose errors nobody hears of.

    Source: `__mlock_vma_pages_range`, `make_pages_present` and `__mlock_posix_error_return`.
    """
    regs, pages = state.tasks[task], state.pages
    page, stop = regs[REG_NEXT], regs[REG_STOP]
    if page >= stop:
        return EFFECT_DONE, 0, 0
    row = find_vma(state, page)
    flags = state.vmas[row, VMA_FLAGS]
    special = flags & SPECIAL != 0
    write = flags & VM_WRITE != 0
    kind, a, b = make_present(state, task, row, page, write, WORK_MLOCK_ANON)
    if kind == FAILED:
        if not special:
            regs[REG_RETURN] = posix_error(a)
        regs[REG_NEXT] = stop
        return EFFECT_DONE, 0, 0
    if kind != EFFECT_CPU:
        return kind, a, b
    most = min(run_limit, stop - page) if a == run_class else 1
    count = 1
    while True:
        if not special and pages[page] & PAGE_ZERO == 0:
            pages[page] |= PAGE_MLOCKED
        page += 1
        if count == most or sure_work(state, row, page, write, WORK_MLOCK_ANON) != run_class:
            break
        make_present(state, task, row, page, write, WORK_MLOCK_ANON)
        count += 1
    regs[REG_NEXT] = page
    return EFFECT_CPU, a, count


@inner
def posix_error(error):
    """What `mlock` returns for an error of populating.

    Source: `__mlock_posix_error_return`, 2.6.36.
    """
    if error == EFAULT:
        return ENOMEM
    if error == ENOMEM:
        return EAGAIN
    return error


@inner
def clear_mlocked(state, task, run_class, run_limit):
    """Clear PG_mlocked on pages of [REG_NEXT, REG_STOP); how many, one or a run.

    Source: `munlock_vma_pages_range`, 2.6.36: its cost is per page of address range.
    """
    regs = state.tasks[task]
    first = regs[REG_NEXT]
    most = run_limit if run_class == WORK_MUNLOCK_PAGE else 1
    count = min(regs[REG_STOP] - first, most)
    for page in range(first, first + count):
        state.pages[page] &= ALL_BITS ^ PAGE_MLOCKED
    regs[REG_NEXT] = first + count
    return count

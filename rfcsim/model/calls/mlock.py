"""`mlock`, `munlock`, `mlockall` and `munlockall`, by the design of 2.6.36 and by the RFC's."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    CALL_MLOCK,
    CALL_MLOCKALL,
    CALL_MUNLOCK,
    CALL_MUNLOCKALL,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_DOWNGRADE,
    EFFECT_UP,
    EINVAL,
    ENOMEM,
    EPERM,
    EXCLUSIVE,
    MCL_CURRENT,
    MCL_FUTURE,
    MLOCK_ONFAULT,
    MM_DEF_FLAGS,
    MM_DESIGN,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_MUTANT,
    MM_TOTAL_VM,
    MUTANT_FIRST_PASS_SHARED,
    MUTANT_MARKS_STAY,
    MUTANT_MUNLOCK_SHARED,
    MUTANT_UNCHARGED,
    PAGE_MLOCKED,
    PAGE_PRESENT,
    PAGE_ZERO,
    REG_ARG,
    REG_CALL,
    REG_END,
    REG_HELD,
    REG_NEXT,
    REG_PART,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    RULE_DOWNGRADES,
    RULE_SECOND_PASS,
    RULE_WALKS_PRESENT,
    SHARED,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    WORK_DRAIN_ALL,
    WORK_MLOCK_PRESENT,
    WORK_MUNLOCK_PAGE,
    WORK_SYSCALL,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
)
from rfcsim.model.limits import above_limit, can_do_mlock, over_limit
from rfcsim.model.populate import skip_stack_guard
from rfcsim.model.shared import GO_ON, POPULATED, POPULATING, SECOND_PASS
from rfcsim.model.unmap import clear_mlocked
from rfcsim.model.vma import (
    SPECIAL,
    UNTOUCHABLE,
    change_flags,
    covers,
    find_vma,
    walked_to,
)

# Where in the call a task is (REG_STEP), beside the shared stretches.
ENTER = 0
MAY_LOCK = 1
LOCK = 2
CHECK = 3
FIXUP = 4
CLEAR = 5
LEAVE_FIRST_PASS = 6
AFTER_FIRST_PASS = 7
WALK = 8
TAKE_ANEW = 9
TAKEN_ANEW = 10
DOWNGRADE = 11


@inner
def step_mlock(state, task, run_class, run_limit):
    """One move of `mlock`, `munlock` (start, length), `mlockall` (flags) or `munlockall`.

    By the rules of 2.6.36 this is `sys_mlock`, `sys_mlockall`, `do_mlock`, `do_mlockall` and
    `mlock_fixup`: flags and pages under one exclusive hold. By those of 2.6.28 the lock is
    downgraded for the pages of each VMA, then taken anew. From the RFC on this only sets flags,
    and the second pass populates. Unlocking is the same in all. The calls on all memory have
    the whole address space as their range. See :func:`rfcsim.model.step.step` for parameters
    and result.
    """
    regs = state.tasks[task]
    while True:
        where = regs[REG_STEP]
        if where == POPULATED:
            if regs[REG_HELD] == SHARED:
                regs[REG_STEP] = TAKE_ANEW
                return EFFECT_UP, SHARED, 0
            regs[REG_STEP] = LEAVE_FIRST_PASS if regs[REG_RETURN] != 0 else FIXUP
        elif where == TAKE_ANEW:
            regs[REG_STEP] = TAKEN_ANEW
            return EFFECT_DOWN, EXCLUSIVE, 0
        elif where == TAKEN_ANEW:
            if not _still_there(state, regs):
                regs[REG_RETURN] = ENOMEM
            regs[REG_STEP] = LEAVE_FIRST_PASS if regs[REG_RETURN] != 0 else FIXUP
        elif where == CLEAR:
            count = clear_mlocked(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_MUNLOCK_PAGE, count
            regs[REG_STEP] = FIXUP
        elif where == WALK:
            count = _mark_present(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_MLOCK_PRESENT, count
            regs[REG_STEP] = FIXUP
        elif where == FIXUP:
            kind, a, b = _fixup(state, regs)
            if kind != EFFECT_DONE:
                return kind, a, b
            regs[REG_STEP] = LEAVE_FIRST_PASS
        elif where == DOWNGRADE:
            regs[REG_STEP] = POPULATING
            return EFFECT_DOWNGRADE, SHARED, 0
        elif where == LEAVE_FIRST_PASS:
            regs[REG_STEP] = AFTER_FIRST_PASS
            return EFFECT_UP, regs[REG_HELD], 0
        elif where == ENTER:
            regs[REG_STEP] = MAY_LOCK if _locks(regs) else LOCK
            return EFFECT_CPU, WORK_SYSCALL, 1
        elif where == MAY_LOCK:
            if _has_bad_flags(regs):
                return EFFECT_DONE, EINVAL, 0
            if not can_do_mlock(state):
                return EFFECT_DONE, EPERM, 0
            regs[REG_STEP] = LOCK
            return EFFECT_CPU, WORK_DRAIN_ALL, 1
        elif where == LOCK:
            regs[REG_STEP] = CHECK
            return EFFECT_DOWN, _first_mode(state, regs), 0
        elif where == CHECK:
            if _begin_walk(state, regs):
                regs[REG_STEP] = FIXUP
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            regs[REG_STEP] = LEAVE_FIRST_PASS
        else:  # AFTER_FIRST_PASS
            if regs[REG_RETURN] == 0 and _has_second_pass(state, regs):
                regs[REG_NEXT] = regs[REG_START]
                regs[REG_STEP] = SECOND_PASS
                return GO_ON, 0, 0
            return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def _first_mode(state, regs):
    """How the first pass, and unlocking, take the lock: exclusively, unless by mistake."""
    mistake = MUTANT_FIRST_PASS_SHARED if _locks(regs) else MUTANT_MUNLOCK_SHARED
    return SHARED if state.mm[MM_MUTANT] == mistake else EXCLUSIVE


@inner
def _locks(regs):
    return regs[REG_CALL] == CALL_MLOCK or regs[REG_CALL] == CALL_MLOCKALL


@inner
def _on_fault(regs):
    return regs[REG_CALL] == CALL_MLOCK and regs[REG_ARG] & MLOCK_ONFAULT != 0


@inner
def _is_for_all(regs):
    return regs[REG_CALL] == CALL_MLOCKALL or regs[REG_CALL] == CALL_MUNLOCKALL


@inner
def _has_bad_flags(regs):
    flags = regs[REG_ARG]
    return regs[REG_CALL] == CALL_MLOCKALL and (
        flags == 0 or flags & ~(MCL_CURRENT | MCL_FUTURE) != 0
    )


@inner
def _has_second_pass(state, regs):
    """Whether `do_mlock_pages` follows a first pass without error."""
    if not state.mm[MM_DESIGN] & RULE_SECOND_PASS:
        return False
    return regs[REG_CALL] == CALL_MLOCK or regs[REG_ARG] & MCL_CURRENT != 0


@inner
def _still_there(state, regs):
    """Whether the part that was populated under the downgraded lock seems to be one VMA still.

    Only its end is looked at. Source: `mlock_fixup`, 2.6.28.
    """
    row = find_vma(state, regs[REG_PART])
    return row < state.mm[MM_MAP_COUNT] and regs[REG_STOP] <= state.vmas[row, VMA_END]


@inner
def _mark_present(state, regs, run_class, run_limit):
    """Mark the next present pages of [REG_NEXT, REG_STOP), one or a run; how many, 0 at the end.

    Source: `mlock_vma_pages_range` and `mlock_pte_range`, 6.19.
    """
    pages, page, stop = state.pages, regs[REG_NEXT], regs[REG_STOP]
    while page < stop and pages[page] & PAGE_PRESENT == 0:
        page += 1
    most = run_limit if run_class == WORK_MLOCK_PRESENT else 1
    count = 0
    while page < stop and count < most and pages[page] & PAGE_PRESENT != 0:
        if pages[page] & PAGE_ZERO == 0:
            pages[page] |= PAGE_MLOCKED
        page += 1
        count += 1
    regs[REG_NEXT] = page
    return count


@inner
def _begin_walk(state, regs):
    """The checks under the lock; False if the call is over, with its value set.

    Source: `sys_mlock`, `do_mlock`, `sys_mlockall` and `do_mlockall`, 2.6.36.
    """
    call, start = regs[REG_CALL], regs[REG_START]
    regs[REG_NEXT] = start
    if _is_for_all(regs):
        flags = regs[REG_ARG] if call == CALL_MLOCKALL else 0
        if flags & MCL_CURRENT and above_limit(state, state.mm[MM_TOTAL_VM]):
            regs[REG_RETURN] = ENOMEM
            return False
        state.mm[MM_DEF_FLAGS] = VM_LOCKED if flags & MCL_FUTURE else 0
        return flags != MCL_FUTURE
    if call != CALL_MUNLOCK and over_limit(state, regs[REG_END] - start):
        regs[REG_RETURN] = ENOMEM
        return False
    if start == regs[REG_END]:
        return False
    if not covers(state, find_vma(state, start), start):
        regs[REG_RETURN] = ENOMEM
        return False
    return True


@inner
def _fixup(state, regs):
    """Set or clear VM_LOCKED on the part of the range that the next VMA covers.

    Returns an effect, or `EFFECT_DONE` when the walk is over and REG_RETURN says how.
    REG_STEP and [REG_NEXT, REG_STOP) tell what is to be done with the part's pages.

    Source: the loops of `do_mlock` and `do_mlockall`, and `mlock_fixup`, 2.6.36; the RFC's first
    three hunks; `mlock_fixup`, 2.6.28 and 6.19.
    """
    vmas, mm = state.vmas, state.mm
    rules = mm[MM_DESIGN]
    start = walked_to(state, regs)
    row = find_vma(state, start)
    if start < regs[REG_END] and _is_for_all(regs):
        start = vmas[row, VMA_START] if row < mm[MM_MAP_COUNT] else regs[REG_END]
    if start >= regs[REG_END]:
        return EFFECT_DONE, 0, 0
    regs[REG_NEXT] = start
    if not covers(state, row, start):
        regs[REG_RETURN] = ENOMEM
        return EFFECT_DONE, 0, 0
    end = min(vmas[row, VMA_END], regs[REG_END])
    flags = vmas[row, VMA_FLAGS]
    on = _locks(regs)
    new_flags = flags & ~(VM_LOCKED | VM_LOCKONFAULT)
    if on:
        new_flags |= VM_LOCKED
    if _on_fault(regs):
        new_flags |= VM_LOCKONFAULT
    populates = on and not rules & RULE_SECOND_PASS and not _on_fault(regs)
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
            charged = (new_flags & VM_LOCKED) - (flags & VM_LOCKED)
            if charged > 0 and state.mm[MM_MUTANT] != MUTANT_UNCHARGED:
                mm[MM_LOCKED_VM] += end - start
            elif charged < 0:
                mm[MM_LOCKED_VM] -= end - start
    if row >= 0:
        if populates:
            skip_stack_guard(state, row, regs)
            regs[REG_STEP] = POPULATING
            if rules & RULE_DOWNGRADES and not flags & SPECIAL:
                regs[REG_PART] = start
                regs[REG_STEP] = DOWNGRADE
        elif on and rules & RULE_WALKS_PRESENT:
            regs[REG_STEP] = WALK
        elif on or state.mm[MM_MUTANT] == MUTANT_MARKS_STAY:
            regs[REG_NEXT] = end
        else:
            regs[REG_STEP] = CLEAR
    if changes > 0:
        return EFFECT_CPU, WORK_VMA_CHANGE, changes
    return EFFECT_CPU, WORK_VMA_VISIT, 1

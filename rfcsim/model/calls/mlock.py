"""`mlock`, `munlock`, `mlockall` and `munlockall`, by every design."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    bit,
    call,
    effect,
    errno,
    flag,
    lock,
    mm,
    mutant,
    reg,
    rule,
    vm,
    vma,
    work,
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

# Where in the call a task is (reg.STEP), apart from the shared stretches.
ENTER = 0
MAY_LOCK = 1
LOCK = 2
CHECK = 3
FIXUP = 4
CLEAR = 5
LEAVE_FIRST_PASS = 6
AFTER_FIRST_PASS = 7
WALK = 8
LOCK_AGAIN = 9
LOCKED_AGAIN = 10
DOWNGRADE = 11


@inner
def step_mlock(state, task, run_class, run_limit):
    """One move of `mlock`, `munlock` (start, length), `mlockall` (flags) or `munlockall`.

    By the rules of 2.6.36 this is `sys_mlock`, `sys_mlockall`, `do_mlock`, `do_mlockall` and
    `mlock_fixup`: flags and pages under one exclusive hold. By those of 2.6.28 the lock is
    downgraded for the pages of each VMA, then taken exclusively again. From the RFC on these steps
    only set flags, and the second pass populates. Unlocking is the same in all designs. The range
    of `mlockall` and `munlockall` is the whole address space. See
    :func:`rfcsim.model.step.step` for parameters and result.
    """
    regs = state.tasks[task]
    while True:
        where = regs[reg.STEP]
        if where == POPULATED:
            if regs[reg.HELD] == lock.SHARED:
                regs[reg.STEP] = LOCK_AGAIN
                return effect.UP, lock.SHARED, 0
            regs[reg.STEP] = LEAVE_FIRST_PASS if regs[reg.RETURN] != 0 else FIXUP
        elif where == LOCK_AGAIN:
            regs[reg.STEP] = LOCKED_AGAIN
            return effect.DOWN, lock.EXCLUSIVE, 0
        elif where == LOCKED_AGAIN:
            if not _still_there(state, regs):
                regs[reg.RETURN] = errno.ENOMEM
            regs[reg.STEP] = LEAVE_FIRST_PASS if regs[reg.RETURN] != 0 else FIXUP
        elif where == CLEAR:
            count = clear_mlocked(state, regs, run_class, run_limit)
            if count > 0:
                return effect.CPU, work.MUNLOCK_PAGE, count
            regs[reg.STEP] = FIXUP
        elif where == WALK:
            count = _mark_present(state, regs, run_class, run_limit)
            if count > 0:
                return effect.CPU, work.MLOCK_PRESENT, count
            regs[reg.STEP] = FIXUP
        elif where == FIXUP:
            kind, a, b = _fixup(state, regs)
            if kind != effect.DONE:
                return kind, a, b
            regs[reg.STEP] = LEAVE_FIRST_PASS
        elif where == DOWNGRADE:
            regs[reg.STEP] = POPULATING
            return effect.DOWNGRADE, lock.SHARED, 0
        elif where == LEAVE_FIRST_PASS:
            regs[reg.STEP] = AFTER_FIRST_PASS
            return effect.UP, regs[reg.HELD], 0
        elif where == ENTER:
            regs[reg.STEP] = MAY_LOCK if _locks(regs) else LOCK
            return effect.CPU, work.SYSCALL, 1
        elif where == MAY_LOCK:
            if _has_bad_flags(regs):
                return effect.DONE, errno.EINVAL, 0
            if not can_do_mlock(state):
                return effect.DONE, errno.EPERM, 0
            regs[reg.STEP] = LOCK
            return effect.CPU, work.DRAIN_ALL, 1
        elif where == LOCK:
            regs[reg.STEP] = CHECK
            return effect.DOWN, _first_mode(state, regs), 0
        elif where == CHECK:
            if _begin_walk(state, regs):
                regs[reg.STEP] = FIXUP
                return effect.CPU, work.VMA_VISIT, 1
            regs[reg.STEP] = LEAVE_FIRST_PASS
        else:  # AFTER_FIRST_PASS
            if regs[reg.RETURN] == 0 and _has_second_pass(state, regs):
                regs[reg.NEXT] = regs[reg.START]
                regs[reg.STEP] = SECOND_PASS
                return GO_ON, 0, 0
            return effect.DONE, regs[reg.RETURN], 0


@inner
def _first_mode(state, regs):
    """How the first pass and unlocking take the lock: exclusively, except in two mutants."""
    mistake = mutant.FIRST_PASS_SHARED if _locks(regs) else mutant.MUNLOCK_SHARED
    return lock.SHARED if state.mm[mm.MUTANT] == mistake else lock.EXCLUSIVE


@inner
def _locks(regs):
    return regs[reg.CALL] == call.MLOCK or regs[reg.CALL] == call.MLOCKALL


@inner
def _on_fault(regs):
    return regs[reg.CALL] == call.MLOCK and regs[reg.ARG] & flag.MLOCK_ONFAULT != 0


@inner
def _is_for_all(regs):
    return regs[reg.CALL] == call.MLOCKALL or regs[reg.CALL] == call.MUNLOCKALL


@inner
def _has_bad_flags(regs):
    flags = regs[reg.ARG]
    return regs[reg.CALL] == call.MLOCKALL and (
        flags == 0 or flags & ~(flag.MCL_CURRENT | flag.MCL_FUTURE) != 0
    )


@inner
def _has_second_pass(state, regs):
    """Whether `do_mlock_pages` follows a first pass without error."""
    if not state.mm[mm.DESIGN] & rule.SECOND_PASS:
        return False
    return regs[reg.CALL] == call.MLOCK or regs[reg.ARG] & flag.MCL_CURRENT != 0


@inner
def _still_there(state, regs):
    """Whether the part that was populated under the downgraded lock still seems to be one VMA.

    Only its end is looked at.

    Source: `mlock_fixup`, 2.6.28.
    """
    row = find_vma(state, regs[reg.PART])
    return row < state.mm[mm.MAP_COUNT] and regs[reg.STOP] <= state.vmas[row, vma.END]


@inner
def _mark_present(state, regs, run_class, run_limit):
    """Mark the next present page of [reg.NEXT, reg.STOP), or a run; returns how many, 0 at the end.

    Source: `mlock_vma_pages_range` and `mlock_pte_range`, 6.19.
    """
    pages, page, stop = state.pages, regs[reg.NEXT], regs[reg.STOP]
    while page < stop and pages[page] & bit.PRESENT == 0:
        page += 1
    most = run_limit if run_class == work.MLOCK_PRESENT else 1
    count = 0
    while page < stop and count < most and pages[page] & bit.PRESENT != 0:
        if pages[page] & bit.ZERO == 0:
            pages[page] |= bit.MLOCKED
        page += 1
        count += 1
    regs[reg.NEXT] = page
    return count


@inner
def _begin_walk(state, regs):
    """Make the checks under the lock; False if the call is over, with its value set.

    Source: `sys_mlock`, `do_mlock`, `sys_mlockall` and `do_mlockall`, 2.6.36.
    """
    this_call, start = regs[reg.CALL], regs[reg.START]
    regs[reg.NEXT] = start
    if _is_for_all(regs):
        flags = regs[reg.ARG] if this_call == call.MLOCKALL else 0
        if flags & flag.MCL_CURRENT and above_limit(state, state.mm[mm.TOTAL_VM]):
            regs[reg.RETURN] = errno.ENOMEM
            return False
        state.mm[mm.DEF_FLAGS] = vm.LOCKED if flags & flag.MCL_FUTURE else 0
        return flags != flag.MCL_FUTURE
    if this_call != call.MUNLOCK and over_limit(state, regs[reg.END] - start):
        regs[reg.RETURN] = errno.ENOMEM
        return False
    if start == regs[reg.END]:
        return False
    if not covers(state, find_vma(state, start), start):
        regs[reg.RETURN] = errno.ENOMEM
        return False
    return True


@inner
def _fixup(state, regs):
    """Set or clear VM_LOCKED on the part of the range that the next VMA covers.

    Returns an effect, or `effect.DONE` when the walk is over and reg.RETURN says how.
    reg.STEP and [reg.NEXT, reg.STOP) say what is to be done with the part's pages.

    Source: the loops of `do_mlock` and `do_mlockall`, and `mlock_fixup`, 2.6.36; the RFC's first
    three hunks; `mlock_fixup`, 2.6.28 and 6.19.
    """
    vmas = state.vmas
    rules = state.mm[mm.DESIGN]
    start = walked_to(state, regs)
    row = find_vma(state, start)
    if start < regs[reg.END] and _is_for_all(regs):
        start = vmas[row, vma.START] if row < state.mm[mm.MAP_COUNT] else regs[reg.END]
    if start >= regs[reg.END]:
        return effect.DONE, 0, 0
    regs[reg.NEXT] = start
    if not covers(state, row, start):
        regs[reg.RETURN] = errno.ENOMEM
        return effect.DONE, 0, 0
    end = min(vmas[row, vma.END], regs[reg.END])
    flags = vmas[row, vma.FLAGS]
    on = _locks(regs)
    new_flags = flags & ~(vm.LOCKED | vm.LOCKONFAULT)
    if on:
        new_flags |= vm.LOCKED
    if _on_fault(regs):
        new_flags |= vm.LOCKONFAULT
    populates = on and not rules & rule.SECOND_PASS and not _on_fault(regs)
    regs[reg.STOP] = end
    if flags == new_flags or flags & UNTOUCHABLE or (flags & SPECIAL and not populates):
        regs[reg.NEXT] = end
        return effect.CPU, work.VMA_VISIT, 1
    changes = 0
    if not flags & SPECIAL:
        row, changes = change_flags(state, row, start, end, new_flags)
        if row < 0:
            regs[reg.RETURN] = row
            regs[reg.NEXT] = regs[reg.END]
        else:
            charged = (new_flags & vm.LOCKED) - (flags & vm.LOCKED)
            if charged > 0 and state.mm[mm.MUTANT] != mutant.UNCHARGED:
                state.mm[mm.LOCKED_VM] += end - start
            elif charged < 0:
                state.mm[mm.LOCKED_VM] -= end - start
    if row >= 0:
        if populates:
            skip_stack_guard(state, row, regs)
            regs[reg.STEP] = POPULATING
            if rules & rule.DOWNGRADES and not flags & SPECIAL:
                regs[reg.PART] = start
                regs[reg.STEP] = DOWNGRADE
        elif on and rules & rule.WALKS_PRESENT:
            regs[reg.STEP] = WALK
        elif on or state.mm[mm.MUTANT] == mutant.MARKS_STAY:
            regs[reg.NEXT] = end
        else:
            regs[reg.STEP] = CLEAR
    if changes > 0:
        return effect.CPU, work.VMA_CHANGE, changes
    return effect.CPU, work.VMA_VISIT, 1

"""The second pass: populating under shared holds, as each design since the RFC does it."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    CALL_MREMAP,
    CALL_POPULATE,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EFFECT_WAIT_PAGE,
    ENOMEM,
    MM_BATCH_PAGES,
    MM_MUTANT,
    MUTANT_CHECK_BEFORE_LOCK,
    MUTANT_IGNORES_ERROR,
    MUTANT_KEEPS_LOCK,
    MUTANT_NO_CLIP,
    MUTANT_NO_RECHECK,
    MUTANT_SKIPS_A_PAGE,
    PAGE_READING,
    REG_ARG,
    REG_CALL,
    REG_END,
    REG_HELD,
    REG_LOOKED_UP,
    REG_NEXT,
    REG_RETURN,
    REG_STEP,
    REG_STOP,
    RULE_ANY_VMA,
    RULE_BATCHES,
    RULE_CONTENDED,
    SEM_WAITERS,
    SHARED,
    VM_LOCKED,
    VM_LOCKONFAULT,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    WORK_SYSCALL,
    WORK_VMA_VISIT,
)
from rfcsim.model.populate import pass_rules, skip_stack_guard
from rfcsim.model.shared import (
    FIND_PART,
    LEAVE_TO_POPULATE,
    PART_FIRST_PAGE,
    PART_OVER,
    SECOND_PASS,
    SLEEP,
)
from rfcsim.model.vma import SPECIAL, UNTOUCHABLE, find_vma, intersects


@inner
def step_second_pass(state, task):
    """One move of the second pass, but for those that populate; it begins at REG_NEXT.

    The pass ends the call. Wherever the lock was given up, the VMA is looked up anew. See
    :func:`rfcsim.model.step.step` for the result.

    Source: `do_mlock_pages` of the RFC, with a hold a batch; `do_mlock_pages` of 2.6.38 and
    `__mm_populate` from 3.9 on, with one hold unless the disk is waited for.
    """
    regs = state.tasks[task]
    rules = pass_rules(state, regs)
    batches = rules & RULE_BATCHES != 0
    while True:
        where = regs[REG_STEP]
        if where == PART_OVER:
            if regs[REG_NEXT] < regs[REG_STOP]:
                regs[REG_STEP] = SLEEP
                return EFFECT_UP, SHARED, 0
            _go_past(state, regs)
            contended = rules & RULE_CONTENDED != 0 and state.sem[SEM_WAITERS] > 0
            if not batches and not contended and regs[REG_NEXT] < _end(regs):
                regs[REG_STEP] = FIND_PART
            else:
                regs[REG_STEP] = SECOND_PASS
                return EFFECT_UP, SHARED, 0
        elif where == FIND_PART:
            if _find_part(state, regs):
                regs[REG_STEP] = PART_FIRST_PAGE
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            _go_past(state, regs)
            if not batches and regs[REG_NEXT] < _end(regs):
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            regs[REG_STEP] = SECOND_PASS
            if state.mm[MM_MUTANT] == MUTANT_KEEPS_LOCK:
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            return EFFECT_UP, SHARED, 0
        elif where == SLEEP:
            regs[REG_STEP] = SECOND_PASS
            page = regs[REG_NEXT]
            if regs[REG_LOOKED_UP] == page:
                regs[REG_LOOKED_UP] = -1  # it will be looked up anew
                if state.pages[page] & PAGE_READING:
                    return EFFECT_WAIT_PAGE, page, 0
        elif where == LEAVE_TO_POPULATE:
            regs[REG_STEP] = SECOND_PASS
            return EFFECT_UP, regs[REG_HELD], 0
        else:  # SECOND_PASS
            if regs[REG_NEXT] >= _end(regs):
                return EFFECT_DONE, regs[REG_RETURN], 0
            regs[REG_STEP] = FIND_PART
            if state.mm[MM_MUTANT] == MUTANT_CHECK_BEFORE_LOCK and _find_part(state, regs):
                regs[REG_STEP] = PART_FIRST_PAGE
            return EFFECT_DOWN, SHARED, 0


@inner
def step_populate(state, task):
    """One move of `madvise(MADV_POPULATE_WRITE)`, or of its like for memory that is only read.

    All of it is a second pass. What it makes present in a VM_LOCKED VMA is mlocked.

    Source: `madvise_populate`, mm/madvise.c, 5.14.
    """
    state.tasks[task, REG_STEP] = SECOND_PASS
    return EFFECT_CPU, WORK_SYSCALL, 1


@inner
def _end(regs):
    """One past the last page of the pass: what `mremap` has grown by lies at its new place."""
    if regs[REG_CALL] == CALL_MREMAP:
        return regs[REG_RETURN] + regs[REG_ARG]
    return regs[REG_END]


@inner
def _go_past(state, regs):
    """Leave the part that was dealt with behind; everything, after an error."""
    regs[REG_NEXT] = regs[REG_STOP]
    if state.mm[MM_MUTANT] == MUTANT_SKIPS_A_PAGE:
        regs[REG_NEXT] += 1
    if regs[REG_RETURN] < 0:
        if state.mm[MM_MUTANT] == MUTANT_IGNORES_ERROR:
            regs[REG_RETURN] = 0
        else:
            regs[REG_NEXT] = _end(regs)


@inner
def _find_part(state, regs):
    """Find the next pages to populate, under the shared lock; False if there are none here.

    Afterwards REG_STOP says how far this hold has dealt with the range. Holes are passed over,
    but `madvise` fails at one.
    """
    vmas, mm = state.vmas, state.mm
    rules, end = pass_rules(state, regs), _end(regs)
    row = find_vma(state, regs[REG_NEXT])
    regs[REG_STOP] = end
    found = intersects(state, row, regs[REG_NEXT], end)
    if regs[REG_CALL] == CALL_POPULATE and (not found or vmas[row, VMA_START] > regs[REG_NEXT]):
        regs[REG_RETURN] = ENOMEM
        return False
    if not found:
        return False
    flags = vmas[row, VMA_FLAGS]
    regs[REG_STOP] = min(end, vmas[row, VMA_END])
    if flags & UNTOUCHABLE or (flags & VM_LOCKONFAULT and regs[REG_CALL] != CALL_POPULATE):
        return False
    regs[REG_NEXT] = max(regs[REG_NEXT], vmas[row, VMA_START])
    wanted = rules & RULE_ANY_VMA != 0 or flags & (SPECIAL | VM_LOCKED) != 0
    if not wanted and mm[MM_MUTANT] != MUTANT_NO_RECHECK:
        return False
    if rules & RULE_BATCHES:
        stop = end if mm[MM_MUTANT] == MUTANT_NO_CLIP else regs[REG_STOP]
        regs[REG_STOP] = min(stop, regs[REG_NEXT] + mm[MM_BATCH_PAGES])
    skip_stack_guard(state, row, regs)
    return True

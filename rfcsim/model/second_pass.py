"""The second pass: populating under shared holds, as each design since the RFC does it."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    bit,
    call,
    effect,
    errno,
    lock,
    mm,
    mutant,
    reg,
    rule,
    sem,
    vm,
    vma,
    work,
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
    """One move of the second pass, which begins at reg.NEXT and ends the call.

    The moves that populate are those of :func:`rfcsim.model.populate.populate`. Wherever the lock
    has been given up, the VMA is looked up again. See :func:`rfcsim.model.step.step` for the
    result.

    Source: `do_mlock_pages` of the RFC, with one hold for each batch; `do_mlock_pages` of 2.6.38
    and `__mm_populate` from 3.9 on, with one hold as long as the disk need not be waited for.
    """
    regs = state.tasks[task]
    rules = pass_rules(state, regs)
    batches = rules & rule.BATCHES != 0
    while True:
        where = regs[reg.STEP]
        if where == PART_OVER:
            if regs[reg.NEXT] < regs[reg.STOP]:
                regs[reg.STEP] = SLEEP
                return effect.UP, lock.SHARED, 0
            _go_past(state, regs)
            contended = rules & rule.CONTENDED != 0 and state.sem[sem.WAITERS] > 0
            if not batches and not contended and regs[reg.NEXT] < _end(regs):
                regs[reg.STEP] = FIND_PART
            else:
                regs[reg.STEP] = SECOND_PASS
                return effect.UP, lock.SHARED, 0
        elif where == FIND_PART:
            if _find_part(state, regs):
                regs[reg.STEP] = PART_FIRST_PAGE
                return effect.CPU, work.VMA_VISIT, 1
            _go_past(state, regs)
            if not batches and regs[reg.NEXT] < _end(regs):
                return effect.CPU, work.VMA_VISIT, 1
            regs[reg.STEP] = SECOND_PASS
            if state.mm[mm.MUTANT] == mutant.KEEPS_LOCK:
                return effect.CPU, work.VMA_VISIT, 1
            return effect.UP, lock.SHARED, 0
        elif where == SLEEP:
            regs[reg.STEP] = SECOND_PASS
            page = regs[reg.NEXT]
            if regs[reg.LOOKED_UP] == page:
                regs[reg.LOOKED_UP] = -1  # it will be looked up again
                if state.pages[page] & bit.READING:
                    return effect.WAIT_PAGE, page, 0
        elif where == LEAVE_TO_POPULATE:
            regs[reg.STEP] = SECOND_PASS
            return effect.UP, regs[reg.HELD], 0
        else:  # SECOND_PASS
            if regs[reg.NEXT] >= _end(regs):
                return effect.DONE, regs[reg.RETURN], 0
            regs[reg.STEP] = FIND_PART
            if state.mm[mm.MUTANT] == mutant.CHECK_BEFORE_LOCK and _find_part(state, regs):
                regs[reg.STEP] = PART_FIRST_PAGE
            return effect.DOWN, lock.SHARED, 0


@inner
def step_populate(state, task):
    """One move of `madvise(MADV_POPULATE_WRITE)`, or of its counterpart for read-only memory.

    All of it is a second pass. The pages that it makes present in a VM_LOCKED VMA are mlocked.

    Source: `madvise_populate`, mm/madvise.c, 5.14.
    """
    state.tasks[task, reg.STEP] = SECOND_PASS
    return effect.CPU, work.SYSCALL, 1


@inner
def _end(regs):
    """One past the last page of the pass. The pages that `mremap` added are at the new place."""
    if regs[reg.CALL] == call.MREMAP:
        return regs[reg.RETURN] + regs[reg.ARG]
    return regs[reg.END]


@inner
def _go_past(state, regs):
    """Go on behind the part that was dealt with; after an error, behind the whole range."""
    regs[reg.NEXT] = regs[reg.STOP]
    if state.mm[mm.MUTANT] == mutant.SKIPS_A_PAGE:
        regs[reg.NEXT] += 1
    if regs[reg.RETURN] < 0:
        if state.mm[mm.MUTANT] == mutant.IGNORES_ERROR:
            regs[reg.RETURN] = 0
        else:
            regs[reg.NEXT] = _end(regs)


@inner
def _find_part(state, regs):
    """Find the next pages to populate, under the shared lock; False if there are none here.

    Afterwards reg.STOP says how far the range has been dealt with. Holes are passed over, except
    by `madvise`, which fails.
    """
    vmas = state.vmas
    rules, end = pass_rules(state, regs), _end(regs)
    row = find_vma(state, regs[reg.NEXT])
    regs[reg.STOP] = end
    found = intersects(state, row, regs[reg.NEXT], end)
    if regs[reg.CALL] == call.POPULATE and (not found or vmas[row, vma.START] > regs[reg.NEXT]):
        regs[reg.RETURN] = errno.ENOMEM
        return False
    if not found:
        return False
    flags = vmas[row, vma.FLAGS]
    regs[reg.STOP] = min(end, vmas[row, vma.END])
    if flags & UNTOUCHABLE or (flags & vm.LOCKONFAULT and regs[reg.CALL] != call.POPULATE):
        return False
    regs[reg.NEXT] = max(regs[reg.NEXT], vmas[row, vma.START])
    wanted = rules & rule.ANY_VMA != 0 or flags & (SPECIAL | vm.LOCKED) != 0
    if not wanted and state.mm[mm.MUTANT] != mutant.NO_RECHECK:
        return False
    if rules & rule.BATCHES:
        stop = end if state.mm[mm.MUTANT] == mutant.NO_CLIP else regs[reg.STOP]
        regs[reg.STOP] = min(stop, regs[reg.NEXT] + state.mm[mm.BATCH_PAGES])
    skip_stack_guard(state, row, regs)
    return True

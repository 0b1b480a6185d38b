"""Making the pages of a range present, mlocked where their VMA is VM_LOCKED."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    CALL_MLOCK,
    CALL_MLOCKALL,
    EAGAIN,
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    ENOMEM,
    ERESTARTSYS,
    EXCLUSIVE,
    MM_MUTANT,
    MUTANT_CHECK_BEFORE_LOCK,
    MUTANT_NO_RECHECK,
    PAGE_MLOCKED,
    PAGE_ZERO,
    REG_CALL,
    REG_HELD,
    REG_KILLED,
    REG_NEXT,
    REG_RETURN,
    REG_STEP,
    REG_STOP,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_READ,
    VM_WRITE,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    WORK_MLOCK_ANON,
)
from rfcsim.model.pages import FAILED, make_present, sure_work
from rfcsim.model.shared import POPULATING
from rfcsim.model.vma import SPECIAL, UNTOUCHABLE, find_vma

# Mutants whose marking rests on a look at the VMA's flags that is not made here: without its
# guard the patch would call `__mlock_vma_pages_range` for any VMA, and that marks.
MARKS_UNSEEN = (MUTANT_NO_RECHECK, MUTANT_CHECK_BEFORE_LOCK)


@inner
def populate(state, task, run_class, run_limit):
    """Make pages of [REG_NEXT, REG_STOP), which one VMA covers, present: one, or a run.

    `EFFECT_DONE` when none is left, and on an error, which ends the stretch. The error goes to
    REG_RETURN where the caller in the kernel passes it on.

    Source: `__mlock_vma_pages_range` and `make_pages_present`, 2.6.36.
    """
    regs, pages = state.tasks[task], state.pages
    page, stop = regs[REG_NEXT], regs[REG_STOP]
    if page >= stop:
        return EFFECT_DONE, 0, 0
    row = find_vma(state, page)
    flags = state.vmas[row, VMA_FLAGS]
    marks = flags & VM_LOCKED != 0 or state.mm[MM_MUTANT] in MARKS_UNSEEN
    write = flags & VM_WRITE != 0
    if regs[REG_KILLED] != 0 and (write or flags & VM_READ):
        kind, a, b = FAILED, ERESTARTSYS, 0  # after the test for permission, before the page
    else:
        kind, a, b = make_present(state, task, row, page, write, WORK_MLOCK_ANON)
    if kind == FAILED:
        if marks and _passes_errors_on(regs):
            regs[REG_RETURN] = posix_error(a)
        regs[REG_NEXT] = stop
        return EFFECT_DONE, 0, 0
    if kind != EFFECT_CPU:
        return kind, a, b
    most = min(run_limit, stop - page) if a == run_class else 1
    count = 1
    while True:
        if marks and pages[page] & PAGE_ZERO == 0:
            pages[page] |= PAGE_MLOCKED
        page += 1
        if count == most or sure_work(state, row, page, write, WORK_MLOCK_ANON) != run_class:
            break
        make_present(state, task, row, page, write, WORK_MLOCK_ANON)
        count += 1
    regs[REG_NEXT] = page
    return EFFECT_CPU, a, count


@inner
def _passes_errors_on(regs):
    """Whether the caller hears of an error in a VM_LOCKED VMA.

    `mlock` does; `mlockall` only from the RFC's second pass, where the first error is its value;
    `mmap` and `mremap` never do. Errors in special VMAs, which are not VM_LOCKED, are nobody's.

    Source: `do_mlock`, `do_mlockall`, `mlock_vma_pages_range`, 2.6.36; `do_mlock_pages`, RFC.
    """
    call = regs[REG_CALL]
    return call == CALL_MLOCK or (call == CALL_MLOCKALL and regs[REG_HELD] != EXCLUSIVE)


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
def skip_stack_guard(state, row, regs):
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
def lock_new_range(state, row, regs, start, end):
    """Enter the populating of [start, end), new in the VM_LOCKED VMA at `row`; pages to charge.

    Device memory is not populated and special memory not marked; both lose VM_LOCKED and are
    charged nothing. Otherwise errors are hidden: populating stops there.

    Source: `mlock_vma_pages_range`, mm/mlock.c, 2.6.36.
    """
    flags = state.vmas[row, VMA_FLAGS]
    regs[REG_NEXT] = start
    regs[REG_STOP] = start if flags & UNTOUCHABLE else end
    regs[REG_STEP] = POPULATING
    if flags & (SPECIAL | UNTOUCHABLE):
        state.vmas[row, VMA_FLAGS] = flags & ~VM_LOCKED
        return 0
    skip_stack_guard(state, row, regs)
    return end - start

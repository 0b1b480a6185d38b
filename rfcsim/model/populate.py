"""Making the pages of a range present, mlocked where their VMA is VM_LOCKED."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    CALL_MLOCK,
    CALL_MLOCKALL,
    CALL_POPULATE,
    CALL_REMAP_FILE_PAGES,
    EAGAIN,
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_WAIT_PAGE,
    EINTR,
    EINVAL,
    ENOMEM,
    ERESTARTSYS,
    MM_DESIGN,
    PAGE_MLOCKED,
    PAGE_ZERO,
    REG_CALL,
    REG_KILLED,
    REG_LOOKED_UP,
    REG_MARKS,
    REG_NEXT,
    REG_RETURN,
    REG_STEP,
    REG_STOP,
    RULE_ANY_VMA,
    RULE_CONTENDED,
    RULE_DISK,
    RULE_HIDES_ERRORS,
    RULE_MAP_AFTERWARDS,
    RULE_SECOND_PASS,
    SEM_WAITERS,
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
from rfcsim.model.shared import LEAVE_TO_POPULATE, PART_MORE_PAGES, POPULATING
from rfcsim.model.vma import SPECIAL, UNTOUCHABLE, find_vma


@inner
def populate(state, task, run_class, run_limit):
    """Make pages of [REG_NEXT, REG_STOP), which one VMA covers, present: one, or a run.

    `EFFECT_DONE` when none is left, and on an error, which ends the stretch. The error goes to
    REG_RETURN where the caller in the kernel passes it on. In a second pass also, with REG_NEXT
    before REG_STOP, when the hold is to be given up: somebody waits for the lock, or the disk has
    to be waited for, with REG_LOOKED_UP as its page.

    Source: `__mlock_vma_pages_range` and `make_pages_present`, 2.6.36; `__get_user_pages` with
    `nonblocking`, 2.6.38.
    """
    regs, pages = state.tasks[task], state.pages
    page, stop = regs[REG_NEXT], regs[REG_STOP]
    where = regs[REG_STEP]
    rules = 0 if where == POPULATING else pass_rules(state, regs)
    contended = rules & RULE_CONTENDED != 0 and state.sem[SEM_WAITERS] > 0
    if page >= stop or (contended and where == PART_MORE_PAGES):
        return EFFECT_DONE, 0, 0
    row = find_vma(state, page)
    flags = state.vmas[row, VMA_FLAGS]
    marks = _marks(state, regs, flags, rules)
    write = flags & VM_WRITE != 0
    faulting = regs[REG_LOOKED_UP] == page  # goes on after a read; a fault is not interrupted
    if regs[REG_KILLED] != 0 and not faulting and (write or flags & VM_READ):
        kind, a, b = FAILED, ERESTARTSYS, 0  # after the test for permission, before the page
    else:
        kind, a, b = make_present(state, task, row, page, write, WORK_MLOCK_ANON)
    if kind == FAILED:
        if (marks or rules & RULE_ANY_VMA) and _passes_errors_on(regs, rules):
            regs[REG_RETURN] = _error(regs, flags, a)
        regs[REG_NEXT] = stop
        return EFFECT_DONE, 0, 0
    if kind == EFFECT_WAIT_PAGE and rules & RULE_DISK:
        return EFFECT_DONE, 0, 0
    if kind != EFFECT_CPU:
        return kind, a, b
    if rules & RULE_CONTENDED:
        regs[REG_STEP] = PART_MORE_PAGES
    alone = contended or a != run_class or regs[REG_KILLED] != 0
    most = 1 if alone else min(run_limit, stop - page)
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
def _marks(state, regs, flags, rules):
    """Whether a page of a VMA with these flags is mlocked once it is present.

    Since FOLL_MLOCK the flag is looked at for each page. Before, once for a whole range, while
    others who share the lock can change it: `remap_file_pages` does.

    Source: `do_mlock_pages` and `__mlock_vma_pages_range`, RFC; `follow_page`, 2.6.38.
    """
    if regs[REG_STEP] == POPULATING:
        if regs[REG_CALL] == CALL_REMAP_FILE_PAGES and not state.mm[MM_DESIGN] & RULE_ANY_VMA:
            return regs[REG_MARKS] != 0
    elif not rules & RULE_ANY_VMA:
        return flags & SPECIAL == 0
    return flags & VM_LOCKED != 0


@inner
def pass_rules(state, regs):
    """The rules by which a call's second pass goes: the kernel's, but for `madvise`.

    Source: `madvise_populate`, mm/madvise.c, 5.14, which goes on as `__mm_populate` does.
    """
    if regs[REG_CALL] == CALL_POPULATE:
        return RULE_SECOND_PASS | RULE_DISK | RULE_ANY_VMA
    return state.mm[MM_DESIGN]


@inner
def _passes_errors_on(regs, rules):
    """Whether the caller hears of an error in a VM_LOCKED VMA.

    `mlock` and `madvise` do; `mlockall` only from a second pass, where the first error is its
    value, and not from 2.6.38 on; `mmap`, `brk`, `mremap` and `remap_file_pages` never do. Errors
    in special VMAs, which are not VM_LOCKED, are nobody's.

    Source: `do_mlock`, `do_mlockall`, `mlock_vma_pages_range`, 2.6.36; `do_mlock_pages`, RFC
    and 2.6.38.
    """
    call = regs[REG_CALL]
    if call == CALL_MLOCKALL:
        return rules & (RULE_SECOND_PASS | RULE_HIDES_ERRORS) == RULE_SECOND_PASS
    return call in (CALL_MLOCK, CALL_POPULATE)


@inner
def _error(regs, flags, error):
    """What a call returns for an error of populating.

    Source: `madvise_populate`, 5.14, for what `madvise` makes of it.
    """
    if regs[REG_CALL] != CALL_POPULATE:
        return posix_error(error)
    if error == ERESTARTSYS:
        return EINTR
    return error if flags & (VM_READ | VM_WRITE) else EINVAL


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
    charged nothing. Otherwise errors are hidden: populating stops there. From 3.9 on the
    exclusive hold is released first.

    Source: `mlock_vma_pages_range`, mm/mlock.c, 2.6.36; `mm_populate`, include/linux/mm.h, 3.9.
    """
    flags = state.vmas[row, VMA_FLAGS]
    enter_populating(state, regs, start, end)
    if flags & UNTOUCHABLE:
        regs[REG_STOP] = start
    if flags & (SPECIAL | UNTOUCHABLE):
        state.vmas[row, VMA_FLAGS] = flags & ~VM_LOCKED
        return 0
    if regs[REG_STEP] == POPULATING:
        skip_stack_guard(state, row, regs)
    return end - start


@inner
def enter_populating(state, regs, start, end):
    """Let a call that maps [start, end) populate it: under its hold, or after it from 3.9 on."""
    regs[REG_NEXT] = start
    regs[REG_STOP] = end
    after = state.mm[MM_DESIGN] & RULE_MAP_AFTERWARDS != 0
    regs[REG_STEP] = LEAVE_TO_POPULATE if after else POPULATING

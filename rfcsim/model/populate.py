"""Making the pages of a range present, mlocked where their VMA is VM_LOCKED."""

from rfcsim._jit import inner
from rfcsim.model.layout import bit, call, effect, errno, mm, reg, rule, sem, vm, vma, work
from rfcsim.model.pages import FAILED, make_present, sure_work
from rfcsim.model.shared import LEAVE_TO_POPULATE, PART_MORE_PAGES, POPULATING
from rfcsim.model.vma import SPECIAL, UNTOUCHABLE, find_vma


@inner
def populate(state, task, run_class, run_limit):
    """Make a page of [reg.NEXT, reg.STOP) present, or a run of pages. One VMA covers them all.

    `effect.DONE` means that no page is left, or that an error has ended the stretch. The error goes
    to reg.RETURN where the kernel's caller passes it on. In a second pass `effect.DONE` with
    reg.NEXT before reg.STOP means that the hold is to be given up: somebody waits for the lock, or
    the page reg.LOOKED_UP has to come from the disk.

    Source: `__mlock_vma_pages_range` and `make_pages_present`, 2.6.36; `__get_user_pages` with
    `nonblocking`, 2.6.38.
    """
    regs, pages = state.tasks[task], state.pages
    page, stop = regs[reg.NEXT], regs[reg.STOP]
    where = regs[reg.STEP]
    rules = 0 if where == POPULATING else pass_rules(state, regs)
    contended = rules & rule.CONTENDED != 0 and state.sem[sem.WAITERS] > 0
    if page >= stop or (contended and where == PART_MORE_PAGES):
        return effect.DONE, 0, 0
    row = find_vma(state, page)
    flags = state.vmas[row, vma.FLAGS]
    marks = _marks(state, regs, flags, rules)
    write = flags & vm.WRITE != 0
    faulting = regs[reg.LOOKED_UP] == page  # a fault goes on after its read, uninterrupted
    if regs[reg.KILLED] != 0 and not faulting and (write or flags & vm.READ):
        kind, a, b = FAILED, errno.ERESTARTSYS, 0  # noticed after the test for permission
    else:
        kind, a, b = make_present(state, task, row, page, write, work.MLOCK_ANON)
    if kind == FAILED:
        if (marks or rules & rule.ANY_VMA) and _passes_errors_on(regs, rules):
            regs[reg.RETURN] = _error(regs, flags, a)
        regs[reg.NEXT] = stop
        return effect.DONE, 0, 0
    if kind == effect.WAIT_PAGE and rules & rule.DISK:
        return effect.DONE, 0, 0
    if kind != effect.CPU:
        return kind, a, b
    if rules & rule.CONTENDED:
        regs[reg.STEP] = PART_MORE_PAGES
    alone = contended or a != run_class or regs[reg.KILLED] != 0
    most = 1 if alone else min(run_limit, stop - page)
    count = 1
    while True:
        if marks and pages[page] & bit.ZERO == 0:
            pages[page] |= bit.MLOCKED
        page += 1
        if count == most or sure_work(state, row, page, write, work.MLOCK_ANON) != run_class:
            break
        make_present(state, task, row, page, write, work.MLOCK_ANON)
        count += 1
    regs[reg.NEXT] = page
    return effect.CPU, a, count


@inner
def _marks(state, regs, flags, rules):
    """Whether a page of a VMA with these flags is mlocked once it is present.

    Since FOLL_MLOCK the flag is read for each page. Before that it was read once for a whole range,
    although others who share the lock can change it, as `remap_file_pages` does.

    Source: `do_mlock_pages` and `__mlock_vma_pages_range`, RFC; `follow_page`, 2.6.38.
    """
    if regs[reg.STEP] == POPULATING:
        if regs[reg.CALL] == call.REMAP_FILE_PAGES and not state.mm[mm.DESIGN] & rule.ANY_VMA:
            return regs[reg.MARKS] != 0
    elif not rules & rule.ANY_VMA:
        return flags & SPECIAL == 0
    return flags & vm.LOCKED != 0


@inner
def pass_rules(state, regs):
    """The rules of a call's second pass: those of the kernel, except for `madvise`.

    Source: `madvise_populate`, mm/madvise.c, 5.14, which goes on as `__mm_populate` does.
    """
    if regs[reg.CALL] == call.POPULATE:
        return rule.SECOND_PASS | rule.DISK | rule.ANY_VMA
    return state.mm[mm.DESIGN]


@inner
def _passes_errors_on(regs, rules):
    """Whether a call returns an error that it met in a VM_LOCKED VMA.

    `mlock` and `madvise` do. `mlockall` does so only from a second pass, whose first error is its
    value, and no longer from 2.6.38 on. `mmap`, `brk`, `mremap` and `remap_file_pages` never do.
    Nobody returns an error in a special VMA, which is not VM_LOCKED.

    Source: `do_mlock`, `do_mlockall`, `mlock_vma_pages_range`, 2.6.36; `do_mlock_pages`, RFC
    and 2.6.38.
    """
    this_call = regs[reg.CALL]
    if this_call == call.MLOCKALL:
        return rules & (rule.SECOND_PASS | rule.HIDES_ERRORS) == rule.SECOND_PASS
    return this_call in (call.MLOCK, call.POPULATE)


@inner
def _error(regs, flags, error):
    """What a call returns for an error while it populated.

    Source: `madvise_populate`, 5.14, for `madvise`.
    """
    if regs[reg.CALL] != call.POPULATE:
        return posix_error(error)
    if error == errno.ERESTARTSYS:
        return errno.EINTR
    return error if flags & (vm.READ | vm.WRITE) else errno.EINVAL


@inner
def posix_error(error):
    """What `mlock` returns for an error while it populated.

    Source: `__mlock_posix_error_return`, 2.6.36.
    """
    if error == errno.EFAULT:
        return errno.ENOMEM
    if error == errno.ENOMEM:
        return errno.EAGAIN
    return error


@inner
def skip_stack_guard(state, row, regs):
    """Step over the guard page of a stack.

    The first page of a grow-down VMA is one, unless another grow-down VMA ends there. Then this VMA
    is the upper part of a stack that was split.

    Source: `stack_guard_page`, mm/mlock.c, 2.6.36.
    """
    vmas = state.vmas
    start = vmas[row, vma.START]
    if regs[reg.NEXT] != start or vmas[row, vma.FLAGS] & (vm.GROWSDOWN | SPECIAL) != vm.GROWSDOWN:
        return
    if row > 0 and vmas[row - 1, vma.END] == start and vmas[row - 1, vma.FLAGS] & vm.GROWSDOWN:
        return
    regs[reg.NEXT] += 1


@inner
def lock_new_range(state, row, regs, start, end):
    """Enter the populating of [start, end), which is new in the VM_LOCKED VMA at `row`.

    Returns how many pages to charge. Device memory is not populated and special memory is not
    marked; both lose VM_LOCKED, and nothing is charged for them. Elsewhere errors are hidden: an
    error just ends the populating. From 3.9 on the exclusive hold is released first.

    Source: `mlock_vma_pages_range`, mm/mlock.c, 2.6.36; `mm_populate`, include/linux/mm.h, 3.9.
    """
    flags = state.vmas[row, vma.FLAGS]
    enter_populating(state, regs, start, end)
    if flags & UNTOUCHABLE:
        regs[reg.STOP] = start
    if flags & (SPECIAL | UNTOUCHABLE):
        state.vmas[row, vma.FLAGS] = flags & ~vm.LOCKED
        return 0
    if regs[reg.STEP] == POPULATING:
        skip_stack_guard(state, row, regs)
    return end - start


@inner
def enter_populating(state, regs, start, end):
    """Let a call that maps [start, end) populate it: under its hold, or after it from 3.9 on."""
    regs[reg.NEXT] = start
    regs[reg.STOP] = end
    after = state.mm[mm.DESIGN] & rule.MAP_AFTERWARDS != 0
    regs[reg.STEP] = LEAVE_TO_POPULATE if after else POPULATING

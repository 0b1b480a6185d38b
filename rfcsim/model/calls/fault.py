"""A user access to memory, and the page fault that it may take."""

from rfcsim._jit import inner
from rfcsim.model.layout import bit, effect, errno, lock, mm, reg, rule, sem, vm, vma, work
from rfcsim.model.limits import over_limit
from rfcsim.model.pages import ANON, FAILED, make_present, mapped_for
from rfcsim.model.vma import UNTOUCHABLE, covers, find_vma, intersects

# Where in the access a task is (reg.STEP).
ENTER = 0
LOCK = 1
FAULT = 2
LEAVE = 3
RETURN = 4
SLEEP = 5
LOCK_AGAIN = 6
FAULT_AGAIN = 7
FAULT_IN_VMA = 8


@inner
def step_touch(state, task):
    """One move of a user access to the page reg.START; reg.ARG says whether it is a write.

    An access to a present page takes no lock. Otherwise the fault holds `mmap_sem` shared from the
    look-up of the VMA to the end. In 2.6.36 that includes waits for the disk. From 2.6.37 on it
    gives the lock up the first time that it has to wait for the disk, and begins again. From 6.4 on
    it holds only a lock of its VMA, unless a call is changing that VMA or the fault has to begin
    again. The value is 0, or -EFAULT for the SIGSEGV or SIGBUS. See
    :func:`rfcsim.model.step.step` for the result.

    Source: `do_page_fault`, arch/x86/mm/fault.c, 2.6.36, 2.6.37 and 6.19.
    """
    regs = state.tasks[task]
    page, rules = regs[reg.START], state.mm[mm.DESIGN]
    while True:
        where = regs[reg.STEP]
        if where in (FAULT, FAULT_AGAIN, FAULT_IN_VMA):
            in_vma = where == FAULT_IN_VMA
            if in_vma and not _may_lock_vma(state, page):
                regs[reg.STEP] = LOCK
                continue
            kind, a, b = fault_in(state, task, page, regs[reg.ARG] != 0, work.FAULT_ANON)
            begins_again = in_vma or (where == FAULT and rules & rule.FAULT_RETRY != 0)
            if kind == effect.WAIT_PAGE and begins_again:
                regs[reg.STEP] = SLEEP
                if not in_vma:
                    return effect.UP, lock.SHARED, 0
                continue
            if kind in (FAILED, effect.CPU):
                regs[reg.STEP] = RETURN if in_vma else LEAVE
            if kind == FAILED:
                regs[reg.RETURN] = a
                continue
            return kind, a, b
        if where == SLEEP:
            regs[reg.STEP] = LOCK_AGAIN
            regs[reg.LOOKED_UP] = -1  # it will be looked up again
            if state.pages[page] & bit.READING:
                return effect.WAIT_PAGE, page, 0
        elif where == ENTER:
            if _needs_no_fault(state, page, regs[reg.ARG] != 0):
                regs[reg.STEP] = RETURN
                return effect.CPU, work.TOUCH, 1
            regs[reg.STEP] = FAULT_IN_VMA if rules & rule.VMA_LOCK else LOCK
            return effect.CPU, work.SYSCALL, 1
        elif where in (LOCK, LOCK_AGAIN):
            regs[reg.STEP] = FAULT if where == LOCK else FAULT_AGAIN
            return effect.DOWN, lock.SHARED, 0
        elif where == LEAVE:
            regs[reg.STEP] = RETURN
            return effect.UP, lock.SHARED, 0
        else:  # RETURN
            return effect.DONE, regs[reg.RETURN], 0


@inner
def _may_lock_vma(state, page):
    """Whether a fault finds a VMA that it can lock: there is one, and nobody is changing it.

    The exclusive holder of `mmap_sem` is taken to change the VMAs that its range meets.

    Source: `lock_vma_under_rcu`, mm/memory.c, 6.4.
    """
    row = find_vma(state, page)
    if not covers(state, row, page):
        return False
    writer = state.sem[sem.WRITER] - 1
    if writer < 0:
        return True
    start, end = state.tasks[writer, reg.START], state.tasks[writer, reg.END]
    return state.vmas[row, vma.END] <= start or end <= state.vmas[row, vma.START]


@inner
def _needs_no_fault(state, page, write):
    """Whether the page tables let the access through: present, and the VMA permits it.

    An entry that `munmap` has yet to clear lets it through although the VMA is gone.
    """
    if not mapped_for(state, page, write):
        return False
    row = find_vma(state, page)
    if not intersects(state, row, page, page + 1):
        return True
    return state.vmas[row, vma.FLAGS] & (vm.WRITE if write else vm.READ) != 0


@inner
def fault_in(state, task, page, write, first_work):
    """Make one page present for an access; see `make_present` for parameters and result."""
    row = vma_for_access(state, page)
    if row < 0 or state.vmas[row, vma.FLAGS] & UNTOUCHABLE:
        return FAILED, errno.EFAULT, 0
    kind, a, b = make_present(state, task, row, page, write, first_work)
    # Only a new anonymous page is marked: `is_mlocked_vma`, mm/internal.h. A file page of a
    # VM_LOCKED VMA stays unmarked until reclaim meets it.
    new_page = kind == effect.CPU and a == first_work + ANON
    if new_page and state.vmas[row, vma.FLAGS] & vm.LOCKED:
        state.pages[page] |= bit.MLOCKED
    return kind, a, b


@inner
def vma_for_access(state, page):
    """Row of the VMA that covers the page, or -1. A stack grows down to the page if need be.

    Source: `do_page_fault` and `expand_stack`, 2.6.36: a stack grows under the shared lock.
    """
    vmas = state.vmas
    row = find_vma(state, page)
    if row >= state.mm[mm.MAP_COUNT]:
        return -1
    start = vmas[row, vma.START]
    if start <= page:
        return row
    if not vmas[row, vma.FLAGS] & vm.GROWSDOWN:
        return -1
    growth = start - page
    if vmas[row, vma.FLAGS] & vm.LOCKED:
        if over_limit(state, growth):
            return -1
        state.mm[mm.LOCKED_VM] += growth
    state.mm[mm.TOTAL_VM] += growth
    vmas[row, vma.START] = page
    return row

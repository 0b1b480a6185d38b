"""A user access to memory, and the page fault that it may take."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EFFECT_WAIT_PAGE,
    MM_DESIGN,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_TOTAL_VM,
    PAGE_MLOCKED,
    PAGE_READING,
    REG_ARG,
    REG_END,
    REG_LOOKED_UP,
    REG_RETURN,
    REG_START,
    REG_STEP,
    RULE_FAULT_RETRY,
    RULE_VMA_LOCK,
    SEM_WRITER,
    SHARED,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_READ,
    VM_WRITE,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
    WORK_FAULT_ANON,
    WORK_SYSCALL,
    WORK_TOUCH,
)
from rfcsim.model.limits import over_limit
from rfcsim.model.pages import ANON, FAILED, make_present, mapped_for
from rfcsim.model.vma import UNTOUCHABLE, covers, find_vma, intersects

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
    """One move of a user access to the page REG_START; REG_ARG says whether it is a write.

    Present pages cost no lock. Otherwise the fault holds `mmap_sem` shared from the look-up of
    the VMA to the end: in 2.6.36 disk waits included; from 2.6.37 on it gives the lock up the
    first time that it has to wait for the disk, and begins anew. From 6.4 on it holds a lock of
    its VMA alone, unless a call is changing that, or it has to begin anew. The value is 0, or
    -EFAULT for the SIGSEGV or SIGBUS. See :func:`rfcsim.model.step.step` for the result.

    Source: `do_page_fault`, arch/x86/mm/fault.c, 2.6.36, 2.6.37 and 6.19.
    """
    regs = state.tasks[task]
    page, rules = regs[REG_START], state.mm[MM_DESIGN]
    while True:
        where = regs[REG_STEP]
        if where in (FAULT, FAULT_AGAIN, FAULT_IN_VMA):
            in_vma = where == FAULT_IN_VMA
            if in_vma and not _may_lock_vma(state, page):
                regs[REG_STEP] = LOCK
                continue
            kind, a, b = fault_in(state, task, page, regs[REG_ARG] != 0, WORK_FAULT_ANON)
            begins_anew = in_vma or (where == FAULT and rules & RULE_FAULT_RETRY != 0)
            if kind == EFFECT_WAIT_PAGE and begins_anew:
                regs[REG_STEP] = SLEEP
                if not in_vma:
                    return EFFECT_UP, SHARED, 0
                continue
            if kind in (FAILED, EFFECT_CPU):
                regs[REG_STEP] = RETURN if in_vma else LEAVE
            if kind == FAILED:
                regs[REG_RETURN] = a
                continue
            return kind, a, b
        if where == SLEEP:
            regs[REG_STEP] = LOCK_AGAIN
            regs[REG_LOOKED_UP] = -1  # it will be looked up anew
            if state.pages[page] & PAGE_READING:
                return EFFECT_WAIT_PAGE, page, 0
        elif where == ENTER:
            if _needs_no_fault(state, page, regs[REG_ARG] != 0):
                regs[REG_STEP] = RETURN
                return EFFECT_CPU, WORK_TOUCH, 1
            regs[REG_STEP] = FAULT_IN_VMA if rules & RULE_VMA_LOCK else LOCK
            return EFFECT_CPU, WORK_SYSCALL, 1
        elif where in (LOCK, LOCK_AGAIN):
            regs[REG_STEP] = FAULT if where == LOCK else FAULT_AGAIN
            return EFFECT_DOWN, SHARED, 0
        elif where == LEAVE:
            regs[REG_STEP] = RETURN
            return EFFECT_UP, SHARED, 0
        else:  # RETURN
            return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def _may_lock_vma(state, page):
    """Whether a fault finds a VMA that it can lock: it is there, and nobody is changing it.

    What the exclusive holder of `mmap_sem` changes is taken to be what its range meets.

    Source: `lock_vma_under_rcu`, mm/memory.c, 6.4.
    """
    row = find_vma(state, page)
    if not covers(state, row, page):
        return False
    writer = state.sem[SEM_WRITER] - 1
    if writer < 0:
        return True
    start, end = state.tasks[writer, REG_START], state.tasks[writer, REG_END]
    return state.vmas[row, VMA_END] <= start or end <= state.vmas[row, VMA_START]


@inner
def _needs_no_fault(state, page, write):
    """Whether the page tables let the access through: present, and the VMA permits it.

    An entry that `munmap` has yet to clear lets it through, though its VMA is gone.
    """
    if not mapped_for(state, page, write):
        return False
    row = find_vma(state, page)
    if not intersects(state, row, page, page + 1):
        return True
    return state.vmas[row, VMA_FLAGS] & (VM_WRITE if write else VM_READ) != 0


@inner
def fault_in(state, task, page, write, work):
    """Make one page present for somebody who accesses it; see `make_present` for the result."""
    row = vma_for_access(state, page)
    if row < 0 or state.vmas[row, VMA_FLAGS] & UNTOUCHABLE:
        return FAILED, EFAULT, 0
    kind, a, b = make_present(state, task, row, page, write, work)
    # Only a new anonymous page is marked: `is_mlocked_vma`, mm/internal.h. A file page of a
    # VM_LOCKED VMA stays unmarked until reclaim meets it.
    new_page = kind == EFFECT_CPU and a == work + ANON
    if new_page and state.vmas[row, VMA_FLAGS] & VM_LOCKED:
        state.pages[page] |= PAGE_MLOCKED
    return kind, a, b


@inner
def vma_for_access(state, page):
    """Row of the VMA that covers the page, a stack grown down to it if need be; or -1.

    Source: `do_page_fault` and `expand_stack`, 2.6.36: it grows under the shared lock.
    """
    vmas, mm = state.vmas, state.mm
    row = find_vma(state, page)
    if row >= mm[MM_MAP_COUNT]:
        return -1
    start = vmas[row, VMA_START]
    if start <= page:
        return row
    if not vmas[row, VMA_FLAGS] & VM_GROWSDOWN:
        return -1
    growth = start - page
    if vmas[row, VMA_FLAGS] & VM_LOCKED:
        if over_limit(state, growth):
            return -1
        mm[MM_LOCKED_VM] += growth
    mm[MM_TOTAL_VM] += growth
    vmas[row, VMA_START] = page
    return row

"""A user access to memory, and the page fault that it may take."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    EFAULT,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_TOTAL_VM,
    PAGE_MLOCKED,
    REG_ARG,
    REG_RETURN,
    REG_START,
    REG_STEP,
    SHARED,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_READ,
    VM_WRITE,
    VMA_FLAGS,
    VMA_START,
    WORK_FAULT_ANON,
    WORK_SYSCALL,
    WORK_TOUCH,
)
from rfcsim.model.limits import over_limit
from rfcsim.model.pages import ANON, FAILED, make_present, mapped_for
from rfcsim.model.vma import UNTOUCHABLE, find_vma, intersects

ENTER = 0
LOCK = 1
FAULT = 2
LEAVE = 3
RETURN = 4


@inner
def step_touch(state, task):
    """One move of a user access to the page REG_START; REG_ARG says whether it is a write.

    Present pages cost no lock. Otherwise the fault holds `mmap_sem` shared from the look-up of
    the VMA to the end, disk waits included. The value is 0, or -EFAULT for the SIGSEGV or
    SIGBUS. See :func:`rfcsim.model.step.step` for the result.

    Source: `do_page_fault`, arch/x86/mm/fault.c, 2.6.36.
    """
    regs = state.tasks[task]
    where = regs[REG_STEP]
    if where == ENTER:
        if _needs_no_fault(state, regs[REG_START], regs[REG_ARG] != 0):
            regs[REG_STEP] = RETURN
            return EFFECT_CPU, WORK_TOUCH, 1
        regs[REG_STEP] = LOCK
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == LOCK:
        regs[REG_STEP] = FAULT
        return EFFECT_DOWN, SHARED, 0
    if where == FAULT:
        kind, a, b = _fault(state, task)
        if kind == FAILED:
            regs[REG_RETURN] = a
        elif kind == EFFECT_CPU:
            regs[REG_STEP] = LEAVE
            return kind, a, b
        else:
            return kind, a, b
    if where != RETURN:
        regs[REG_STEP] = RETURN
        return EFFECT_UP, SHARED, 0
    return EFFECT_DONE, regs[REG_RETURN], 0


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
def _fault(state, task):
    regs = state.tasks[task]
    page, write = regs[REG_START], regs[REG_ARG] != 0
    row = _vma_for_fault(state, page)
    if row < 0 or state.vmas[row, VMA_FLAGS] & UNTOUCHABLE:
        return FAILED, EFAULT, 0
    kind, a, b = make_present(state, task, row, page, write, WORK_FAULT_ANON)
    # Only a new anonymous page is marked: `is_mlocked_vma`, mm/internal.h. A file page of a
    # VM_LOCKED VMA stays unmarked until reclaim meets it.
    new_page = kind == EFFECT_CPU and a == WORK_FAULT_ANON + ANON
    if new_page and state.vmas[row, VMA_FLAGS] & VM_LOCKED:
        state.pages[page] |= PAGE_MLOCKED
    return kind, a, b


@inner
def _vma_for_fault(state, page):
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

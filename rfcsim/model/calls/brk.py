"""`brk`: the heap grows and shrinks at its end."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import (
    BACKING_ANON,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EXCLUSIVE,
    MM_DEF_FLAGS,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_MAX_MAP_COUNT,
    MM_NEXT_IDENTITY,
    MM_TOTAL_VM,
    REG_END,
    REG_RETURN,
    REG_START,
    REG_STEP,
    VM_LOCKED,
    VM_READ,
    VM_WRITE,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_IDENTITY,
    WORK_SYSCALL,
    WORK_VMA_CHANGE,
)
from rfcsim.model.limits import over_limit
from rfcsim.model.populate import lock_new_range
from rfcsim.model.shared import UNMAPPED, WHOLE_RANGE, begin_unmapping
from rfcsim.model.vma import covers, find_vma, insert_vma, intersects

HEAP = VM_READ | VM_WRITE  # VM_DATA_DEFAULT_FLAGS

ENTER = 0
LOCK = 1
CHECK = 2
LEAVE = 3
RETURN = 4


@cold
def step_brk(state, task):
    """One move of `brk`: the heap, which begins at REG_START, is to end at REG_END.

    The value is where it ends then: on failure where it ended before, which REG_RETURN says
    until the end. Under
    mlockall(MCL_FUTURE) what it grows by is locked and populated under the exclusive hold.
    See :func:`rfcsim.model.step.step` for the result.

    Source: `sys_brk` and `do_brk`, mm/mmap.c, 2.6.36.
    """
    regs = state.tasks[task]
    where = regs[REG_STEP]
    if where == ENTER:
        regs[REG_STEP] = LOCK
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == LOCK:
        regs[REG_STEP] = CHECK
        return EFFECT_DOWN, EXCLUSIVE, 0
    if where == CHECK:
        end = end_of_heap(state, regs[REG_START])
        regs[REG_RETURN] = end
        if regs[REG_END] < end:
            return begin_unmapping(regs, WHOLE_RANGE)
        if regs[REG_END] > end and _may_grow(state, end, regs[REG_END]):
            _grow(state, regs, end)
            return EFFECT_CPU, WORK_VMA_CHANGE, 1
    if where == UNMAPPED + WHOLE_RANGE:
        regs[REG_RETURN] = end_of_heap(state, regs[REG_START])
    if where != RETURN:
        regs[REG_STEP] = RETURN
        return EFFECT_UP, EXCLUSIVE, 0
    return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def end_of_heap(state, start):
    """Where the heap ends that begins at `start`: `mm->brk`.

    It is read off the VMAs: those of one mapping that lie end to end from `start` on.
    """
    vmas = state.vmas
    row = find_vma(state, start)
    end = start
    identity = -1
    while covers(state, row, end) and identity in (-1, vmas[row, VMA_IDENTITY]):
        identity = vmas[row, VMA_IDENTITY]
        end = vmas[row, VMA_END]
        row += 1
    return end


@inner
def _may_grow(state, end, new_end):
    """The tests of `sys_brk` and `do_brk`: a free page must remain behind the heap."""
    if new_end > state.pages.size or intersects(state, find_vma(state, end), end, new_end + 1):
        return False
    if state.mm[MM_DEF_FLAGS] & VM_LOCKED and over_limit(state, new_end - end):
        return False
    return state.mm[MM_MAP_COUNT] <= state.mm[MM_MAX_MAP_COUNT]


@inner
def _grow(state, regs, end):
    """Map [end, REG_END): as more of the last VMA if that fits, else as a VMA of its own."""
    vmas, mm = state.vmas, state.mm
    flags = HEAP | mm[MM_DEF_FLAGS]
    new_end = regs[REG_END]
    row = find_vma(state, end)
    last = row - 1
    is_first = end == regs[REG_START]
    if is_first or vmas[last, VMA_FLAGS] != flags or vmas[last, VMA_BACKING] != BACKING_ANON:
        identity = mm[MM_NEXT_IDENTITY] if is_first else vmas[last, VMA_IDENTITY]
        insert_vma(state, row, end, new_end, flags, BACKING_ANON, identity)
        if is_first:
            mm[MM_NEXT_IDENTITY] += 1
    else:
        row = last
        vmas[row, VMA_END] = new_end
    mm[MM_TOTAL_VM] += new_end - end
    regs[REG_RETURN] = new_end
    regs[REG_STEP] = LEAVE
    if flags & VM_LOCKED:
        mm[MM_LOCKED_VM] += lock_new_range(state, row, regs, end, new_end)

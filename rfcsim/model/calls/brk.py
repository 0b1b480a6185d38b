"""`brk`: the heap grows and shrinks at its end."""

from rfcsim._jit import cold, inner
from rfcsim.model.layout import backing, effect, lock, mm, reg, vm, vma, work
from rfcsim.model.limits import over_limit
from rfcsim.model.populate import lock_new_range
from rfcsim.model.shared import UNMAPPED, WHOLE_RANGE, begin_unmapping
from rfcsim.model.vma import covers, find_vma, insert_vma, intersects

HEAP = vm.READ | vm.WRITE  # VM_DATA_DEFAULT_FLAGS

# Where in the call a task is (reg.STEP), apart from the shared stretches.
ENTER = 0
LOCK = 1
CHECK = 2
LEAVE = 3
RETURN = 4


@cold
def step_brk(state, task):
    """One move of `brk`: the heap, which begins at reg.START, is to end at reg.END.

    The value is where the heap then ends; on failure that is where it ended before, which
    reg.RETURN holds in the meantime. After mlockall(MCL_FUTURE) the new pages are locked and
    populated under the exclusive hold. See :func:`rfcsim.model.step.step` for the result.

    Source: `sys_brk` and `do_brk`, mm/mmap.c, 2.6.36.
    """
    regs = state.tasks[task]
    where = regs[reg.STEP]
    if where == ENTER:
        regs[reg.STEP] = LOCK
        return effect.CPU, work.SYSCALL, 1
    if where == LOCK:
        regs[reg.STEP] = CHECK
        return effect.DOWN, lock.EXCLUSIVE, 0
    if where == CHECK:
        end = end_of_heap(state, regs[reg.START])
        regs[reg.RETURN] = end
        if regs[reg.END] < end:
            return begin_unmapping(regs, WHOLE_RANGE)
        if regs[reg.END] > end and _may_grow(state, end, regs[reg.END]):
            _grow(state, regs, end)
            return effect.CPU, work.VMA_CHANGE, 1
    if where == UNMAPPED + WHOLE_RANGE:
        regs[reg.RETURN] = end_of_heap(state, regs[reg.START])
    if where != RETURN:
        regs[reg.STEP] = RETURN
        return effect.UP, lock.EXCLUSIVE, 0
    return effect.DONE, regs[reg.RETURN], 0


@inner
def end_of_heap(state, start):
    """Where the heap that begins at `start` ends: `mm->brk`.

    The VMAs tell: the heap is those of one mapping that lie end to end from `start` on.
    """
    vmas = state.vmas
    row = find_vma(state, start)
    end = start
    identity = -1
    while covers(state, row, end) and identity in (-1, vmas[row, vma.IDENTITY]):
        identity = vmas[row, vma.IDENTITY]
        end = vmas[row, vma.END]
        row += 1
    return end


@inner
def _may_grow(state, end, new_end):
    """The tests of `sys_brk` and `do_brk`: a free page must remain behind the heap."""
    if new_end > state.pages.size or intersects(state, find_vma(state, end), end, new_end + 1):
        return False
    if state.mm[mm.DEF_FLAGS] & vm.LOCKED and over_limit(state, new_end - end):
        return False
    return state.mm[mm.MAP_COUNT] <= state.mm[mm.MAX_MAP_COUNT]


@inner
def _grow(state, regs, end):
    """Map [end, reg.END) by extending the last VMA if it fits, else as a VMA of its own."""
    vmas = state.vmas
    flags = HEAP | state.mm[mm.DEF_FLAGS]
    new_end = regs[reg.END]
    row = find_vma(state, end)
    last = row - 1
    is_first = end == regs[reg.START]
    if is_first or vmas[last, vma.FLAGS] != flags or vmas[last, vma.BACKING] != backing.ANON:
        identity = state.mm[mm.NEXT_IDENTITY] if is_first else vmas[last, vma.IDENTITY]
        insert_vma(state, row, end, new_end, flags, backing.ANON, identity)
        if is_first:
            state.mm[mm.NEXT_IDENTITY] += 1
    else:
        row = last
        vmas[row, vma.END] = new_end
    state.mm[mm.TOTAL_VM] += new_end - end
    regs[reg.RETURN] = new_end
    regs[reg.STEP] = LEAVE
    if flags & vm.LOCKED:
        state.mm[mm.LOCKED_VM] += lock_new_range(state, row, regs, end, new_end)

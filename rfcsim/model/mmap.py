"""`mmap(MAP_FIXED)` and `munmap`."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    ALL_BITS,
    CALL_MMAP,
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    EINVAL,
    ENOMEM,
    EXCLUSIVE,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_MAX_MAP_COUNT,
    MM_NEXT_IDENTITY,
    MM_TOTAL_VM,
    PAGE_MLOCKED,
    PAGE_PRESENT,
    PAGE_ZERO,
    REG_ARG,
    REG_BACKING,
    REG_CALL,
    REG_END,
    REG_NEXT,
    REG_RETURN,
    REG_START,
    REG_STEP,
    REG_STOP,
    VM_LOCKED,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_IDENTITY,
    VMA_READ_MISSES,
    VMA_READ_POSITION,
    VMA_START,
    WORK_MUNLOCK_PAGE,
    WORK_SYSCALL,
    WORK_UNMAP_PAGE,
    WORK_VMA_CHANGE,
    WORK_VMA_VISIT,
)
from rfcsim.model.mlock import clear_mlocked
from rfcsim.model.vma import find_vma, insert_row, intersects, map_count_reached, remove_rows, split

# Where in the call a task is (REG_STEP); both calls share the steps of unmapping.
ENTER = 0
LOCK = 1
CHECK = 2
SPLIT = 3
FLAGS = 4
CLEAR = 5
REMOVE = 6
ZAP = 7
INSERT = 8
LEAVE = 9
RETURN = 10


@inner
def step_mmap(state, task, run_class, run_limit):
    """One move of `mmap(MAP_FIXED)` or of `munmap`, under one exclusive hold.

    `mmap` unmaps what is in the way first, as `mmap_region` does. See
    :func:`rfcsim.model.step.step` for parameters and result.

    Source: `do_mmap_pgoff`, `mmap_region` and `do_munmap`, mm/mmap.c, 2.6.36, where `munmap`
    still unmapped its pages under the write lock.
    """
    regs = state.tasks[task]
    while True:
        where = regs[REG_STEP]
        if where == ENTER:
            regs[REG_STEP] = LOCK
            return EFFECT_CPU, WORK_SYSCALL, 1
        if where == LOCK:
            regs[REG_STEP] = CHECK
            return EFFECT_DOWN, EXCLUSIVE, 0
        if where == CHECK:
            regs[REG_STEP] = _check(state, regs)
        elif where == SPLIT:
            changes = _split_ends(state, regs)
            if changes < 0:
                regs[REG_RETURN] = changes
                regs[REG_STEP] = LEAVE
            else:
                regs[REG_NEXT] = regs[REG_START]
                regs[REG_STEP] = FLAGS
                if changes > 0:
                    return EFFECT_CPU, WORK_VMA_CHANGE, changes
                return EFFECT_CPU, WORK_VMA_VISIT, 1
        elif where == FLAGS:
            if _clear_next_flag(state, regs):
                regs[REG_STEP] = CLEAR
                return EFFECT_CPU, WORK_VMA_VISIT, 1
            regs[REG_STEP] = REMOVE
        elif where == CLEAR:
            count = clear_mlocked(state, task, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_MUNLOCK_PAGE, count
            regs[REG_STEP] = FLAGS
        elif where == REMOVE:
            regs[REG_STEP] = ZAP
            return EFFECT_CPU, WORK_VMA_CHANGE, _remove(state, regs)
        elif where == ZAP:
            count = _zap(state, regs, run_class, run_limit)
            if count > 0:
                return EFFECT_CPU, WORK_UNMAP_PAGE, count
            regs[REG_STEP] = INSERT if regs[REG_CALL] == CALL_MMAP else LEAVE
        elif where == INSERT:
            _insert(state, regs)
            regs[REG_RETURN] = regs[REG_START]
            regs[REG_STEP] = LEAVE
            return EFFECT_CPU, WORK_VMA_CHANGE, 1
        elif where == LEAVE:
            regs[REG_STEP] = RETURN
            return EFFECT_UP, EXCLUSIVE, 0
        else:
            return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def _check(state, regs):
    """The tests before anything changes; the step that follows."""
    maps = regs[REG_CALL] == CALL_MMAP
    start, end = regs[REG_START], regs[REG_END]
    if start == end:
        regs[REG_RETURN] = EINVAL
        return LEAVE
    if maps and state.mm[MM_MAP_COUNT] > state.mm[MM_MAX_MAP_COUNT]:
        regs[REG_RETURN] = ENOMEM
        return LEAVE
    if intersects(state, find_vma(state, start), start, end):
        return SPLIT
    return INSERT if maps else LEAVE


@inner
def _split_ends(state, regs):
    """Split the VMAs that straddle the ends of the range; how many splits, or -ENOMEM.

    Only a split in the middle of one VMA is tested against `max_map_count`.
    """
    vmas = state.vmas
    start, end = regs[REG_START], regs[REG_END]
    changes = 0
    row = find_vma(state, start)
    if vmas[row, VMA_START] < start:
        if end < vmas[row, VMA_END] and map_count_reached(state):
            return ENOMEM
        split(state, row, start)
        changes += 1
    row = find_vma(state, end)
    if row < state.mm[MM_MAP_COUNT] and vmas[row, VMA_START] < end:
        split(state, row, end)
        changes += 1
    return changes


@inner
def _clear_next_flag(state, regs):
    """Clear VM_LOCKED on the next locked VMA of the range; False if there is none."""
    vmas = state.vmas
    row = find_vma(state, regs[REG_NEXT])
    while intersects(state, row, regs[REG_NEXT], regs[REG_END]):
        if vmas[row, VMA_FLAGS] & VM_LOCKED:
            vmas[row, VMA_FLAGS] &= ~VM_LOCKED
            state.mm[MM_LOCKED_VM] -= vmas[row, VMA_END] - vmas[row, VMA_START]
            regs[REG_NEXT] = vmas[row, VMA_START]
            regs[REG_STOP] = vmas[row, VMA_END]
            return True
        row += 1
    return False


@inner
def _remove(state, regs):
    """Take the range's VMAs out; [REG_NEXT, REG_STOP) is then what `_zap` visits."""
    vmas = state.vmas
    first = find_vma(state, regs[REG_START])
    last = first
    while intersects(state, last, regs[REG_START], regs[REG_END]):
        state.mm[MM_TOTAL_VM] -= vmas[last, VMA_END] - vmas[last, VMA_START]
        last += 1
    regs[REG_NEXT] = vmas[first, VMA_START]
    regs[REG_STOP] = vmas[last - 1, VMA_END]
    remove_rows(state, first, last)
    return last - first


@inner
def _zap(state, regs, run_class, run_limit):
    """Unmap pages of [REG_NEXT, REG_STOP); how many, one or a run. The page cache stays.

    Source: `unmap_region`, 2.6.36.
    """
    first = regs[REG_NEXT]
    most = run_limit if run_class == WORK_UNMAP_PAGE else 1
    count = min(regs[REG_STOP] - first, most)
    for page in range(first, first + count):
        state.pages[page] &= ALL_BITS ^ (PAGE_PRESENT | PAGE_MLOCKED | PAGE_ZERO)
    regs[REG_NEXT] = first + count
    return count


@inner
def _insert(state, regs):
    vmas, mm = state.vmas, state.mm
    row = find_vma(state, regs[REG_START])
    insert_row(state, row)
    vmas[row, VMA_START] = regs[REG_START]
    vmas[row, VMA_END] = regs[REG_END]
    vmas[row, VMA_FLAGS] = regs[REG_ARG]
    vmas[row, VMA_BACKING] = regs[REG_BACKING]
    vmas[row, VMA_IDENTITY] = mm[MM_NEXT_IDENTITY]
    vmas[row, VMA_READ_POSITION] = regs[REG_START] - 1
    vmas[row, VMA_READ_MISSES] = 0
    mm[MM_NEXT_IDENTITY] += 1
    mm[MM_TOTAL_VM] += regs[REG_END] - regs[REG_START]

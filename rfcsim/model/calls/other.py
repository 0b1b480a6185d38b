"""Calls that take `mmap_sem` but leave the address space alone."""

from rfcsim._jit import inner
from rfcsim.model.layout import effect, lock, mm, reg, work

# Where in the call a task is (reg.STEP).
ENTER = 0
LOCK = 1
WORK = 2
LEAVE = 3


@inner
def step_read_maps(state, task):
    """One move of a reader of `/proc/PID/maps`, who holds the lock shared while VMAs are printed.

    It also stands for other readers that monitoring uses: `ps` reads the command line through
    `access_process_vm`, which takes the same lock. The value is the number of VMAs.

    Source: `m_start`, `m_next` and `m_stop`, fs/proc/task_mmu.c, 2.6.36, for a listing that
    fits one buffer.
    """
    regs = state.tasks[task]
    where = regs[reg.STEP]
    regs[reg.STEP] = where + 1
    if where == ENTER:
        return effect.CPU, work.SYSCALL, 1
    if where == LOCK:
        return effect.DOWN, lock.SHARED, 0
    if where == WORK:
        regs[reg.RETURN] = state.mm[mm.MAP_COUNT]
        return effect.CPU, work.MAPS_VMA, regs[reg.RETURN]
    if where == LEAVE:
        return effect.UP, lock.SHARED, 0
    return effect.DONE, regs[reg.RETURN], 0


@inner
def step_hold(state, task):
    """One move of a caller that holds the lock in mode reg.ARG for reg.BACKING nanoseconds.

    It stands for a taker of `mmap_sem` that has no model of its own, such as `shmat`.
    """
    regs = state.tasks[task]
    where = regs[reg.STEP]
    regs[reg.STEP] = where + 1
    if where == ENTER:
        return effect.CPU, work.SYSCALL, 1
    if where == LOCK:
        return effect.DOWN, regs[reg.ARG], 0
    if where == WORK:
        return effect.CPU, work.NS, regs[reg.BACKING]
    if where == LEAVE:
        return effect.UP, regs[reg.ARG], 0
    return effect.DONE, 0, 0

"""Calls that take `mmap_sem` but leave the address space alone."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    EFFECT_CPU,
    EFFECT_DONE,
    EFFECT_DOWN,
    EFFECT_UP,
    MM_MAP_COUNT,
    REG_ARG,
    REG_BACKING,
    REG_RETURN,
    REG_STEP,
    SHARED,
    WORK_MAPS_VMA,
    WORK_NS,
    WORK_SYSCALL,
)

ENTER = 0
LOCK = 1
WORK = 2
LEAVE = 3


@inner
def step_read_maps(state, task):
    """One move of a reader of `/proc/PID/maps`: one shared hold while every VMA is printed.

    It stands for the other readers too that monitoring uses (`ps` reads the command line
    through `access_process_vm`, which takes the same lock). Returns the number of VMAs.

    Source: `m_start`, `m_next` and `m_stop`, fs/proc/task_mmu.c, 2.6.36, for a listing that
    fits one buffer.
    """
    regs = state.tasks[task]
    where = regs[REG_STEP]
    regs[REG_STEP] = where + 1
    if where == ENTER:
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == LOCK:
        return EFFECT_DOWN, SHARED, 0
    if where == WORK:
        regs[REG_RETURN] = state.mm[MM_MAP_COUNT]
        return EFFECT_CPU, WORK_MAPS_VMA, regs[REG_RETURN]
    if where == LEAVE:
        return EFFECT_UP, SHARED, 0
    return EFFECT_DONE, regs[REG_RETURN], 0


@inner
def step_hold(state, task):
    """One move of a caller that holds the lock in mode REG_ARG for REG_BACKING nanoseconds.

    It stands for a taker of `mmap_sem` that has no model of its own, such as `shmat`.
    """
    regs = state.tasks[task]
    where = regs[REG_STEP]
    regs[REG_STEP] = where + 1
    if where == ENTER:
        return EFFECT_CPU, WORK_SYSCALL, 1
    if where == LOCK:
        return EFFECT_DOWN, regs[REG_ARG], 0
    if where == WORK:
        return EFFECT_CPU, WORK_NS, regs[REG_BACKING]
    if where == LEAVE:
        return EFFECT_UP, regs[REG_ARG], 0
    return EFFECT_DONE, 0, 0

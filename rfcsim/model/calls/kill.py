"""A fatal signal."""

from rfcsim._jit import cold
from rfcsim.model.layout import (
    EFFECT_CPU,
    EFFECT_DONE,
    REG_ARG,
    REG_KILLED,
    REG_STEP,
    WORK_SYSCALL,
)

ENTER = 0


@cold
def step_kill(state, task):
    """One move of `kill(task, SIGKILL)`; REG_ARG is the task.

    The signal is pending from then on. Populating notices it before each page and ends with
    -ERESTARTSYS; waits for `mmap_sem` and for the disk are not interrupted. A killed task makes
    no further call, which is for the caller of :func:`rfcsim.model.step.begin` to see to.

    Source: `fatal_signal_pending` in `__get_user_pages`, mm/memory.c, 2.6.36.
    """
    regs = state.tasks[task]
    if regs[REG_STEP] == ENTER:
        regs[REG_STEP] = ENTER + 1
        return EFFECT_CPU, WORK_SYSCALL, 1
    state.tasks[regs[REG_ARG], REG_KILLED] = 1
    return EFFECT_DONE, 0, 0

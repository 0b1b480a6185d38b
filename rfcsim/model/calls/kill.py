"""A fatal signal."""

from rfcsim._jit import cold
from rfcsim.model.layout import effect, reg, work

ENTER = 0


@cold
def step_kill(state, task):
    """One move of `kill(task, SIGKILL)`; reg.ARG is the task.

    The signal is pending from then on. Populating notices it before each page and ends with
    -ERESTARTSYS; waits for `mmap_sem` and for the disk are not interrupted. A killed task makes
    no further call, which is for the caller of :func:`rfcsim.model.step.begin` to see to.

    Source: `fatal_signal_pending` in `__get_user_pages`, mm/memory.c, 2.6.36.
    """
    regs = state.tasks[task]
    if regs[reg.STEP] == ENTER:
        regs[reg.STEP] = ENTER + 1
        return effect.CPU, work.SYSCALL, 1
    state.tasks[regs[reg.ARG], reg.KILLED] = 1
    return effect.DONE, 0, 0

"""`kill`: a fatal signal."""

from rfcsim._jit import cold
from rfcsim.model.layout import effect, reg, work

ENTER = 0


@cold
def step_kill(state, task):
    """One move of `kill(task, SIGKILL)`; reg.ARG is the task.

    From then on the signal is pending. A task that populates notices it before each page and stops
    with -ERESTARTSYS. Waits for `mmap_sem` and for the disk are not interrupted. A killed task
    makes no further call; the caller of :func:`rfcsim.model.step.begin` has to see to that.

    Source: `fatal_signal_pending` in `__get_user_pages`, mm/memory.c, 2.6.36.
    """
    regs = state.tasks[task]
    if regs[reg.STEP] == ENTER:
        regs[reg.STEP] = ENTER + 1
        return effect.CPU, work.SYSCALL, 1
    state.tasks[regs[reg.ARG], reg.KILLED] = 1
    return effect.DONE, 0, 0

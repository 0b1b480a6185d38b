"""What the process may lock: privilege and RLIMIT_MEMLOCK."""

from rfcsim._jit import inner
from rfcsim.model.layout import mm


@inner
def can_do_mlock(state):
    """Whether the process may lock memory at all.

    Source: `can_do_mlock`, mm/mlock.c, 2.6.36.
    """
    return state.mm[mm.CAP_IPC_LOCK] != 0 or state.mm[mm.LOCK_LIMIT] != 0


@inner
def above_limit(state, pages):
    """Whether a total of `pages` locked pages would exceed RLIMIT_MEMLOCK.

    Source: the limit test of `sys_mlockall`, 2.6.36, which passes `total_vm`.
    """
    return state.mm[mm.CAP_IPC_LOCK] == 0 and 0 <= state.mm[mm.LOCK_LIMIT] < pages


@inner
def over_limit(state, pages):
    """Whether `pages` more would exceed RLIMIT_MEMLOCK. Pages that are locked already count twice.

    Source: the limit test of `sys_mlock`, 2.6.36; the same in `do_mmap_pgoff`, `do_brk`,
    `vma_to_resize` and `acct_stack_growth`.
    """
    return above_limit(state, pages + state.mm[mm.LOCKED_VM])

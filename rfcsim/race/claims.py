"""Claims that can be checked in one state, as predicates of the working state."""

from rfcsim._jit import inner
from rfcsim.model.layout import (
    CALL_MLOCK,
    MLOCK_ONFAULT,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    PAGE_MLOCKED,
    PAGE_PRESENT,
    PAGE_ZERO,
    SEM_WRITER,
    VM_LOCKED,
    VMA_END,
    VMA_FLAGS,
    VMA_START,
)
from rfcsim.model.vma import find_vma
from rfcsim.race.layout import (
    CLAIM_CHARGED,
    CLAIM_COMPLETE,
    CLAIM_MLOCKED,
    OP_ARG,
    OP_CALL,
    OP_PAGES,
    OP_START,
)


@inner
def check_state(search, number):
    """Check the claims about every state in which nobody holds the lock exclusively.

    Under an exclusive hold the map is being changed, and nobody may look at it.
    """
    if search.state.sem[SEM_WRITER] != 0:
        return
    if search.violated[CLAIM_MLOCKED] < 0 and not _mlocked_only_where_locked(search.state):
        search.violated[CLAIM_MLOCKED] = number
    if search.violated[CLAIM_CHARGED] < 0 and not _charged_as_locked(search.state):
        search.violated[CLAIM_CHARGED] = number


@inner
def check_terminal(search, number):
    """Check the claims about a state in which every call has returned."""
    if search.violated[CLAIM_COMPLETE] < 0 and not _complete(search):
        search.violated[CLAIM_COMPLETE] = number


@inner
def _flags_at(state, page):
    """VM_* of the VMA that covers a page, or -1."""
    row = find_vma(state, page)
    if row < state.mm[MM_MAP_COUNT] and state.vmas[row, VMA_START] <= page:
        return state.vmas[row, VMA_FLAGS]
    return -1


@inner
def _mlocked_only_where_locked(state):
    pages = state.pages
    for page in range(pages.size):
        if pages[page] & PAGE_MLOCKED:
            flags = _flags_at(state, page)
            if flags < 0 or flags & VM_LOCKED == 0:
                return False
    return True


@inner
def _charged_as_locked(state):
    vmas = state.vmas
    locked = 0
    for row in range(state.mm[MM_MAP_COUNT]):
        if vmas[row, VMA_FLAGS] & VM_LOCKED:
            locked += vmas[row, VMA_END] - vmas[row, VMA_START]
    return locked == state.mm[MM_LOCKED_VM]


@inner
def _complete(search):
    """Whether an mlock that nobody interfered with and that returned 0 kept its promise.

    With MLOCK_ONFAULT it promises no page.
    """
    pages = search.state.pages
    for op in range(search.calls.shape[0]):
        call = search.calls[op]
        if call[OP_CALL] != CALL_MLOCK or call[OP_ARG] & MLOCK_ONFAULT:
            continue
        if search.alone[op] == 0 or search.results[op] != 0:
            continue
        for page in range(call[OP_START], call[OP_START] + call[OP_PAGES]):
            flags = _flags_at(search.state, page)
            if flags < 0 or flags & VM_LOCKED == 0:
                continue  # special or device memory, which is never VM_LOCKED
            marked = pages[page] & (PAGE_MLOCKED | PAGE_ZERO)
            if pages[page] & PAGE_PRESENT == 0 or marked == 0:
                return False
    return True

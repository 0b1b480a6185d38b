"""Claims that can be checked in one state, as predicates of the working state."""

from rfcsim._jit import inner
from rfcsim.model.layout import bit, call, flag, mm, operation, sem, vm, vma
from rfcsim.model.vma import find_vma
from rfcsim.race.layout import claim


@inner
def check_state(search, number):
    """Check the claims about every state in which nobody holds the lock exclusively.

    Under an exclusive hold the address space is being changed, and nobody may look at it.
    """
    if search.state.sem[sem.WRITER] != 0:
        return
    if search.violated[claim.MLOCKED] < 0 and not _mlocked_only_where_locked(search.state):
        search.violated[claim.MLOCKED] = number
    if search.violated[claim.CHARGED] < 0 and not _charged_as_locked(search.state):
        search.violated[claim.CHARGED] = number


@inner
def check_terminal(search, number):
    """Check the claims about a state in which every call has returned."""
    if search.violated[claim.COMPLETE] < 0 and not _complete(search):
        search.violated[claim.COMPLETE] = number


@inner
def _flags_at(state, page):
    """VM_* of the VMA that covers a page, or -1."""
    row = find_vma(state, page)
    if row < state.mm[mm.MAP_COUNT] and state.vmas[row, vma.START] <= page:
        return state.vmas[row, vma.FLAGS]
    return -1


@inner
def _mlocked_only_where_locked(state):
    pages = state.pages
    for page in range(pages.size):
        if pages[page] & bit.MLOCKED:
            flags = _flags_at(state, page)
            if flags < 0 or flags & vm.LOCKED == 0:
                return False
    return True


@inner
def _charged_as_locked(state):
    vmas = state.vmas
    locked = 0
    for row in range(state.mm[mm.MAP_COUNT]):
        if vmas[row, vma.FLAGS] & vm.LOCKED:
            locked += vmas[row, vma.END] - vmas[row, vma.START]
    return locked == state.mm[mm.LOCKED_VM]


@inner
def _complete(search):
    """Whether every mlock that returned 0, and that nobody interfered with, kept its promise.

    With MLOCK_ONFAULT it promises no page.
    """
    pages = search.state.pages
    for op in range(search.calls.shape[0]):
        row = search.calls[op]
        if row[operation.CALL] != call.MLOCK or row[operation.ARG] & flag.MLOCK_ONFAULT:
            continue
        if search.alone[op] == 0 or search.results[op] != 0:
            continue
        for page in range(row[operation.START], row[operation.START] + row[operation.PAGES]):
            flags = _flags_at(search.state, page)
            if flags < 0 or flags & vm.LOCKED == 0:
                continue  # special or device memory, which is never VM_LOCKED
            marked = pages[page] & (bit.MLOCKED | bit.ZERO)
            if pages[page] & bit.PRESENT == 0 or marked == 0:
                return False
    return True

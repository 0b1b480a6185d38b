"""The state of the model: its arrays, and how to make empty ones."""

from typing import NamedTuple

import numpy as np

from rfcsim.model.layout import mm, reg, sem, vma


class State(NamedTuple):
    """Everything a step function may read or write.

    mm : int64[mm.SIZE], the address space and the kernel that serves it
    vmas : int64[capacity, vma.SIZE], its VMAs
    pages : uint8[pages], the bits (bit.*) of each page
    sem : int64[sem.SIZE], `mmap_sem`
    queue : int64[tasks], a ring: who waits for `mmap_sem`
    granted : int64[tasks], scratch: whom the latest release granted it to, in queue order
    tasks : int64[tasks, reg.SIZE], the registers of each task
    """

    mm: np.ndarray
    vmas: np.ndarray
    pages: np.ndarray
    sem: np.ndarray
    queue: np.ndarray
    granted: np.ndarray
    tasks: np.ndarray


def new_state(pages: int, vma_capacity: int, tasks: int) -> State:
    """An address space with nothing mapped, an idle `mmap_sem` and tasks between calls.

    Parameters
    ----------
    pages : int
        Size of the address space, in pages of 4 KiB.
    vma_capacity : int
        Rows for VMAs. (When the kernel refuses one more is up to mm.MAX_MAP_COUNT.)
    tasks : int
        Tasks that share the address space.

    Returns
    -------
    State
        No limit on locked memory, 65530 VMAs at most, batches of 256 pages, 32 pages of
        readahead: the defaults of 2.6.36 and of the RFC.
    """
    state = State(
        mm=np.zeros(mm.SIZE, np.int64),
        vmas=np.zeros((vma_capacity, vma.SIZE), np.int64),
        pages=np.zeros(pages, np.uint8),
        sem=np.zeros(sem.SIZE, np.int64),
        queue=np.zeros(tasks, np.int64),
        granted=np.zeros(tasks, np.int64),
        tasks=np.zeros((tasks, reg.SIZE), np.int64),
    )
    state.mm[mm.MAX_MAP_COUNT] = 65530
    state.mm[mm.LOCK_LIMIT] = -1
    state.mm[mm.NEXT_IDENTITY] = 1
    state.mm[mm.BATCH_PAGES] = 256
    state.mm[mm.READAHEAD_PAGES] = 32
    state.tasks[:, reg.LOOKED_UP] = -1
    return state

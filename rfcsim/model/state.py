"""Making the arrays of a model, empty."""

import numpy as np

from rfcsim.model.layout import (
    MM_BATCH_PAGES,
    MM_LOCK_LIMIT,
    MM_MAX_MAP_COUNT,
    MM_NEXT_IDENTITY,
    MM_READAHEAD_PAGES,
    MM_SIZE,
    REG_LOOKED_UP,
    REG_SIZE,
    SEM_SIZE,
    VMA_SIZE,
    State,
)


def new_state(pages: int, vma_capacity: int, tasks: int) -> State:
    """An address space with nothing mapped, an idle `mmap_sem` and tasks between calls.

    Parameters
    ----------
    pages : int
        Size of the address space, in pages of 4 KiB.
    vma_capacity : int
        Rows for VMAs; see `max_map_count` for when a kernel refuses one more.
    tasks : int
        Tasks that share the address space.

    Returns
    -------
    State
        No limit on locked memory, 65530 VMAs at most, batches of 256 pages, 32 pages of
        readahead: the defaults of 2.6.36 and of the RFC.
    """
    state = State(
        mm=np.zeros(MM_SIZE, np.int64),
        vmas=np.zeros((vma_capacity, VMA_SIZE), np.int64),
        pages=np.zeros(pages, np.uint8),
        sem=np.zeros(SEM_SIZE, np.int64),
        queue=np.zeros(tasks, np.int64),
        granted=np.zeros(tasks, np.int64),
        tasks=np.zeros((tasks, REG_SIZE), np.int64),
    )
    state.mm[MM_MAX_MAP_COUNT] = 65530
    state.mm[MM_LOCK_LIMIT] = -1
    state.mm[MM_NEXT_IDENTITY] = 1
    state.mm[MM_BATCH_PAGES] = 256
    state.mm[MM_READAHEAD_PAGES] = 32
    state.tasks[:, REG_LOOKED_UP] = -1
    return state

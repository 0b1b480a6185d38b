"""The memory that a thread of a probe works on; it is given back when the thread is done."""

import contextlib
import mmap
import os
from collections.abc import Iterator
from typing import Literal

import numpy as np

from rfcsim.live import limits
from rfcsim.live.calls import W_FILE, W_PAGE_BYTES, WORDS, Bench

Backing = Literal["anonymous", "file", "huge"]


@contextlib.contextmanager
def new_bench(backing: Backing, pages: int, path: str = "") -> Iterator[Bench]:
    """Map memory to work on, without pages; at the end it is unlocked and given back.

    Parameters
    ----------
    backing : "anonymous", "file" or "huge"
        Pages of the base size, a file in the page cache (mapped shared), or huge pages as far as
        the kernel grants them.
    pages : int
    path : str
        The file that the operation READ_FILE reads.
    """
    nbytes = pages * limits.page_bytes()
    file = os.memfd_create("rfcsim", os.MFD_CLOEXEC) if backing == "file" else -1
    try:
        if backing == "file":
            os.posix_fallocate(file, 0, nbytes)
            mapping = mmap.mmap(file, nbytes)
        else:
            mapping = mmap.mmap(-1, nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            advice = mmap.MADV_HUGEPAGE if backing == "huge" else mmap.MADV_NOHUGEPAGE
            with contextlib.suppress(OSError):  # a kernel without huge pages knows neither advice
                mapping.madvise(advice)
        memory = np.frombuffer(mapping, np.uint8)
        words = np.zeros(WORDS, np.int64)
        words[W_PAGE_BYTES] = limits.page_bytes()
        words[W_FILE] = file
        try:
            yield Bench(
                memory, np.frombuffer(bytearray(os.fsencode(path) + b"\0"), np.uint8), words
            )
        finally:
            # Now, not only when the last reference to the mapping is gone.
            limits.munlock(memory)
            mapping.madvise(mmap.MADV_REMOVE if backing == "file" else mmap.MADV_DONTNEED)
    finally:
        if backing == "file":
            os.close(file)

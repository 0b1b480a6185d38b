"""What the kernel itself says about the memory of this process."""

import re
from pathlib import Path

import numpy as np

from rfcsim.live import limits

PAGE = limits.page_bytes()


def anonymous(pages: int) -> np.ndarray:
    """A fresh, page-aligned array of this many pages, none of them present."""
    import mmap

    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, pages * PAGE, flags=flags), np.uint8)


def pages_of(array: np.ndarray) -> range:
    """The numbers of the pages that an array touches."""
    first = array.ctypes.data // PAGE
    return range(first, -(-(array.ctypes.data + array.nbytes) // PAGE))


def locked_pages() -> set[int]:
    """Every page of this process whose VMA is locked."""
    found: set[int] = set()
    vma = range(0)
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            vma = range(int(match[1], 16) // PAGE, int(match[2], 16) // PAGE)
        elif line.startswith("VmFlags:") and " lo" in line:
            found.update(vma)
    return found


def present_pages(array: np.ndarray) -> set[int]:
    """The pages of an array that are mapped to memory, according to /proc/self/pagemap."""
    pages = pages_of(array)
    with open("/proc/self/pagemap", "rb") as pagemap:
        pagemap.seek(8 * pages.start)
        entries = np.frombuffer(pagemap.read(8 * len(pages)), np.uint64)
    return {page for page, entry in zip(pages, entries, strict=True) if int(entry) >> 63}

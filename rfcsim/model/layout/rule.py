"""Rules: what kernels differ in when they lock and populate memory.

They add up to a design (:mod:`rfcsim.model.layout.design`), which `state.mm[mm.DESIGN]` holds.
"""

SECOND_PASS = 1  # mlock sets flags under the exclusive lock, then populates under the shared one
BATCHES = 2  # the second pass gives it up after mm.BATCH_PAGES, and wherever a VMA ends
CONTENDED = 4  # ... and after a page if somebody waits for it
DISK = 8  # ... and before it sleeps for the disk
ANY_VMA = 16  # the second pass also populates VMAs that are no longer VM_LOCKED
HIDES_ERRORS = 32  # mlockall does not report the errors of its second pass
MAP_AFTERWARDS = 64  # mmap, brk, mremap, remap_file_pages populate in such a pass too
DOWNGRADES = 128  # mlock populates each VMA under the downgraded lock, then takes it exclusively
WALKS_PRESENT = 256  # the first pass marks each page that is present
FAULT_RETRY = 512  # a page fault gives the lock up, once, before it sleeps for the disk
VMA_LOCK = 1024  # a page fault takes the lock of its VMA, and mmap_sem only if it must
UNMAP_DOWNGRADES = 2048  # munmap visits the pages, once out of their VMAs, downgraded (4.20)

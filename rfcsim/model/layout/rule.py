"""Rules: what kernels differ in when they lock and populate memory.

They add up to a design (:mod:`rfcsim.model.layout.design`), which `state.mm[mm.DESIGN]` holds.
"""

from rfcsim.model.layout.complete import bits_of, require_all

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

BITS = bits_of(vars())

# What the steps that read a rule look at beside what they hold mmap_sem for. The checker leaves
# out orders of steps that make no difference, and so has to know it of each.
LOOK_AT_WAITERS = CONTENDED  # how many tasks wait for mmap_sem
LOOK_AT_HOLDER = VMA_LOCK  # what the exclusive holder of mmap_sem, if there is one, is about to do
LOOK_AT_NOBODY = (
    SECOND_PASS
    | BATCHES
    | DISK
    | ANY_VMA
    | HIDES_ERRORS
    | MAP_AFTERWARDS
    | DOWNGRADES
    | WALKS_PRESENT
    | FAULT_RETRY
    | UNMAP_DOWNGRADES
)
_TOLD = LOOK_AT_WAITERS | LOOK_AT_HOLDER | LOOK_AT_NOBODY
require_all(
    vars(),
    [name for name, bit in BITS.items() if bit & _TOLD],
    BITS,
    "say with LOOK_AT_WAITERS, LOOK_AT_HOLDER or LOOK_AT_NOBODY at whom it makes a step look",
)

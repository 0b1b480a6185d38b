"""Events of the trace, in `trace.EVENT`. The numbers in brackets are its columns A and B."""

from rfcsim.model.layout.complete import names_of

# Calls.
CALL_BEGIN = 0  # (call, 0)
CALL_END = 1  # (call, value)

# CPUs.
RUN = 2  # (cpu, 0)
STOP = 3  # (cpu, 0)

# mmap_sem.
START_LOCKING = 4  # (mode, 0)
GRANTED = 5  # (mode, 0)
ACQUIRE_RETURNED = 6  # (mode, 0)
RELEASED = 7  # (mode, 0)

# The disk.
DISK_START = 8  # (first page, pages)
DISK_DONE = 9  # (first page, pages)

WOKEN = 10  # (mode, 0): not granted the lock, but woken to try for it

NAMES = names_of(vars())

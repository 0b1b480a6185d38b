"""Events of the trace; in brackets the two numbers that come with each."""

from rfcsim.model.layout.complete import names_of

CALL_BEGIN = 0  # (call, 0)
CALL_END = 1  # (call, value)
RUN = 2  # (cpu, 0)
STOP = 3  # (cpu, 0)
START_LOCKING = 4  # (mode, 0)
GRANTED = 5  # (mode, 0)
ACQUIRE_RETURNED = 6  # (mode, 0)
RELEASED = 7  # (mode, 0)
DISK_START = 8  # (first page, pages)
DISK_DONE = 9  # (first page, pages)
WOKEN = 10  # (mode, 0): not granted the lock, but woken to try

NAMES = names_of(vars())

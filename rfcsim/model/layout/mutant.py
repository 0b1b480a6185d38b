"""Deliberate mistakes in the patch, for positive controls: `state.mm[mm.MUTANT]`.

Each stands in rfcsim.model.calls.mlock or rfcsim.model.second_pass where the guard is that it
removes; but for the last, which is a design of its own.
"""

from rfcsim.model.layout.complete import names_of

NONE = 0
NO_RECHECK = 1  # a batch does not look whether the VMA is still VM_LOCKED
CHECK_BEFORE_LOCK = 2  # ... or looks before it takes the lock
FIRST_PASS_SHARED = 3  # the first pass takes the lock shared
NO_CLIP = 4  # a batch is not cut at the end of its VMA
MARKS_STAY = 5  # munlock clears VM_LOCKED and leaves the pages mlocked
MUNLOCK_SHARED = 6  # munlock takes the lock shared
UNCHARGED = 7  # the first pass does not charge locked_vm
SKIPS_A_PAGE = 8  # the second pass goes on one page too far
IGNORES_ERROR = 9  # the second pass does not return its error
KEEPS_LOCK = 10  # a batch that has nothing to do does not give the lock back
DOWNGRADES = 11  # each VMA is populated under a downgraded lock, as in 2.6.28

NAMES = tuple(name.replace("_", "-") for name in names_of(vars()))

"""Deliberate mistakes in the patch, as positive controls of the claims: `state.mm[mm.MUTANT]`.

Each is read where the guard that it removes stands, in rfcsim.model.calls.mlock or
rfcsim.model.second_pass. Only the last is not: it is a design of its own.
"""

from rfcsim.model.layout.complete import names_of

NONE = 0
NO_RECHECK = 1  # a batch does not check that its VMA is still VM_LOCKED
CHECK_BEFORE_LOCK = 2  # a batch checks that before it takes the lock
FIRST_PASS_SHARED = 3  # the first pass takes the lock shared
NO_CLIP = 4  # a batch is not cut at the end of its VMA
MARKS_STAY = 5  # munlock clears VM_LOCKED and leaves the pages mlocked
MUNLOCK_SHARED = 6  # munlock takes the lock shared
UNCHARGED = 7  # the first pass does not charge locked_vm
SKIPS_A_PAGE = 8  # after each part the second pass goes on one page too far
IGNORES_ERROR = 9  # the second pass does not return its error
KEEPS_LOCK = 10  # a batch that has nothing to do does not release the lock
DOWNGRADES = 11  # each VMA is populated under a downgraded lock, as in 2.6.28

NAMES = tuple(name.replace("_", "-") for name in names_of(vars()))

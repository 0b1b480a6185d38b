"""The fields of `Search.control`: the scalars of one exploration."""

from rfcsim.model.layout.complete import size_of

# How it searches.
POLICY = 0  # grant.*
REDUCE = 1  # 1: steps that commute with everybody else's are taken together
LOCK_FREE = 2  # 1: some call looks at pages, or changes them, without mmap_sem
REMEMBER = 3  # 1: a move is made once for all states that differ in other tasks only
WHOLE_CALLS = 4  # 1: a move is a whole call, made alone

# How far it is.
HEAD = 5  # the next state to expand; those before it are done
MOVES = 6  # moves taken, to new states and to old ones
CHECKED = 7  # common parts that the claims have been checked for
STATUS = 8  # search_status.*

SIZE = size_of(vars())

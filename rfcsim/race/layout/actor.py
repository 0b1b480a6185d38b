"""The columns of `Search.actors`: what the checker knows of a task beyond its registers."""

from rfcsim.model.layout.complete import size_of

OP = 0  # the row of calls that it is in; once it is done, the end of its rows
WAITS = 1  # the mode in which it waits for mmap_sem, or lock.UNLOCKED

SIZE = size_of(vars())

"""`Search.actors`: what the explorer knows of a task beyond its registers."""

from rfcsim.model.layout.complete import size_of

OP = 0  # row of calls that it is in; the end of its rows once it is done
WAITS = 1  # mode of mmap_sem that it waits for, or UNLOCKED

SIZE = size_of(vars())

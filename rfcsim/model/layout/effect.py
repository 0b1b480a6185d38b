"""What a step asks of the world: the first of the three numbers that a step function returns.

The other two are in brackets behind each effect.
"""

CPU = 0  # use the CPU: (work class, units)
DOWN = 1  # take mmap_sem: (mode, 0); the next step runs once it is held
UP = 2  # release mmap_sem: (mode, 0)
SUBMIT = 3  # submit a disk read and go on: (first page, pages)
WAIT_PAGE = 4  # sleep until the read that covers the page is done: (page, 0)
DONE = 5  # the call returns: (value, 0)
DOWNGRADE = 6  # turn the exclusive hold of mmap_sem into a shared one: (lock.SHARED, 0)

"""How a run stands: `Machine.clock[clock.STATUS]`, and what `run` and `replicate` return."""

RUNNING = 0  # call run() again
FINISHED = 1  # every task has finished
STUCK = 2  # tasks wait, and nothing will ever wake them
ENDLESS = 3  # a task makes call after call and no time passes
DISK_FULL = 4  # more reads are queued than there is room for
NO_ROOM = 5  # replicate only: the rows of the run do not fit

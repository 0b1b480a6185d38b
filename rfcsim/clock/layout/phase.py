"""What a task is doing: `Machine.schedule[task, sched.PHASE]`."""

THINKING = 0  # until its next call begins
WAKING = 1  # waking up, and not yet runnable
READY = 2  # in the run queue
RUNNING = 3  # on a CPU
BLOCKED = 4  # waits for mmap_sem or for the disk
FINISHED = 5

"""What a task is doing: `schedule[task, sched.PHASE]`."""

THINKING = 0
WAKING = 1
READY = 2
RUNNING = 3
BLOCKED = 4
FINISHED = 5

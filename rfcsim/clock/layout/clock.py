"""`Machine.clock`: scalars of one run."""

from rfcsim.model.layout.complete import size_of

NOW = 0
END = 1  # no call begins at or after it; 0: when the finite tasks are done
SEED = 2
REPLICATION = 3
FINITE = 4  # tasks with finite repeats that have not finished
UNFINISHED = 5  # tasks that have not finished
READY = 6  # tasks in the run queue
TICKET = 7  # next number in the run queue
JUMP = 8  # 1: pages of one hold in one jump; 0: one event a page
EVENTS = 9  # stretches of time that began: steps that took time, timers, disk reads
TRACED = 10  # events offered to the trace, also those that it had no room for
DISK_HEAD = 11  # page after the last page of the read that started last; -1 at first
DISK_FIRST = 12  # ring of queued reads: index of the first
DISK_QUEUED = 13  # ... and how many
IDLE_CPUS = 14
STATUS = 15  # run_status.RUNNING, ...
PREEMPTS = 16  # 1: a task that is woken takes its CPU from the task that runs there

SIZE = size_of(vars())

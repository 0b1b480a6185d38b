"""The fields of `Machine.clock`: the scalars of one run."""

from rfcsim.model.layout.complete import size_of

NOW = 0  # virtual time
END = 1  # no call begins at or after it; 0: the run ends when all finite tasks are done
SEED = 2
REPLICATION = 3
FINITE = 4  # tasks with finite repeats that have not finished
UNFINISHED = 5  # tasks that have not finished
READY = 6  # tasks in the run queue
TICKET = 7  # next number in the run queue
JUMP = 8  # 1: pages of one hold go by in one jump; 0: one event per page
EVENTS = 9  # stretches of time that have begun: steps that take time, timers, disk reads
TRACED = 10  # events offered to the trace, including those for which it had no room
DISK_HEAD = 11  # page after the last page of the read that started last; -1 at first
DISK_FIRST = 12  # ring of queued reads: index of the first,
DISK_QUEUED = 13  # and how many there are
IDLE_CPUS = 14
STATUS = 15  # run_status.*
PREEMPTS = 16  # 1: a task that is woken takes its CPU from the task that runs there

SIZE = size_of(vars())

"""The rules of the model in plain Python: read it to learn them, run it to judge the jitted code.

It was written from `notebooks/reference/rules.md` and the facts that the page rests on, never from
the jitted code. It steps page by page and keeps everything in objects, lists and dictionaries. In
reading order:

`effects`        what a step of a system call asks of the world
`address_space`  VMAs that split and merge, pages
`rwsem`          `mmap_sem`
`readahead`      which file pages a fault reads
`populate`       making pages present
`walk`           going from VMA to VMA, with flags that change
`mlock`          mlock() and munlock()
`mlockall`       mlockall() and munlockall()
`mprotect`       mprotect()
`unmap`          munmap()
`mmap`           mmap()
`brk`            brk()
`mremap`         mremap()
`fork`           fork()
`truncate`       ftruncate() of a mapped file
`kill`           a fatal signal
`users`          a user access, a reader of /proc/PID/maps, a hold of a given length
`draws`          random numbers
`disk`           reads in flight
`clock`          virtual time, CPUs, and who runs
`operations`     a Scenario's calls
`workload`       its regions and tasks
`outcome`        what a run leaves behind
`simulate`       the one entry: a scenario in, an outcome out

Around it, `strategies` and `random_calls` make random scenarios from the bytes of a `tape`,
`engine` runs them on the jitted clock, and `agreement` compares the two.
"""

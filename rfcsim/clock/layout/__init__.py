"""The vocabulary of the clock, besides that of the model: columns and values of its arrays.

Each module is a name space: `machine.clock[clock.NOW]`, `phase.READY`, `span.CALL`. The arrays and
their shapes are in :class:`rfcsim.clock.machine.Machine`.

- Where a run stands: `clock`, `sched`, `processor` and `disk` name columns, `phase` and
  `run_status` values.
- What it is given: `cost` names the columns of a cost table, `distribution` and `pick` the values
  of a program.
- What it records: `span`, `stat` and `tally` for every class of task, `trace` and `event` on
  request, `field` and `sheet` for the rows of replications.

Times are int64 nanoseconds of virtual time. A task is its row number everywhere.
"""

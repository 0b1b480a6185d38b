"""A disk: reads in the order in which they came, `disk_depth` at a time."""

from rfcsim._jit import inner
from rfcsim.clock.layout import (
    CLOCK_DISK_FIRST,
    CLOCK_DISK_HEAD,
    CLOCK_DISK_QUEUED,
    CLOCK_NOW,
    COST_DISK_DEPTH,
    COST_DISK_PAGE,
    COST_DISK_REQUEST,
    COST_DISK_SEEK,
    COST_WAKE_UP,
    DISK_FIRST_PAGE,
    DISK_PAGES,
    EV_DISK_DONE,
    EV_DISK_START,
    PHASE_WAKING,
    S_PHASE,
    S_WAIT_PAGE,
)
from rfcsim.clock.recorder import emit
from rfcsim.clock.timers import NEVER, set_timer
from rfcsim.model.pages import complete_read


@inner
def submit(machine, first, pages):
    """Start a read in the lowest idle slot, or queue it; False if the queue is full."""
    clock, disk = machine.clock, machine.disk
    depth = machine.costs[COST_DISK_DEPTH]
    for slot in range(depth):
        if disk[slot, DISK_FIRST_PAGE] < 0:
            _start(machine, slot, first, pages)
            return True
    room = disk.shape[0] - depth
    if clock[CLOCK_DISK_QUEUED] == room:
        return False
    row = depth + (clock[CLOCK_DISK_FIRST] + clock[CLOCK_DISK_QUEUED]) % room
    disk[row, DISK_FIRST_PAGE] = first
    disk[row, DISK_PAGES] = pages
    clock[CLOCK_DISK_QUEUED] += 1
    return True


@inner
def _start(machine, slot, first, pages):
    clock, costs = machine.clock, machine.costs
    machine.disk[slot, DISK_FIRST_PAGE] = first
    machine.disk[slot, DISK_PAGES] = pages
    time = costs[COST_DISK_REQUEST] + costs[COST_DISK_PAGE] * pages
    if first != clock[CLOCK_DISK_HEAD]:
        time += costs[COST_DISK_SEEK]
    clock[CLOCK_DISK_HEAD] = first + pages
    emit(machine, EV_DISK_START, -1, first, pages)
    set_timer(machine.timers, machine.winners, slot, clock[CLOCK_NOW] + time)


@inner
def finish_read(machine, slot):
    """A read is done: its pages are cached, who waits for them wakes, the next read starts."""
    clock, disk, schedule = machine.clock, machine.disk, machine.schedule
    depth = machine.costs[COST_DISK_DEPTH]
    first, pages = disk[slot, DISK_FIRST_PAGE], disk[slot, DISK_PAGES]
    complete_read(machine.state, first, pages)
    emit(machine, EV_DISK_DONE, -1, first, pages)
    disk[slot, DISK_FIRST_PAGE] = -1
    set_timer(machine.timers, machine.winners, slot, NEVER)
    wake = clock[CLOCK_NOW] + machine.costs[COST_WAKE_UP]
    for task in range(schedule.shape[0]):
        if first <= schedule[task, S_WAIT_PAGE] < first + pages:
            schedule[task, S_WAIT_PAGE] = -1
            schedule[task, S_PHASE] = PHASE_WAKING
            set_timer(machine.timers, machine.winners, depth + task, wake)
    if clock[CLOCK_DISK_QUEUED] > 0:
        room = disk.shape[0] - depth
        row = depth + clock[CLOCK_DISK_FIRST]
        clock[CLOCK_DISK_FIRST] = (clock[CLOCK_DISK_FIRST] + 1) % room
        clock[CLOCK_DISK_QUEUED] -= 1
        _start(machine, slot, disk[row, DISK_FIRST_PAGE], disk[row, DISK_PAGES])

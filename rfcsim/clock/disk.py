"""The disk: it serves reads in the order in which they came, cost.DISK_DEPTH at a time."""

from rfcsim._jit import inner
from rfcsim.clock.layout import clock, cost, disk, event, phase, sched
from rfcsim.clock.recorder import emit
from rfcsim.clock.timers import NEVER, set_timer
from rfcsim.model.pages import complete_read


@inner
def submit(machine, first, pages):
    """Start a read in the lowest idle slot, or queue it; False if the queue is full."""
    depth = machine.costs[cost.DISK_DEPTH]
    for slot in range(depth):
        if machine.disk[slot, disk.FIRST_PAGE] < 0:
            _start(machine, slot, first, pages)
            return True
    room = machine.disk.shape[0] - depth
    if machine.clock[clock.DISK_QUEUED] == room:
        return False
    row = depth + (machine.clock[clock.DISK_FIRST] + machine.clock[clock.DISK_QUEUED]) % room
    machine.disk[row, disk.FIRST_PAGE] = first
    machine.disk[row, disk.PAGES] = pages
    machine.clock[clock.DISK_QUEUED] += 1
    return True


@inner
def _start(machine, slot, first, pages):
    costs = machine.costs
    machine.disk[slot, disk.FIRST_PAGE] = first
    machine.disk[slot, disk.PAGES] = pages
    time = costs[cost.DISK_REQUEST] + costs[cost.DISK_PAGE] * pages
    if first != machine.clock[clock.DISK_HEAD]:
        time += costs[cost.DISK_SEEK]
    machine.clock[clock.DISK_HEAD] = first + pages
    emit(machine, event.DISK_START, -1, first, pages)
    set_timer(machine.timers, machine.winners, slot, machine.clock[clock.NOW] + time)


@inner
def finish_read(machine, slot):
    """End a read: its pages are cached, whoever waits for them wakes, and the next read starts."""
    schedule = machine.schedule
    depth = machine.costs[cost.DISK_DEPTH]
    first, pages = machine.disk[slot, disk.FIRST_PAGE], machine.disk[slot, disk.PAGES]
    complete_read(machine.state, first, pages)
    emit(machine, event.DISK_DONE, -1, first, pages)
    machine.disk[slot, disk.FIRST_PAGE] = -1
    set_timer(machine.timers, machine.winners, slot, NEVER)
    wake = machine.clock[clock.NOW] + machine.costs[cost.WAKE_UP]
    for task in range(schedule.shape[0]):
        if first <= schedule[task, sched.WAIT_PAGE] < first + pages:
            schedule[task, sched.WAIT_PAGE] = -1
            schedule[task, sched.PHASE] = phase.WAKING
            set_timer(machine.timers, machine.winners, depth + task, wake)
    if machine.clock[clock.DISK_QUEUED] > 0:
        room = machine.disk.shape[0] - depth
        row = depth + machine.clock[clock.DISK_FIRST]
        machine.clock[clock.DISK_FIRST] = (machine.clock[clock.DISK_FIRST] + 1) % room
        machine.clock[clock.DISK_QUEUED] -= 1
        _start(machine, slot, machine.disk[row, disk.FIRST_PAGE], machine.disk[row, disk.PAGES])

"""Virtual time: events, CPUs, and who runs (rules 5)."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from rfcsim.clock.layout import cost
from tests.twin.address_space import AddressSpace
from tests.twin.disk import Disk, Read
from tests.twin.draws import Draws
from tests.twin.effects import Cpu, Done, Down, Effect, Submit, Up, WaitPage
from tests.twin.outcome import Recorder
from tests.twin.rwsem import RwSemaphore
from tests.twin.workload import Operation, Program

DISK = -1  # in place of a task in the trace


@dataclass(eq=False)
class Processor:
    """A CPU: which task owns it, and which owned it last."""

    number: int
    task: "Task | None" = None
    last_task: "Task | None" = None


@dataclass(eq=False)
class Task:
    """One thread of the process, and where it is."""

    number: int
    program: Program
    draws: Draws
    round: int = 0
    next_operation: int = 0
    times_made: dict[int, int] = field(default_factory=dict)  # sequential picks by operation
    operation: Operation | None = None  # of the call under way
    steps: Iterator[Effect] = field(default_factory=lambda: iter(()))  # the rest of that call
    call_began: int = 0
    round_began: int = 0
    asked_for_lock: int = 0
    handed: int | None = None  # mode of a lock that it owns but has not used yet
    got_lock: int = 0
    waits_for_page: int | None = None
    cpu: Processor | None = None
    switch_ns: int = 0  # what the switch to this CPU costs
    slice_end: int = 0
    finished: bool = False
    returned: list[int] = field(default_factory=list)  # by its calls, in order

    @property
    def task_class(self) -> int:
        return self.program.task_class

    @property
    def is_finite(self) -> bool:
        return self.program.repeats > 0


class Clock:
    """Plays the tasks against each other."""

    def __init__(
        self,
        space: AddressSpace,
        programs: list[Program],
        costs: list[int],
        cpus: int,
        end_ns: int,
        seed: int,
        replication: int,
    ) -> None:
        self.space = space
        self.costs = costs
        self.end_ns = end_ns
        self.now = 0
        self.events: list[tuple[int, int, Callable[[], None]]] = []  # a heap
        self.sem = RwSemaphore()
        self.disk = Disk(costs)
        self.processors = [Processor(number) for number in range(cpus)]
        self.ready: deque[Task] = deque()
        self.tasks = [
            Task(number, program, Draws(seed, replication, number))
            for number, program in enumerate(programs)
        ]
        self.recorder = Recorder()

    def run(self) -> None:
        """Run until every task has finished, and every read is done."""
        for task in self.tasks:
            program = task.program
            delay_ns = task.draws.duration(program.start, program.start_ns)
            self.after(delay_ns, task, self.think_time_is_over)
        while self.events:
            self.now, _, what_happens = heappop(self.events)
            what_happens()
        assert all(task.finished for task in self.tasks)

    # --- events: the disk's slots are the first sources, then the tasks -----------------------

    def after(self, ns: int, task: Task, what: Callable[[Task], None]) -> None:
        source = len(self.disk.slots) + task.number
        heappush(self.events, (self.now + ns, source, lambda: what(task)))

    def trace(self, event: str, task: int, a: int, b: int = 0) -> None:
        self.recorder.trace.append((self.now, event, task, a, b))

    # --- calls ---------------------------------------------------------------------------------

    def a_call_may_begin(self) -> bool:
        if self.end_ns > 0:
            return self.now < self.end_ns
        return any(task.is_finite and not task.finished for task in self.tasks)

    def think_time_is_over(self, task: Task) -> None:
        if self.a_call_may_begin() and task.number not in self.space.killed:
            self.begin_call(task)
            self.becomes_ready(task)
        else:
            task.finished = True

    def begin_call(self, task: Task) -> None:
        operation = task.program.operations[task.next_operation]
        made = task.times_made.get(task.next_operation, 0)
        task.times_made[task.next_operation] = made + 1
        task.operation = operation
        task.steps = operation.begin(self.space, task.draws, made)
        task.call_began = self.now
        if task.next_operation == 0:
            task.round_began = self.now
        self.trace("call_begin", task.number, operation.call)

    def call_is_done(self, task: Task, value: int) -> bool:
        """Record the call and go on to the next: does the task keep its CPU?"""
        assert task.operation is not None
        self.trace("call_end", task.number, task.operation.call, value)
        took_ns = self.now - task.call_began
        self.recorder.called(task.task_class, task.operation.call, took_ns, value)
        task.returned.append(value)
        task.next_operation += 1
        if task.next_operation == len(task.program.operations):
            task.next_operation = 0
            task.round += 1
            if task.number not in self.space.killed:
                self.recorder.went_round(task.task_class, self.now - task.round_began)
            task.finished = task.round == task.program.repeats
        if task.number in self.space.killed or not self.a_call_may_begin():
            task.finished = True
        if not task.finished:
            upcoming = task.program.operations[task.next_operation].what
            think_ns = task.draws.duration(upcoming.think, upcoming.think_ns)
            if think_ns == 0:
                self.begin_call(task)
                return True
            self.after(think_ns, task, self.think_time_is_over)
        return False

    # --- CPUs ----------------------------------------------------------------------------------

    def may_use(self, task: Task, processor: Processor) -> bool:
        return task.program.cpu in (None, processor.number)

    def becomes_ready(self, task: Task) -> None:
        """Take an idle CPU, or queue for one."""
        if self.enters_a_cpu(task):
            self.work(task, task.switch_ns)

    def enters_a_cpu(self, task: Task) -> bool:
        """Take the lowest-numbered idle CPU that the task may use, or go to the queue's tail."""
        for processor in self.processors:
            if processor.task is None and self.may_use(task, processor):
                self.enter(task, processor)
                return True
        self.ready.append(task)
        return False

    def enter(self, task: Task, processor: Processor) -> None:
        """The task owns the CPU from now on; its slice begins once the switch is done."""
        self.trace("run", task.number, processor.number)
        switches = processor.last_task not in (None, task)
        processor.task = processor.last_task = task
        task.cpu = processor
        task.switch_ns = self.costs[cost.SWITCH] if switches else 0
        task.slice_end = self.now + task.switch_ns + self.costs[cost.TIMESLICE]

    def leave(self, task: Task) -> Processor:
        """The task gives its CPU up."""
        processor = task.cpu
        assert processor is not None
        self.trace("stop", task.number, processor.number)
        task.cpu = processor.task = None
        return processor

    def next_ready(self, processor: Processor) -> Task | None:
        """Who has been ready longest among those that may use this CPU?"""
        return next((task for task in self.ready if self.may_use(task, processor)), None)

    def hand_on_cpu(self, task: Task) -> None:
        """The task gives its CPU up to whoever is next."""
        processor = self.leave(task)
        heir = self.next_ready(processor)
        if heir is not None:
            self.ready.remove(heir)
            self.enter(heir, processor)
            self.work(heir, heir.switch_ns)

    def preempt(self, task: Task, heir: Task) -> None:
        """The task makes way for another, and goes to another CPU if one is idle."""
        processor = self.leave(task)
        self.ready.remove(heir)
        self.enter(heir, processor)
        if self.enters_a_cpu(task):
            self.after(task.switch_ns, task, self.stretch_is_over)  # even if it takes no time
        self.work(heir, heir.switch_ns)

    def work(self, task: Task, ns: int) -> None:
        """Use the CPU for a stretch of time, then advance."""
        if ns > 0:
            self.after(ns, task, self.stretch_is_over)
        else:
            self.advance(task)

    def stretch_is_over(self, task: Task) -> None:
        assert task.cpu is not None
        if self.now >= task.slice_end:
            heir = self.next_ready(task.cpu)
            if heir is not None:
                self.preempt(task, heir)
                return
            task.slice_end = self.now + self.costs[cost.TIMESLICE]
        self.advance(task)

    # --- steps ---------------------------------------------------------------------------------

    def advance(self, task: Task) -> None:
        """Take the steps that fall on this instant."""
        if task.handed is not None:
            self.trace("acquire_returned", task.number, task.handed)
            self.recorder.waited(task.task_class, task.handed, self.now - task.asked_for_lock)
            task.handed = None
        self.space.current = task.number
        ns = 0
        while ns == 0:
            effect = next(task.steps)
            match effect:
                case Cpu(work, units):
                    ns = self.costs[work] * units
                case Down(mode):
                    if not self.down(task, mode):
                        self.hand_on_cpu(task)
                        return
                    ns = self.costs[cost.LOCK]
                case Up(mode):
                    self.up(task, mode)
                    ns = self.costs[cost.LOCK]
                case Submit(first, count):
                    self.submit(Read(first, count))
                case WaitPage(page):
                    task.waits_for_page = page
                    self.hand_on_cpu(task)
                    return
                case Done(value):
                    if not self.call_is_done(task, value):
                        self.hand_on_cpu(task)
                        return
        self.work(task, ns)

    def down(self, task: Task, mode: int) -> bool:
        self.trace("start_locking", task.number, mode)
        task.asked_for_lock = self.now
        if not self.sem.down(task.number, mode):
            return False
        self.trace("granted", task.number, mode)
        self.trace("acquire_returned", task.number, mode)
        task.got_lock = self.now
        self.recorder.waited(task.task_class, mode, 0)
        return True

    def up(self, task: Task, mode: int) -> None:
        self.trace("released", task.number, mode)
        self.recorder.held(task.task_class, mode, self.now - task.got_lock)
        for number, granted_mode in self.sem.up(task.number):
            heir = self.tasks[number]
            self.trace("granted", number, granted_mode)
            heir.handed = granted_mode
            heir.got_lock = self.now
            self.wake(heir)

    def wake(self, task: Task) -> None:
        self.after(self.costs[cost.WAKE_UP], task, self.becomes_ready)

    # --- the disk --------------------------------------------------------------------------------

    def submit(self, read: Read) -> None:
        slot = self.disk.idle_slot()
        if slot is None:
            self.disk.queue.append(read)
        else:
            self.start_read(slot, read)

    def start_read(self, slot: int, read: Read) -> None:
        self.trace("disk_start", DISK, read.first, read.count)
        done_at = self.now + self.disk.start(slot, read)
        heappush(self.events, (done_at, slot, lambda: self.read_is_done(slot, read)))

    def read_is_done(self, slot: int, read: Read) -> None:
        self.trace("disk_done", DISK, read.first, read.count)
        self.disk.slots[slot] = None
        covered = range(read.first, read.first + read.count)
        for page in covered:
            self.space.pages[page].reading = False
            self.space.pages[page].cached = True
        for task in self.tasks:
            if task.waits_for_page is not None and task.waits_for_page in covered:
                task.waits_for_page = None
                self.wake(task)
        if self.disk.queue:
            self.start_read(slot, self.disk.queue.popleft())

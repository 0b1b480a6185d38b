"""Every timed run is a path of the explored graph: the clock and the checker run one model."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcsim import Scenario
from rfcsim.clock import run
from rfcsim.clock.layout import phase, run_status, sched
from rfcsim.clock.machine import Machine
from rfcsim.model.layout import call, lock, operation, reg, sem, vma, work
from rfcsim.orders.problem import problem_of
from rfcsim.race.arrays import Search
from rfcsim.race.explore import keep, look_at, take
from rfcsim.race.layout import actor, grant
from rfcsim.race.moves import enter_call
from rfcsim.race.search import search_all
from rfcsim.runs.prepare import machine_of
from tests.race.scenarios import scenarios
from tests.twin.cost_values import cost_values

DEEPEST = 12  # the most steps that one event of the clock can stand for


@given(
    scenarios(mappers=1),
    st.lists(st.integers(1, 7), min_size=8, max_size=8),
    st.integers(1, 3),
)
@settings(max_examples=60)
def test_a_timed_run_is_a_path(scenario: Scenario, costs: list[int], cpus: int) -> None:
    problem = problem_of(scenario)
    explored = search_all(problem, policy=grant.FIFO, reduce=False)
    machine = machine_of(scenario.replace(cpus=cpus), _costs(costs), jump=False)
    results = np.zeros(len(problem.calls), np.int64)
    position = 0
    while run(machine, 1) != run_status.FINISHED:
        number, new = _find(explored.search, machine, results)
        assert not new, "the clock is where the checker has never been"
        assert _leads(explored.search, position, number), "... or came there by no steps"
        position = number


def _costs(values: list[int]) -> np.ndarray:
    names = ("syscall", "vma_visit", "vma_change", "mlock_anon", "lock", "wake_up", "switch")
    every_work_takes_time = dict.fromkeys([*work.NAMES[1:], "timeslice"], values[-1])
    return cost_values(**every_work_takes_time | dict(zip(names, values, strict=False)))


def _find(search: Search, machine: Machine, results: np.ndarray) -> tuple[int, bool]:
    """The checker's number for the state of the clock, and whether it had not met that state."""
    for ours, theirs in zip(search.state, machine.state, strict=True):
        ours[:] = theirs
    waits = _waits(machine)
    for task in range(len(search.actors)):
        first, op = int(search.first_op[task]), int(machine.schedule[task, sched.OP])
        done = int(machine.schedule[task, sched.CALLS])
        if done:
            results[first + done - 1] = machine.schedule[task, sched.LAST_RETURN]
        finished = machine.schedule[task, sched.PHASE] == phase.FINISHED
        search.actors[task, actor.OP] = search.first_op[task + 1] if finished else op
        search.actors[task, actor.WAITS] = waits[task]
        if machine.state.tasks[task, reg.CALL] == call.NONE:
            enter_call(search, task)
    search.results[:] = results
    # The clock numbers mappings as they come, the checker by the call that makes them.
    mapping = [op for op, row in enumerate(search.calls) if row[operation.CALL] == call.MMAP]
    for row in search.state.vmas:
        if row[vma.IDENTITY] >= search.free_identity[0]:
            nth = row[vma.IDENTITY] - search.free_identity[0]
            row[vma.IDENTITY] = search.free_identity[0] + mapping[nth]
    return keep(search)


def _waits(machine: Machine) -> list[int]:
    """The mode that each task queues for."""
    fields, queue = machine.state.sem, machine.state.queue
    waits = [lock.UNLOCKED] * len(queue)
    for place in range(fields[sem.WAITERS]):
        entry = int(queue[(fields[sem.HEAD] + place) % len(queue)])
        waits[entry >> 1] = lock.EXCLUSIVE if entry & 1 else lock.SHARED
    return waits


def _leads(search: Search, start: int, goal: int) -> bool:
    """Whether a few steps lead from one state to another."""
    reached = {start}
    frontier = [start]
    for _ in range(DEEPEST):
        if goal in reached:
            return True
        following = []
        for number in frontier:
            for task in range(len(search.actors)):
                look_at(search, number)
                if take(search, task):
                    after, _ = keep(search)
                    if after not in reached:
                        reached.add(after)
                        following.append(after)
        frontier = following
    return goal in reached

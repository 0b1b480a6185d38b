"""Where a scenario's regions, pages and calls end up in the arrays of the clock."""

import numpy as np
from hypothesis import given

from rfcsim.clock import run
from rfcsim.clock.layout import cost, distribution, pick, run_status
from rfcsim.clock.machine import Machine
from rfcsim.model.layout import backing, bit, call, design, lock, mm, operation, thread, vm, vma
from rfcsim.runs.prepare import machine_of
from rfcsim.scenario.calls import Hold, Mlock, Mmap, Munmap, Touch
from rfcsim.scenario.process import Region, TaskGroup
from rfcsim.scenario.scenario import Scenario
from tests.runs.examples import SMALL
from tests.twin.strategies import Case, cases

COSTS = np.ones(cost.COUNT, np.int64)


IDLE = (Hold(mode="shared", hold_ns=1),)


def machine_with(*regions: Region, calls=IDLE, **fields) -> Machine:
    group = TaskGroup(name="only", calls=calls)
    scenario = Scenario(name="case", costs="none", regions=regions, tasks=(group,), **fields)
    return machine_of(scenario, COSTS)


def test_each_mapped_region_is_a_vma() -> None:
    machine = machine_with(
        Region(name="a", pages=4, protection="r", backing="file", access="random"),
        Region(name="free", pages=2, mapped=False),
        Region(name="b", pages=3, gap_pages=0, locked=True, grows_down=True),
        Region(name="c", pages=2, gap_pages=5, backing="hugetlb", access="sequential"),
        Region(name="d", pages=1, protection="rx", special="io"),
        Region(name="e", pages=1, protection="none", special="dontexpand"),
    )
    vmas, space = machine.state.vmas, machine.state.mm
    count = space[mm.MAP_COUNT]
    assert count == 5
    columns = (vma.START, vma.END, vma.FLAGS, vma.BACKING, vma.IDENTITY, vma.READ_POSITION)
    flags_b = vm.READ | vm.WRITE | vm.LOCKED | vm.GROWSDOWN
    flags_c = vm.READ | vm.WRITE | vm.HUGETLB | vm.SEQ_READ
    assert vmas[:count, columns].tolist() == [
        [1, 5, vm.READ | vm.RAND_READ, backing.FILE, 1, 0],
        [8, 11, flags_b, backing.ANON, 2, 7],
        [16, 18, flags_c, backing.ANON, 3, 15],
        [19, 20, vm.READ | vm.EXEC | vm.IO, backing.ANON, 4, 18],
        [21, 22, vm.DONTEXPAND, backing.ANON, 5, 20],
    ]
    assert space[mm.NEXT_IDENTITY] == 6
    assert space[mm.TOTAL_VM] == 4 + 3 + 2 + 1 + 1
    assert space[mm.LOCKED_VM] == 3
    assert len(machine.state.pages) == 22


def test_pages_begin_as_their_region_says() -> None:
    machine = machine_with(
        Region(name="real", pages=1, present=True, locked=True),
        Region(name="zero", pages=1, present=True, locked=True, protection="r", gap_pages=0),
        Region(name="cached", pages=2, backing="file", cached=True, gap_pages=0, mapped=False),
        Region(
            name="file",
            pages=3,
            backing="file",
            present=True,
            locked=True,
            protection="r",
            end_of_file_page=1,
            gap_pages=0,
        ),
        Region(name="absent", pages=1, locked=True, gap_pages=0),
    )
    assert machine.state.pages.tolist() == [
        0,  # the gap
        bit.PRESENT | bit.MLOCKED,
        bit.PRESENT | bit.ZERO,
        bit.CACHED,
        bit.CACHED,
        bit.CACHED | bit.PRESENT | bit.MLOCKED,
        bit.PAST_EOF,
        bit.PAST_EOF,
        0,
    ]


def test_the_kernel_is_as_the_scenario_says() -> None:
    machine = machine_with(
        Region(name="a", pages=1),
        design="batched",
        batch_pages=17,
        readahead_pages=5,
        rlimit_memlock_pages=3,
        cap_ipc_lock=True,
        max_map_count=9,
    )
    space = machine.state.mm
    assert space[mm.DESIGN] == design.BATCHED
    assert space[mm.BATCH_PAGES] == 17
    assert space[mm.READAHEAD_PAGES] == 5
    assert space[mm.LOCK_LIMIT] == 3
    assert space[mm.CAP_IPC_LOCK] == 1
    assert space[mm.MAX_MAP_COUNT] == 9
    assert machine_with(Region(name="a", pages=1)).state.mm[mm.LOCK_LIMIT] == -1


def test_calls_become_rows_of_the_program() -> None:
    machine = machine_with(
        Region(name="a", pages=10, backing="file", protection="r", access="random", locked=True),
        calls=(
            Mlock(region="a", offset_pages=4),
            Mmap(region="a", offset_pages=1, pages=2),
            Touch(region="a", write=True, pick="random", think="exponential", think_ns=9),
            Hold(mode="shared", hold_ns=7),
        ),
    )
    columns = (
        operation.CALL,
        operation.START,
        operation.PAGES,
        operation.ARG,
        operation.BACKING,
        operation.PICK,
    )
    rows = machine.programs
    assert rows[:, columns].tolist() == [
        [call.MLOCK, 5, 6, 0, 0, 0],
        # A new mapping is not VM_LOCKED, whatever the old one was.
        [call.MMAP, 2, 2, vm.READ | vm.RAND_READ, backing.FILE, 0],
        [call.TOUCH, 1, 10, 1, 0, pick.RANDOM],
        [call.HOLD, 0, 0, lock.SHARED, 0, 0],
    ]
    assert rows[2, (operation.THINK_KIND, operation.THINK_NS)].tolist() == [
        distribution.EXPONENTIAL,
        9,
    ]
    assert rows[3, operation.WORK_NS] == 7


def test_each_task_has_its_own_copy_and_its_own_rows() -> None:
    machine = machine_of(SMALL.replace(**{"tasks.victim.cpu": 1}), COSTS)
    columns = (thread.FIRST_OP, thread.OPS, thread.REPEATS, thread.CPU, thread.CLASS)
    assert machine.threads[:, columns].tolist() == [
        [0, 1, 1, -1, 0],
        [1, 2, 20, 1, 1],
        [3, 2, 20, 1, 1],
        [5, 2, 20, 1, 1],
    ]
    assert machine.programs[(1, 3, 5), operation.START].tolist() == [102, 111, 120]


def test_costs_of_a_table_stay_as_they_are() -> None:
    costs = COSTS.copy()
    costs.flags.writeable = False
    machine = machine_of(SMALL, costs)
    assert machine.costs.flags.writeable  # one signature to compile, not two
    assert not np.shares_memory(machine.costs, costs)


def test_a_kernel_at_its_limit_has_room_for_the_vmas_it_may_still_make() -> None:
    # mmap() is allowed at max_map_count; munmap() then splits two VMAs before it removes one.
    machine = machine_with(
        Region(name="a", pages=6),
        Region(name="b", pages=6, gap_pages=0),
        Region(name="free", pages=1, mapped=False),
        calls=(Mmap(region="free"), Munmap(region="a", offset_pages=3, pages=6)),
        max_map_count=2,
    )
    costs = machine.costs
    assert costs[cost.DISK_DEPTH] == 1
    while run(machine, 1) == run_status.RUNNING:
        pass
    state = machine.state
    assert state.mm[mm.MAP_COUNT] == 3
    assert state.vmas[:3, (vma.START, vma.END)].tolist() == [[1, 4], [10, 13], [14, 15]]
    assert len(state.vmas) >= 5


@given(cases())
def test_there_is_always_room_for_the_vmas(case: Case) -> None:
    machine = machine_of(case.scenario, case.costs, seed=case.seed, replication=case.replication)
    most = machine.state.mm[mm.MAP_COUNT]
    while run(machine, 1) == run_status.RUNNING:
        most = max(most, machine.state.mm[mm.MAP_COUNT])
    assert most <= len(machine.state.vmas)
    assert (np.diff(machine.state.vmas[: machine.state.mm[mm.MAP_COUNT], vma.START]) > 0).all()

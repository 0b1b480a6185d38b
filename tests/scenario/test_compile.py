"""Where a scenario's regions, pages and calls end up in the arrays of the clock."""

import numpy as np
from hypothesis import given

from rfcsim.clock import run
from rfcsim.clock.layout import (
    COST_DISK_DEPTH,
    EXPONENTIAL,
    N_COSTS,
    OP_ARG,
    OP_BACKING,
    OP_CALL,
    OP_PAGES,
    OP_PICK,
    OP_START,
    OP_THINK_KIND,
    OP_THINK_NS,
    OP_WORK_NS,
    PICK_RANDOM,
    RUNNING,
    T_CLASS,
    T_CPU,
    T_FIRST_OP,
    T_OPS,
    T_REPEATS,
    Machine,
)
from rfcsim.model.layout import (
    BACKING_ANON,
    BACKING_FILE,
    CALL_HOLD,
    CALL_MLOCK,
    CALL_MMAP,
    CALL_TOUCH,
    DESIGN_BATCHED,
    MM_BATCH_PAGES,
    MM_CAP_IPC_LOCK,
    MM_DESIGN,
    MM_LOCK_LIMIT,
    MM_LOCKED_VM,
    MM_MAP_COUNT,
    MM_MAX_MAP_COUNT,
    MM_NEXT_IDENTITY,
    MM_READAHEAD_PAGES,
    MM_TOTAL_VM,
    PAGE_CACHED,
    PAGE_MLOCKED,
    PAGE_PAST_EOF,
    PAGE_PRESENT,
    PAGE_ZERO,
    SHARED,
    VM_DONTEXPAND,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_HUGETLB,
    VM_IO,
    VM_LOCKED,
    VM_RAND_READ,
    VM_READ,
    VM_SEQ_READ,
    VM_WRITE,
    VMA_BACKING,
    VMA_END,
    VMA_FLAGS,
    VMA_IDENTITY,
    VMA_READ_POSITION,
    VMA_START,
)
from rfcsim.scenario.calls import Hold, Mlock, Mmap, Munmap, Touch
from rfcsim.scenario.compile import compile_scenario
from rfcsim.scenario.process import Region, TaskGroup
from rfcsim.scenario.scenario import Scenario
from tests.runs.examples import SMALL
from tests.twin.strategies import Case, cases

COSTS = np.ones(N_COSTS, np.int64)


IDLE = (Hold(mode="shared", hold_ns=1),)


def machine_of(*regions: Region, calls=IDLE, **fields) -> Machine:
    group = TaskGroup(name="only", calls=calls)
    scenario = Scenario(name="case", costs="none", regions=regions, tasks=(group,), **fields)
    return compile_scenario(scenario, COSTS)


def test_each_mapped_region_is_a_vma() -> None:
    machine = machine_of(
        Region(name="a", pages=4, protection="r", backing="file", access="random"),
        Region(name="free", pages=2, mapped=False),
        Region(name="b", pages=3, gap_pages=0, locked=True, grows_down=True),
        Region(name="c", pages=2, gap_pages=5, backing="hugetlb", access="sequential"),
        Region(name="d", pages=1, protection="rx", special="io"),
        Region(name="e", pages=1, protection="none", special="dontexpand"),
    )
    vmas, mm = machine.state.vmas, machine.state.mm
    count = mm[MM_MAP_COUNT]
    assert count == 5
    columns = (VMA_START, VMA_END, VMA_FLAGS, VMA_BACKING, VMA_IDENTITY, VMA_READ_POSITION)
    flags_b = VM_READ | VM_WRITE | VM_LOCKED | VM_GROWSDOWN
    flags_c = VM_READ | VM_WRITE | VM_HUGETLB | VM_SEQ_READ
    assert vmas[:count, columns].tolist() == [
        [1, 5, VM_READ | VM_RAND_READ, BACKING_FILE, 1, 0],
        [8, 11, flags_b, BACKING_ANON, 2, 7],
        [16, 18, flags_c, BACKING_ANON, 3, 15],
        [19, 20, VM_READ | VM_EXEC | VM_IO, BACKING_ANON, 4, 18],
        [21, 22, VM_DONTEXPAND, BACKING_ANON, 5, 20],
    ]
    assert mm[MM_NEXT_IDENTITY] == 6
    assert mm[MM_TOTAL_VM] == 4 + 3 + 2 + 1 + 1
    assert mm[MM_LOCKED_VM] == 3
    assert len(machine.state.pages) == 22


def test_pages_begin_as_their_region_says() -> None:
    machine = machine_of(
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
        PAGE_PRESENT | PAGE_MLOCKED,
        PAGE_PRESENT | PAGE_ZERO,
        PAGE_CACHED,
        PAGE_CACHED,
        PAGE_CACHED | PAGE_PRESENT | PAGE_MLOCKED,
        PAGE_PAST_EOF,
        PAGE_PAST_EOF,
        0,
    ]


def test_the_kernel_is_as_the_scenario_says() -> None:
    machine = machine_of(
        Region(name="a", pages=1),
        design="batched",
        batch_pages=17,
        readahead_pages=5,
        rlimit_memlock_pages=3,
        cap_ipc_lock=True,
        max_map_count=9,
    )
    mm = machine.state.mm
    assert mm[MM_DESIGN] == DESIGN_BATCHED
    assert mm[MM_BATCH_PAGES] == 17
    assert mm[MM_READAHEAD_PAGES] == 5
    assert mm[MM_LOCK_LIMIT] == 3
    assert mm[MM_CAP_IPC_LOCK] == 1
    assert mm[MM_MAX_MAP_COUNT] == 9
    assert machine_of(Region(name="a", pages=1)).state.mm[MM_LOCK_LIMIT] == -1


def test_calls_become_rows_of_the_program() -> None:
    machine = machine_of(
        Region(name="a", pages=10, backing="file", protection="r", access="random", locked=True),
        calls=(
            Mlock(region="a", offset_pages=4),
            Mmap(region="a", offset_pages=1, pages=2),
            Touch(region="a", write=True, pick="random", think="exponential", think_ns=9),
            Hold(mode="shared", hold_ns=7),
        ),
    )
    columns = (OP_CALL, OP_START, OP_PAGES, OP_ARG, OP_BACKING, OP_PICK)
    rows = machine.programs
    assert rows[:, columns].tolist() == [
        [CALL_MLOCK, 5, 6, 0, 0, 0],
        # A new mapping is not VM_LOCKED, whatever the old one was.
        [CALL_MMAP, 2, 2, VM_READ | VM_RAND_READ, BACKING_FILE, 0],
        [CALL_TOUCH, 1, 10, 1, 0, PICK_RANDOM],
        [CALL_HOLD, 0, 0, SHARED, 0, 0],
    ]
    assert rows[2, (OP_THINK_KIND, OP_THINK_NS)].tolist() == [EXPONENTIAL, 9]
    assert rows[3, OP_WORK_NS] == 7


def test_each_task_has_its_own_copy_and_its_own_rows() -> None:
    machine = compile_scenario(SMALL.replace(**{"tasks.victim.cpu": 1}), COSTS)
    columns = (T_FIRST_OP, T_OPS, T_REPEATS, T_CPU, T_CLASS)
    assert machine.threads[:, columns].tolist() == [
        [0, 1, 1, -1, 0],
        [1, 2, 20, 1, 1],
        [3, 2, 20, 1, 1],
        [5, 2, 20, 1, 1],
    ]
    assert machine.programs[(1, 3, 5), OP_START].tolist() == [102, 111, 120]


def test_costs_of_a_table_stay_as_they_are() -> None:
    costs = COSTS.copy()
    costs.flags.writeable = False
    machine = compile_scenario(SMALL, costs)
    assert machine.costs.flags.writeable  # one signature to compile, not two
    assert not np.shares_memory(machine.costs, costs)


def test_a_kernel_at_its_limit_has_room_for_the_vmas_it_may_still_make() -> None:
    # mmap() is allowed at max_map_count; munmap() then splits two VMAs before it removes one.
    machine = machine_of(
        Region(name="a", pages=6),
        Region(name="b", pages=6, gap_pages=0),
        Region(name="free", pages=1, mapped=False),
        calls=(Mmap(region="free"), Munmap(region="a", offset_pages=3, pages=6)),
        max_map_count=2,
    )
    costs = machine.costs
    assert costs[COST_DISK_DEPTH] == 1
    while run(machine, 1) == RUNNING:
        pass
    state = machine.state
    assert state.mm[MM_MAP_COUNT] == 3
    assert state.vmas[:3, (VMA_START, VMA_END)].tolist() == [[1, 4], [10, 13], [14, 15]]
    assert len(state.vmas) >= 5


@given(cases())
def test_there_is_always_room_for_the_vmas(case: Case) -> None:
    machine = compile_scenario(
        case.scenario, case.costs, seed=case.seed, replication=case.replication
    )
    most = machine.state.mm[MM_MAP_COUNT]
    while run(machine, 1) == RUNNING:
        most = max(most, machine.state.mm[MM_MAP_COUNT])
    assert most <= len(machine.state.vmas)
    assert (np.diff(machine.state.vmas[: machine.state.mm[MM_MAP_COUNT], VMA_START]) > 0).all()

"""Calls that change the address space, from a scenario to the clock and to a table of steps."""

import polars as pl
import pytest

from rfcsim import (
    Brk,
    Fork,
    GetUserPages,
    Kill,
    Mlock,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Munlockall,
    Munmap,
    ReadMaps,
    Region,
    RemapFilePages,
    Scenario,
    ScenarioError,
    TaskGroup,
    Touch,
    Truncate,
    load_costs,
    simulate,
    walk,
)
from rfcsim.model.layout import errno, flag, operation, vm, work
from rfcsim.runs.prepare import machine_of
from tests.twin.cost_values import cost_values
from tests.twin.engine import bits, run_engine

COSTS = cost_values(
    syscall=3, drain_all=5, vma_visit=1, vma_change=4, mlock_anon=7, mlock_zero=2,
    mlock_present=3, munlock_page=2, unmap_page=3, fault_anon=6, fault_zero=2, touch=1,
    lock=1, wake_up=9, switch=2, timeslice=40,
)  # fmt: skip


def scenario(*calls, others=(), **changes):
    """Regions of 8 pages with room between and behind them, and a task that makes the calls."""
    groups = [TaskGroup(name="caller", calls=calls)]
    groups += [TaskGroup(name=f"other{i}", calls=other) for i, other in enumerate(others)]
    fields = {
        "name": "calls",
        "costs": "anon-2010",
        "regions": (
            Region(name="data", pages=8),
            Region(name="room", pages=12, mapped=False, gap_pages=0),
            Region(name="more", pages=8),
            Region(name="end", pages=20, mapped=False, gap_pages=0),
            Region(name="file", pages=12, backing="file", protection="r", cached=True),
        ),
        "tasks": tuple(groups),
    }
    return Scenario(**(fields | changes))


def row_of(call):
    machine = machine_of(scenario(call), COSTS)
    return [
        int(machine.programs[0, column])
        for column in (operation.START, operation.PAGES, operation.ARG, operation.BACKING)
    ]


def test_the_arguments_of_each_call():
    read_write = vm.READ | vm.WRITE
    size = 1 + 8 + 12 + 1 + 8 + 20 + 1 + 12
    assert row_of(Mmap(region="data", locked=True)) == [1, 8, read_write | vm.LOCKED, 0]
    assert row_of(Mmap(region="data", populate=True))[2] == read_write | flag.MAP_POPULATE
    assert row_of(Mprotect(region="data", offset_pages=2, protection="r")) == [3, 6, vm.READ, 0]
    assert row_of(Mremap(region="data")) == [1, 8, 8, flag.MREMAP_MAYMOVE]
    assert row_of(Mremap(region="data", new_pages=9, may_move=False))[2:] == [
        9,
        flag.MREMAP_IN_PLACE,
    ]
    assert row_of(Mremap(region="data", pages=3, to_region="room", to_offset_pages=4)) == [
        1, 3, 3, 13,
    ]  # fmt: skip
    assert row_of(Mlockall()) == [0, size, flag.MCL_CURRENT, 0]
    assert row_of(Mlockall(current=False, future=True)) == [0, size, flag.MCL_FUTURE, 0]
    assert row_of(Brk(region="more", pages=9)) == [22, 9, 0, 0]
    assert row_of(Munlockall()) == [0, size, 0, 0]
    assert row_of(GetUserPages(region="data", pages=2)) == [1, 2, 1, 0]
    assert row_of(GetUserPages(region="data", write=False))[2] == 0
    assert row_of(RemapFilePages(region="file", pages=2)) == [51, 2, 0, 0]
    assert row_of(RemapFilePages(region="file", nonblock=True))[2] == flag.MAP_NONBLOCK


def test_a_copy_of_a_region_moves_to_its_own_tasks_copy():
    case = Scenario(
        name="copies",
        costs="anon-2010",
        regions=(
            Region(name="mine", pages=2, one_per="caller"),
            Region(name="room", pages=4, mapped=False, one_per="caller"),
        ),
        tasks=(
            TaskGroup(name="caller", count=2, calls=(Mremap(region="mine", to_region="room"),)),
        ),
    )
    programs = machine_of(case, COSTS).programs
    assert [(int(op[operation.START]), int(op[operation.BACKING])) for op in programs] == [
        (1, 7),
        (4, 12),
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mprotect(region="data"), "protection: missing, must be given"),
        (
            lambda: Mprotect(region="data", protection="w"),
            'protection = "w": must be "none", "r", "rw", "rx" or "x"',
        ),
        (lambda: Mremap(region="data", new_pages=0), "new_pages = 0: must be 1 or more"),
        (
            lambda: Mremap(region="data", to_offset_pages=2),
            "to_offset_pages = 2: only with to_region",
        ),
        (
            lambda: Mremap(region="data", to_region="room", may_move=False),
            "may_move = false: only without to_region",
        ),
        (
            lambda: scenario(Mremap(region="data", to_region="rom")),
            'tasks[0].calls[0].to_region = "rom": must name a region; did you mean room?',
        ),
        (
            lambda: scenario(Mremap(region="data", to_region="file", to_offset_pages=7)),
            "tasks[0].calls[0].new_pages = 8: the range ends beyond the address space, must be 5 "
            "or less",
        ),
        (
            lambda: scenario(Brk(region="file", pages=13)),
            "tasks[0].calls[0].pages = 13: the range ends beyond the address space, must be 12 or "
            "less",
        ),
        (
            lambda: scenario(Kill(task="caler")),
            'tasks[0].calls[0].task = "caler": must name a task group; did you mean caller?',
        ),
        (
            lambda: scenario(Kill(task="caller", number=1)),
            "tasks[0].calls[0].number = 1: must be 0 (count - 1) or less",
        ),
        (
            lambda: scenario(Mlockall(futur=True)),
            "futur: unknown key; did you mean future?",
        ),
    ],
)
def test_bad_calls_are_one_line(call, message):
    with pytest.raises(ScenarioError) as error:
        call()
    assert str(error.value) == message


def test_the_calls_survive_toml():
    case = scenario(
        Mlockall(current=False, future=True),
        Mmap(region="room", locked=True, populate=True),
        Mprotect(region="data", protection="none"),
        Mremap(region="data", new_pages=3, to_region="end", to_offset_pages=1),
        Munlockall(think_ns=5),
        Truncate(region="data", offset_pages=3),
        Brk(region="more", pages=0),
        Fork(),
        Kill(task="caller"),
        RemapFilePages(region="file", offset_pages=2, nonblock=True),
        GetUserPages(region="data", pages=3, write=False),
    )
    assert Scenario.from_toml_text(case.to_toml()) == case


def test_walk_shows_a_move_of_locked_memory():
    case = scenario(Mlock(region="data", pages=2), Mremap(region="data", pages=2, to_region="room"))
    steps = walk(case)
    assert steps["asks for"].to_list()[-2:] == ["up_write", "return 9"]
    assert steps["VMAs"].to_list()[-1] == "[3, 9) [9, 11) L [22, 30) [51, 63)"
    assert steps["pages"].to_list()[-1] == "." * 9 + "mm" + "." * 52
    assert steps["locked_vm"].to_list()[-1] == 2


def test_walk_shows_a_downgrade():
    steps = walk(scenario(RemapFilePages(region="file", pages=2)))
    number = steps["asks for"].to_list().index("downgrade_write")
    assert steps["holds mmap_sem"].to_list()[number - 1 : number + 2] == [
        "exclusive", "shared", "shared",
    ]  # fmt: skip
    assert steps["asks for"].to_list()[-2:] == ["up_read", "return 0"]
    assert steps["pages"].to_list()[-1][51:55] == "pp.."


def test_a_killed_task_makes_no_further_call():
    """One task is killed inside its call, one while it thinks; the third goes on."""
    calls = (Mlock(region="data", think_ns=100), Mlock(region="more", think_ns=500))
    case = Scenario(
        name="killed",
        costs="anon-2010",
        cpus=4,
        regions=(Region(name="data", pages=400), Region(name="more", pages=8)),
        tasks=(
            TaskGroup(name="locker", calls=calls),
            TaskGroup(name="sleeper", count=2, calls=calls, start_ns=10**9),
            TaskGroup(
                name="killer",
                calls=(Kill(task="locker", think_ns=200_000), Kill(task="sleeper", number=1)),
            ),
        ),
    )
    calls_done = simulate(case).tasks.select("task", "calls", "last_return")
    assert dict(calls_done.select("task", "calls").iter_rows()) == {
        "locker 0": 1,
        "sleeper 0": 2,
        "sleeper 1": 0,
        "killer 0": 2,
    }
    assert calls_done["last_return"][0] == errno.ERESTARTSYS


@pytest.mark.parametrize("design", ["exclusive", "batched", "fault-retry", "mm-populate"])
def test_jumps_and_pieces_give_the_same_bits(design):
    """All calls beside one another, page by page, in jumps, and with the run cut in pieces."""
    case = scenario(
        Mlockall(future=True),
        Mprotect(region="data", pages=5, protection="r"),
        Mlock(region="data"),
        Mprotect(region="data", protection="rw"),
        Munlockall(),
        others=(
            (
                Mremap(region="data", offset_pages=4, pages=4, to_region="room"),
                Mremap(region="more", new_pages=11),
                Mremap(region="room", pages=4, to_region="data", to_offset_pages=4),
            ),
            (
                Mmap(region="end", offset_pages=8, pages=6, locked=True),
                Touch(region="end", offset_pages=9),
                Mremap(region="end", offset_pages=8, pages=6, new_pages=2),
                Mmap(region="end", offset_pages=8, pages=6, populate=True),
                Brk(region="end", pages=6),
                Fork(),
                Brk(region="end", pages=1),
            ),
            (Truncate(region="file", offset_pages=9), Mlock(region="file")),
            (
                RemapFilePages(region="file", offset_pages=1, pages=6),
                RemapFilePages(region="file", pages=9, nonblock=True),
            ),
            (
                GetUserPages(region="more", pages=5),
                GetUserPages(region="file", write=False),
            ),
            (Kill(task="other0", think_ns=300),),
        ),
        design=design,
        batch_pages=3,
    )
    groups = tuple(group.model_copy(update={"repeats": 5}) for group in case.tasks)
    case = case.replace(tasks=groups)
    whole = bits(run_engine(case, COSTS, jump=False))
    assert bits(run_engine(case, COSTS, jump=True)) == whole
    assert bits(run_engine(case, COSTS, jump=True, most_events=3)) == whole


@pytest.mark.parametrize("design", ["exclusive", "mm-populate", "vma-lock"])
def test_others_wait_for_the_pages_of_a_munmap_only_before_4_20(design: str) -> None:
    """A reader asks while 1000 pages are unmapped; since 4.20 that is under a downgraded lock."""
    run = simulate(
        Scenario(
            name="unmap",
            costs="anon-2010",
            cpus=2,
            design=design,
            regions=(Region(name="data", pages=1000, present=True),),
            tasks=(
                TaskGroup(name="unmapper", calls=(Munmap(region="data"),)),
                TaskGroup(name="reader", calls=(ReadMaps(),), start_ns=5_000),
            ),
        )
    )
    costs = load_costs("anon-2010").values
    pages_ns = 1000 * int(costs[work.UNMAP_PAGE])
    held = dict(run.holds.filter(pl.col("class") == "unmapper").select("mode", "total_ns").rows())
    if design == "vma-lock":
        assert held["exclusive"] < pages_ns <= held["shared"]
        assert run.longest_wait("reader") == 0
    else:
        assert set(held) == {"exclusive"} and held["exclusive"] > pages_ns
        assert run.longest_wait("reader") > pages_ns / 2

"""Rare meetings of two calls, worked out by hand from the rules and the kernel's own order.

Twin and engine must agree with them; the comments are the arithmetic.
"""

from typing import Any

import pytest

from rfcsim import (
    Brk,
    Fork,
    Hold,
    Kill,
    Mlock,
    Mlockall,
    Mmap,
    Mremap,
    Munmap,
    Region,
    Scenario,
    TaskGroup,
    Touch,
    Truncate,
)
from rfcsim.model.layout import errno, vm
from tests.twin.agreement import agreed_outcome
from tests.twin.cost_values import cost_values
from tests.twin.outcome import Outcome

RW = vm.READ | vm.WRITE
DESIGNS = pytest.mark.parametrize("design", ["exclusive", "batched"])


def run(
    *regions: Region, tasks: dict[str, tuple[Any, ...]], costs: dict[str, int], **fields: Any
) -> Outcome:
    """Play single tasks, given by name as (start_ns, call, ...), each on a CPU of its own."""
    groups = tuple(
        TaskGroup(name=name, calls=tuple(calls), start_ns=start_ns)
        for name, (start_ns, *calls) in tasks.items()
    )
    scenario = Scenario(
        name="by-hand", costs="none", cpus=len(groups), regions=regions, tasks=groups, **fields
    )
    return agreed_outcome(scenario, cost_values(**costs))


def vmas(outcome: Outcome) -> list[tuple[int, int, int]]:
    return [(vma.start, vma.end, vma.flags) for vma in outcome.space.vmas]


def pages_that_are(outcome: Outcome, what: str) -> list[int]:
    return [number for number, page in enumerate(outcome.space.pages) if getattr(page, what)]


# --- mremap() -------------------------------------------------------------------------------------


def test_a_move_between_two_batches_leaves_locked_memory_absent_though_mlock_returns_0():
    """The RFC's argument fails here: the second pass finds a hole and skips it."""
    outcome = run(
        Region(name="data", pages=4),  # pages 1 to 4
        Region(name="room", pages=4, mapped=False),  # pages 6 to 9
        tasks={
            "locker": (0, Mlock(region="data")),
            "mover": (3, Mremap(region="data", to_region="room")),
        },
        design="batched",
        batch_pages=2,
        costs={"mlock_anon": 10},
    )
    assert outcome.elapsed_ns == 20  # two pages, then the mover, who has waited since 3
    assert outcome.returned == [[0], [6]]
    assert vmas(outcome) == [(6, 10, RW | vm.LOCKED)]
    assert outcome.space.locked_vm == 4
    assert pages_that_are(outcome, "present") == pages_that_are(outcome, "mlocked") == [6, 7]


def test_what_a_child_shares_and_where_readahead_goes_on_moves_along():
    outcome = run(
        Region(name="data", pages=2, present=True),  # pages 1 and 2
        Region(name="file", pages=4, backing="file", protection="r"),  # pages 4 to 7
        Region(name="room", pages=8, mapped=False, gap_pages=0),  # pages 8 to 15
        tasks={
            "mover": (
                0,
                Fork(),
                Touch(region="data"),  # copies page 1
                Touch(region="file", write=False),  # reads pages 4 and 5, and marks 5
                Mremap(region="data", to_region="room"),
                Mremap(region="file", to_region="room", to_offset_pages=4),
            )
        },
        readahead_pages=1,
        costs={"disk_request": 5},
    )
    assert outcome.returned == [[0, 0, 0, 8, 12]]
    assert pages_that_are(outcome, "present") == [8, 9, 12]
    assert pages_that_are(outcome, "cow") == [9]
    assert pages_that_are(outcome, "marked") == [5, 13]  # the page cache stays where it was, too
    assert [vma.read_position for vma in outcome.space.vmas] == [7, 12]


# --- a fatal signal -------------------------------------------------------------------------------


@DESIGNS
def test_a_killed_task_maps_the_page_that_it_waits_for_and_no_other(design: str):
    outcome = run(
        Region(name="data", pages=4, backing="file", protection="r"),  # pages 1 to 4
        tasks={"locker": (0, Mlock(region="data"), Fork()), "killer": (10, Kill(task="locker"))},
        design=design,
        costs={"disk_request": 50, "mlock_file": 3},
    )
    assert outcome.returned == [[errno.ERESTARTSYS], [0]]  # and no fork
    assert outcome.elapsed_ns == 53
    assert pages_that_are(outcome, "cached") == [1, 2, 3, 4]
    assert pages_that_are(outcome, "present") == pages_that_are(outcome, "mlocked") == [1]
    assert outcome.space.locked_vm == 4


@DESIGNS
def test_missing_permission_is_found_out_before_the_signal(design: str):
    outcome = run(
        Region(name="data", pages=1, protection="none"),
        tasks={
            "holder": (0, Hold(mode="exclusive", hold_ns=20)),
            "locker": (1, Mlock(region="data")),
            "killer": (2, Kill(task="locker")),
        },
        design=design,
        costs={},
    )
    assert outcome.returned == [[0], [errno.ENOMEM], [0]]


def test_a_task_that_is_killed_while_it_thinks_makes_no_further_call():
    outcome = run(
        Region(name="data", pages=1),
        tasks={
            "thinker": (0, Touch(region="data"), Touch(region="data", think_ns=30)),
            "killer": (5, Kill(task="thinker")),
        },
        costs={"syscall": 1},
    )
    assert outcome.returned == [[0], [0]]
    assert outcome.elapsed_ns == 31  # when it would have begun


# --- ftruncate() ----------------------------------------------------------------------------------


def test_truncate_waits_for_a_read_and_who_waits_with_it_gets_a_sigbus():
    outcome = run(
        Region(name="data", pages=4, backing="file", protection="r"),  # pages 1 to 4
        tasks={
            "reader": (0, Touch(region="data", write=False)),
            "cutter": (5, Truncate(region="data")),
        },
        readahead_pages=1,  # and one more: the file is read as if from its beginning
        costs={"disk_request": 20, "unmap_page": 2, "wake_up": 1},
    )
    assert outcome.returned == [[errno.EFAULT], [0]]
    assert outcome.elapsed_ns == 21 + 4 * 2
    for what in ("present", "cached", "marked"):
        assert pages_that_are(outcome, what) == []
    assert pages_that_are(outcome, "past_eof") == [1, 2, 3, 4]


def test_truncate_takes_a_page_away_that_munmap_has_yet_to_come_to():
    outcome = run(
        Region(name="data", pages=3, backing="file", protection="r", present=True),  # pages 1 to 3
        tasks={
            "unmapper": (0, Munmap(region="data")),  # page 1 until 10, page 2 until 20, page 3
            "cutter": (3, Truncate(region="data", offset_pages=2)),  # page 3 at 3
            "third": (5, Touch(region="data", offset_pages=2, write=False)),
            "second": (5, Touch(region="data", offset_pages=1, write=False)),
        },
        costs={"unmap_page": 10},
    )
    # The VMA has gone, but page 2 is still there for whoever has it in the page table.
    assert outcome.returned == [[0], [0], [errno.EFAULT], [0]]
    assert outcome.times[2, "wait_shared"] == [30 - 5]


# --- a stack --------------------------------------------------------------------------------------


def test_which_page_is_the_guard_is_settled_when_the_batch_finds_its_vma():
    """The stack grows, under a shared hold as well, while the batch looks at its VMA."""
    outcome = run(
        Region(name="room", pages=2, mapped=False, gap_pages=0),  # pages 0 and 1
        Region(name="stack", pages=2, grows_down=True, gap_pages=0),  # pages 2 and 3
        tasks={
            "locker": (0, Mlock(region="stack")),
            "toucher": (12, Touch(region="room", offset_pages=1)),
        },
        design="batched",
        costs={"vma_visit": 5, "mlock_anon": 10},
    )
    # The first pass until 10; the look until 15, the stack grows at 12; page 3 until 25.
    assert outcome.elapsed_ns == 25
    assert vmas(outcome) == [(1, 4, RW | vm.GROWSDOWN | vm.LOCKED)]
    assert pages_that_are(outcome, "mlocked") == [1, 3]
    assert outcome.space.locked_vm == 3


# --- mlockall(MCL_FUTURE) -------------------------------------------------------------------------


@DESIGNS
def test_what_is_mapped_after_mcl_future_is_locked_under_the_exclusive_hold(design: str):
    outcome = run(
        Region(name="heap", pages=2),  # pages 1 and 2
        Region(name="room", pages=6, mapped=False, gap_pages=0),  # pages 3 to 8
        tasks={
            "caller": (
                0,
                Mlockall(current=False, future=True),
                Brk(region="heap", pages=3),
                Mmap(region="room", offset_pages=4),
                Mlockall(),  # ends MCL_FUTURE
                Brk(region="heap", pages=4),
            )
        },
        design=design,
        costs={"mlock_anon": 10},
    )
    assert outcome.returned == [[0, 4, 7, 0, 5]]
    # One page of the heap and two of the room; then the two pages that were there before.
    assert outcome.times[0, "hold_exclusive"] == [0, 10, 20, 20 if design == "exclusive" else 0, 0]
    assert vmas(outcome) == [(1, 4, RW | vm.LOCKED), (4, 5, RW), (7, 9, RW | vm.LOCKED)]
    assert pages_that_are(outcome, "mlocked") == [1, 2, 3, 7, 8]
    assert outcome.space.def_flags == 0

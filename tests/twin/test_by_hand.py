"""Small cases worked out by hand from the rules; twin and engine must agree with them.

Each trace was written down with pencil and paper; the comments are the arithmetic.
"""

from rfcsim import (
    Hold,
    Mlock,
    Mmap,
    Mprotect,
    Mremap,
    Munlock,
    Munmap,
    Region,
    Scenario,
    TaskGroup,
    Touch,
    Truncate,
)
from rfcsim.model.layout import call, errno, lock, vm
from tests.twin.agreement import agreed_outcome
from tests.twin.cost_values import cost_values
from tests.twin.outcome import Outcome

RW = vm.READ | vm.WRITE


def vmas(outcome: Outcome) -> list[tuple[int, int, int]]:
    return [(vma.start, vma.end, vma.flags) for vma in outcome.space.vmas]


def test_a_writer_between_two_readers_makes_a_convoy():
    """The second reader could share with the first, but a writer waits, so it queues behind."""
    scenario = Scenario(
        name="convoy",
        costs="none",
        cpus=3,
        regions=(Region(name="data", pages=1),),
        tasks=(
            TaskGroup(name="first", calls=(Hold(mode="shared", hold_ns=10),)),
            TaskGroup(name="writer", calls=(Hold(mode="exclusive", hold_ns=5),), start_ns=2),
            TaskGroup(name="second", calls=(Hold(mode="shared", hold_ns=3),), start_ns=4),
        ),
    )
    outcome = agreed_outcome(scenario, cost_values(wake_up=1))
    assert outcome.trace == [
        (0, "call_begin", 0, call.HOLD, 0),
        (0, "run", 0, 0, 0),
        (0, "start_locking", 0, lock.SHARED, 0),
        (0, "granted", 0, lock.SHARED, 0),
        (0, "acquire_returned", 0, lock.SHARED, 0),
        (2, "call_begin", 1, call.HOLD, 0),
        (2, "run", 1, 1, 0),
        (2, "start_locking", 1, lock.EXCLUSIVE, 0),
        (2, "stop", 1, 1, 0),
        (4, "call_begin", 2, call.HOLD, 0),
        (4, "run", 2, 1, 0),
        (4, "start_locking", 2, lock.SHARED, 0),
        (4, "stop", 2, 1, 0),
        (10, "released", 0, lock.SHARED, 0),
        (10, "granted", 1, lock.EXCLUSIVE, 0),
        (10, "call_end", 0, call.HOLD, 0),
        (10, "stop", 0, 0, 0),
        (11, "run", 1, 0, 0),  # woken 1 ns later
        (11, "acquire_returned", 1, lock.EXCLUSIVE, 0),
        (16, "released", 1, lock.EXCLUSIVE, 0),
        (16, "granted", 2, lock.SHARED, 0),
        (16, "call_end", 1, call.HOLD, 0),
        (16, "stop", 1, 0, 0),
        (17, "run", 2, 0, 0),
        (17, "acquire_returned", 2, lock.SHARED, 0),
        (20, "released", 2, lock.SHARED, 0),
        (20, "call_end", 2, call.HOLD, 0),
        (20, "stop", 2, 0, 0),
    ]
    assert outcome.times[1, "wait_exclusive"] == [9]
    assert outcome.times[1, "hold_exclusive"] == [6]  # from the grant, not from the wake-up
    assert outcome.times[2, "wait_shared"] == [13]
    assert outcome.elapsed_ns == 20


def test_an_access_to_an_absent_page_waits_for_the_whole_exclusive_mlock():
    scenario = Scenario(
        name="exclusive",
        costs="none",
        cpus=2,
        regions=(Region(name="data", pages=4),),  # pages 1 to 4
        tasks=(
            TaskGroup(name="locker", calls=(Mlock(region="data"),)),
            TaskGroup(
                name="toucher",
                calls=(Touch(region="data"), Touch(region="data", offset_pages=3)),
                start_ns=20,
            ),
        ),
    )
    costs = cost_values(
        syscall=1, drain_all=2, vma_visit=1, mlock_anon=10, fault_anon=7, touch=1, lock=1, wake_up=3
    )
    outcome = agreed_outcome(scenario, costs)
    assert outcome.trace == [
        (0, "call_begin", 0, call.MLOCK, 0),
        (0, "run", 0, 0, 0),
        # syscall to 1, drain_all to 3
        (3, "start_locking", 0, lock.EXCLUSIVE, 0),
        (3, "granted", 0, lock.EXCLUSIVE, 0),
        (3, "acquire_returned", 0, lock.EXCLUSIVE, 0),
        # lock to 4, do_mlock to 5, mlock_fixup to 6, then pages 1 to 4 until 16, 26, 36, 46
        (20, "call_begin", 1, call.TOUCH, 0),
        (20, "run", 1, 1, 0),
        (21, "call_end", 1, call.TOUCH, 0),  # page 1 is there since 6
        (21, "call_begin", 1, call.TOUCH, 0),  # page 4 will be there from 36
        (22, "start_locking", 1, lock.SHARED, 0),
        (22, "stop", 1, 1, 0),
        (46, "released", 0, lock.EXCLUSIVE, 0),
        (46, "granted", 1, lock.SHARED, 0),
        (47, "call_end", 0, call.MLOCK, 0),
        (47, "stop", 0, 0, 0),
        (49, "run", 1, 0, 0),
        (49, "acquire_returned", 1, lock.SHARED, 0),
        (50, "released", 1, lock.SHARED, 0),  # somebody has made the page present: a mere touch
        (51, "call_end", 1, call.TOUCH, 0),
        (51, "stop", 1, 0, 0),
    ]
    assert vmas(outcome) == [(1, 5, RW | vm.LOCKED)]
    assert outcome.space.locked_vm == 4
    assert all(page.present and page.mlocked for page in outcome.space.pages[1:])


def test_munlock_between_two_batches_leaves_the_rest_alone():
    """The RFC's own case: after munlock() of the tail no new page of it is populated."""
    scenario = Scenario(
        name="batched",
        costs="none",
        design="batched",
        batch_pages=2,
        cpus=2,
        regions=(Region(name="data", pages=5),),  # pages 1 to 5
        tasks=(
            TaskGroup(name="locker", calls=(Mlock(region="data"),)),
            TaskGroup(name="unlocker", calls=(Munlock(region="data", offset_pages=2),), start_ns=5),
        ),
    )
    costs = cost_values(
        syscall=1, vma_visit=1, vma_change=2, mlock_anon=10, munlock_page=4, wake_up=1
    )
    outcome = agreed_outcome(scenario, costs)
    assert outcome.trace == [
        (0, "call_begin", 0, call.MLOCK, 0),
        (0, "run", 0, 0, 0),
        (1, "start_locking", 0, lock.EXCLUSIVE, 0),
        (1, "granted", 0, lock.EXCLUSIVE, 0),
        (1, "acquire_returned", 0, lock.EXCLUSIVE, 0),
        # do_mlock to 2, mlock_fixup to 3
        (3, "released", 0, lock.EXCLUSIVE, 0),
        (3, "start_locking", 0, lock.SHARED, 0),
        (3, "granted", 0, lock.SHARED, 0),
        (3, "acquire_returned", 0, lock.SHARED, 0),
        # the look at the VMA to 4, pages 1 and 2 until 14 and 24
        (5, "call_begin", 1, call.MUNLOCK, 0),
        (5, "run", 1, 1, 0),
        (6, "start_locking", 1, lock.EXCLUSIVE, 0),
        (6, "stop", 1, 1, 0),
        (24, "released", 0, lock.SHARED, 0),
        (24, "granted", 1, lock.EXCLUSIVE, 0),
        (24, "start_locking", 0, lock.SHARED, 0),
        (24, "stop", 0, 0, 0),
        (25, "run", 1, 0, 0),
        (25, "acquire_returned", 1, lock.EXCLUSIVE, 0),
        # do_mlock to 26, one split to 28, pages 3 to 5 until 32, 36, 40
        (40, "released", 1, lock.EXCLUSIVE, 0),
        (40, "granted", 0, lock.SHARED, 0),
        (40, "call_end", 1, call.MUNLOCK, 0),
        (40, "stop", 1, 0, 0),
        (41, "run", 0, 0, 0),
        (41, "acquire_returned", 0, lock.SHARED, 0),
        (41, "released", 0, lock.SHARED, 0),  # [3, 6) is not VM_LOCKED any more
        (41, "call_end", 0, call.MLOCK, 0),
        (41, "stop", 0, 0, 0),
    ]
    assert vmas(outcome) == [(1, 3, RW | vm.LOCKED), (3, 6, RW)]
    assert outcome.space.locked_vm == 2
    assert [page.present for page in outcome.space.pages] == [False, True, True] + [False] * 3
    assert [page.mlocked for page in outcome.space.pages] == [False, True, True] + [False] * 3


def mlock_over_a_hole(design: str) -> Outcome:
    scenario = Scenario(
        name="hole",
        costs="none",
        design=design,
        regions=(Region(name="low", pages=2), Region(name="high", pages=2)),  # 1, 2 and 4, 5
        tasks=(TaskGroup(name="locker", calls=(Mlock(region="low", pages=5),)),),
    )
    return agreed_outcome(scenario, cost_values(mlock_anon=10))


def test_a_hole_ends_an_exclusive_mlock_with_what_lies_before_it_done():
    outcome = mlock_over_a_hole("exclusive")
    assert outcome.returned[0] == [errno.ENOMEM]
    assert outcome.elapsed_ns == 20
    assert vmas(outcome) == [(1, 3, RW | vm.LOCKED), (4, 6, RW)]
    assert [page.mlocked for page in outcome.space.pages] == [False, True, True] + [False] * 3
    assert outcome.space.locked_vm == 2


def test_a_hole_ends_a_batched_mlock_with_flags_set_and_no_page_there():
    outcome = mlock_over_a_hole("batched")
    assert outcome.returned[0] == [errno.ENOMEM]
    assert outcome.elapsed_ns == 0
    assert vmas(outcome) == [(1, 3, RW | vm.LOCKED), (4, 6, RW)]
    assert not any(page.present for page in outcome.space.pages)
    assert outcome.space.locked_vm == 2


def test_munmap_between_the_passes_leaves_a_hole_that_is_skipped():
    scenario = Scenario(
        name="hole-in-pass-two",
        costs="none",
        design="batched",
        batch_pages=2,
        cpus=2,
        regions=(Region(name="data", pages=6),),  # pages 1 to 6
        tasks=(
            TaskGroup(name="locker", calls=(Mlock(region="data"),)),
            TaskGroup(name="unmapper", calls=(Munmap(region="data", pages=3),), start_ns=2),
        ),
    )
    costs = cost_values(
        syscall=1, vma_visit=5, vma_change=2, mlock_anon=10, unmap_page=1, wake_up=1
    )
    outcome = agreed_outcome(scenario, costs)
    # Flags from 1 to 11. munmap: one split 12 to 14, munlock to 19, removal to 21, pages to 24.
    assert outcome.times[1, "wait_exclusive"] == [12 - 3]
    assert outcome.times[1, "hold_exclusive"] == [24 - 11]
    # Granted at 24, awake at 25, a look to 30, pages 4 and 5 to 50; again a look, page 6 to 65.
    assert outcome.times[0, "hold_shared"] == [50 - 24, 65 - 50]
    assert outcome.returned == [[0], [0]]
    assert vmas(outcome) == [(4, 7, RW | vm.LOCKED)]
    assert [page.mlocked for page in outcome.space.pages] == [False] * 4 + [True] * 3
    assert outcome.space.locked_vm == 3


def grow_a_locked_stack(limit_pages: int, *, privileged: bool) -> Outcome:
    """Touch page 1, two pages below a stack of two locked pages, 3 and 4."""
    scenario = Scenario(
        name="stack",
        costs="none",
        rlimit_memlock_pages=limit_pages,
        cap_ipc_lock=privileged,
        regions=(
            Region(name="room", pages=3, mapped=False, gap_pages=0),
            Region(name="stack", pages=2, grows_down=True, locked=True, gap_pages=0),
        ),
        tasks=(TaskGroup(name="toucher", calls=(Touch(region="room", offset_pages=1),)),),
    )
    return agreed_outcome(scenario, cost_values(fault_anon=7))


def test_a_locked_stack_grows_within_the_limit():
    for outcome in (
        grow_a_locked_stack(4, privileged=False),
        grow_a_locked_stack(3, privileged=True),
    ):
        assert outcome.returned[0] == [0]
        assert vmas(outcome) == [(1, 5, RW | vm.GROWSDOWN | vm.LOCKED)]
        assert (outcome.space.locked_vm, outcome.space.total_vm) == (4, 4)
        assert [page.mlocked for page in outcome.space.pages[:3]] == [False, True, False]


def test_a_locked_stack_does_not_grow_beyond_the_limit():
    outcome = grow_a_locked_stack(3, privileged=False)
    assert outcome.returned[0] == [errno.EFAULT]
    assert vmas(outcome) == [(3, 5, RW | vm.GROWSDOWN | vm.LOCKED)]
    assert (outcome.space.locked_vm, outcome.space.total_vm) == (2, 2)


def test_a_task_whose_slice_is_over_moves_to_an_idle_cpu():
    scenario = Scenario(
        name="slices",
        costs="none",
        cpus=2,
        regions=(Region(name="data", pages=1),),
        tasks=(
            TaskGroup(
                name="free",
                calls=(Hold(mode="shared", hold_ns=6), Hold(mode="shared", hold_ns=4)),
            ),
            TaskGroup(name="bound", calls=(Hold(mode="shared", hold_ns=3),), start_ns=1, cpu=0),
        ),
    )
    assert agreed_outcome(scenario, cost_values(timeslice=5)).trace == [
        (0, "call_begin", 0, call.HOLD, 0),
        (0, "run", 0, 0, 0),
        (0, "start_locking", 0, lock.SHARED, 0),
        (0, "granted", 0, lock.SHARED, 0),
        (0, "acquire_returned", 0, lock.SHARED, 0),
        (1, "call_begin", 1, call.HOLD, 0),  # CPU 1 is idle, but not for this task
        (6, "stop", 0, 0, 0),  # the slice was over at 5, but work is never cut
        (6, "run", 1, 0, 0),
        (6, "run", 0, 1, 0),
        (6, "start_locking", 1, lock.SHARED, 0),
        (6, "granted", 1, lock.SHARED, 0),
        (6, "acquire_returned", 1, lock.SHARED, 0),
        (6, "released", 0, lock.SHARED, 0),  # goes on by an event of its own
        (6, "call_end", 0, call.HOLD, 0),
        (6, "call_begin", 0, call.HOLD, 0),
        (6, "start_locking", 0, lock.SHARED, 0),
        (6, "granted", 0, lock.SHARED, 0),
        (6, "acquire_returned", 0, lock.SHARED, 0),
        (9, "released", 1, lock.SHARED, 0),
        (9, "call_end", 1, call.HOLD, 0),
        (9, "stop", 1, 0, 0),
        (10, "released", 0, lock.SHARED, 0),
        (10, "call_end", 0, call.HOLD, 0),
        (10, "stop", 0, 1, 0),
    ]


def test_a_range_of_no_pages():
    """No scenario file can ask for one, so it is put in behind the validation."""
    nothing = {"pages": 0}
    calls = tuple(
        call.model_copy(update=nothing)
        for call in (
            Mlock(region="data"),
            Munlock(region="data"),
            Mmap(region="data"),
            Munmap(region="data"),
            Mprotect(region="data", protection="none"),
            Mremap(region="data"),
        )
    )
    scenario = Scenario(
        name="nothing",
        costs="none",
        regions=(Region(name="data", pages=2),),
        tasks=(TaskGroup(name="caller", calls=calls),),
    )
    outcome = agreed_outcome(scenario, cost_values(syscall=1, vma_visit=1, vma_change=1))
    assert outcome.returned[0] == [0, 0, errno.EINVAL, errno.EINVAL, 0, errno.EINVAL]
    assert outcome.elapsed_ns == 6  # six system calls, and not one look at a VMA
    assert vmas(outcome) == [(1, 3, RW)]


def test_work_that_costs_nothing_goes_by_in_one_jump_that_ends_with_the_range():
    scenario = Scenario(
        name="free",
        costs="none",
        regions=(Region(name="data", pages=5, backing="file", cached=True),),  # pages 1 to 5
        tasks=(TaskGroup(name="cutter", calls=(Truncate(region="data", pages=3),) * 2),),
    )
    outcome = agreed_outcome(scenario, cost_values(syscall=1))
    assert outcome.returned[0] == [0, 0]
    assert outcome.elapsed_ns == 2
    assert [page.cached for page in outcome.space.pages] == [False] * 4 + [True] * 2

"""The worst schedule for a task that waits: found, replayed, and as its design requires."""

import polars as pl
import pytest

from rfcsim import Mlock, Munlock, Region, RfcsimError, Scenario, TaskGroup, replay, worst_wait
from tests.race.scenarios import MUNMAP, TOUCH, beside_mlock

PAGES = 6


def pages(design: str, batch: int, policy: str) -> int:
    case = beside_mlock(MUNMAP, design=design, pages=PAGES, batch=batch)
    return worst_wait(case, "other0", policy=policy).pages


@pytest.mark.parametrize("batch", [1, 2, 4, PAGES])
def test_hand_over_lets_a_waiter_in_at_the_end_of_the_batch(batch: int) -> None:
    assert pages("batched", batch, "fifo") == batch


@pytest.mark.parametrize("batch", [1, 2])
def test_without_a_rule_for_the_queue_no_batch_bounds_a_wait(batch: int) -> None:
    assert pages("batched", batch, "any") == PAGES


@pytest.mark.parametrize("policy", ["fifo", "any"])
def test_one_hold_is_waited_for_to_its_end(policy: str) -> None:
    assert pages("exclusive", 1, policy) == PAGES


def test_on_contention_a_waiter_gets_in_after_a_page() -> None:
    assert pages("contended", PAGES, "fifo") == 1
    assert pages("contended", PAGES, "any") == PAGES


@pytest.mark.parametrize("piece", [1, 3])
def test_a_program_that_locks_in_pieces_bounds_the_wait_by_a_piece(piece: int) -> None:
    case = beside_mlock(MUNMAP, design="exclusive", pages=PAGES)
    case = case.replace(**{"tasks.locker.calls.0.piece_pages": piece})
    assert worst_wait(case, "other0", policy="fifo").pages == piece


def test_a_fault_behind_a_writer_waits_as_long_as_the_writer() -> None:
    """A convoy: the fault is compatible with the locker's hold, but the queue is strict."""
    alone = beside_mlock(TOUCH, design="batched", pages=4, batch=4)
    assert worst_wait(alone, "other0", policy="fifo").pages == 0
    behind = beside_mlock(TOUCH, (Munlock(region="a"),), design="batched", pages=4, batch=4)
    # Its own page is not there when it faults, and the rest of the batch comes before its turn.
    assert worst_wait(behind, "other0", policy="fifo").pages >= 3


@pytest.mark.parametrize("policy", ["fifo", "any"])
def test_the_schedule_found_can_be_replayed_and_does_what_is_said(policy: str) -> None:
    case = beside_mlock(MUNMAP, design="batched", pages=4, batch=2)
    found = worst_wait(case, "other0", policy=policy)
    steps = replay(case, found.schedule, policy=policy)
    asked = steps.filter(
        pl.col("task").str.starts_with("other0"), pl.col("did").str.starts_with("asks for")
    ).row(0, named=True)
    present = {row["step"]: 4 - row["pages"].count(".") for row in steps.rows(named=True)}
    assert max(present.values()) - present[asked["step"]] == found.pages


def test_who_never_waits() -> None:
    case = Scenario(
        name="alone",
        costs="anon-2010",
        regions=(Region(name="a", pages=2),),
        tasks=(TaskGroup(name="locker", calls=(Mlock(region="a"),)),),
    )
    found = worst_wait(case, "locker")
    assert (found.pages, found.schedule) == (0, "")


def test_bad_input_is_one_line() -> None:
    case = beside_mlock(MUNMAP)
    with pytest.raises(RfcsimError, match=r"^task = 'victim': must be one of locker, other0$"):
        worst_wait(case, "victim")
    with pytest.raises(RfcsimError, match=r"^policy = 'lifo': must be one of any, fifo$"):
        worst_wait(case, "other0", policy="lifo")
    with pytest.raises(RfcsimError, match="1024 or fewer"):
        worst_wait(beside_mlock(MUNMAP, pages=1025), "other0")

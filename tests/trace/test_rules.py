"""Blame worked out by hand: each rule, each policy's events, and what a trace does not say."""

import polars as pl
import pytest

from rfcsim.errors import RfcsimError
from rfcsim.trace.blame import BLAME_SCHEMA, blame, blame_summary, blame_table
from rfcsim.trace.frame import EVENT_SCHEMA
from tests.trace.frames import CONVOY, frame

Part = tuple[str, str | None, int, int]


def parts(text: str, task: str) -> list[Part]:
    """part, cause, start_ns and end_ns of the waits of a task."""
    found = blame(frame(text)).filter(pl.col("task") == task)
    return found.select("part", "cause_task", "start_ns", "end_ns").rows()


# --- first in, first out: a release grants --------------------------------------------------------


def test_a_writer_waits_for_the_reader_and_then_wakes_up() -> None:
    assert parts(CONVOY, "writer") == [("holder", "reader", 2, 10), ("wake_up", None, 10, 11)]


def test_a_reader_behind_a_writer_behind_a_reader_is_in_a_convoy() -> None:
    assert parts(CONVOY, "second") == [
        ("convoy", "writer", 4, 10),
        ("queued_ahead", "writer", 10, 11),  # the writer owns the lock, and wakes up
        ("holder", "writer", 11, 16),
        ("wake_up", None, 16, 17),
    ]


def test_every_column_of_a_part() -> None:
    first = blame(frame(CONVOY)).row(0, named=True)
    assert first == {
        "task": "writer",
        "class": "w",
        "lock": "mm",
        "mode": "exclusive",
        "call": "munmap",
        "wait_start_ns": 2,
        "wait_end_ns": 11,
        "open": False,
        "part": "holder",
        "cause_task": "reader",
        "cause_class": "r",
        "cause_call": "mlock",
        "start_ns": 2,
        "end_ns": 10,
        "length_ns": 8,
    }


def test_a_convoy_is_due_to_the_foremost_writer() -> None:
    text = """
        0   r   start_locking  shared
        0   r   acquire_returned
        1   w1  start_locking  exclusive
        2   s   start_locking  shared
        3   w2  start_locking  exclusive
        4   t   start_locking  shared
        9   r   released
    """
    assert parts(text, "s") == [("convoy", "w1", 2, 9)]
    assert parts(text, "t") == [("convoy", "w1", 4, 9)]


def test_of_several_readers_the_one_that_releases_last_is_to_blame() -> None:
    """Whatever the first did, the second keeps the lock from coming free."""
    text = """
        0   a  start_locking  shared
        0   a  acquire_returned
        1   b  start_locking  shared
        1   b  acquire_returned
        2   w  start_locking  exclusive
        5   a  released
        8   b  released
        9   w  acquire_returned
    """
    assert parts(text, "w") == [("holder", "b", 2, 8), ("wake_up", None, 8, 9)]


def test_a_reader_that_joins_later_and_stays_takes_the_blame_over() -> None:
    text = """
        0   a  start_locking  shared
        0   a  acquire_returned
        2   b  start_locking  shared
        4   w  start_locking  exclusive
        6   b  acquire_returned
        7   a  released
        8   b  released
    """
    assert parts(text, "w") == [("holder", "a", 4, 6), ("holder", "b", 6, 8)]


def test_of_readers_that_the_trace_does_not_see_release_the_first_is_to_blame() -> None:
    text = """
        0   a  start_locking  shared
        0   a  acquire_returned
        1   b  start_locking  shared
        1   b  acquire_returned
        2   w  start_locking  exclusive
        7   c  start_locking  shared
    """
    assert parts(text, "w") == [("holder", "a", 2, 7)]


# --- later kernels: a release wakes, and whoever comes first takes the lock -----------------------

STEAL = """
    0   locker  call_begin     madvise
    0   locker  start_locking  shared
    0   locker  granted
    0   locker  acquire_returned
    10  writer  start_locking  exclusive
    100 locker  released
    100 writer  woken
    101 locker  start_locking  shared
    101 locker  granted
    101 locker  acquire_returned
    200 locker  released
    200 writer  woken
    230 writer  granted
    230 writer  acquire_returned
    240 writer  released
"""


def test_a_reader_that_takes_the_lock_from_under_a_woken_writer_steals() -> None:
    assert parts(STEAL, "writer") == [
        ("holder", "locker", 10, 100),
        ("wake_up", None, 100, 101),
        ("stolen", "locker", 101, 200),
        ("wake_up", None, 200, 230),
    ]


def test_the_thief_waits_for_nobody_and_its_call_is_named() -> None:
    assert parts(STEAL, "locker") == []
    stolen = blame(frame(STEAL)).filter(part="stolen")
    assert stolen["cause_call"].to_list() == ["madvise"]


def test_a_writer_that_overtakes_a_queued_writer_steals_from_it() -> None:
    text = """
        0   a  start_locking  exclusive
        0   a  acquire_returned
        2   b  start_locking  exclusive
        5   a  released
        5   b  woken
        6   c  start_locking  exclusive
        6   c  acquire_returned
        9   c  released
        12  b  granted
        12  b  acquire_returned
    """
    # It is woken once, and still on its way when the lock comes free again: once is enough.
    assert parts(text, "b") == [
        ("holder", "a", 2, 5),
        ("wake_up", None, 5, 6),
        ("stolen", "c", 6, 9),
        ("wake_up", None, 9, 12),
    ]


def test_whoever_began_before_the_waiter_does_not_steal_from_it() -> None:
    """A thief that overtook one waiter is an ordinary holder to those who came after the thief."""
    text = """
        0   a  start_locking  exclusive
        0   a  acquire_returned
        1   b  start_locking  exclusive
        2   c  start_locking  exclusive
        3   d  start_locking  exclusive
        5   a  released
        5   c  acquire_returned
        9   c  released
    """
    assert parts(text, "b")[1:] == [("stolen", "c", 5, 9)]
    assert parts(text, "d")[1:] == [("holder", "c", 5, 9)]


def test_behind_a_woken_writer_others_wait_in_the_queue_and_behind_its_thief_in_a_convoy() -> None:
    text = STEAL.replace(
        "100 locker  released", "20 second start_locking shared\n 100 locker released"
    )
    text += """
        240 second  granted
        245 second  acquire_returned
    """
    assert parts(text, "second") == [
        ("convoy", "writer", 20, 100),
        ("queued_ahead", "writer", 100, 101),
        ("convoy", "writer", 101, 200),  # compatible with the thief, yet behind the writer
        ("queued_ahead", "writer", 200, 230),
        ("holder", "writer", 230, 240),
        ("wake_up", None, 240, 245),
    ]


def test_while_the_lock_is_free_the_one_that_was_woken_is_waited_for() -> None:
    text = """
        0   a  start_locking  exclusive
        0   a  acquire_returned
        1   b  start_locking  exclusive
        2   c  start_locking  exclusive
        3   d  start_locking  exclusive
        5   a  released
        5   c  woken
        9   c  acquire_returned
    """
    assert parts(text, "d")[1:] == [("queued_ahead", "c", 5, 9)]
    assert parts(text, "c")[1:] == [("wake_up", None, 5, 9)]


def test_who_is_granted_the_lock_before_an_earlier_waiter_steals_even_before_it_runs() -> None:
    """Readers that are granted past a queued writer, as since 5.3."""
    text = """
        0   a  start_locking  exclusive
        0   a  acquire_returned
        1   w  start_locking  exclusive
        2   r  start_locking  shared
        5   a  released
        5   r  granted
        6   r  acquire_returned
        8   r  released
    """
    assert parts(text, "w")[1:] == [("stolen", "r", 5, 8)]


# --- what a trace does not say --------------------------------------------------------------------


def test_without_grants_the_time_to_the_acquisition_is_the_waiters_own() -> None:
    text = """
        0   a  start_locking  exclusive
        1   a  acquire_returned
        3   b  start_locking  exclusive
        4   c  start_locking  exclusive
        7   a  released
        9   b  acquire_returned
    """
    assert parts(text, "a") == [("wake_up", None, 0, 1)]
    assert parts(text, "b") == [("holder", "a", 3, 7), ("wake_up", None, 7, 9)]
    assert parts(text, "c") == [("holder", "a", 4, 7), ("queued_ahead", "b", 7, 9)]


def test_a_task_that_first_releases_has_held_the_lock_all_along() -> None:
    text = """
        0   w  start_locking  exclusive
        6   a  released       shared
        8   w  acquire_returned
    """
    assert parts(text, "w") == [("holder", "a", 0, 6), ("wake_up", None, 6, 8)]


def test_who_is_not_seen_to_ask_does_not_steal() -> None:
    text = """
        0   w  start_locking     exclusive
        2   a  acquire_returned  shared
        6   a  released
    """
    assert parts(text, "w") == [("wake_up", None, 0, 2), ("holder", "a", 2, 6)]


def test_a_wait_that_goes_on_is_cut_at_the_last_event_and_says_so() -> None:
    text = """
        0   a  start_locking  exclusive
        0   a  acquire_returned
        3   b  start_locking  exclusive
        9   a  call_begin     mmap
    """
    (row,) = blame(frame(text)).iter_rows(named=True)
    assert (row["wait_end_ns"], row["open"], row["part"], row["length_ns"]) == (
        9,
        True,
        "holder",
        6,
    )


def test_a_wait_that_a_signal_ends_has_parts_and_leaves_the_queue() -> None:
    text = """
        0   r  start_locking  shared
        0   r  acquire_returned
        1   w  start_locking  exclusive
        2   s  start_locking  shared
        5   w  acquire_failed
        6   s  acquire_returned
    """
    assert parts(text, "w") == [("holder", "r", 1, 5)]
    # Nobody is in its way any more, but it sleeps.
    assert parts(text, "s") == [("convoy", "w", 2, 5), ("wake_up", None, 5, 6)]


def test_a_failed_trylock_of_a_holder_changes_nothing() -> None:
    text = """
        0   a  start_locking   exclusive
        0   a  acquire_returned
        1   b  start_locking   shared
        2   a  acquire_failed  exclusive
        5   a  released
    """
    assert parts(text, "b") == [("holder", "a", 1, 5)]


def test_a_downgrade_turns_a_holder_into_a_convoy() -> None:
    text = """
        0   a  start_locking     exclusive
        0   a  acquire_returned
        1   w  start_locking     exclusive
        2   s  start_locking     shared
        4   a  acquire_returned  shared
        7   a  released
    """
    assert parts(text, "w") == [("holder", "a", 1, 7)]
    assert parts(text, "s") == [("holder", "a", 2, 4), ("convoy", "w", 4, 7)]


def test_a_thief_that_downgrades_its_hold_is_still_a_thief() -> None:
    text = """
        0   a  start_locking     exclusive
        0   a  acquire_returned
        1   w  start_locking     exclusive
        2   a  released
        2   w  woken
        3   b  start_locking     exclusive
        3   b  granted
        3   b  acquire_returned
        5   b  released
        5   b  granted           shared
        5   b  acquire_returned
        9   b  released
    """
    assert parts(text, "w")[2:] == [("stolen", "b", 3, 9)]


def test_a_request_after_a_lost_release_ends_the_hold() -> None:
    text = """
        0   a  start_locking  exclusive
        0   a  acquire_returned
        2   b  start_locking  exclusive
        5   a  start_locking  exclusive
        9   b  acquire_returned
    """
    assert parts(text, "b") == [("holder", "a", 2, 5), ("wake_up", None, 5, 9)]
    assert parts(text, "a") == [("queued_ahead", "b", 5, 9)]


def test_locks_are_kept_apart() -> None:
    one = frame(CONVOY)
    other = one.with_columns(
        pl.when(pl.col("lock").is_not_null()).then(pl.lit("other")).alias("lock")
    )
    calls = one.filter(pl.col("lock").is_null())
    both = pl.concat([one, other.filter(pl.col("lock").is_not_null())]).sort(
        "time_ns", maintain_order=True
    )
    assert len(calls) == 3
    found = blame(both)
    for lock in ("mm", "other"):
        of_one = found.filter(lock=lock).drop("lock")
        assert of_one.equals(blame(one).drop("lock"))
    assert found["wait_start_ns"].is_sorted()


def test_nothing_waits_in_an_empty_trace_or_without_contention() -> None:
    for events in (pl.DataFrame(schema=EVENT_SCHEMA), frame(CONVOY).head(4)):
        found = blame(events)
        assert found.equals(pl.DataFrame(schema=BLAME_SCHEMA))
        assert blame_summary(found).is_empty()
        assert blame_table(found).is_empty()


def test_bad_frames_are_one_line() -> None:
    with pytest.raises(
        RfcsimError, match=r"^blame: expected an event frame, .* no column 'event'$"
    ):
        blame(frame(CONVOY).drop("event"))
    with pytest.raises(RfcsimError, match=r"^blame: expected events in the order of time$"):
        blame(frame(CONVOY).reverse())

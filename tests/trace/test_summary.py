"""Blame added up by class of waiter, and in words."""

import polars as pl

from rfcsim.trace.blame import because_of, blame, blame_summary, blame_table
from tests.trace.frames import CONVOY, frame


def test_the_summary_by_class_of_waiter() -> None:
    # The class s has two tasks, which wait 13 ns and 12 ns.
    text = CONVOY.replace(
        "10  reader  released", "5 sibling start_locking shared\n 10 reader released"
    )
    text = text.replace(
        "17  second  acq", "16 sibling granted\n 17 sibling acquire_returned\n17 second acq"
    )
    summary = blame_summary(blame(frame(text)))
    assert summary.select(pl.exclude("share")).rows() == [
        ("s", "convoy", "w", "munmap", 2, 6, 11),
        ("s", "holder", "w", "munmap", 2, 5, 10),
        ("s", "queued_ahead", "w", "munmap", 2, 1, 2),
        ("s", "wake_up", None, None, 2, 1, 2),
        ("w", "holder", "r", "mlock", 1, 8, 8),
        ("w", "wake_up", None, None, 1, 1, 1),
    ]
    assert summary["share"].to_list() == [11 / 25, 10 / 25, 2 / 25, 2 / 25, 8 / 9, 1 / 9]


def test_the_table_says_it_in_words() -> None:
    assert blame_table(blame(frame(CONVOY))).rows()[:2] == [
        ("s", "convoy behind w (munmap)", 1, "6 ns", "6 ns", "46.2 %"),
        ("s", "held by w (munmap)", 1, "5 ns", "5 ns", "38.5 %"),
    ]


def test_a_share_is_0_and_100_percent_only_where_it_is_so() -> None:
    text = """
        0        a  start_locking  exclusive
        0        a  acquire_returned
        1        b  start_locking  exclusive
        10000000 a  released
        10000001 b  acquire_returned
    """
    shares = blame_table(blame(frame(text)))["share"].to_list()
    assert shares == [">99.9 %", "<0.1 %"]


def test_what_a_part_is_due_to_in_words() -> None:
    assert because_of("holder", "locker 0", "mlock") == "held by locker 0 (mlock)"
    assert because_of("stolen", "probe3", None) == "stolen by probe3"
    assert because_of("wake_up", None, None) == "waking up"

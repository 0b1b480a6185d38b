"""From events of a lock to the intervals in which tasks wait for it and hold it."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.clock.layout import event
from rfcsim.trace.frame import (
    EVENT_SCHEMA,
    EVENTS,
    INTERVAL_SCHEMA,
    LOCK_EVENTS,
    lock_intervals,
)

Event = tuple[int, str, str, str]  # time, task, event, mode


def frame(events: Sequence[Event], lock: str | None = "mm") -> pl.DataFrame:
    rows = [
        {"time_ns": time, "task": task, "class": task[0], "event": event, "mode": mode}
        | {"lock": lock}
        for time, task, event, mode in events
    ]
    return pl.DataFrame(rows, EVENT_SCHEMA)


def intervals(events: Sequence[Event], **how: Any) -> list[tuple[str, str, str, int, int, bool]]:
    found = lock_intervals(frame(events), **how)
    return found.select("task", "state", "mode", "start_ns", "end_ns", "open").rows()


def test_the_vocabulary_is_the_clocks_and_one_more() -> None:
    assert set(EVENTS) == {*event.NAMES, "acquire_failed"}
    assert set(LOCK_EVENTS) < set(EVENTS)


def test_a_hold_begins_when_it_is_granted_and_a_wait_ends_there() -> None:
    assert intervals(
        [
            (0, "a", "start_locking", "exclusive"),
            (0, "a", "granted", "exclusive"),
            (0, "a", "acquire_returned", "exclusive"),
            (10, "b", "start_locking", "shared"),
            (90, "a", "released", "exclusive"),
            (90, "b", "granted", "shared"),
            (95, "b", "acquire_returned", "shared"),
            (100, "b", "released", "shared"),
        ]
    ) == [
        ("a", "holding", "exclusive", 0, 90, False),
        ("b", "waiting", "shared", 10, 90, False),
        ("b", "holding", "shared", 90, 100, False),
    ]


def test_without_a_grant_the_hold_begins_when_the_acquisition_returns() -> None:
    assert intervals(
        [
            (5, "a", "start_locking", "shared"),
            (9, "a", "acquire_returned", "shared"),
            (11, "a", "released", "shared"),
        ]
    ) == [("a", "waiting", "shared", 5, 9, False), ("a", "holding", "shared", 9, 11, False)]


def test_a_downgrade_ends_one_hold_and_begins_the_next() -> None:
    assert intervals(
        [
            (0, "a", "start_locking", "exclusive"),
            (0, "a", "acquire_returned", "exclusive"),
            (3, "a", "acquire_returned", "shared"),
            (8, "a", "released", "shared"),
        ]
    ) == [("a", "holding", "exclusive", 0, 3, False), ("a", "holding", "shared", 3, 8, False)]


def test_a_failed_trylock_opens_nothing_and_a_failed_wait_ends() -> None:
    trylock = [(1, "a", "acquire_failed", "shared")]
    assert intervals(trylock) == []
    while_holding = [
        (0, "a", "acquire_returned", "shared"),
        (1, "a", "acquire_failed", "exclusive"),
        (2, "a", "released", "shared"),
    ]
    assert intervals(while_holding) == [("a", "holding", "shared", 0, 2, False)]
    killed = [(0, "a", "start_locking", "exclusive"), (7, "a", "acquire_failed", "exclusive")]
    assert intervals(killed) == [("a", "waiting", "exclusive", 0, 7, False)]


def test_what_the_trace_does_not_see_the_end_of_is_cut_there_and_says_so() -> None:
    assert intervals(
        [
            (0, "a", "acquire_returned", "shared"),
            (4, "b", "start_locking", "exclusive"),
            (9, "c", "start_locking", "exclusive"),
        ],
        zero_waits=True,
    ) == [
        ("a", "holding", "shared", 0, 9, True),
        ("b", "waiting", "exclusive", 4, 9, True),
        ("c", "waiting", "exclusive", 9, 9, True),
    ]


def test_a_hold_that_began_before_the_trace_is_left_out() -> None:
    assert intervals([(5, "a", "released", "shared")]) == []


def test_locks_are_kept_apart() -> None:
    one = frame([(0, "a", "acquire_returned", "shared"), (9, "a", "released", "shared")], "one")
    other = frame([(4, "a", "acquire_returned", "exclusive")], "other")
    merged = pl.concat([one, other]).sort("time_ns", maintain_order=True)
    assert lock_intervals(merged).select("lock", "start_ns", "end_ns", "open").rows() == [
        ("one", 0, 9, False),
        ("other", 4, 9, True),
    ]


def test_an_empty_trace_has_no_intervals() -> None:
    assert lock_intervals(frame([])).equals(pl.DataFrame(schema=INTERVAL_SCHEMA))


@st.composite
def traces(draw: st.DrawFn) -> list[Event]:
    """The events of tasks that each wait and hold in turn, merged in the order of time."""
    events: list[Event] = []
    for task in ("a", "b", "c"):
        now = draw(st.integers(0, 5))
        for _ in range(draw(st.integers(0, 4))):
            mode = draw(st.sampled_from(["shared", "exclusive"]))
            granted = draw(st.booleans())
            lengths = [draw(st.integers(0, 3)) for _ in range(4)]
            names = ["start_locking", "granted", "acquire_returned", "released"]
            for name, length in zip(names, lengths, strict=True):
                if name != "granted" or granted:
                    events.append((now, task, name, mode))
                now += length
    return sorted(events, key=lambda event: event[0])


def by_hand(
    events: Sequence[Event], zero_waits: bool
) -> list[tuple[str, str, str, int, int, bool]]:
    """The same rules, applied to one event at a time."""
    found: list[list[Any]] = []
    under_way: dict[str, list[Any]] = {}
    for time, task, name, mode in events:
        now = under_way.get(task)
        if name == "acquire_returned" and now is not None and now[1] == "holding":
            continue
        if now is not None:
            now[4:] = [time, False]
            del under_way[task]
        if name != "released":
            state = "waiting" if name == "start_locking" else "holding"
            under_way[task] = [task, state, mode, time, events[-1][0], True]
            found.append(under_way[task])
    keep = (row for row in found if zero_waits or row[1] == "holding" or row[4] > row[3])
    return [tuple(row) for row in keep]


@given(traces(), st.booleans(), st.integers(0, 48))
def test_intervals_are_those_of_the_rules_also_of_a_trace_that_ends_early(
    events: list[Event], zero_waits: bool, length: int
) -> None:
    seen = events[:length]
    assert intervals(seen, zero_waits=zero_waits) == by_hand(seen, zero_waits)

"""Simulated waits whose parts follow from the costs by simple arithmetic."""

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from rfcsim import Hold, Mlock, Region, Scenario, TaskGroup
from rfcsim.trace.blame import blame
from tests.trace.test_properties import trace_of
from tests.twin.cost_values import cost_values
from tests.twin.strategies import Case

PAGE_NS = 10
WAKE_UP_NS = 3


def parts(scenario: Scenario, group: str, **costs: int) -> list[tuple[str, str | None, int]]:
    """part, cause and length_ns of the waits of the one task of a group."""
    values = cost_values(mlock_anon=PAGE_NS, wake_up=WAKE_UP_NS, **costs)
    events, _ = trace_of(Case(scenario, values, seed=0, replication=0))
    found = blame(events).filter(pl.col("class") == group)
    return found.select("part", "cause_task", "length_ns").rows()


def beside_an_mlock(pages: int, waiter: TaskGroup, **fields: object) -> Scenario:
    return Scenario(
        name="mlock",
        costs="none",
        regions=(Region(name="data", pages=pages),),
        tasks=(TaskGroup(name="locker", calls=(Mlock(region="data"),)), waiter),
        **{"cpus": 2} | fields,
    )


def test_behind_an_mlock_of_twenty_pages_all_blame_is_the_mlocks() -> None:
    """The mlock holds the lock from 0 to 200 ns; whoever comes at 50 waits for the rest of it."""
    waiter = TaskGroup(name="waiter", calls=(Hold(mode="shared", hold_ns=1),), start_ns=50)
    scenario = beside_an_mlock(20, waiter)
    assert parts(scenario, "waiter") == [("holder", "locker 0", 150), ("wake_up", None, 3)]
    values = cost_values(mlock_anon=PAGE_NS)
    events, _ = trace_of(Case(scenario, values, seed=0, replication=0))
    (row,) = blame(events).iter_rows(named=True)
    assert (row["cause_class"], row["cause_call"], row["length_ns"]) == ("locker", "mlock", 150)


def test_behind_the_rfcs_batches_blame_is_the_rest_of_one_batch() -> None:
    """Batches of 4 pages end at 40, 80, ...; whoever comes at 50 is let in at 80."""
    waiter = TaskGroup(name="waiter", calls=(Hold(mode="exclusive", hold_ns=7),), start_ns=50)
    scenario = beside_an_mlock(20, waiter, design="batched", batch_pages=4)
    assert parts(scenario, "waiter") == [("holder", "locker 0", 30), ("wake_up", None, 3)]
    # The locker asks again at 80. It waits for the waiter, first on its way and then in its hold.
    assert parts(scenario, "locker") == [
        ("queued_ahead", "waiter 0", 3),
        ("holder", "waiter 0", 7),
        ("wake_up", None, 3),
    ]


def test_a_wake_up_includes_the_wait_for_the_cpu() -> None:
    """On one CPU, the locker goes on at 200 ns with a call of 30 ns before the waiter can run."""
    locker = TaskGroup(name="locker", calls=(Mlock(region="data"), Hold(mode="shared", hold_ns=30)))
    waiter = TaskGroup(name="waiter", calls=(Hold(mode="shared", hold_ns=1),), start_ns=50)
    scenario = Scenario(
        name="one-cpu",
        costs="none",
        cpus=1,
        regions=(Region(name="data", pages=20),),
        tasks=(locker, waiter),
    )
    # The locker's first slice is over at 60 ns. Then the waiter runs, and asks.
    assert parts(scenario, "waiter", timeslice=60) == [
        ("holder", "locker 0", 140),
        ("wake_up", None, 30),
    ]


@given(
    first_ns=st.integers(3, 50),
    writer_ns=st.integers(1, 20),
    arrivals=st.tuples(st.integers(1, 48), st.integers(1, 48)).map(sorted),
    wake_up_ns=st.integers(0, 9),
)
def test_the_convoy_of_a_reader_behind_a_writer_behind_a_reader(
    first_ns: int, writer_ns: int, arrivals: list[int], wake_up_ns: int
) -> None:
    """It lasts until the end of the first reader. Then the writer has to wake, and itself too."""
    writer_at, second_at = arrivals
    assume(writer_at < second_at < first_ns)
    scenario = Scenario(
        name="convoy",
        costs="none",
        cpus=3,
        regions=(Region(name="data", pages=1),),
        tasks=(
            TaskGroup(name="first", calls=(Hold(mode="shared", hold_ns=first_ns),)),
            TaskGroup(
                name="writer",
                calls=(Hold(mode="exclusive", hold_ns=writer_ns),),
                start_ns=writer_at,
            ),
            TaskGroup(name="second", calls=(Hold(mode="shared", hold_ns=1),), start_ns=second_at),
        ),
    )
    expected = [
        ("convoy", "writer 0", first_ns - second_at),
        ("queued_ahead", "writer 0", wake_up_ns),
        ("holder", "writer 0", writer_ns),
        ("wake_up", None, wake_up_ns),
    ]
    events, _ = trace_of(Case(scenario, cost_values(wake_up=wake_up_ns), 0, 0))
    found = blame(events).filter(pl.col("class") == "second")
    assert found.select("part", "cause_task", "length_ns").rows() == [
        part for part in expected if part[2] > 0
    ]

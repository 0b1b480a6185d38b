"""The engine's lock against SimPy's: each of the same arrivals must wait equally long."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rfcsim import Hold, Region, Scenario, TaskGroup
from tests.simpy_model.lock import lock_waits
from tests.twin.cost_values import cost_values
from tests.twin.engine import run_engine, seen_on_engine


class Customer(NamedTuple):
    """One customer of the lock."""

    arrival_ns: int
    exclusive: bool
    hold_ns: int


def engine_waits(customers: list[Customer]) -> list[int]:
    """How long each waits in the engine, when nothing but the holds takes time."""
    scenario = Scenario(
        name="lock",
        costs="none",
        cpus=min(len(customers), 1024),
        regions=(Region(name="data", pages=1),),
        tasks=tuple(
            TaskGroup(
                name=f"customer{number}",
                calls=(
                    Hold(
                        mode="exclusive" if customer.exclusive else "shared",
                        hold_ns=customer.hold_ns,
                    ),
                ),
                start_ns=customer.arrival_ns,
            )
            for number, customer in enumerate(customers)
        ),
    )
    asked, got = {}, {}
    for time, event, task, _, _ in seen_on_engine(run_engine(scenario, cost_values()))["trace"]:
        if event == "start_locking":
            asked[task] = time
        elif event == "acquire_returned":
            got[task] = time
    return [got[task] - asked[task] for task in range(len(customers))]


def simpy_waits(customers: list[Customer]) -> list[int]:
    return lock_waits(
        [customer.arrival_ns for customer in customers],
        [customer.exclusive for customer in customers],
        [customer.hold_ns for customer in customers],
    )


@given(
    st.lists(
        st.builds(Customer, st.integers(0, 40), st.booleans(), st.integers(1, 12)),
        min_size=1,
        max_size=25,
    )
)
def test_few_customers_with_many_ties_wait_equally_long(customers: list[Customer]):
    assert engine_waits(customers) == simpy_waits(customers)


def test_many_customers_wait_equally_long():
    random = np.random.default_rng(2010)
    arrivals = np.sort(random.integers(0, 10**7, 800))
    exclusive = random.random(800) < 0.3
    holds = random.exponential(15_000, 800).astype(int) + 1
    customers = [
        Customer(*row)
        for row in zip(arrivals.tolist(), exclusive.tolist(), holds.tolist(), strict=True)
    ]
    waits = simpy_waits(customers)
    assert engine_waits(customers) == waits
    assert sum(wait > 0 for wait in waits) > 400  # a busy lock, not an idle one


def test_a_reader_behind_a_waiting_writer_waits_for_both():
    """The SimPy model by itself, worked out by hand: reader until 10, writer until 15."""
    assert lock_waits([0, 2, 4], [False, True, False], [10, 5, 3]) == [0, 8, 11]


def test_readers_behind_a_writer_are_granted_together():
    assert lock_waits([0, 1, 2, 3], [True, False, False, True], [10, 4, 6, 1]) == [0, 9, 8, 13]

"""A machine that is taken back to time 0 is as good as a new one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.clock import restart, run
from rfcsim.clock.layout import clock, run_status
from rfcsim.clock.machine import Machine
from rfcsim.runs.prepare import machine_of
from tests.twin.strategies import Case, cases

KEYS = st.integers(0, 2**63 - 1)


def build(case: Case, seed: int, replication: int) -> Machine:
    return machine_of(*case[:2], seed=seed, replication=replication, trace_capacity=1000)


def arrays(machine: Machine) -> list[np.ndarray]:
    return [*machine.state, *machine[1:]]


@given(cases(), KEYS, KEYS, st.integers(1, 300))
def test_it_runs_as_a_new_one_does(case: Case, seed: int, replication: int, events: int) -> None:
    machine, fresh = build(case, 1, 2), build(case, 3, 4)
    untouched = [array.copy() for array in arrays(fresh)]
    run(machine, events)  # not to its end, as a rule
    restart(machine, fresh, seed, replication)
    new = build(case, seed, replication)
    assert machine.clock[clock.SEED] == seed
    assert machine.clock[clock.REPLICATION] == replication
    for _ in range(2):  # at time 0, and at the end
        for ours, theirs in zip(arrays(machine), arrays(new), strict=True):
            assert np.array_equal(ours, theirs)
        for either in (machine, new):
            while run(either, 10**6) == run_status.RUNNING:
                pass
    for ours, before in zip(arrays(fresh), untouched, strict=True):
        assert np.array_equal(ours, before)

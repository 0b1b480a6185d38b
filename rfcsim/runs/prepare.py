"""Make the machine of a run from a scenario and its costs."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from rfcsim.clock import build, copy_of
from rfcsim.clock.machine import Machine
from rfcsim.errors import RfcsimError
from rfcsim.scenario.checked import check_range
from rfcsim.scenario.compile import compile_process
from rfcsim.scenario.scenario import Scenario

LARGEST_KEY = 2**63 - 1
LARGEST_TRACE = 10**8


def prepare(
    scenario: Scenario,
    costs: np.ndarray,
    seed: int,
    replication: int,
    trace: int = 0,
    jump: bool = True,
) -> Machine:
    """The machine of a scenario at time 0; see `simulate`."""
    check_range("seed", seed, 0, LARGEST_KEY)
    check_range("replication", replication, 0, LARGEST_KEY)
    check_range("trace", trace, 0, LARGEST_TRACE)
    with _memory_for(scenario, trace):
        return machine_of(
            scenario,
            costs,
            seed=seed,
            replication=replication,
            trace_capacity=trace,
            jump=jump,
        )


def machine_of(
    scenario: Scenario,
    costs: np.ndarray,
    *,
    seed: int = 0,
    replication: int = 0,
    trace_capacity: int = 0,
    jump: bool = True,
) -> Machine:
    """Build the machine for a scenario, ready to run; `prepare` also checks the arguments.

    Parameters
    ----------
    scenario : Scenario
    costs : int64[cost.COUNT]
        The figures of a cost table, as in `CostTable.values`.
    seed, replication : int
        Together, the key of the random numbers.
    trace_capacity : int
        How many events of the trace are kept; 0 keeps none.
    jump : bool
        Advance over the pages of one hold at once, not page by page. The result is the same.
    """
    return build(
        *compile_process(scenario),
        costs.copy(),  # a cost table is read-only, and Numba would compile once more for that type
        cpus=scenario.cpus,
        classes=len(scenario.tasks),
        seed=seed,
        replication=replication,
        end_ns=scenario.end_ns,
        trace_capacity=trace_capacity,
        jump=jump,
        preempts=scenario.wake_up_preemption,
    )


def prepare_pair(
    scenario: Scenario, costs: np.ndarray, seed: int, replication: int
) -> tuple[Machine, Machine]:
    """A machine at time 0 to run, and a copy from which to restore it for the next replication."""
    machine = prepare(scenario, costs, seed, replication)
    with _memory_for(scenario, trace=0):
        return machine, copy_of(machine)


@contextmanager
def _memory_for(scenario: Scenario, trace: int) -> Iterator[None]:
    try:
        yield
    except MemoryError:
        pages = scenario.placements()[-1].end
        raise RfcsimError(
            f"regions: {pages} pages and trace = {trace} events do not fit into memory"
        ) from None

"""The twin's one entry: a scenario in, what happened out."""

from collections.abc import Iterable
from typing import Any

from tests.twin.clock import Clock
from tests.twin.outcome import Outcome
from tests.twin.workload import lay_out, programs


def simulate(scenario: Any, costs: Iterable[int], seed: int = 0, replication: int = 0) -> Outcome:
    """Run a scenario to its end, step by step and page by page.

    `scenario` has the fields of `rfcsim.Scenario`. `costs` has the values of a cost table in the
    order of `rfcsim.clock.layout.cost`.
    """
    space, places = lay_out(scenario)
    clock = Clock(
        space,
        programs(scenario, places),
        [int(cost) for cost in costs],
        scenario.cpus,
        scenario.end_ns,
        seed,
        replication,
    )
    clock.run()
    recorder = clock.recorder
    return Outcome(
        trace=recorder.trace,
        times=recorder.times,
        calls=recorder.calls,
        returned=[task.returned for task in clock.tasks],
        space=space,
        elapsed_ns=clock.now,
    )

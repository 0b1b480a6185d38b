"""The twin against the engine: everything that one run shows must be what the other shows."""

import numpy as np

from rfcsim.experiment.scenario import Scenario
from tests.twin.engine import run_engine, seen_on_engine, seen_on_twin
from tests.twin.outcome import Outcome
from tests.twin.simulate import simulate


def agreed_outcome(
    scenario: Scenario, costs: np.ndarray, seed: int = 0, replication: int = 0
) -> Outcome:
    """What the twin says of a run, once the engine has said the same by jumps and page by page."""
    outcome = simulate(scenario, costs, seed, replication)
    expected = seen_on_twin(outcome, classes=len(scenario.tasks))
    for jump in (False, True):
        machine = run_engine(scenario, costs, seed, replication, jump=jump)
        seen = seen_on_engine(machine)
        for what, value in expected.items():
            assert seen[what] == value, f"{what}, {'by jumps' if jump else 'page by page'}"
    return outcome

"""The twin against the engine: everything that one shows of a run the other must show too."""

import numpy as np

from rfcsim.scenario.scenario import Scenario
from tests.twin.engine import bits, run_engine, seen_on_engine, seen_on_twin
from tests.twin.outcome import Outcome
from tests.twin.simulate import simulate


def agreed_outcome(
    scenario: Scenario, costs: np.ndarray, seed: int = 0, replication: int = 0
) -> Outcome:
    """What the twin says of a run, once the engine has been found to agree.

    Page by page, the engine must show the same. In jumps, it must leave the same bits.
    """
    outcome = simulate(scenario, costs, seed, replication)
    stepped = run_engine(scenario, costs, seed, replication, jump=False)
    seen = seen_on_engine(stepped)
    for what, value in seen_on_twin(outcome, classes=len(scenario.tasks)).items():
        assert seen[what] == value, f"{what} differs\n\n{scenario.to_toml()}"
    jumped = run_engine(scenario, costs, seed, replication, jump=True)
    assert bits(jumped) == bits(stepped), f"jumps differ\n\n{scenario.to_toml()}"
    return outcome

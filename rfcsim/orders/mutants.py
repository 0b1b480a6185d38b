"""The scoreboard of mutants: does some check find each deliberate mistake?"""

import polars as pl

from rfcsim.model.layout.mutant import NAMES as MUTANTS
from rfcsim.orders.check import check
from rfcsim.scenario.presets import check_scenario, check_scenarios

_SCHEMA = {
    "mutant": pl.String(),
    "scenario": pl.String(),
    "claim": pl.String(),
    "schedule": pl.String(),
}


def mutant_scoreboard() -> pl.DataFrame:
    """Let the patch make each deliberate mistake, and look for a claim that it breaks.

    A claim counts if the patch without the mistake keeps it in the same scenario.

    Returns
    -------
    polars.DataFrame
        One row per mutant: mutant, scenario (the first of `check_scenarios()` that finds it),
        claim, schedule (a shortest one). The last three are null if the mistake goes unnoticed.
    """
    scenarios = [check_scenario(name) for name in check_scenarios()]
    sound = {scenario.name: set(check(scenario).schedules) for scenario in scenarios}
    rows = []
    for mutant in MUTANTS[1:]:
        row: tuple = (mutant, None, None, None)
        for scenario in scenarios:
            found = check(scenario, mutant=mutant).schedules
            broken = [claim for claim in found if claim not in sound[scenario.name]]
            if broken:
                row = (mutant, scenario.name, broken[0], found[broken[0]])
                break
        rows.append(row)
    return pl.DataFrame(rows, _SCHEMA, orient="row")

"""The verdicts of the checker by design, and on programs that lock in pieces."""

from collections.abc import Iterable
from typing import Any, TypeVar

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.model.layout.design import BY_NAME as DESIGNS
from rfcsim.orders.check import CLAIMS, check
from rfcsim.scenario.explain import check_known, show
from rfcsim.scenario.presets import check_scenario, check_scenarios
from rfcsim.scenario.scenario import Scenario
from rfcsim.scenario.ways import NEWEST, PROGRAMS, in_pieces

_T = TypeVar("_T")

_SHORT = {"as-if-sequential": "as-if", "as-if-sequential-strict": "strict"}

_SCHEMA = {
    "scenario": pl.String(),
    "design": pl.String(),
    "states": pl.Int64(),
    "seconds": pl.Float64(),
    **dict.fromkeys(CLAIMS, pl.String()),
    "breaks": pl.String(),
}


def verdicts(
    designs: Iterable[str] | None = None,
    scenarios: Iterable[str | Scenario] | None = None,
    *,
    policy: str = "any",
) -> pl.DataFrame:
    """Check small scenarios under several designs, and put the verdicts in one table.

    Parameters
    ----------
    designs : iterable of str, optional
        Values of `Scenario.design`, and the programs of `ways_to_lock`, "mlock pieces" and
        "populate pieces", on the newest design; by default all of these. With a program, every
        mlock() of the scenario is several calls of `batch_pages` each, and the program goes on
        after a call that failed. A pause between two calls makes no difference to the checker,
        which tries every order anyway.
    scenarios : iterable of str or Scenario, optional
        Small ones, as `check` takes them. A name is one of `check_scenarios()`; by default all of
        these.
    policy : str
        See `check`.

    Returns
    -------
    polars.DataFrame
        One row per scenario and design, or program, scenarios outermost: scenario, design, states,
        seconds; one column per claim of `CLAIMS`, "holds" or "violated" (complete is about what
        mlock() promises, so it says nothing about "populate pieces"); and breaks, a word for the
        first of them, in their order, that is violated: its name, except that as-if-sequential is
        "as-if", or "strict" where only its strict form is violated; "" if all hold.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed.
    """
    known = (*DESIGNS, *PROGRAMS)
    chosen = _several("designs", designs, known)
    for design in chosen:
        check_known(f"designs: {show(design)}", design, known)
    rows = []
    for given in _several("scenarios", scenarios, check_scenarios()):
        scenario = given if isinstance(given, Scenario) else check_scenario(given)
        for design in chosen:
            checked = check(_under(scenario, design), policy=policy)
            broken = [claim for claim in CLAIMS if not checked.holds(claim)]
            words = ("violated" if claim in broken else "holds" for claim in CLAIMS)
            first = _SHORT.get(broken[0], broken[0]) if broken else ""
            rows.append((scenario.name, design, checked.states, checked.seconds, *words, first))
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def _under(scenario: Scenario, design: str) -> Scenario:
    """The scenario on a kernel of that design, or with that program on the newest design."""
    if design in DESIGNS:
        return scenario.replace(design=design)
    changes: dict[str, Any] = {"design": NEWEST}
    for group in scenario.tasks:
        changes |= in_pieces(group, design, scenario.batch_pages)
    return scenario.replace(**changes)


def _several(name: str, given: Iterable[_T] | None, otherwise: Iterable[_T]) -> list[_T]:
    if isinstance(given, str):
        raise RfcsimError(f"{name} = {show(given)}: must be a list")
    several = list(otherwise if given is None else given)
    if not several:
        raise RfcsimError(f"{name} is empty: must be one or more")
    return several

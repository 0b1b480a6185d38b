"""The checker: which claims about a scenario hold over all orders of steps."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.model.layout import design, mm
from rfcsim.model.layout.complete import require_all
from rfcsim.orders.problem import policy_code, problem_of, schedule_text
from rfcsim.race.layout import claim as state_claim
from rfcsim.race.outcomes import Outcome, concurrent_outcomes, sequential_outcomes
from rfcsim.race.search import CheckerError, search_all
from rfcsim.scenario.explain import check_known, show
from rfcsim.scenario.scenario import Scenario

CLAIMS = {
    "mlocked-where-locked": "no page is mlocked outside a VM_LOCKED VMA",
    "charged-as-locked": "the pages of VM_LOCKED VMAs add up to locked_vm",
    "complete": "mlock returned 0 and nobody interfered, so all is present and mlocked",
    "progress": "nobody waits for ever",
    "serialisable": "what callers may rely on is as after some order of the same calls, whole",
    "as-if-sequential": "... as after some order of the whole calls on the original design",
    "as-if-sequential-strict": "and so is the state of every page, also of those not locked",
}
_STATE_CLAIMS = {  # those that states are checked for; the others are about outcomes
    "mlocked-where-locked": state_claim.MLOCKED,
    "charged-as-locked": state_claim.CHARGED,
    "complete": state_claim.COMPLETE,
    "progress": state_claim.PROGRESS,
}
require_all(
    vars(),
    [state_claim.NAMES[number] for number in _STATE_CLAIMS.values()],
    state_claim.NAMES,
    "say in _STATE_CLAIMS what claim that is",
)

_SCHEMA = {
    "claim": pl.String(),
    "holds": pl.Boolean(),
    "schedule": pl.String(),
    "meaning": pl.String(),
}


@dataclass(frozen=True, eq=False)
class Check:
    """The verdicts on one scenario.

    Attributes
    ----------
    scenario : Scenario
    states : int
        How many distinct states were found: all that can be reached.
    seconds : float
    outcomes : frozenset of Outcome
        Every way in which the run can end.
    sequential : frozenset of Outcome
        Every outcome of some order of the whole calls on the original design.
    schedules : dict of str to str
        For each claim that is violated, a shortest schedule that violates it; see `replay`.
    """

    scenario: Scenario
    states: int
    seconds: float
    outcomes: frozenset[Outcome]
    sequential: frozenset[Outcome]
    schedules: dict[str, str]

    def holds(self, claim: str) -> bool:
        """Whether a claim (a key of CLAIMS) holds in every order of steps."""
        check_known(f"claim = {show(claim)}", claim, CLAIMS)
        return claim not in self.schedules

    def violated_by(self, schedule: str) -> list[str]:
        """The claims for which `schedules` has this schedule."""
        return [claim for claim, found in self.schedules.items() if found == schedule]

    def verdicts(self) -> pl.DataFrame:
        """The table in words: claim, verdict, schedule."""
        return self.table().select(
            "claim",
            pl.when("holds").then(pl.lit("holds")).otherwise(pl.lit("violated")).alias("verdict"),
            pl.col("schedule").fill_null("").alias("schedule"),
        )

    def table(self) -> pl.DataFrame:
        """One row per claim: claim, holds, schedule (a shortest one that violates it), meaning."""
        rows = [
            (claim, self.holds(claim), self.schedules.get(claim), meaning)
            for claim, meaning in CLAIMS.items()
        ]
        return pl.DataFrame(rows, _SCHEMA, orient="row")


def check(
    scenario: Scenario,
    *,
    policy: str = "any",
    mutant: str = "none",
    reduce: bool = True,
    most_gib: float = 4.0,
    progress: Callable[[int], None] | None = None,
) -> Check:
    """Try every order of the steps of a scenario's calls, and say which claims hold.

    Every task makes its calls once. Times, CPUs and costs play no part.

    Parameters
    ----------
    scenario : Scenario
        A small one: at most 1,024 pages and 26 tasks, and no uncached file.
    policy : str
        "any": any waiter that the holders allow may be granted, wherever it stands in the queue,
        which covers every lock policy. "fifo": the hand-over of 2.6.36.
    mutant : str
        A deliberate mistake in the patch (`rfcsim.model.layout.mutant.NAMES`), or "none". The
        whole calls with which the outcomes are compared are made without it.
    reduce : bool
        Take steps that commute with those of all other tasks together: the same verdicts, sooner.
    most_gib : float
        Memory that the search may take, in GiB; a state takes about 50 bytes.
    progress : callable, optional
        Called now and then with the number of states that have been found.

    Raises
    ------
    RfcsimError
        One line: what does not fit, or how far the search had come when the memory was full.
    """
    if not isinstance(most_gib, int | float) or not 0 < most_gib < inf:
        raise RfcsimError(f"most_gib = {most_gib!r}: must be more than 0")
    code = policy_code(policy)
    problem = problem_of(scenario, mutant)
    sound = problem if mutant == "none" else problem_of(scenario)
    try:
        exploration = search_all(
            problem,
            policy=code,
            reduce=reduce,
            most_gib=most_gib,
            progress=progress,
        )
        sequential = sequential_outcomes(sound, design.EXCLUSIVE)
        same_design = sequential_outcomes(sound, int(sound.state.mm[mm.DESIGN]))
    except CheckerError as error:
        raise RfcsimError(f"{scenario.name}: {error}") from None
    found = concurrent_outcomes(exploration)
    numbers = {claim: exploration.violation(n) for claim, n in _STATE_CLAIMS.items()}
    numbers["serialisable"] = _first_beyond(found, same_design, promised=True)
    numbers["as-if-sequential"] = _first_beyond(found, sequential, promised=True)
    numbers["as-if-sequential-strict"] = _first_beyond(found, sequential, promised=False)
    schedules = {
        claim: schedule_text(exploration.path(number))
        for claim in CLAIMS
        if (number := numbers[claim]) is not None
    }
    return Check(
        scenario=scenario,
        states=exploration.states,
        seconds=exploration.seconds,
        outcomes=frozenset(found),
        sequential=frozenset(sequential),
        schedules=schedules,
    )


def _first_beyond(
    found: dict[Outcome, int], allowed: set[Outcome], *, promised: bool
) -> int | None:
    """The nearest state whose outcome is not allowed, in what is promised or to the letter."""
    if promised:
        kept = {outcome.promised() for outcome in allowed}
        beyond = (number for outcome, number in found.items() if outcome.promised() not in kept)
    else:
        beyond = (number for outcome, number in found.items() if outcome not in allowed)
    return min(beyond, default=None)

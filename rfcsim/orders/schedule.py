"""Take one schedule step by step, to look at what the checker found."""

import re
from typing import NamedTuple

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.model.layout import call, lock, operation, reg
from rfcsim.orders.problem import policy_code, problem_of
from rfcsim.orders.walk import MODES, address_space
from rfcsim.race.arrays import Search
from rfcsim.race.layout import actor
from rfcsim.race.search import CheckerError, Leg
from rfcsim.race.search import replay as replay_legs
from rfcsim.scenario.scenario import Scenario

_LEG = re.compile(r"([A-Z])([1-9]\d{0,5})")
_SCHEMA = {
    "step": pl.Int64(),
    "task": pl.String(),
    "call": pl.String(),
    "did": pl.String(),
    "VMAs": pl.String(),
    "pages": pl.String(),
    "locked_vm": pl.Int64(),
}


class _Seen(NamedTuple):
    """The part of a state by which one step differs from the next."""

    ops: list[int]  # the row of Problem.calls that each task is in
    held: list[int]
    waits: list[int]
    results: list[int]
    space: tuple[str, str, int]  # VMAs, pages, locked_vm

    @classmethod
    def of(cls, search: Search) -> "_Seen":
        return cls(
            ops=search.actors[:, actor.OP].tolist(),
            held=search.state.tasks[:, reg.HELD].tolist(),
            waits=search.actors[:, actor.WAITS].tolist(),
            results=search.results.tolist(),
            space=address_space(search.state),
        )

    def did(self, after: "_Seen", task: int) -> str:
        """The step of `task` that leads from this state to `after`, in words."""
        if after.ops[task] != self.ops[task]:
            return f"returns {after.results[self.ops[task]]}"
        if after.held[task] != self.held[task]:
            if after.held[task] == lock.UNLOCKED:
                return f"releases mmap_sem ({MODES[self.held[task]]})"
            if self.held[task] == lock.EXCLUSIVE:
                return "downgrades mmap_sem"
            return f"takes mmap_sem {MODES[after.held[task]]}"
        if after.waits[task] != self.waits[task]:
            return f"asks for mmap_sem {MODES[after.waits[task]]}"
        if after.space[0] != self.space[0]:
            return "changes VMAs"
        return "changes pages" if after.space[1] != self.space[1] else ""


def replay(
    scenario: Scenario,
    schedule: str,
    *,
    policy: str = "any",
    mutant: str = "none",
) -> pl.DataFrame:
    """Take one schedule step by step, and look at the process after every step.

    Parameters
    ----------
    scenario : Scenario
    schedule : str
        Who makes how many steps in turn, such as "A5 B12 A3"; A is the scenario's first task.
    policy, mutant : str
        Those of the check that found the schedule.

    Returns
    -------
    polars.DataFrame
        One row per step: step, task, call, did (what the other tasks can see of it), then VMAs,
        pages and locked_vm as `walk` shows them.

    Raises
    ------
    RfcsimError
        If the schedule is not one, or not one of this scenario.
    """
    legs = parse_schedule(schedule)
    problem = problem_of(scenario, mutant)
    names = [f"{group.name} {n}" for group in scenario.tasks for n in range(group.count)]
    who = iter([leg.task for leg in legs for _ in range(leg.steps)])
    rows: list[tuple] = []
    before: _Seen | None = None
    try:
        for search in replay_legs(problem, legs, policy_code(policy)):
            after = _Seen.of(search)
            if before is not None:
                task = next(who)
                called = call.NAMES[problem.calls[before.ops[task], operation.CALL]]
                did = before.did(after, task)
                rows.append((len(rows) + 1, names[task], called, did, *after.space))
            before = after
    except CheckerError as error:
        raise RfcsimError(f"{scenario.name}: {error}") from None
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def parse_schedule(schedule: str) -> list[Leg]:
    """The legs of a schedule such as "A5 B12 A3"; RfcsimError if it is not one."""
    legs = []
    for word in schedule.split():
        leg = _LEG.fullmatch(word)
        if leg is None:
            raise RfcsimError(f"schedule has {word!r}: must be a task and its steps, such as A5")
        legs.append(Leg(ord(leg[1]) - ord("A"), int(leg[2])))
    return legs

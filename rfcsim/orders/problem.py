"""A scenario in the form that the checker takes, and schedules in the form that people write."""

import numpy as np

from rfcsim.errors import RfcsimError
from rfcsim.model.layout import design, mm, mutant, operation, thread
from rfcsim.race.layout import grant
from rfcsim.race.problem import refuse_large
from rfcsim.race.search import CheckerError, Leg, Problem
from rfcsim.scenario.compile import compile_process, piece_starts
from rfcsim.scenario.scenario import Scenario

_POLICIES = {"any": grant.ANY, "fifo": grant.FIFO}


def policy_code(policy: str) -> int:
    """The checker's grant.* for "any" or "fifo"; RfcsimError for anything else."""
    if policy not in _POLICIES:
        raise RfcsimError(f"policy = {policy!r}: must be one of {', '.join(_POLICIES)}")
    return _POLICIES[policy]


def problem_of(scenario: Scenario, mistake: str = "none") -> Problem:
    """A scenario in the form that the checker takes; `mistake` is one of mutant.NAMES."""
    if mistake not in mutant.NAMES:
        raise RfcsimError(f"mutant = {mistake!r}: must be one of {', '.join(mutant.NAMES)}")
    try:  # before any array of that size is made
        refuse_large(scenario.placements()[-1].end, sum(group.count for group in scenario.tasks))
    except CheckerError as error:
        raise RfcsimError(f"{scenario.name}: {error}") from None
    state, programs, threads = compile_process(scenario)
    state.mm[mm.MUTANT] = mutant.NAMES.index(mistake)
    state.mm[mm.LOCK_POLICY] = 0  # the checker has policies of its own
    if mistake == "downgrades":
        state.mm[mm.DESIGN] = design.DOWNGRADE
    calls = [_pieces(op) for op in programs]
    ops_before = np.cumsum([0, *map(len, calls)])
    last_ops = threads[:, thread.FIRST_OP] + threads[:, thread.OPS]
    return Problem(
        state=state,
        calls=np.concatenate(calls),
        first_op=ops_before[np.concatenate([[0], last_ops])],
    )


def _pieces(op: np.ndarray) -> np.ndarray:
    """The calls that a row of a program stands for, int64[calls, operation.SIZE]."""
    if op[operation.PIECE_PAGES] == 0:
        return op[None, :]
    starts = piece_starts(op)
    calls = np.repeat(op[None, :], len(starts), axis=0)
    calls[:, operation.START] = starts
    calls[:, operation.PAGES] = np.minimum(
        op[operation.PIECE_PAGES], op[operation.START] + op[operation.PAGES] - starts
    )
    return calls


def schedule_text(legs: list[Leg]) -> str:
    """A schedule as `replay` reads it: "A5 B12 A3"."""
    return " ".join(f"{chr(ord('A') + leg.task)}{leg.steps}" for leg in legs)

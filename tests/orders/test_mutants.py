"""Positive controls: each deliberate mistake in the patch is found, by the claim named here."""

import pytest

from rfcsim import RfcsimError, check, check_scenario, mutant_scoreboard, replay
from rfcsim.model.layout import mutant
from rfcsim.orders.problem import problem_of
from rfcsim.orders.schedule import parse_schedule
from rfcsim.race.search import replay as replay_legs

# The shortest schedules, so that a change of the model that alters them is noticed.
EXPECTED = {
    "no-recheck": ("mlock-map-anew", "mlocked-where-locked", "A8 B22 A3"),
    "check-before-lock": ("mlock-map-anew", "mlocked-where-locked", "A8 B22 A2"),
    "first-pass-shared": ("mlock-limit", "serialisable", "A5 B5 A9 B9"),
    "no-clip": ("mlock-munlock-part", "mlocked-where-locked", "A8 B9 A4"),
    "marks-stay": ("mlock-munlock", "mlocked-where-locked", "A14 B7"),
    "munlock-shared": ("mlock-munlock", "mlocked-where-locked", "A11 B5"),
    "uncharged": ("mlock-inaccessible", "charged-as-locked", "A8"),
    "skips-a-page": ("mlock-map-anew", "serialisable", "B17 A19"),
    "ignores-error": ("mlock-inaccessible", "complete", "A16 B6"),
    "keeps-lock": ("mlock-map-anew", "progress", "A8 B16 A3 B2"),
    "downgrades": ("mlock-munlock-part", "serialisable", "A13 B9 A3"),
}


def test_every_mutant_is_dead() -> None:
    board = mutant_scoreboard()
    assert board["mutant"].to_list() == list(mutant.NAMES[1:])
    found = {row[0]: row[1:] for row in board.rows()}
    assert found == EXPECTED


@pytest.mark.parametrize("mutant", EXPECTED)
def test_the_schedule_replays_and_the_sound_patch_keeps_the_claim(mutant: str) -> None:
    name, claim, schedule = EXPECTED[mutant]
    scenario = check_scenario(name)
    legs = parse_schedule(schedule)
    *_, last = replay_legs(problem_of(scenario, mutant), legs)
    assert last.state.mm.size
    assert len(replay(scenario, schedule, mutant=mutant)) == sum(leg.steps for leg in legs)
    assert check(scenario).holds(claim)


def test_a_count_may_fall_below_zero() -> None:
    """munlock takes back a charge for four pages that the mutant never made."""
    checked = check(check_scenario("mlock-munlock"), mutant="uncharged")
    assert {end.locked_vm for end in checked.outcomes} == {0, -4}


def test_an_unknown_mutant_is_one_line() -> None:
    with pytest.raises(RfcsimError, match=r"^mutant = 'x': must be one of none, no-recheck"):
        check(check_scenario("mlock-munlock"), mutant="x")

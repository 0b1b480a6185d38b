"""The table of verdicts by design, against the verdicts of the analysis."""

import pytest

from rfcsim import CLAIMS, RfcsimError, check_scenario, check_scenarios, verdicts
from tests.race.test_check import BY_DESIGN, UNFLAGGED, VIOLATED

EXPECTED = {
    "batched": VIOLATED,
    "exclusive": {"mlock-remap-file-pages": UNFLAGGED},
    **BY_DESIGN,
}
WORDS = {
    frozenset(): "",
    frozenset({"as-if-sequential-strict"}): "strict",
    frozenset({"as-if-sequential", "as-if-sequential-strict"}): "as-if",
}


@pytest.mark.parametrize("design", EXPECTED)
def test_the_table_has_the_verdicts_of_the_analysis(design: str) -> None:
    table = verdicts([design])
    assert table["scenario"].to_list() == list(check_scenarios())
    for row in table.iter_rows(named=True):
        violated = frozenset(EXPECTED[design].get(row["scenario"], set()))
        assert {claim for claim in CLAIMS if row[claim] == "violated"} == violated
        assert {row[claim] for claim in CLAIMS} <= {"holds", "violated"}
        first = next(claim for claim in (*CLAIMS, "") if claim in violated or not claim)
        assert row["breaks"] == WORDS.get(violated, first)
        assert row["states"] > 0


def test_scenarios_outermost_and_every_design_without_asking() -> None:
    own = check_scenario("mlock-munlock").replace(name="own")
    table = verdicts(scenarios=["mlock-mremap", own], policy="fifo")
    assert table["scenario"].unique(maintain_order=True).to_list() == ["mlock-mremap", "own"]
    assert set(table.head(len(EXPECTED))["design"]) == set(EXPECTED)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"designs": ["bathced"]}, 'designs: "bathced": there is none; did you mean batched?'),
        ({"designs": "batched"}, 'designs = "batched": must be several, in a list'),
        ({"scenarios": []}, "scenarios is empty: must be one or more"),
        ({"policy": "lifo"}, "policy = 'lifo': must be one of any, fifo"),
    ],
)
def test_bad_arguments_are_one_line(arguments: dict, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        verdicts(**arguments)
    assert str(caught.value) == message

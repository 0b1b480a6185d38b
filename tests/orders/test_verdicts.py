"""The table of verdicts by design, against the verdicts of the analysis."""

import pytest

from rfcsim import CLAIMS, RfcsimError, check, check_scenario, check_scenarios, verdicts
from rfcsim.model.layout import design
from rfcsim.scenario.ways import PROGRAMS, in_pieces
from tests.orders.test_check import BY_DESIGN, MERGED, STRICT, UNFLAGGED, VIOLATED

EXPECTED = {
    "batched": VIOLATED,
    "exclusive": {"mlock-remap-file-pages": UNFLAGGED},
    **BY_DESIGN,
    "mlock pieces": MERGED,
    # A program that populates by itself learns of every page that is not there: each of its calls
    # is simple enough to be whole. But what takes pages away no longer brings them back.
    "populate pieces": {"mlock-remap-file-pages": {"as-if-sequential", STRICT}},
}
WORDS = {
    frozenset(): "",
    frozenset({"as-if-sequential-strict"}): "strict",
    frozenset({"as-if-sequential", "as-if-sequential-strict"}): "as-if",
}


@pytest.mark.parametrize("way", EXPECTED)
def test_the_table_has_the_verdicts_of_the_analysis(way: str) -> None:
    table = verdicts([way])
    assert table["scenario"].to_list() == list(check_scenarios())
    for row in table.iter_rows(named=True):
        violated = frozenset(EXPECTED[way].get(row["scenario"], set()))
        assert {claim for claim in CLAIMS if row[claim] == "violated"} == violated
        assert {row[claim] for claim in CLAIMS} <= {"holds", "violated"}
        first = next(claim for claim in (*CLAIMS, "") if claim in violated or not claim)
        assert row["breaks"] == WORDS.get(violated, first)
        assert row["states"] > 0


def test_every_design_and_program_has_its_verdicts() -> None:
    assert {*EXPECTED} == {*design.BY_NAME, *PROGRAMS}, "say in EXPECTED what the checker finds"


def test_scenarios_outermost_and_every_design_without_asking() -> None:
    own = check_scenario("mlock-munlock").replace(name="own")
    table = verdicts(scenarios=["mlock-mremap", own], policy="fifo")
    assert table["scenario"].unique(maintain_order=True).to_list() == ["mlock-mremap", "own"]
    assert set(table.head(len(EXPECTED))["design"]) == set(EXPECTED)


def test_a_program_in_pieces_makes_a_call_for_each() -> None:
    """A batch is two pages, the region four; each piece returns, and may fail, by itself."""
    case = check_scenario("mlock-munmap-part")
    rows = verdicts(["vma-lock", "mlock pieces", "populate pieces"], [case])
    assert rows["states"].n_unique() == 3
    whole = {end.results for end in check(case.replace(design="vma-lock")).outcomes}
    assert {len(results) for results in whole} == {2}
    locker = case.tasks[0]
    for program, calls in (("mlock pieces", 2 + 1), ("populate pieces", 1 + 2 + 1)):
        changed = in_pieces(locker, program, case.batch_pages)
        ends = check(case.replace(design="vma-lock", **changed)).outcomes
        assert {len(end.results) for end in ends} == {calls}


def test_mlock_on_fault_promises_no_page() -> None:
    case = check_scenario("mlock-inaccessible")
    on_fault = case.tasks[0].calls[0].model_dump() | {"on_fault": True}
    checked = check(case.replace(design="vma-lock", **{"tasks.locker.calls": [on_fault]}))
    assert checked.holds("complete")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"designs": ["bathced"]}, 'designs: "bathced": there is none; did you mean batched?'),
        ({"designs": "batched"}, 'designs = "batched": must be a list'),
        ({"scenarios": []}, "scenarios is empty: must be one or more"),
        ({"policy": "lifo"}, "policy = 'lifo': must be one of any, fifo"),
    ],
)
def test_bad_arguments_are_one_line(arguments: dict, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        verdicts(**arguments)
    assert str(caught.value) == message

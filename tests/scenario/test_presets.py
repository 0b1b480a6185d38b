"""The presets are complete and run, and their figures are compared with published ones."""

import polars as pl
import pytest

from rfcsim.errors import ScenarioError
from rfcsim.runs.simulate import simulate
from rfcsim.scenario.presets import cost_tables, preset, presets
from rfcsim.studies.published import published_comparison

NAMES = sorted(presets())
AFTERWARDS = ["fault-retry-after", "map-20gb-after", "map-page-cache-20gb-after"]
RECORDED = ["pieces-other-cpu", "pieces-same-cpu", "pieces-pause", "mlock-pieces-other-cpu"]
INCIDENTS = ["ps-20gb", "page-cache-20gb", "fault-retry-before", "mcl-future-2013"]
BACKINGS = ["anon-1gb", "page-cache-1gb", "cold-file-1gb"]
MATRIX = ["matrix-256mb"]


def test_the_presets_are_these() -> None:
    assert sorted(INCIDENTS + AFTERWARDS + RECORDED + BACKINGS + MATRIX) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_says_what_it_is_and_runs(name: str) -> None:
    scenario = preset(name)
    assert scenario.name == name
    line, empty, *_ = scenario.description.split("\n")
    assert presets()[name] == line
    assert line.endswith(".")
    assert not empty
    assert scenario.costs in cost_tables()
    for design in ("exclusive", "batched"):
        result = simulate(scenario.replace(design=design))
        assert result.calls["failed"].sum() == 0
        assert result.waits["waited"].sum() >= (design == "exclusive")


def test_incidents_have_published_figures_with_sources() -> None:
    for name in INCIDENTS + AFTERWARDS + RECORDED:
        assert preset(name).published
        assert all(len(figure.source) > 20 for figure in preset(name).published)
    for name in BACKINGS + MATRIX:
        assert not preset(name).published


def test_the_three_backings_differ_in_what_is_locked_alone() -> None:
    first = preset(BACKINGS[0])
    for name in BACKINGS[1:]:
        other = preset(name)
        assert other.tasks == first.tasks
        assert other.regions[1:] == first.regions[1:]
        assert other.regions[0].pages == first.regions[0].pages == 2**18
        assert (other.cpus, other.end_ns) == (first.cpus, first.end_ns)


def test_published_and_simulated_side_by_side() -> None:
    frame = published_comparison(INCIDENTS)
    assert frame["scenario"].unique(maintain_order=True).to_list() == INCIDENTS
    ratios = dict(frame.select(pl.format("{}: {}", "scenario", "quantity"), "ratio").iter_rows())
    # The costs are not tuned to these bounds: they say how well the model does.
    assert ratios["ps-20gb: longest call of ps"] == pytest.approx(1, abs=0.02)
    assert ratios["page-cache-20gb: longest call of ps"] == 1
    assert ratios["fault-retry-before: calls per second of reader"] == pytest.approx(1, abs=0.02)
    # Each of the loop's two calls waits for a fault, so a round takes two faults.
    assert ratios["fault-retry-before: calls per second of mapper"] == pytest.approx(1, abs=0.02)
    assert ratios["fault-retry-before: rounds per second of mapper"] == pytest.approx(0.5, abs=0.01)
    # The size of the mapping is chosen so that it is 1: the report names no size.
    assert ratios["mcl-future-2013: longest call of trader"] == 1


@pytest.mark.parametrize(("mib", "inside"), [(16, False), (18, True), (48, True), (52, False)])
def test_what_size_of_mapping_stalls_the_trader_for_2_to_6_ms(mib: int, inside: bool) -> None:
    """As the preset says, and by the call that it is about: an munmap() that clears marks."""
    scenario = preset("mcl-future-2013").replace(**{"regions.file.pages": mib * 256})
    result = simulate(scenario)
    stall_ns = result.longest_wait("trader")
    assert (2_000_000 <= stall_ns <= 6_000_000) == inside
    holds = {row["mode"]: row["max_ns"] for row in result.holds.iter_rows(named=True)}
    assert stall_ns < holds["exclusive"] + 100_000


def test_after_2_6_38_minutes_are_gone_and_the_page_cache_still_takes_seconds() -> None:
    frame = published_comparison(AFTERWARDS)
    found = {row["scenario"]: row for row in frame.iter_rows(named=True)}
    # "Minutes to milliseconds": less than that if nothing but the lock is in the way.
    assert found["map-20gb-after"]["simulated"] < 0.001
    assert found["map-page-cache-20gb-after"]["ratio"] == 1
    # Only the two calls of the loop are known; they take 4 us of the 66 us of an iteration.
    assert found["fault-retry-after"]["simulated"] > 15_000


def test_what_was_recorded_on_6_18_is_predicted_from_other_measurements() -> None:
    frame = published_comparison(RECORDED)
    ratios = dict(zip(frame["scenario"], frame["ratio"], strict=True))
    assert ratios["pieces-other-cpu"] == pytest.approx(1, abs=0.1)
    assert ratios["pieces-same-cpu"] == pytest.approx(1, abs=0.1)
    assert ratios["mlock-pieces-other-cpu"] == pytest.approx(1, abs=0.1)
    assert ratios["pieces-pause"] == pytest.approx(1.45, abs=0.1), "the worst of the four"


def test_a_range_is_compared_with_its_nearer_end() -> None:
    scenario = preset("page-cache-20gb")
    figure = scenario.published[0].model_copy(update={"value": 5.0, "value_to": 6.0})
    row = published_comparison(simulate(scenario.replace(published=(figure,)))).row(0, named=True)
    assert row["ratio"] == pytest.approx(row["simulated"] / 5.0)
    assert (row["published"], row["published_to"]) == (5.0, 6.0)


def test_a_scenario_without_published_figures_has_no_rows() -> None:
    assert published_comparison("anon-1gb").is_empty()


def test_an_unknown_preset_is_one_line() -> None:
    with pytest.raises(ScenarioError) as caught:
        preset("ps-20g")
    assert str(caught.value) == 'preset "ps-20g": there is none; did you mean ps-20gb?'

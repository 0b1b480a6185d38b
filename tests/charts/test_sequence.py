"""The sequence chart: lanes, holds and rows of a schedule."""

import polars as pl
import pytest
import vl_convert as vlc

from rfcsim import RfcsimError
from rfcsim.charts import sequence
from tests.charts.examples import SCHEDULE


def data(layer: int) -> list[dict]:
    spec = sequence(SCHEDULE).to_dict()
    return spec["datasets"][spec["layer"][layer]["data"]["name"]]


def test_a_hold_reaches_from_its_taking_to_its_release_or_to_the_end() -> None:
    shared, exclusive = data(0)
    assert (shared["kind"], shared["y"], shared["y2"]) == ("holds it shared", -0.5, 3.5)
    assert (exclusive["kind"], exclusive["y"], exclusive["y2"]) == (
        "holds it exclusively",
        3.5,
        4.5,
    )
    assert shared["x"] < exclusive["x"], "each task has a lane of its own"


def test_a_downgrade_ends_one_hold_and_begins_another() -> None:
    lane = ("other 0", "remap_file_pages")
    did = ("takes mmap_sem exclusive", "changes VMAs", "downgrades mmap_sem", "changes pages")
    rows = [(*lane, what, "[0, 2)", str(n)) for n, what in enumerate(did)]
    chart = sequence(pl.DataFrame(rows, SCHEDULE.schema, orient="row")).to_dict()
    bars = chart["datasets"][chart["layer"][0]["data"]["name"]]
    assert [(bar["kind"], bar["y"], bar["y2"]) for bar in bars] == [
        ("holds it exclusively", -0.5, 1.5),
        ("holds it shared", 1.5, 3.5),
    ]


def test_steps_that_nobody_sees_are_left_out_and_equal_ones_joined() -> None:
    texts = [row["text"] for row in data(1) if not row["head"]]
    assert texts.count("changes pages") == 1 and "" not in texts
    assert "[0, 2)  mm" in texts and "[0, 2)  m." not in texts


def test_it_compiles_for_jupyterlab_and_says_itself_in_words() -> None:
    chart = sequence(SCHEDULE)
    vlc.vegalite_to_vega(chart.to_dict(), vl_version="5.8")
    assert "other 0 takes mmap_sem exclusive" in str(chart.to_dict()["description"])


def test_nothing_to_draw_is_one_line() -> None:
    with pytest.raises(RfcsimError, match=r"^sequence: 0 rows to draw: must be 1 to 60$"):
        sequence(SCHEDULE.clear())

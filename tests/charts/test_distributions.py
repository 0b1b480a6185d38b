"""Survival functions and hold times: the numbers that their marks stand for."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.charts import holds, survival, theme
from rfcsim.charts.distributions import MOST_LINES, MOST_ROWS
from rfcsim.data import data_path
from rfcsim.errors import RfcsimError
from rfcsim.live import read_trace
from tests.charts.examples import histogram, intervals, random_histogram, rows


def legend(chart) -> list[str]:
    expression = chart.to_dict()["layer"][0]["encoding"]["color"]["legend"]["labelExpr"]
    return re.findall(r'"(.*?)"', expression)


def survivors(values: np.ndarray, time_ns: float) -> float:
    return float((values > time_ns).mean())


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300), st.integers(0, 10**6))
def test_the_line_is_the_survival_function_within_a_bucket(values: list[int], zeros: int) -> None:
    """At the upper end of each drawn step the share is exact, to four digits."""
    waits = np.array(values + [0] * (zeros % 100))
    if not waits.any():
        return
    points = rows(survival(histogram(waits)))
    assert [point["order"] for point in points] == list(range(len(points)))
    times = np.array([point["time_ns"] for point in points])
    shares = np.array([point["share"] for point in points])
    assert (np.diff(times) >= 0).all()
    assert (np.diff(shares) <= 0).all()
    assert shares[0] == pytest.approx(survivors(waits, 0), rel=1e-3)
    assert shares[-1] > 0
    for time, share, following in zip(times[:-1], shares[:-1], shares[1:], strict=True):
        below, above = survivors(waits, time), survivors(waits, time - 1)
        assert below * 0.999 <= share <= above * 1.001 or share == following
    assert times[-1] == pytest.approx(waits.max(), rel=1 / 32, abs=1)


def test_exact_lengths_make_an_exact_line() -> None:
    frame = intervals(
        *(("a", "waiting", "shared", 0, length) for length in (100, 100, 300, 5000)),
    )
    points = [(point["time_ns"], point["share"]) for point in rows(survival(frame))]
    assert points == [(100, 1), (100, 0.5), (300, 0.5), (300, 0.25), (5000, 0.25)]


def test_waits_of_zero_are_counted_and_said() -> None:
    chart = survival(histogram([0, 0, 0, 40_000]))
    assert legend(chart) == ["victim: 4 shared waits, 75 % zero"]
    assert rows(chart)[0]["share"] == 0.25
    assert rows(chart)[0]["time_ns"] == 10_000  # at the left edge, where P(wait > t) is the same


def test_requests_of_a_trace_that_were_granted_at_once_are_waits_of_zero() -> None:
    trace = read_trace(data_path("traces", "pieces-256-same-cpu"))
    victim = trace.filter(pl.col("class") == "victim")
    (exclusive, shared) = sorted(legend(survival(victim)))
    # 35 of its requests found the lock free.
    assert exclusive == "victim: 103 exclusive waits, 34 % zero"
    asked = victim.filter(event="start_locking", mode="shared")
    assert shared.startswith(f"victim: {len(asked)} shared waits")


def test_a_class_that_never_waited_has_its_place_in_the_legend() -> None:
    frame = pl.concat([histogram([0, 0], name="locker"), histogram([10, 50])])
    chart = survival(frame)
    assert legend(chart) == ["locker: 2 shared waits, 100 % zero", "victim: 2 shared waits"]
    assert {point["line"] for point in rows(chart)} == {1}


def test_runs_are_told_apart_by_name() -> None:
    runs = [
        histogram([10, 99]).with_columns(run=pl.lit(run)) for run in ("exclusive", "batched 256")
    ]
    assert legend(survival(pl.concat(runs))) == [
        "exclusive: 2 shared waits",
        "batched 256: 2 shared waits",
    ]


def test_lines_and_their_end_marks_have_the_same_colours_in_order() -> None:
    spec = survival(random_histogram()).to_dict()
    lines, ends = (layer["encoding"] for layer in spec["layer"])
    colours = [colour for colour, _, _ in theme.SERIES[:2]]
    assert lines["color"]["scale"]["range"] == ends["fill"]["scale"]["range"] == colours
    assert lines["strokeDash"]["scale"]["domain"] == [0, 1]
    assert ends["shape"]["scale"]["domain"] == ["0", "1"]


def test_both_axes_are_logarithmic_over_whole_decades() -> None:
    spec = survival(histogram([0] * 999 + [2_000_000])).to_dict()
    encoding = spec["layer"][0]["encoding"]
    assert encoding["x"]["scale"] == {"domain": [1e6, 1e7], "nice": False, "type": "log"}
    assert encoding["y"]["scale"] == {"domain": [1e-3, 1], "nice": False, "type": "log"}


def test_the_specification_stays_small() -> None:
    """A line is a few hundred points, however many buckets and entries there are."""
    draw = np.random.default_rng(2)
    waits = (10 ** draw.uniform(0, 12, 200_000)).astype(int)
    assert len(histogram(waits)) > 1000
    assert len(rows(survival(histogram(waits)))) < 400


def test_a_histogram_of_holds_has_a_bar_for_each_step_and_the_tallest_is_the_most_common() -> None:
    frame = histogram([1_100] * 10 + [50_000] * 30 + [0] * 5, "hold_exclusive", "locker")
    chart = holds(frame)
    bars = rows(chart)
    assert [(bar["start_ns"], bar["mode"]) for bar in bars] == [
        (1_000, "exclusive"),
        (39_810, "exclusive"),
    ]
    heights = [bar["foot"] - bar["top"] for bar in bars]
    assert heights[0] == pytest.approx(heights[1] / 3, abs=0.002)
    assert bars[1]["start_ns"] <= 50_000 <= bars[1]["end_ns"]
    (text,) = rows(chart, layer=1)
    assert text["summary"].startswith("45 exclusive holds, 11 % zero; median ")
    assert text["median_ns"] == pytest.approx(50_000, rel=1 / 32)


def test_exact_holds_have_exact_numbers() -> None:
    frame = intervals(*(("a", "holding", "shared", 0, length) for length in (3, 5, 700_000)))
    (text,) = rows(holds(frame), layer=1)
    assert text["summary"] == "3 shared holds; median 5 ns, longest 700 us"
    assert holds(frame).to_dict()["description"] == f"a: {text['summary']}."


def test_a_description_can_be_given() -> None:
    frame = random_histogram()
    assert survival(frame, description="mine").to_dict()["description"] == "mine"
    assert holds(frame, description="mine").to_dict()["description"] == "mine"
    assert "the longest at most" in survival(frame).to_dict()["description"]


@pytest.mark.parametrize("chart", [survival, holds])
def test_bad_input_is_one_line(chart) -> None:
    with pytest.raises(RfcsimError, match=r"^records: no 'wait', allowed are wait_shared, "):
        chart(random_histogram(), records=["wait"])
    with pytest.raises(RfcsimError, match=r"nothing of call lasted longer than zero$"):
        chart(random_histogram(), records=["call"])
    with pytest.raises(RfcsimError, match=r"nothing of wait_shared lasted longer than zero$"):
        chart(histogram([0, 0]), records=["wait_shared"])
    most = MOST_LINES if chart is survival else MOST_ROWS
    many = pl.concat(histogram([5], name=f"class {i}") for i in range(most + 1))
    with pytest.raises(RfcsimError, match=rf"{most + 1} classes .* at most {most} are drawn$"):
        chart(many, records=["wait_shared"])

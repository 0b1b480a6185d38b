"""Who held the lock and who waited: what is drawn, and what is said to be left out."""

import polars as pl
import pytest

from rfcsim.charts import theme, timeline
from rfcsim.charts.rows import MOST_BARS, MOST_TASKS
from rfcsim.errors import RfcsimError
from rfcsim.trace.frame import lock_intervals
from tests.charts.examples import TRACE, Interval, intervals, rows

HAND_OVER = intervals(
    ("locker 0", "holding", "exclusive", 0, 60),
    ("victim 0", "waiting", "shared", 10, 60),
    ("victim 0", "holding", "shared", 60, 100),
)


def kinds(chart) -> list[tuple[str, float, float]]:
    return sorted((row["kind"], row["start"], row["end"]) for row in rows(chart))


def subtitle(chart) -> str:
    title = chart.to_dict()["title"]
    return " ".join(title["subtitle"]) if isinstance(title, dict) else ""


def test_each_interval_is_a_bar_of_its_kind() -> None:
    chart = timeline(HAND_OVER)
    assert kinds(chart) == [
        (theme.EXCLUSIVE, 0, 60),
        (theme.SHARED, 60, 100),
        (theme.WAITING, 10, 60),
    ]
    assert subtitle(chart) == ""
    assert chart.to_dict()["layer"][0]["encoding"]["x"]["title"] == "time (ns)"


def test_the_bars_of_a_task_are_in_its_row_and_waiting_is_thin() -> None:
    bars = {
        (row["kind"], int(row["top"])): row["bottom"] - row["top"]
        for row in rows(timeline(HAND_OVER))
    }
    assert set(bars) == {(theme.EXCLUSIVE, 0), (theme.WAITING, 1), (theme.SHARED, 1)}
    assert bars[theme.WAITING, 1] < bars[theme.SHARED, 1] / 2
    names = [row["task"] for row in rows(timeline(HAND_OVER), layer=1)]
    assert names == ["locker 0", "victim 0"]


def test_events_and_their_intervals_draw_the_same() -> None:
    assert timeline(TRACE).to_dict() == timeline(lock_intervals(TRACE)).to_dict()


def test_the_row_of_the_longest_holder_comes_first_in_any_window() -> None:
    for chart in (timeline(TRACE), timeline(TRACE, from_ns=10_000_000, to_ns=13_000_000)):
        texts = rows(chart, layer=1)
        assert [row["task"].split("-")[0] for row in texts] == ["probe3", "victim"]


def test_rows_go_by_time_held_and_not_by_name_or_time() -> None:
    chart = timeline(
        intervals(
            ("a 0", "waiting", "shared", 0, 90),
            ("m 0", "holding", "shared", 1, 2),
            ("z 0", "holding", "shared", 5, 90),
        )
    )
    assert [row["task"] for row in rows(chart, layer=1)] == ["z 0", "m 0", "a 0"]


def test_what_is_said_of_a_task_is_the_whole_of_its_intervals() -> None:
    """The window cuts bars, not the numbers: a wait is as long as it was."""
    (_, victim) = rows(timeline(TRACE, from_ns=10_000_000, to_ns=13_000_000), layer=1)
    lengths = lock_intervals(TRACE).filter(
        pl.col("class") == "victim",
        pl.col("state") == "waiting",
        pl.col("start_ns") < 13_000_000,
        pl.col("end_ns") > 10_000_000,
    )
    longest_ms = (lengths["end_ns"] - lengths["start_ns"]).to_numpy().max() / 1e6
    assert victim["summary"] == f"held 1x, up to 24.0 us; waited 2x, up to {longest_ms:.3g} ms"


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"from_ns": 20, "to_ns": 80}, [(theme.EXCLUSIVE, 20, 60), (theme.SHARED, 60, 80)]),
        ({"from_ns": 60}, [(theme.SHARED, 60, 100)]),
        ({"to_ns": 10}, [(theme.EXCLUSIVE, 0, 10)]),
    ],
)
def test_a_window_cuts_at_its_edges(window: dict, expected: list) -> None:
    drawn = [row for row in kinds(timeline(HAND_OVER, **window)) if row[0] != theme.WAITING]
    assert drawn == expected


@pytest.mark.parametrize(
    ("span_ns", "unit"), [(900, "ns"), (1_000, "us"), (10**6, "ms"), (2 * 10**9, "s")]
)
def test_the_axis_has_the_unit_of_its_length(span_ns: int, unit: str) -> None:
    chart = timeline(intervals(("a", "holding", "shared", 0, span_ns)))
    x = chart.to_dict()["layer"][0]["encoding"]["x"]
    assert x["title"] == f"time ({unit})"
    assert 1 <= x["scale"]["domain"][1] < 1000


def test_bars_less_than_a_pixel_apart_are_one_as_high_as_the_time_they_fill() -> None:
    """Holds of a tenth of a pixel, one every half pixel: a fifth of the time."""
    pixel_ns, width = 1000, 500
    many: list[Interval] = [
        ("a", "holding", "shared", at, at + pixel_ns // 10)
        for at in range(0, width * pixel_ns, pixel_ns // 2)
    ]
    chart = timeline(intervals(*many), width=width, from_ns=0, to_ns=width * pixel_ns)
    (bar,) = rows(chart)
    assert (bar["start"], round(bar["end"])) == (0, 500)
    assert bar["bottom"] - bar["top"] == pytest.approx(0.2 * 0.5, abs=0.02)
    assert "1,000x, up to 100 ns" in bar["what"]
    assert subtitle(chart) == (
        "Bars less than 1.00 us apart are drawn as one,"
        " as high as the share of the time that they fill"
    )


def test_a_pixel_apart_bars_stay_two() -> None:
    two = intervals(("a", "holding", "shared", 0, 1_000), ("a", "holding", "shared", 2_000, 5_000))
    assert len(rows(timeline(two, width=5))) == 2
    assert len(rows(timeline(two, width=4))) == 1


def test_the_shortest_hold_is_a_pixel_wide() -> None:
    chart = timeline(
        intervals(
            ("a", "holding", "shared", 0, 64_000), ("b", "holding", "exclusive", 32_000, 32_000)
        )
    )
    assert (theme.EXCLUSIVE, 32.0, 32.1) in kinds(chart)


def test_too_many_tasks_are_cut_to_the_longest_and_it_says_so() -> None:
    tasks = MOST_TASKS + 7
    some = [(f"t {i}", "waiting", "shared", 0, 1_000 + i) for i in range(tasks)]
    chart = timeline(intervals(*some))
    names = {row["task"] for row in rows(chart, layer=1)}
    assert names == {f"t {i}" for i in range(7, tasks)}
    assert f"{MOST_TASKS} of {tasks} tasks: those that waited and held longest" in subtitle(chart)
    assert f"{tasks} tasks" in chart.to_dict()["description"]


def test_too_many_bars_are_cut_to_the_longest_and_it_says_so() -> None:
    bars = MOST_BARS + 100
    some = [("a", "holding", "shared", 2_000 * i, 2_000 * i + i + 1) for i in range(bars)]
    chart = timeline(intervals(*some), width=2 * bars)
    drawn = rows(chart)
    assert len(drawn) == MOST_BARS
    assert min(row["start"] for row in drawn) == pytest.approx(0.2, abs=0.01)
    assert f"{MOST_BARS} of {bars} bars: those of 101 ns and longer" in subtitle(chart)


def test_the_description_says_who_held_and_who_waited_longest() -> None:
    assert timeline(HAND_OVER).to_dict()["description"] == (
        "Timeline of the lock over 100 ns, 2 tasks. locker 0 held it longest, 60 ns (exclusive)."
        " victim 0 waited for it longest, 50 ns (shared)."
    )
    alone = timeline(intervals(("a", "holding", "shared", 0, 5)))
    assert alone.to_dict()["description"].endswith("5 ns (shared). Nobody waited.")
    assert timeline(HAND_OVER, description="mine").to_dict()["description"] == "mine"


def test_texts_never_meet() -> None:
    for width in (150, 250, 400, 900):
        for row in rows(timeline(TRACE, width=width), layer=1):
            assert 8 * len(row["task"]) + 6 * len(row["summary"]) < width + 20


def test_nothing_to_draw_and_two_locks_are_one_line() -> None:
    with pytest.raises(
        RfcsimError, match=r"^timeline: nobody held .* \(from_ns=200, to_ns=None\)$"
    ):
        timeline(HAND_OVER, from_ns=200)
    with pytest.raises(RfcsimError, match=r"^timeline: nobody held"):
        timeline(HAND_OVER.clear())
    other = HAND_OVER.with_columns(lock=pl.lit("other"))
    with pytest.raises(RfcsimError, match=r"^timeline: expected one lock, got mm, other$"):
        timeline(pl.concat([HAND_OVER, other]))

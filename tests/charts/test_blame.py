"""What waits are due to: which bars are drawn, and what is said of them."""

import polars as pl
import pytest

from rfcsim.charts import blame, blame_summary, theme
from rfcsim.charts.blame import KINDS
from rfcsim.charts.blame_summary import MOST_CAUSES, MOST_CLASSES
from rfcsim.charts.rows import MOST_BARS
from rfcsim.errors import RfcsimError
from rfcsim.trace import blame as trace_blame
from tests.charts.examples import TRACE, rows
from tests.trace.frames import frame

CONVOY = frame("""
    0   reader0  call_begin     mlock
    0   reader0  start_locking  shared
    0   reader0  granted
    0   reader0  acquire_returned
    20  writer0  call_begin     munmap
    20  writer0  start_locking  exclusive
    40  second0  start_locking  shared
    100 reader0  released
    100 writer0  granted
    110 writer0  acquire_returned
    160 writer0  released
    160 second0  granted
    170 second0  acquire_returned
    200 second0  released
""")
WAITS = set(KINDS.values())


def bars(chart) -> list[tuple[str, float, float]]:
    return sorted((row["kind"], row["start"], row["end"]) for row in rows(chart))


def said(chart) -> dict[str, str]:
    return {row["task"]: row["summary"] for row in rows(chart, layer=2)}


def test_every_part_has_its_look() -> None:
    assert set(KINDS) == set(trace_blame.PARTS)
    assert WAITS | {theme.EXCLUSIVE, theme.SHARED} == set(theme.BLAME_BARS)


def test_each_part_and_each_hold_is_a_bar_of_its_kind() -> None:
    assert bars(blame(CONVOY)) == sorted(
        [
            (theme.SHARED, 0, 100),
            (theme.HELD, 20, 100),
            (theme.WAKING, 100, 110),
            (theme.EXCLUSIVE, 110, 160),  # from where the acquisition returns
            (theme.CONVOY, 40, 100),
            (theme.AHEAD, 100, 110),
            (theme.HELD, 110, 160),
            (theme.WAKING, 160, 170),
            (theme.SHARED, 170, 200),
        ]
    )


def test_a_bar_says_whom_it_is_due_to() -> None:
    whats = {(row["kind"], row["start"]): row["what"] for row in rows(blame(CONVOY))}
    assert whats[theme.CONVOY, 40] == "convoy behind writer0 (munmap): 60 ns, of a wait of 130 ns"
    assert whats[theme.HELD, 20] == "held by reader0 (mlock): 80 ns, of a wait of 90 ns"
    assert whats[theme.WAKING, 160] == "waking up: 10 ns, of a wait of 130 ns"
    assert whats[theme.SHARED, 0] == "holds it shared: 100 ns"


def test_a_row_says_what_most_of_its_waits_are_due_to() -> None:
    assert said(blame(CONVOY)) == {
        "reader0": "held 1x, up to 100 ns",
        "writer0": "waited 1x, up to 90 ns; 89 % held by r (mlock)",
        "second0": "waited 1x, up to 130 ns; 46 % convoy behind w (munmap)",
    }
    assert said(blame(CONVOY, width=300))["second0"] == "46 % convoy behind w (munmap)"


def test_waits_are_drawn_over_holds_and_thinner() -> None:
    drawn = rows(blame(CONVOY))
    order = [row["kind"] in WAITS for row in drawn]
    assert order == sorted(order)
    thickness = {row["kind"]: row["pixels"] for row in drawn}
    assert thickness == {
        kind: pixels for kind, (_, _, pixels) in theme.BLAME_BARS.items() if kind != theme.STOLEN
    }


def test_what_a_window_cuts_keeps_its_length_in_words() -> None:
    chart = blame(CONVOY, from_ns=50, to_ns=90)
    assert bars(chart) == sorted(
        [(theme.SHARED, 50, 90), (theme.HELD, 50, 90), (theme.CONVOY, 50, 90)]
    )
    assert said(chart)["writer0"] == "waited 1x, up to 90 ns; 100 % held by r (mlock)"


def stolen_again_and_again(pieces: int, piece_ns: int) -> pl.DataFrame:
    """A writer that waits for a number of pieces, with the lock free for 1 ns between two."""
    text = "0 l0 start_locking shared\n0 l0 acquire_returned\n1 w0 start_locking exclusive\n"
    for piece in range(1, pieces):
        at = piece * piece_ns
        text += f"{at} l0 released\n{at + 1} l0 start_locking\n{at + 1} l0 acquire_returned\n"
    return frame(text + f"{pieces * piece_ns} l0 released")


def test_short_parts_are_joined_and_long_ones_are_not() -> None:
    events = stolen_again_and_again(pieces=10, piece_ns=100)
    fine, coarse = blame(events, width=1000), blame(events, width=10)
    assert sum(row["kind"] == theme.STOLEN for row in rows(fine)) == 9
    (joined,) = (row for row in rows(coarse) if row["kind"] == theme.STOLEN)
    assert (joined["start"], joined["end"]) == (0.101, 1)  # us
    assert joined["what"] == "9x; the longest stolen by l0: 99 ns, of a wait of 999 ns"
    (waking,) = (row for row in rows(coarse) if row["kind"] == theme.WAKING)
    assert waking["pixels"] < theme.BLAME_BARS[theme.WAKING][2]
    assert "Bars less than 100 ns apart" in str(coarse.to_dict()["title"])


def test_too_many_bars_are_cut_and_it_says_so() -> None:
    chart = blame(stolen_again_and_again(pieces=400, piece_ns=100), width=40_000)
    assert len(rows(chart)) == MOST_BARS
    assert f"{MOST_BARS} of " in str(chart.to_dict()["title"])


def test_the_description_says_what_waits_are_due_to() -> None:
    assert blame(CONVOY).to_dict()["description"] == (
        "Timeline of what waits are due to, over 200 ns, 3 tasks."
        " Of all time waited: 36 % held by r (mlock), 27 % convoy behind w (munmap),"
        " 23 % held by w (munmap)."
        " second0 waited longest, 130 ns: 46 % convoy behind w (munmap), 38 % held by w (munmap),"
        " 8 % queued behind w (munmap)."
    )
    alone = blame(CONVOY.head(4).vstack(CONVOY.tail(1)))
    assert alone.to_dict()["description"].endswith("over 200 ns, 1 task. Nobody waited.")
    assert blame(CONVOY, description="mine").to_dict()["description"] == "mine"


def test_texts_never_meet() -> None:
    for width in (150, 250, 400, 900):
        for task, summary in said(blame(TRACE, width=width)).items():
            assert 8 * len(task) + 6 * len(summary) < width + 20


def test_nothing_to_draw_is_one_line() -> None:
    with pytest.raises(RfcsimError, match=r"^blame: nobody held .* \(from_ns=300, to_ns=None\)$"):
        blame(CONVOY, from_ns=300)
    with pytest.raises(RfcsimError, match=r"^blame: nobody held"):
        blame(CONVOY.clear())
    with pytest.raises(RfcsimError, match=r"^blame: expected an event frame"):
        blame(trace_blame.blame(CONVOY))
    with pytest.raises(RfcsimError, match=r"^blame_summary: nobody waited$"):
        blame_summary(trace_blame.blame(CONVOY.head(4)))


# --- added up -------------------------------------------------------------------------------------


def lines(chart) -> list[tuple[str, str]]:
    """What the lines say, from top to bottom."""
    texts = [row for layer in (1, 3) for row in rows(chart, layer)]
    return [(row["what"], row["number"]) for row in sorted(texts, key=lambda row: row["row"])]


def test_each_class_has_a_heading_and_its_causes() -> None:
    chart = blame_summary(trace_blame.blame(CONVOY))
    assert lines(chart) == [
        ("s", "1 wait, 130 ns"),
        ("convoy behind w (munmap)", "60 ns, 46 %"),
        ("held by w (munmap)", "50 ns, 38 %"),
        ("queued behind w (munmap)", "10 ns, 8 %"),
        ("waking up", "10 ns, 8 %"),
        ("w", "1 wait, 90 ns"),
        ("held by r (mlock)", "80 ns, 89 %"),
        ("waking up", "10 ns, 11 %"),
    ]
    assert [(row["kind"], row["end"]) for row in rows(chart)] == [
        (theme.CONVOY, 0.4615),
        (theme.HELD, 0.3846),
        (theme.AHEAD, 0.0769),
        (theme.WAKING, 0.0769),
        (theme.HELD, 0.8889),
        (theme.WAKING, 0.1111),
    ]
    assert chart.to_dict()["description"] == (
        "What waits for the lock are due to, by class of waiter."
        " s (1 wait, 130 ns): above all convoy behind w (munmap), 60 ns, 46 %."
        " w (1 wait, 90 ns): above all held by r (mlock), 80 ns, 89 %."
    )


def due_to_many(classes: int, causes: int) -> pl.DataFrame:
    """Parts of waits of many classes, each due to many others."""
    one = trace_blame.blame(CONVOY).head(1)
    return pl.concat(
        one.with_columns(
            pl.lit(f"waiter{number}").alias("class"),
            cause_class=pl.lit(f"cause{cause}"),
            length_ns=pl.lit(100 * (number + 1) + cause, pl.Int64),
        )
        for number in range(classes)
        for cause in range(causes)
    )


def test_what_is_left_out_is_said() -> None:
    chart = blame_summary(due_to_many(MOST_CLASSES + 2, MOST_CAUSES + 3))
    said = lines(chart)
    assert len(said) == MOST_CLASSES * (MOST_CAUSES + 2)
    assert said[0][0] == f"waiter{MOST_CLASSES + 1}"
    assert said[MOST_CAUSES + 1] == ("3 more", "3.00 us, 37 %")
    title = chart.to_dict()["title"]
    assert title["subtitle"] == (
        f"{MOST_CLASSES} of {MOST_CLASSES + 2} classes: those that waited most"
    )


def test_the_smallest_share_is_a_pixel_and_a_narrow_chart_has_room() -> None:
    parts = trace_blame.blame(CONVOY)
    tiny = parts.with_columns(
        length_ns=pl.when(pl.col("part") == "wake_up").then(1).otherwise(10**9)
    )
    chart = blame_summary(tiny, width=100)
    assert min(row["end"] for row in rows(chart)) == pytest.approx(1 / 100)
    assert chart.to_dict()["width"] == 490

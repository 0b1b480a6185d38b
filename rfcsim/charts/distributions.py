"""How long tasks wait for the lock and hold it: distributions on logarithmic axes."""

import json
from collections.abc import Sequence

import altair as alt
import polars as pl

from rfcsim.charts import logarithmic as log
from rfcsim.charts import theme, words
from rfcsim.charts.durations import HOLDS, WAITS, Durations, durations, noun_of
from rfcsim.duration import human
from rfcsim.words import percent

MOST_LINES = len(theme.SERIES)
MOST_ROWS = 16

# A row of holds() is a line of text and, under it, its bars. As shares of it:
_ROW_PIXELS = 64
_TEXT = 0.14
_FOOT = 0.95
_TALLEST = 0.62


def survival(
    frame: pl.DataFrame,
    *,
    records: Sequence[str] = WAITS,
    title: str = "How likely is a longer wait?",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw the survival function P(wait > t) of each class of task, on logarithmic axes.

    A logarithmic axis has no place for zero. So a line begins at the left edge at the share of
    requests that waited at all, and the legend says how many did not. It ends in a mark at the
    longest wait.

    Parameters
    ----------
    frame : polars.DataFrame
        A histogram: class, record, low_ns, high_ns (inclusive), count, and run if several runs are
        compared. Or an event frame, or intervals, of which a histogram is made.
    records : sequence of str
        What to draw: "wait_shared", "wait_exclusive", "hold_shared", "hold_exclusive", "call",
        "round".
    title : str
    description : str, optional
        Text alternative; by default what the legend says, and the longest wait of each line.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If nothing lasts longer than zero, or there are more than MOST_LINES lines.
    """
    lines = durations("survival", frame, records, most=MOST_LINES)
    noun = noun_of(records)
    labels = [f"{line.name}: {line.counted}" for line in lines]
    first, last = _decades(lines)
    points = pl.concat(
        survival_points(line, number, log.ten_to(first)) for number, line in enumerate(lines)
    )
    colours, dashes, shapes = zip(*theme.SERIES[: len(lines)], strict=True)
    # Vega-Lite joins the legends of scales with the same domain, even those that are switched off.
    # The marks at the ends need another domain than the lines, or the legend shows them instead.
    ends = points.group_by("line", maintain_order=True).last().cast({"line": pl.String()})
    number, text = list(range(len(lines))), [str(number) for number in range(len(lines))]
    legend = alt.Legend(
        columns=1,
        symbolType="stroke",
        symbolSize=500,
        symbolStrokeWidth=2,
        # The marks have the number of their line; only the legend has its words.
        labelExpr=f"{json.dumps(labels)}[datum.value]",
    )
    rarest = log.decade(points["share"].to_numpy().min())
    encoding = {
        "x": alt.X("time_ns:Q", **log.time_axis(first, last, f"t, length of the {noun}")),
        "y": alt.Y("share:Q", title=f"P({noun} > t)", **log.axis(rarest, 0, format="~g")),
    }
    steps = (
        alt.Chart(points)
        .mark_line(strokeWidth=2, clip=True)
        .encode(
            **encoding,
            color=alt.Color("line:N", scale=theme.scale(number, colours), legend=legend),
            order="order:Q",  # not by time: the line goes straight down where it drops
            strokeDash=alt.StrokeDash("line:N", scale=theme.scale(number, dashes), legend=legend),
        )
    )
    marks = (
        alt.Chart(ends)
        .mark_point(size=90, opacity=1, strokeWidth=0)
        .encode(
            **encoding,
            fill=alt.Fill("line:N", scale=theme.scale(text, colours), legend=None),
            shape=alt.Shape("line:N", scale=theme.scale(text, shapes), legend=None),
        )
    )
    longest = (
        f"{label}, the longest {line.longest}." for line, label in zip(lines, labels, strict=True)
    )
    return alt.LayerChart(layer=[steps, marks]).properties(
        title=title,
        description=description or f"Survival function of each {noun}. {' '.join(longest)}",
        width=width,
        height=280,
    )


def holds(
    frame: pl.DataFrame,
    *,
    records: Sequence[str] = HOLDS,
    title: str = "How long is the lock held?",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw a histogram of hold times for each class of task and mode, one below the other.

    Time is logarithmic. The tallest bar has the same height in every row. A line marks the median,
    a triangle the longest hold.

    Parameters
    ----------
    frame : polars.DataFrame
        As for `survival`.
    records : sequence of str
        What to draw, as for `survival`.
    title : str
    description : str, optional
        Text alternative; by default the number, median and longest of each row.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If nothing lasts longer than zero, or there are more than MOST_ROWS rows.
    """
    rows = durations("holds", frame, records, most=MOST_ROWS)
    noun = noun_of(records)
    summaries = [
        (
            f"{row.counted}; median {human(row.median_ns)}, longest {row.longest}",
            f"{row.number}, up to {human(row.longest_ns)}",
        )
        for row in rows
    ]
    y = alt.Scale(domain=[len(rows), 0], nice=False)
    time = alt.X("start_ns:Q", **log.time_axis(*_decades(rows), f"length of the {noun}"))
    bars = (
        alt.Chart(pl.concat(_bars(row, place) for place, row in enumerate(rows)))
        .mark_rect(stroke=theme.INK, strokeWidth=0.5)
        .encode(
            x=time,
            x2="end_ns:Q",
            y=alt.Y("top:Q", scale=y, axis=None),
            y2="foot:Q",
            color=alt.Color(
                "mode:N",
                scale=theme.scale(theme.MODE_COLOURS.keys(), theme.MODE_COLOURS.values()),
                legend=None,
            ),
            tooltip=alt.Tooltip("what:N", title=" "),
        )
    )
    texts = alt.Chart(
        pl.DataFrame(
            {
                "name": [row.name for row in rows],
                "summary": [
                    words.fitting(texts, row.name, width)
                    for row, texts in zip(rows, summaries, strict=True)
                ],
                "row": [place + _TEXT for place in range(len(rows))],
                "foot": [place + _FOOT for place in range(len(rows))],
                "top": [round(place + _FOOT - _TALLEST, 2) for place in range(len(rows))],
                "median_ns": [max(row.median_ns, 1) for row in rows],
                "longest_ns": [row.longest_ns for row in rows],
            }
        )
    ).encode(y="row:Q")
    names = texts.mark_text(align="left", fontWeight="bold").encode(x=alt.value(0), text="name:N")
    numbers = texts.mark_text(align="right").encode(x=alt.value(width), text="summary:N")
    medians = texts.mark_rule(color=theme.ACCENT, strokeWidth=2).encode(
        x="median_ns:Q", y="top:Q", y2="foot:Q"
    )
    longest = texts.mark_point(
        shape="triangle-down", filled=True, opacity=1, size=70, color=theme.ACCENT
    ).encode(x="longest_ns:Q", y="top:Q")
    return alt.LayerChart(layer=[bars, medians, longest, names, numbers]).properties(
        title=alt.TitleParams(title, subtitle="Line: the median. Triangle: the longest"),
        description=description
        or " ".join(f"{row.name}: {text}." for row, (text, _) in zip(rows, summaries, strict=True)),
        width=width,
        height=_ROW_PIXELS * len(rows),
    )


def _decades(series: Sequence[Durations]) -> tuple[int, int]:
    """The powers of ten between which every value above zero lies."""
    above_zero = pl.concat(each.buckets for each in series).filter(pl.col("high_ns") > 0)
    first = log.decade(above_zero["low_ns"].to_numpy().min())
    return first, log.decade(above_zero["high_ns"].to_numpy().max()) + 1


def survival_points(line: Durations, number: int, from_ns: float) -> pl.DataFrame:
    """Points of P(t) from the left edge on. The line falls within a step, and is flat between two.

    Columns: order, time_ns, share, line.
    """
    reach = pl.col("count").cum_sum(reverse=True) / line.total  # share that reaches the bucket
    # Steps of both axes. In the tail, where the share falls fast, every bucket counts.
    steps = (
        line.buckets.with_columns(reach=reach)
        .filter(pl.col("high_ns") > 0)
        .group_by(time=log.step("low_ns"), share=log.step("reach"), maintain_order=True)
        .agg(pl.col("low_ns").first(), pl.col("high_ns").last(), pl.col("reach").first())
    )
    # Beyond the longest the share is zero, which no logarithmic axis shows: the line ends level.
    beyond = pl.col("reach").shift(-1).fill_null(pl.col("reach").last())
    points = steps.select(
        time_ns=pl.concat_list("low_ns", "high_ns").cast(pl.List(pl.Float64)),
        share=pl.concat_list("reach", beyond),
    ).explode("time_ns", "share")
    edge = points.head(1).with_columns(time_ns=pl.lit(from_ns))
    return (
        pl.concat([edge, points])
        .with_columns(pl.col("share").round_sig_figs(4))
        .unique(maintain_order=True)
        .with_row_index("order")
        .with_columns(line=pl.lit(number))
    )


def _bars(row: Durations, place: int) -> pl.DataFrame:
    """Bars of one row of holds()."""
    steps = (
        row.buckets.filter(pl.col("high_ns") > 0)
        .with_columns(middle_ns=(pl.col("low_ns") + pl.col("high_ns")) / 2)
        .group_by(step=log.step("middle_ns"), maintain_order=True)
        .agg(pl.col("low_ns").first(), pl.col("high_ns").last(), pl.col("count").sum())
    )
    edge = 10 ** (pl.col("step") / log.STEPS)
    height = pl.col("count") / pl.col("count").max() * _TALLEST
    what = [
        f"{percent(count / row.total)} last {human(low)} to {human(high)}"
        for low, high, count in steps.select("low_ns", "high_ns", "count").iter_rows()
    ]
    return steps.select(
        start_ns=edge.round_sig_figs(4),
        end_ns=(edge * 10 ** (1 / log.STEPS)).round_sig_figs(4),
        foot=pl.lit(place + _FOOT),
        top=(place + _FOOT - height).round(3),
        mode=pl.lit(row.record.rpartition("_")[2]),
        what=pl.Series(what, dtype=pl.String()),
    )

"""How long tasks wait for the lock and hold it: distributions on logarithmic axes."""

import json
import math
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt
import polars as pl

from rfcsim.charts import theme, words
from rfcsim.errors import RfcsimError
from rfcsim.events import lock_intervals

WAITS = ("wait_shared", "wait_exclusive")
HOLDS = ("hold_shared", "hold_exclusive")
_NOUNS = {
    "wait_shared": "shared wait",
    "wait_exclusive": "exclusive wait",
    "hold_shared": "shared hold",
    "hold_exclusive": "exclusive hold",
    "call": "call",
}

MOST_LINES = len(theme.SERIES)
MOST_ROWS = 16

# Buckets are joined to steps of this many a decade, which bounds the marks of a chart.
_STEPS = 10

# A row of holds() is a line of text and, under it, its bars. As shares of it:
_ROW_PIXELS = 64
_TEXT = 0.14
_FOOT = 0.95
_TALLEST = 0.62


class _Series(NamedTuple):
    """The durations of one line or row, as a histogram."""

    name: str
    record: str
    buckets: pl.DataFrame  # low_ns, high_ns, count; sorted, no count is 0
    total: int
    zeros: int

    @property
    def counted(self) -> str:
        share = f", {words.percent(self.zeros / self.total)} zero" if self.zeros else ""
        return words.count(self.total, _NOUNS[self.record]) + share

    @property
    def longest_ns(self) -> int:
        return self.buckets["high_ns"][-1]

    @property
    def median_ns(self) -> int:
        reached = self.buckets["count"].cum_sum()
        return self.buckets["high_ns"][reached.search_sorted((self.total + 1) // 2)]


def survival(
    frame: pl.DataFrame,
    *,
    records: Sequence[str] = WAITS,
    title: str = "How likely is a longer wait?",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw the survival function P(wait > t) of each class of task, both axes logarithmic.

    A logarithmic axis has no place for zero: a line begins at the share of requests that waited
    at all, and the legend says how many did not. It ends, with a mark, at the longest wait.

    Parameters
    ----------
    frame : polars.DataFrame
        A histogram: class, record, low_ns, high_ns (inclusive), count, and run where several runs
        are compared. Or an event frame, or intervals, of which one is made.
    records : sequence of str
        What to draw: "wait_shared", "wait_exclusive", "hold_shared", "hold_exclusive", "call".
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
    lines = _series("survival", frame, records, most=MOST_LINES)
    noun = _noun(records)
    labels = [f"{line.name}: {line.counted}" for line in lines]
    points = pl.concat(_survival(line, number) for number, line in enumerate(lines))
    colours, dashes, shapes = zip(*theme.SERIES[: len(lines)], strict=True)
    # Vega-Lite joins the legends of scales with one domain, also those that are switched off: the
    # marks at the ends must have another domain than the lines, or the legend shows them instead.
    ends = points.group_by("line", maintain_order=True).last().cast({"line": pl.String()})
    number, text = list(range(len(lines))), [str(number) for number in range(len(lines))]
    legend = alt.Legend(
        columns=1,
        symbolType="stroke",
        symbolSize=900,
        symbolStrokeWidth=2,
        # The marks carry the number of their line, and the legend alone its words.
        labelExpr=f"{json.dumps(labels)}[datum.value]",
    )
    lowest = _power(points["share"].to_numpy().min())
    encoding = {
        "x": alt.X("time_ns:Q", **_time(lines, f"t, length of the {noun}")),
        "y": alt.Y(
            "share:Q",
            title=f"P({noun} > t)",
            scale=alt.Scale(type="log", domain=[_ten_to(lowest), 1], nice=False),
            axis=alt.Axis(format="~g", values=[_ten_to(power) for power in range(lowest, 1)]),
        ),
    }
    steps = (
        alt.Chart(points)
        .mark_line(strokeWidth=2, clip=True)
        .encode(
            **encoding,
            color=alt.Color("line:N", scale=_scale(number, colours), legend=legend),
            order="order:Q",  # not by time: it goes straight down where it drops
            strokeDash=alt.StrokeDash("line:N", scale=_scale(number, dashes), legend=legend),
        )
    )
    marks = (
        alt.Chart(ends)
        .mark_point(size=90, opacity=1, strokeWidth=0)
        .encode(
            **encoding,
            fill=alt.Fill("line:N", scale=_scale(text, colours), legend=None),
            shape=alt.Shape("line:N", scale=_scale(text, shapes), legend=None),
        )
    )
    longest = (
        f"{label}, the longest {words.duration(line.longest_ns)}."
        for line, label in zip(lines, labels, strict=True)
    )
    return alt.layer(steps, marks).properties(
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
    """Draw a histogram of hold times of each class of task and mode, one under the other.

    Time is logarithmic; the tallest bar of each row has the same height. A line marks the median,
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
    rows = _series("holds", frame, records, most=MOST_ROWS)
    noun = _noun(records)
    summaries = [
        (
            f"{row.counted}; median {words.duration(row.median_ns)},"
            f" longest {words.duration(row.longest_ns)}",
            f"{words.count(row.total, _NOUNS[row.record])}, up to {words.duration(row.longest_ns)}",
        )
        for row in rows
    ]
    y = alt.Scale(domain=[len(rows), 0], nice=False)
    time = alt.X("start_ns:Q", **_time(rows, f"length of the {noun}"))
    bars = (
        alt.Chart(pl.concat(_bars(row, place) for place, row in enumerate(rows)))
        .mark_rect(stroke=theme.INK, strokeWidth=0.5)
        .encode(
            x=time,
            x2="end_ns:Q",
            y=alt.Y("top:Q", scale=y, axis=None),
            y2="foot:Q",
            color=alt.Color(
                "mode:N", scale=_scale(*zip(*theme.MODE_COLOURS.items(), strict=True)), legend=None
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
    return alt.layer(bars, medians, longest, names, numbers).properties(
        title=alt.TitleParams(title, subtitle="Line: the median. Triangle: the longest"),
        description=description
        or " ".join(f"{row.name}: {text}." for row, (text, _) in zip(rows, summaries, strict=True)),
        width=width,
        height=_ROW_PIXELS * len(rows),
    )


def _series(
    chart: str, frame: pl.DataFrame, records: Sequence[str], *, most: int
) -> list[_Series]:
    """Split a frame into what is drawn apart, in the frame's order."""
    unknown = [record for record in records if record not in _NOUNS]
    if unknown:
        raise RfcsimError(f"records: no {unknown[0]!r}, allowed are {', '.join(_NOUNS)}")
    histogram = frame if "low_ns" in frame.columns else _histogram(frame)
    histogram = histogram.filter(pl.col("record").is_in(list(records)), pl.col("count") > 0)
    keys = [key for key in ("run", "class", "record") if key in histogram.columns]
    # A name says only what differs from one to the next; the record is said with the numbers.
    telling = [key for key in keys[:-1] if histogram[key].n_unique() > 1] or ["class"]
    series = []
    for values, buckets in histogram.group_by(keys, maintain_order=True):
        of = dict(zip(keys, values, strict=True))
        series.append(
            _Series(
                name=", ".join(str(of[key]) for key in telling),
                record=str(of["record"]),
                # Only a bucket that reaches beyond zero is drawn, on an axis that has no zero.
                buckets=buckets.select(
                    pl.max_horizontal("low_ns", pl.min_horizontal("high_ns", 1)),
                    "high_ns",
                    "count",
                ).sort("low_ns"),
                total=buckets["count"].sum(),
                zeros=buckets.filter(pl.col("high_ns") == 0)["count"].sum(),
            )
        )
    if all(each.longest_ns == 0 for each in series):
        raise RfcsimError(f"{chart}: nothing of {', '.join(records)} lasted longer than zero")
    if len(series) > most:
        raise RfcsimError(f"{chart}: {len(series)} classes and records, at most {most} are drawn")
    return series


def _histogram(frame: pl.DataFrame) -> pl.DataFrame:
    """Count intervals, with a bucket for each length that occurs."""
    intervals = frame if "state" in frame.columns else lock_intervals(frame, zero_waits=True)
    length_ns = pl.col("end_ns") - pl.col("start_ns")
    kind = pl.when(pl.col("state") == "waiting").then(pl.lit("wait")).otherwise(pl.lit("hold"))
    return intervals.group_by(
        "class",
        record=pl.format("{}_{}", kind, "mode"),
        low_ns=length_ns,
        high_ns=length_ns,
        maintain_order=True,
    ).agg(count=pl.len().cast(pl.Int64))


def _survival(line: _Series, number: int) -> pl.DataFrame:
    """Points of P(t): down within a step, flat between two; the last one is the longest."""
    reach = pl.col("count").cum_sum(reverse=True) / line.total  # share that reaches the bucket
    # Steps of both axes: in the tail, where the share falls fast, every bucket counts.
    steps = (
        line.buckets.with_columns(reach=reach)
        .filter(pl.col("high_ns") > 0)
        .group_by(time=_step("low_ns"), share=_step("reach"), maintain_order=True)
        .agg(pl.col("low_ns").first(), pl.col("high_ns").last(), pl.col("reach").first())
    )
    # None is left beyond the last one, which no logarithmic axis shows: the line stays level.
    beyond = pl.col("reach").shift(-1).fill_null(pl.col("reach").last())
    return (
        steps.select(
            time_ns=pl.concat_list("low_ns", "high_ns"),
            share=pl.concat_list("reach", beyond).list.eval(pl.element().round_sig_figs(4)),
        )
        .explode("time_ns", "share")
        .unique(maintain_order=True)
        .with_row_index("order")
        .with_columns(line=pl.lit(number))
    )


def _bars(row: _Series, place: int) -> pl.DataFrame:
    """Bars of one row of holds()."""
    steps = (
        row.buckets.filter(pl.col("high_ns") > 0)
        .group_by(step=_step("low_ns"), maintain_order=True)
        .agg(pl.col("low_ns").first(), pl.col("high_ns").last(), pl.col("count").sum())
    )
    edge = 10 ** (pl.col("step") / _STEPS)
    height = pl.col("count") / pl.col("count").max() * _TALLEST
    what = [
        f"{words.percent(count / row.total)} last {words.duration(low)} to {words.duration(high)}"
        for low, high, count in steps.select("low_ns", "high_ns", "count").iter_rows()
    ]
    return steps.select(
        start_ns=edge.round_sig_figs(4),
        end_ns=(edge * 10 ** (1 / _STEPS)).round_sig_figs(4),
        foot=pl.lit(place + _FOOT),
        top=(place + _FOOT - height).round(3),
        mode=pl.lit(row.record.rpartition("_")[2]),
        what=pl.Series(what, dtype=pl.String()),
    )


def _step(column: str) -> pl.Expr:
    """The step of a logarithmic axis in which a value lies."""
    return (pl.col(column).log10() * _STEPS + 1e-9).floor().cast(pl.Int64)


def _noun(records: Sequence[str]) -> str:
    """What all records have in common."""
    kinds = {record.partition("_")[0] for record in records}
    return kinds.pop() if len(kinds) == 1 else "time"


def _power(value: float) -> int:
    """The power of ten at or below a value."""
    return math.floor(math.log10(value) + 1e-9)


def _ten_to(power: int) -> float:
    return float(f"1e{power}")


def _time(series: Sequence[_Series], title: str) -> dict[str, object]:
    """A logarithmic axis of time from one power of ten to another, in the units of each."""
    above_zero = pl.concat(each.buckets for each in series).filter(pl.col("high_ns") > 0)
    first = _power(above_zero["low_ns"].to_numpy().min())
    last = _power(above_zero["high_ns"].to_numpy().max()) + 1
    in_units = " : ".join(
        f"datum.value >= {scale} ? datum.value / {scale} + ' {name}'" for name, scale in words.UNITS
    )
    return {
        "title": title,
        "scale": alt.Scale(type="log", domain=[_ten_to(first), _ten_to(last)], nice=False),
        "axis": alt.Axis(
            values=[_ten_to(power) for power in range(first, last + 1)],
            labelExpr=f"{in_units} : datum.label",
            labelFlush=False,
            labelOverlap="parity",
        ),
    }


def _scale(domain: Sequence[object], values: Sequence[object]) -> alt.Scale:
    return alt.Scale(domain=list(domain), range=list(values))

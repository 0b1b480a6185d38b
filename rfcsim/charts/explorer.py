"""Timeline, tail and blame of a run in one picture, whose data can be replaced.

The specification is the same for every run: whatever differs is in named data. So a page or a
widget shows another run without compiling the specification again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt
import polars as pl

from rfcsim.charts import logarithmic as log
from rfcsim.charts import theme
from rfcsim.charts.blame import KINDS
from rfcsim.charts.distributions import survival_points
from rfcsim.charts.durations import WAITS, durations
from rfcsim.charts.rows import THINNEST, Rows, legend_entry
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.trace import blame as trace_blame
from rfcsim.trace.frame import lock_intervals

NAMES = ("said", "bars", "tail", "parts")  # of the data, see explorer_rows
CELL = "cell"  # the column, and the parameter, that chooses among several runs

_PIXELS = 200  # across the timeline; bars less than one of them apart are joined
_LONGEST = 11  # power of ten, in ns: the end of the axis of waits
_RAREST = -3
_HALF = {theme.EXCLUSIVE: 0.34, theme.SHARED: 0.34, theme.WAITING: 0.12}  # of a row
_ROW_PIXELS = 30
_NAME = 80  # pixels
_PARTS = tuple(KINDS.values())
_NUMBERS = {  # which columns of the data are numbers, for readers of their text
    name: dict.fromkeys((CELL, *columns), "number")
    for name, columns in (
        ("said", ()),
        ("bars", ("task", "start", "end", "fill")),
        ("tail", ("time_ns", "share", "order")),
        ("parts", ("start", "end")),
    )
}


class Choice(NamedTuple):
    """A control of a page: its name, its options in words, and the number that it begins with."""

    name: str
    words: Sequence[str]
    start: int = 0


def explorer_rows(
    trace: pl.DataFrame, histogram: pl.DataFrame, said: str, *, window_ns: int
) -> dict[str, list[dict[str, Any]]]:
    """Reduce a run to what the explorer's picture shows of it.

    Parameters
    ----------
    trace : polars.DataFrame
        An event frame of one lock, from the beginning of the run.
    histogram : polars.DataFrame
        All waits, as `Result.histogram` has them.
    said : str
        The run in one line of words.
    window_ns : int
        How much of the trace the timeline shows, from the first hold of the first task on.

    Returns
    -------
    dict of str to list of dict
        Rows for each of NAMES: said (text); bars (task: number of the class, kind, start and end
        in ms, fill); tail (class, time_ns, share, order); parts (class, kind, start, end, what).

    Raises
    ------
    RfcsimError
        If nobody held the lock.
    """
    spans = lock_intervals(trace)
    if spans.is_empty():
        raise RfcsimError("explorer: nobody held the lock")
    classes = histogram["class"].unique(maintain_order=True).to_list()
    return {
        "said": [{"text": said}],
        "bars": _bars(spans, classes, window_ns),
        "tail": _tail(histogram),
        "parts": _parts(trace),
    }


def _bars(spans: pl.DataFrame, classes: list[str], window_ns: int) -> list[dict[str, Any]]:
    """Bars of the first task of each class, within the window."""
    numbers = {f"{name} 0": number for number, name in enumerate(classes)}
    first = spans.filter(state="holding", task=f"{classes[0]} 0")["start_ns"].min()
    first_ns = int(first) if isinstance(first, int) else 0
    first_ns -= window_ns // 20
    last_ns = first_ns + window_ns
    shown = spans.filter(
        pl.col("task").is_in(list(numbers)),
        pl.col("end_ns") > first_ns,
        pl.col("start_ns") < last_ns,
    ).with_columns(
        pl.col("start_ns").clip(first_ns),
        pl.col("end_ns").clip(None, last_ns),
        whole_ns=pl.col("end_ns") - pl.col("start_ns"),
        kind=legend_entry(),
    )
    rows = Rows(shown, list(numbers), first_ns, last_ns, _PIXELS)
    length = pl.col("end_ns") - pl.col("start_ns") + 1
    bars = rows.bars().select(
        "kind",
        task=pl.col("task").replace_strict(numbers, return_dtype=pl.Int64),
        start=(pl.col("start_ns") - first_ns) / 1e6,
        end=(pl.max_horizontal("end_ns", pl.col("start_ns") + rows.pixel_ns) - first_ns) / 1e6,
        fill=((pl.col("filled_ns") + rows.pixel_ns) / length).clip(THINNEST, 1).round(2),
    )
    digits = 3 if window_ns < 10**8 else 1
    return bars.with_columns(pl.col("start", "end").round(digits)).to_dicts()


def _tail(histogram: pl.DataFrame) -> list[dict[str, Any]]:
    """The survival function of the waits, for each class that ever waited."""
    of_class = (
        histogram.filter(pl.col("record").is_in(WAITS))
        .group_by("class", "low_ns", "high_ns", maintain_order=True)
        .agg(pl.col("count").sum(), record=pl.lit(WAITS[0]))
    )
    waited = of_class.filter(pl.col("high_ns") > 0)["class"].unique()
    if waited.is_empty():
        return []
    shown = of_class.filter(pl.col("class").is_in(waited.to_list())).sort(
        "class", "low_ns", maintain_order=True
    )
    lines = durations("explorer", shown, WAITS[:1], most=len(theme.SERIES))
    names = [str(name) for name in shown["class"].unique(maintain_order=True)]
    return [
        {"class": name} | row
        for name, line in zip(names, lines, strict=True)
        for row in survival_points(line, 0, log.ten_to(3))
        .drop("line")
        .filter(pl.col("share") >= 10.0**_RAREST)
        .to_dicts()
    ]


def _parts(trace: pl.DataFrame) -> list[dict[str, Any]]:
    """What the waits of each class are due to, as shares of all its waiting."""
    parts = trace_blame.blame(trace)
    length_ns = (pl.col("end_ns") - pl.col("start_ns")).sum()
    order = {part: number for number, part in enumerate(KINDS)}
    summed = (
        parts.group_by("class", "part", maintain_order=True)
        .agg(length_ns=length_ns)
        .filter(pl.col("length_ns") > 0)
        .sort("class", pl.col("part").replace_strict(order, return_dtype=pl.Int64))
        .with_columns(share=pl.col("length_ns") / pl.col("length_ns").sum().over("class"))
        .with_columns(end=pl.col("share").cum_sum().over("class"))
    )
    return [
        {
            "class": row["class"],
            "kind": KINDS[row["part"]],
            "start": round(row["end"] - row["share"], 4),
            "end": round(row["end"], 4),
            "what": f"{KINDS[row['part']]}: {human(row['length_ns'])}",
        }
        for row in summed.iter_rows(named=True)
    ]


def explorer(
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    classes: Sequence[str],
    *,
    choices: Sequence[Choice] = (),
    cell: str = "",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.VConcatChart:
    """Draw timeline, tail and blame of a run, or of one of many that the reader chooses.

    Parameters
    ----------
    rows : mapping of str to rows
        What `explorer_rows` returns. With several runs: the rows of all, each with a column `cell`
        that has the number of its run.
    classes : sequence of str
        The classes of task, in their order.
    choices : sequence of Choice
        Controls below the picture, if there are several runs. The line of words is then above it.
    cell : str
        With choices: a Vega expression over their names that gives the number of the run.
    description : str, optional
        Text alternative; by default what the three charts are.
    width : int
        Of the plots, in pixels.

    Returns
    -------
    altair.VConcatChart
    """
    half = width // 2 - 70
    said, *charts = (
        _said(width),
        _timeline(classes, width),
        _survival(classes, half),
        _blame(classes, half),
    )
    data: dict[str, Any]
    if choices:
        said, *charts = (_chosen(chart) for chart in (said, *charts))
        data = {name: pl.DataFrame(rows[name]).write_csv() for name in NAMES}
    else:
        data = {name: list(rows[name]) for name in NAMES if name != "said"}
    timeline, tail, blame = charts
    below = alt.hconcat(tail, blame, spacing=30).resolve_scale(
        color="independent", strokeDash="independent"
    )
    chart = alt.VConcatChart(
        vconcat=[said, timeline, below] if choices else [timeline, below],
        spacing=18,
        datasets=data,
        description=description or _description(classes),
    ).resolve_scale(color="independent", strokeDash="independent")
    if not choices:
        return chart
    return chart.add_params(
        *(_control(choice) for choice in choices), alt.param(name=CELL, expr=cell)
    )


def _chosen(chart: alt.Chart) -> alt.Chart:
    """A chart of the chosen run alone. Its data is in CSV, which takes a quarter of JSON's room."""
    name = chart.data.name
    chart = chart.copy()
    chart.data = alt.NamedData(name, format=alt.CsvDataFormat(type="csv", parse=_NUMBERS[name]))
    own = chart.transform if isinstance(chart.transform, list) else []
    chart.transform = [alt.FilterTransform(f"datum.{CELL} == {CELL}"), *own]
    return chart


def _control(choice: Choice) -> alt.Parameter:
    numbers = list(range(len(choice.words)))
    bind = alt.binding_select(options=numbers, labels=list(choice.words), name=f"{choice.name}: ")
    return alt.param(name=choice.name.replace(" ", "_"), value=choice.start, bind=bind)


def _description(classes: Sequence[str]) -> str:
    return (
        f"One simulated run of {', '.join(classes)}: who held mmap_sem and who waited for it in "
        "its first milliseconds, how likely a longer wait is, and what the waits are due to. The "
        "line above the charts says it in numbers."
    )


def _said(width: int) -> alt.Chart:
    return (
        alt.Chart(alt.NamedData("said"))
        .mark_text(align="left", baseline="middle", fontWeight="bold", limit=width + _NAME)
        .encode(x=alt.value(0), text="text:N")
        .properties(width=width, height=14)
    )


def _timeline(classes: Sequence[str], width: int) -> alt.Chart:
    kinds = list(_HALF)
    names = f"{list(classes)}[datum.value]"
    half = " : ".join(f"datum.kind == '{kind}' ? {half}" for kind, half in _HALF.items())
    return (
        alt.Chart(alt.NamedData("bars"))
        .transform_calculate(half=f"({half} : 0) * datum.fill")
        .transform_calculate(top="datum.task - datum.half", bottom="datum.task + datum.half")
        .mark_rect(clip=True)
        .encode(
            x=alt.X("start:Q", title="time (ms)", scale=alt.Scale(nice=False, zero=False)),
            x2="end:Q",
            y=alt.Y(
                "top:Q",
                title=None,
                scale=alt.Scale(domain=[len(classes) - 0.5, -0.5], nice=False),
                axis=alt.Axis(
                    values=list(range(len(classes))), labelExpr=names, grid=False, ticks=False
                ),
            ),
            y2="bottom:Q",
            color=alt.Color(
                "kind:N",
                scale=theme.scale(kinds, [theme.STATE_COLOURS[kind] for kind in kinds]),
                legend=alt.Legend(symbolType="square", orient="top"),
            ),
        )
        .properties(
            width=width, height=_ROW_PIXELS * len(classes), title="Who holds it, and who waits"
        )
    )


def _survival(classes: Sequence[str], width: int) -> alt.Chart:
    colours, dashes, _ = zip(*theme.SERIES[: len(classes)], strict=True)
    legend = alt.Legend(symbolType="stroke", symbolSize=300, columns=2)
    return (
        alt.Chart(alt.NamedData("tail"))
        .mark_line(strokeWidth=2, clip=True)
        .encode(
            x=alt.X("time_ns:Q", **log.time_axis(3, _LONGEST, "t")),
            y=alt.Y("share:Q", title="P(wait > t)", **log.axis(_RAREST, 0, format="~g")),
            order="order:Q",
            color=alt.Color("class:N", scale=theme.scale(classes, colours), legend=legend),
            strokeDash=alt.StrokeDash("class:N", scale=theme.scale(classes, dashes), legend=legend),
        )
        .properties(width=width, height=170, title="How likely is a longer wait?")
    )


def _blame(classes: Sequence[str], width: int) -> alt.Chart:
    bars = [theme.BLAME_BARS[kind] for kind in _PARTS]
    colours, dashes = [colour for colour, *_ in bars], [dash for _, dash, _ in bars]
    legend = alt.Legend(symbolType="stroke", symbolSize=300, symbolStrokeWidth=9, columns=2)
    return (
        alt.Chart(alt.NamedData("parts"))
        .mark_rule(strokeWidth=16)
        .encode(
            x=alt.X(
                "start:Q",
                title="share of all that the class waited",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", values=[0, 0.5, 1]),
            ),
            x2="end:Q",
            y=alt.Y("class:N", title=None, scale=alt.Scale(domain=list(classes))),
            color=alt.Color("kind:N", scale=theme.scale(_PARTS, colours), legend=legend),
            strokeDash=alt.StrokeDash("kind:N", scale=theme.scale(_PARTS, dashes), legend=legend),
            tooltip=alt.Tooltip("what:N", title=" "),
        )
        .properties(width=width, height=170, title="Who is to blame?")
    )

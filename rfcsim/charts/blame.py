"""What each wait for the lock is due to, along time."""

from typing import Any

import altair as alt
import polars as pl

from rfcsim.charts import theme, words
from rfcsim.charts.rows import MOST_BARS, THINNEST, Rows, legend_entry
from rfcsim.duration import human
from rfcsim.trace import blame as trace_blame
from rfcsim.trace.frame import lock_intervals
from rfcsim.words import count, percent

KINDS = {
    trace_blame.HOLDER: theme.HELD,
    trace_blame.STOLEN: theme.STOLEN,
    trace_blame.QUEUED_AHEAD: theme.AHEAD,
    trace_blame.CONVOY: theme.CONVOY,
    trace_blame.WAKE_UP: theme.WAKING,
}
_LEGEND_ENTRY = 160  # about so wide, in pixels


def blame(
    events: pl.DataFrame,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    title: str = "What each wait for mmap_sem is due to",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw what each wait for a lock is due to, on the timeline of those that held it.

    Rows, windows and what is left out are as in `timeline`, except that a hold begins when its
    acquisition returns: until then its task wakes up. Each part of a wait has the colour and the
    dashes of its kind, and names its cause when pointed at. The text of a row says what most of its
    task's waits were due to. Parts shorter than two pixels that are of one kind and less than a
    pixel apart are drawn as one, as high as the share of the time that they fill. A single part is
    drawn at least a pixel wide.

    Parameters
    ----------
    events : polars.DataFrame
        An event frame (rfcsim.trace.frame.EVENT_SCHEMA) of one lock.
    from_ns, to_ns : int, optional
        The stretch of time to draw; by default all of the frame.
    title : str
    description : str, optional
        Text alternative; by default what the waits were due to, and the longest.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If there is nothing to draw, if there is more than one lock, or if this is no event frame.
    """
    rows = Rows.of("blame", _intervals(events), from_ns, to_ns, width)
    longest = pl.col("because").sort_by("whole_ns").last()
    wait_ns = pl.col("wait_ns").sort_by("whole_ns").last()
    bars = rows.bars(longest, wait_ns, alone_ns=2 * rows.pixel_ns)
    legend = alt.Legend(
        columns=max(1, width // _LEGEND_ENTRY),
        symbolType="stroke",
        symbolSize=300,
        symbolStrokeWidth=11,
        rowPadding=-6,
    )
    lines = rules(_lines(rows, bars.head(MOST_BARS)), legend).encode(
        x=rows.time(), y=alt.Y("middle:Q", scale=rows.places(), axis=None)
    )
    layers = [lines, *rows.texts(_summaries(rows))]
    return rows.chart(layers, bars, title, description or _describe(rows))


def rules(lines: pl.DataFrame, legend: alt.Legend | None) -> alt.Chart:
    """Lines from `start` to `end`, with the look of their `kind` and `pixels` thick.

    Pointed at, they say `what` they are. The caller encodes `start`.
    """
    colours, dashes, _ = zip(*theme.BLAME_BARS.values(), strict=True)
    kinds = theme.BLAME_BARS.keys()
    return (
        alt.Chart(lines)
        .mark_rule(clip=True)
        .encode(
            x2="end:Q",
            stroke=alt.Stroke("kind:N", scale=theme.scale(kinds, colours), legend=legend),
            strokeDash=alt.StrokeDash("kind:N", scale=theme.scale(kinds, dashes), legend=legend),
            strokeWidth=alt.StrokeWidth("pixels:Q", scale=None, legend=None),
            tooltip=alt.Tooltip("what:N", title=" "),
        )
    )


def thickness() -> pl.Expr:
    """The thickness of the lines of a kind, in pixels."""
    pixels = {kind: pixels for kind, (_, _, pixels) in theme.BLAME_BARS.items()}
    return pl.col("kind").replace_strict(pixels)


def _intervals(events: pl.DataFrame) -> pl.DataFrame:
    """Holds and parts of waits, in the columns of `Rows.intervals`."""
    parts = trace_blame.blame(events)
    because = [
        trace_blame.because_of(*row)
        for row in parts.select("part", "cause_task", "cause_call").iter_rows()
    ]
    waits = parts.select(
        "task",
        "lock",
        *("part", "class", "cause_class", "cause_call", "wait_start_ns", "start_ns", "end_ns"),
        pl.Series("because", because, pl.String()),
        state=pl.lit("waiting"),
        kind=pl.col("part").replace_strict(KINDS, return_dtype=pl.String()),
        wait_ns=pl.col("wait_end_ns") - pl.col("wait_start_ns"),
    )
    # Without the grants, a hold begins where the acquisition returns.
    held = lock_intervals(events.filter(pl.col("event") != "granted"))
    holds = held.filter(state="holding").select(
        "task",
        "lock",
        "state",
        "start_ns",
        "end_ns",
        kind=legend_entry(),
    )
    return pl.concat([holds, waits], how="diagonal")


def _lines(rows: Rows, bars: pl.DataFrame) -> pl.DataFrame:
    """The bars as lines: start and end in units of the axis, height in rows, and thickness."""
    bars = bars.sort(_is_wait(), maintain_order=True)  # waits are drawn over holds
    filled = (pl.col("filled_ns") + rows.pixel_ns) / pl.col("length_ns").clip(1)
    whats = [_name(bar) for bar in bars.iter_rows(named=True)]
    lines = bars.select(
        "kind",
        start=pl.col("start_ns"),
        # Nothing is too short to be seen.
        end=pl.max_horizontal("end_ns", pl.col("start_ns") + rows.pixel_ns),
        middle=rows.middle().round(2),
        pixels=(thickness() * filled.clip(THINNEST, 1)).round(1),
        what=pl.Series(whats, dtype=pl.String()),
    )
    return lines.with_columns(rows.in_units("start", "end"))


def _name(bar: dict[str, Any]) -> str:
    """What a bar is, for the reader who points at it."""
    times = "" if bar["intervals"] == 1 else f"{bar['intervals']:,}x; the longest "
    length = human(bar["longest_ns"])
    if bar["because"] is None:
        return f"{times}{bar['kind']}: {length}"
    return f"{times}{bar['because']}: {length}, of a wait of {human(bar['wait_ns'])}"


def _is_wait() -> pl.Expr:
    return pl.col("kind").is_in(list(KINDS.values()))


def _summaries(rows: Rows) -> list[str]:
    """What each task waited for, or else that it held, in as many words as fit beside its name."""
    summaries = []
    for task in rows.tasks:
        of_task = rows.intervals.filter(pl.col("task") == task)
        waits = of_task.filter(_is_wait())
        if waits.is_empty():
            lengths = of_task["whole_ns"]
            texts = [f"held {len(lengths):,}x, up to {human(lengths.to_numpy().max())}"]
        else:
            number = waits["wait_start_ns"].n_unique()
            longest = human(waits["wait_ns"].to_numpy().max())
            (most,) = _causes(waits, 1)
            texts = [
                f"waited {number:,}x, up to {longest}; {most}",
                f"up to {longest}; {most}",
                most,
                f"waited up to {longest}",
            ]
        summaries.append(words.fitting(texts, task, rows.width))
    return summaries


def _causes(waits: pl.DataFrame, most: int) -> list[str]:
    """The main causes of these parts of waits, by class: "93 % stolen by locker (mlock)"."""
    length_ns = pl.col("end_ns") - pl.col("start_ns")
    causes = (
        waits.group_by("part", "cause_class", "cause_call", maintain_order=True)
        .agg(share=length_ns.sum() / waits.select(length_ns.sum()).item())
        .sort("share", descending=True, maintain_order=True)
    )
    return [
        f"{percent(share)} {trace_blame.because_of(*cause)}"
        for *cause, share in causes.head(most).iter_rows()
    ]


def _describe(rows: Rows) -> str:
    """The chart in words: what all waits are due to, and the longest."""
    tasks = count(rows.intervals["task"].n_unique(), "task")
    sentences = [f"Timeline of what waits are due to, over {human(rows.span_ns)}, {tasks}."]
    waits = rows.intervals.filter(_is_wait())
    if waits.is_empty():
        return f"{sentences[0]} Nobody waited."
    whole = _causes(waits, 3)
    longest = waits.row(int(waits["wait_ns"].to_numpy().argmax()), named=True)
    of_longest = waits.filter(task=longest["task"], wait_start_ns=longest["wait_start_ns"])
    return " ".join(
        [
            *sentences,
            f"Of all time waited: {', '.join(whole)}.",
            f"{longest['task']} waited longest, {human(longest['wait_ns'])}: "
            f"{', '.join(_causes(of_longest, 3))}.",
        ]
    )

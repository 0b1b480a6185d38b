"""Who held the lock when, in which mode, and who waited behind it."""

import altair as alt
import polars as pl

from rfcsim.charts import theme, words
from rfcsim.charts.rows import MOST_BARS, THINNEST, Rows, legend_entry
from rfcsim.duration import human
from rfcsim.trace.frame import lock_intervals
from rfcsim.words import count

_HALF_BAR = {theme.EXCLUSIVE: 0.25, theme.SHARED: 0.25, theme.WAITING: 0.08}  # of a row


def timeline(
    frame: pl.DataFrame,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    title: str = "Who held mmap_sem, and who waited for it",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw who held a lock and who waited for it, with one row for each task.

    Rows are sorted by the time for which their task held the lock in the whole frame. A hold is
    drawn at least a pixel wide. Bars of one row and kind that are less than a pixel apart are drawn
    as one, as high as the share of the time that they fill. If there are more than MOST_TASKS
    tasks, those that waited and held longest are drawn; if there are more than MOST_BARS bars, the
    longest. The subtitle says if any of this was done.

    Parameters
    ----------
    frame : polars.DataFrame
        An event frame (rfcsim.trace.frame.EVENT_SCHEMA), of the simulator or of a real kernel, or
        intervals (INTERVAL_SCHEMA), of one lock.
    from_ns, to_ns : int, optional
        The stretch of time to draw; by default all of the frame.
    title : str
    description : str, optional
        Text alternative; by default the chart in two or three sentences.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If there is nothing to draw, or more than one lock.
    """
    intervals = frame if "state" in frame.columns else lock_intervals(frame)
    intervals = intervals.with_columns(kind=legend_entry())
    rows = Rows.of("timeline", intervals, from_ns, to_ns, width)
    bars = rows.bars()
    colours = theme.scale(theme.STATE_COLOURS.keys(), theme.STATE_COLOURS.values())
    rectangles = (
        alt.Chart(_marks(rows, bars.head(MOST_BARS)))
        .mark_rect(clip=True)
        .encode(
            x=rows.time(),
            x2="end:Q",
            y=alt.Y("top:Q", scale=rows.places(), axis=None),
            y2="bottom:Q",
            color=alt.Color("kind:N", scale=colours, legend=alt.Legend(symbolType="square")),
            tooltip=alt.Tooltip("what:N", title=" "),
        )
    )
    layers = [rectangles, *rows.texts(_summaries(rows))]
    return rows.chart(layers, bars, title, description or _describe(rows))


def _marks(rows: Rows, bars: pl.DataFrame) -> pl.DataFrame:
    """Corners of the bars: start and end in units of the axis, top and bottom in rows."""
    # No hold is too short to be seen.
    seen_ns = pl.when(pl.col("kind") == theme.WAITING).then(0).otherwise(rows.pixel_ns)
    filled = (pl.col("filled_ns") + seen_ns) / pl.col("length_ns").clip(1)
    half = pl.col("kind").replace_strict(_HALF_BAR) * filled.clip(THINNEST, 1)
    corners = bars.select(
        "kind",
        start=pl.col("start_ns"),
        end=pl.max_horizontal("end_ns", pl.col("start_ns") + seen_ns),
        top=(rows.middle() - half).round(2),
        bottom=(rows.middle() + half).round(2),
        what=_names(bars),
    )
    return corners.with_columns(rows.in_units("start", "end"))


def _names(bars: pl.DataFrame) -> pl.Series:
    """What each bar is, for the reader who points at it."""
    names = []
    for kind, intervals, longest_ns in bars.select("kind", "intervals", "longest_ns").iter_rows():
        times = "" if intervals == 1 else f"{intervals:,}x, up to "
        names.append(f"{kind.removesuffix(' (thin)')}: {times}{human(longest_ns)}")
    return pl.Series(names, dtype=pl.String())


def _summaries(rows: Rows) -> list[str]:
    """What each task did altogether, in as many words as fit beside its name."""
    summaries = []
    for task in rows.tasks:
        of_task = rows.intervals.filter(pl.col("task") == task)
        full, short = [], []
        for state, verb in (("holding", "held"), ("waiting", "waited")):
            lengths = of_task.filter(pl.col("state") == state)["whole_ns"]
            if len(lengths):
                longest = human(lengths.to_numpy().max())
                full.append(f"{verb} {len(lengths):,}x, up to {longest}")
                short.append(f"{verb} up to {longest}")
        texts = ("; ".join(full), "; ".join(short), short[-1])
        summaries.append(words.fitting(texts, task, rows.width))
    return summaries


def _describe(rows: Rows) -> str:
    """The chart in words: who held longest, who waited longest."""
    intervals = rows.intervals
    tasks = count(intervals["task"].n_unique(), "task")
    sentences = [f"Timeline of the lock over {human(rows.span_ns)}, {tasks}."]
    for state, did, never in (
        ("holding", "held it", "Nobody held it."),
        ("waiting", "waited for it", "Nobody waited."),
    ):
        of_state = intervals.filter(pl.col("state") == state)
        if of_state.is_empty():
            sentences.append(never)
            continue
        longest = of_state.row(int(of_state["whole_ns"].to_numpy().argmax()), named=True)
        length = human(longest["whole_ns"])
        sentences.append(f"{longest['task']} {did} longest, {length} ({longest['mode']}).")
    return " ".join(sentences)

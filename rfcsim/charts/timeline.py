"""Who held the lock when, in which mode, and who waited behind it."""

import altair as alt
import polars as pl

from rfcsim.charts import theme, words
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.events import lock_intervals

MOST_BARS = 500  # in one chart: about 65 kB of JSON
MOST_TASKS = 10  # rows in one chart

# A row is a line of text and, under it, the bars: thin ones where the task waits. As shares of it:
_ROW_PIXELS = 48
_TEXT = 0.19
_BARS = 0.68
_HALF_BAR = {theme.EXCLUSIVE: 0.25, theme.SHARED: 0.25, theme.WAITING: 0.08}

_THINNEST = 0.1  # of the height of a bar, however little of its time is filled

_WHOLE_NS = pl.col("whole_ns")  # length of an interval, also of what lies outside the window


def timeline(
    frame: pl.DataFrame,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    title: str = "Who held mmap_sem, and who waited for it",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw who held a lock and who waited for it, one row a task.

    Rows are sorted by the time for which their task held the lock in all of the frame. A hold is
    drawn at least a pixel wide. Bars of one row and kind that are less than a pixel apart are
    drawn as one, as high as the share of the time that they fill. Of more than MOST_TASKS tasks,
    those that waited and held longest are drawn; of more than MOST_BARS bars, the longest. The
    subtitle says where any of this was done.

    Parameters
    ----------
    frame : polars.DataFrame
        An event frame (rfcsim.events.EVENT_SCHEMA), of the simulator or of a real kernel, or
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
    order = _order(intervals)
    intervals = _window(intervals, from_ns, to_ns)
    first_ns = int(intervals["start_ns"].to_numpy().min()) if from_ns is None else from_ns
    last_ns = int(intervals["end_ns"].to_numpy().max()) if to_ns is None else to_ns
    span_ns = max(last_ns - first_ns, 1)

    shown = sorted(_longest(intervals), key=order.index)
    pixel_ns = max(span_ns // width, 1)
    bars = _bars(intervals.filter(pl.col("task").is_in(shown)), pixel_ns)
    drawn = bars.head(MOST_BARS)
    notes = _notes(intervals["task"].n_unique(), len(shown), bars, drawn, pixel_ns)

    unit, scale = words.unit_of(span_ns)
    # Ten thousand steps across the chart: finer than a pixel, and short in the specification.
    digits = max(0, len(str(10_000 * scale // span_ns)) - 1)
    marks = _marks(drawn, shown, pixel_ns).with_columns(
        (pl.col("start", "end") / scale).round(digits)
    )
    colours = theme.scale(theme.STATE_COLOURS.keys(), theme.STATE_COLOURS.values())
    rectangles = (
        alt.Chart(marks)
        .mark_rect(clip=True)
        .encode(
            x=alt.X(
                "start:Q",
                title=f"time ({unit})",
                axis=alt.Axis(tickCount=max(2, width // 80)),
                scale=alt.Scale(domain=[first_ns / scale, last_ns / scale], nice=False),
            ),
            x2="end:Q",
            y=alt.Y("top:Q", scale=alt.Scale(domain=[len(shown), 0], nice=False), axis=None),
            y2="bottom:Q",
            color=alt.Color("kind:N", scale=colours, legend=alt.Legend(symbolType="square")),
            tooltip=alt.Tooltip("what:N", title=" "),
        )
    )
    texts = alt.Chart(_texts(intervals, shown, width)).encode(y="row:Q")
    names = texts.mark_text(align="left", fontWeight="bold").encode(x=alt.value(0), text="task:N")
    summaries = texts.mark_text(align="right").encode(x=alt.value(width), text="summary:N")
    return alt.LayerChart(layer=[rectangles, names, summaries]).properties(
        title=alt.TitleParams(title, subtitle=notes) if notes else title,
        description=description or _describe(intervals, span_ns),
        width=width,
        height=_ROW_PIXELS * len(shown),
    )


def _window(intervals: pl.DataFrame, from_ns: int | None, to_ns: int | None) -> pl.DataFrame:
    start, end = pl.col("start_ns"), pl.col("end_ns")
    intervals = intervals.with_columns(whole_ns=end - start)
    if from_ns is not None:
        inside = (end > from_ns) | (start >= from_ns)
        intervals = intervals.filter(inside).with_columns(start.clip(from_ns))
    if to_ns is not None:
        inside = (start < to_ns) | (end <= to_ns)
        intervals = intervals.filter(inside).with_columns(end.clip(None, to_ns))
    if intervals.is_empty():
        raise RfcsimError(
            f"timeline: nobody held the lock or waited (from_ns={from_ns}, to_ns={to_ns})"
        )
    locks = intervals["lock"].unique(maintain_order=True).to_list()
    if len(locks) > 1:
        raise RfcsimError(f"timeline: expected one lock, got {', '.join(map(str, locks))}")
    return intervals


def _order(intervals: pl.DataFrame) -> list[str]:
    """The tasks, those that held the lock for most of the time first."""
    held_ns = pl.when(pl.col("state") == "holding").then(pl.col("end_ns") - pl.col("start_ns"))
    by_task = intervals.group_by("task", maintain_order=True).agg(held_ns.sum().alias("held_ns"))
    return by_task.sort("held_ns", descending=True, maintain_order=True)["task"].to_list()


def _longest(intervals: pl.DataFrame) -> list[str]:
    """The tasks that waited and held longest in the window."""
    time_ns = (pl.col("end_ns") - pl.col("start_ns")).sum()
    by_task = intervals.group_by("task", maintain_order=True).agg(time_ns=time_ns)
    longest = by_task.sort("time_ns", descending=True, maintain_order=True)
    return longest["task"].head(MOST_TASKS).to_list()


def _kind() -> pl.Expr:
    return (
        pl.when(pl.col("state") == "waiting")
        .then(pl.lit(theme.WAITING))
        .when(pl.col("mode") == "exclusive")
        .then(pl.lit(theme.EXCLUSIVE))
        .otherwise(pl.lit(theme.SHARED))
    )


def _bars(intervals: pl.DataFrame, pixel_ns: int) -> pl.DataFrame:
    """Join intervals that are less than a pixel apart; the longest bars come first."""
    row = ("task", "kind")
    ordered = intervals.with_columns(kind=_kind()).sort(*row, "start_ns", maintain_order=True)
    gap_ns = pl.col("start_ns") - pl.col("end_ns").cum_max().shift().over(row)
    begins = (gap_ns >= pixel_ns).fill_null(True)
    bars = ordered.group_by(*row, begins.cum_sum().alias("bar"), maintain_order=True).agg(
        pl.col("start_ns").first(),
        pl.col("end_ns").max(),
        intervals=pl.len(),
        filled_ns=(pl.col("end_ns") - pl.col("start_ns")).sum(),
        longest_ns=_WHOLE_NS.max(),
    )
    # Short bars come last, and are drawn over long ones.
    return bars.with_columns(length_ns=pl.col("end_ns") - pl.col("start_ns")).sort(
        "length_ns", descending=True, maintain_order=True
    )


def _notes(
    tasks: int, shown: int, bars: pl.DataFrame, drawn: pl.DataFrame, pixel_ns: int
) -> list[str]:
    """What the chart leaves out or joins."""
    notes = []
    if shown < tasks:
        notes.append(f"{shown} of {tasks} tasks: those that waited and held longest")
    if len(drawn) < len(bars):
        shortest = human(drawn["length_ns"][-1])
        notes.append(f"{len(drawn)} of {len(bars):,} bars: those of {shortest} and longer")
    if drawn["intervals"].to_numpy().max() > 1:
        notes += [
            f"Bars less than {human(pixel_ns)} apart are drawn as one,",
            "as high as the share of the time that they fill",
        ]
    return notes


def _marks(bars: pl.DataFrame, tasks: list[str], pixel_ns: int) -> pl.DataFrame:
    """Corners of the bars: start and end in ns, top and bottom in rows."""
    # No hold is too short to be seen.
    seen_ns = pl.when(pl.col("kind") == theme.WAITING).then(0).otherwise(pixel_ns)
    filled = (pl.col("filled_ns") + seen_ns) / pl.col("length_ns").clip(1)
    half = pl.col("kind").replace_strict(_HALF_BAR) * filled.clip(_THINNEST, 1)
    middle = pl.col("task").replace_strict({task: i for i, task in enumerate(tasks)}) + _BARS
    return bars.select(
        "kind",
        start=pl.col("start_ns"),
        end=pl.max_horizontal("end_ns", pl.col("start_ns") + seen_ns),
        top=(middle - half).round(2),
        bottom=(middle + half).round(2),
        what=_names(bars),
    )


def _names(bars: pl.DataFrame) -> pl.Series:
    """What each bar is, for the reader who points at it."""
    names = []
    for kind, intervals, longest_ns in bars.select("kind", "intervals", "longest_ns").iter_rows():
        times = "" if intervals == 1 else f"{intervals:,}x, up to "
        names.append(f"{kind.removesuffix(' (thin)')}: {times}{human(longest_ns)}")
    return pl.Series(names, dtype=pl.String())


def _texts(intervals: pl.DataFrame, tasks: list[str], width: int) -> pl.DataFrame:
    """What each task did in all, in as many words as fit beside its name."""
    texts = []
    for task in tasks:
        of_task = intervals.filter(pl.col("task") == task)
        full, short = [], []
        for state, verb in (("holding", "held"), ("waiting", "waited")):
            lengths = of_task.filter(pl.col("state") == state)["whole_ns"]
            if len(lengths):
                longest = human(lengths.to_numpy().max())
                full.append(f"{verb} {len(lengths):,}x, up to {longest}")
                short.append(f"{verb} up to {longest}")
        summary = words.fitting(("; ".join(full), "; ".join(short), short[-1]), task, width)
        texts.append((task, summary, len(texts) + _TEXT))
    return pl.DataFrame(texts, ["task", "summary", "row"], orient="row")


def _describe(intervals: pl.DataFrame, span_ns: int) -> str:
    """The chart in words: who held longest, who waited longest."""
    tasks = words.count(intervals["task"].n_unique(), "task")
    sentences = [f"Timeline of the lock over {human(span_ns)}, {tasks}."]
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

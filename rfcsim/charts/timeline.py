"""Who held the lock when, in which mode, and who waited behind it."""

import altair as alt
import polars as pl

from rfcsim.charts import theme, words
from rfcsim.errors import RfcsimError
from rfcsim.events import lock_intervals

MOST_MARKS = 400  # bars in one chart: about 50 kB of JSON
MOST_TASKS = 16  # rows in one chart

# A row is a line of text and, under it, the bars: thin ones where the task waits. As shares of it:
_ROW_PIXELS = 48
_TEXT = 0.19
_BARS = 0.68
_HALF_BAR = {theme.EXCLUSIVE: 0.25, theme.SHARED: 0.25, theme.WAITING: 0.08}

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

    No interval is left out: a hold is drawn at least a pixel wide, bars of one row and kind that are less than a pixel apart become one, and
    further ones too where there would be more than MOST_MARKS. With more than MOST_TASKS tasks,
    only those that waited and held longest are drawn. The subtitle says so in both cases.

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
    order = {task: row for row, task in enumerate(intervals["task"].unique(maintain_order=True))}
    intervals = _window(intervals, from_ns, to_ns)
    first_ns = int(intervals["start_ns"].to_numpy().min()) if from_ns is None else from_ns
    last_ns = int(intervals["end_ns"].to_numpy().max()) if to_ns is None else to_ns
    span_ns = max(last_ns - first_ns, 1)

    shown = sorted(_longest(intervals), key=order.__getitem__)
    bars, apart_ns = _bars(intervals.filter(pl.col("task").is_in(shown)), max(span_ns // width, 1))
    notes = []
    tasks = intervals["task"].n_unique()
    if len(shown) < tasks:
        notes.append(f"{len(shown)} of {tasks} tasks: those that waited and held longest")
    if bars["intervals"].to_numpy().max() > 1:
        notes.append(f"Bars less than {words.duration(apart_ns)} apart are drawn as one")

    unit, scale = words.unit_of(span_ns)
    # Ten thousand steps across the chart: finer than a pixel, and short in the specification.
    digits = max(0, len(str(10_000 * scale // span_ns)) - 1)
    half = pl.col("kind").replace_strict(_HALF_BAR)
    middle = pl.col("task").replace_strict({task: i for i, task in enumerate(shown)}) + _BARS
    marks = bars.select(
        "kind",
        start=(pl.col("start_ns") / scale).round(digits),
        end=(pl.col("end_ns") / scale).round(digits),
        top=(middle - half).round(2),
        bottom=(middle + half).round(2),
        what=_names(bars),
    )
    rows = alt.Scale(domain=[len(shown), 0], nice=False)
    colours = alt.Scale(
        domain=list(theme.STATE_COLOURS), range=list(theme.STATE_COLOURS.values())
    )
    drawn = (
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
            y=alt.Y("top:Q", scale=rows, axis=None),
            y2="bottom:Q",
            color=alt.Color("kind:N", scale=colours, legend=alt.Legend(symbolType="square")),
            tooltip=alt.Tooltip("what:N", title=" "),
        )
    )
    texts = alt.Chart(_texts(intervals, shown, width)).encode(y="row:Q")
    names = texts.mark_text(align="left", fontWeight="bold").encode(x=alt.value(0), text="task:N")
    summaries = texts.mark_text(align="right").encode(x=alt.value(width), text="summary:N")
    return alt.layer(drawn, names, summaries).properties(
        title=alt.TitleParams(title, subtitle=notes) if notes else title,
        description=description or _describe(intervals, span_ns),
        width=width,
        height=_ROW_PIXELS * len(shown),
    )


def _window(intervals: pl.DataFrame, from_ns: int | None, to_ns: int | None) -> pl.DataFrame:
    start, end = pl.col("start_ns"), pl.col("end_ns")
    intervals = intervals.with_columns(whole_ns=end - start)
    if from_ns is not None:
        intervals = intervals.filter(end >= from_ns).with_columns(start.clip(from_ns))
    if to_ns is not None:
        intervals = intervals.filter(start <= to_ns).with_columns(end.clip(None, to_ns))
    if intervals.is_empty():
        raise RfcsimError(
            f"timeline: nobody held the lock or waited (from_ns={from_ns}, to_ns={to_ns})"
        )
    locks = intervals["lock"].unique(maintain_order=True).to_list()
    if len(locks) > 1:
        raise RfcsimError(f"timeline: expected one lock, got {', '.join(map(str, locks))}")
    return intervals


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


def _bars(intervals: pl.DataFrame, pixel_ns: int) -> tuple[pl.DataFrame, int]:
    """Join intervals until they are few enough; return the bars, and how far apart they are."""
    row = ("task", "kind")
    ordered = intervals.with_columns(kind=_kind()).sort(*row, "start_ns", maintain_order=True)
    gap_ns = pl.col("start_ns") - pl.col("end_ns").cum_max().shift().over(row)
    apart_ns = pixel_ns
    while True:
        begins = (gap_ns >= apart_ns).fill_null(True)
        bars = (
            ordered.group_by(*row, begins.cum_sum().alias("bar"), maintain_order=True)
            .agg(
                pl.col("start_ns").first(),
                pl.col("end_ns").max(),
                intervals=pl.len(),
                longest_ns=_WHOLE_NS.max(),
            )
            # Short bars are drawn over long ones, and no hold is too short to be seen.
            .with_columns(
                pl.when(pl.col("kind") == theme.WAITING)
                .then("end_ns")
                .otherwise(pl.max_horizontal("end_ns", pl.col("start_ns") + pixel_ns))
            )
            .sort(pl.col("end_ns") - pl.col("start_ns"), descending=True, maintain_order=True)
        )
        if len(bars) <= MOST_MARKS:
            return bars, apart_ns
        apart_ns *= 2


def _names(bars: pl.DataFrame) -> pl.Series:
    """What each bar is, for the reader who points at it."""
    names = []
    for bar in bars.iter_rows(named=True):
        length = words.duration(bar["longest_ns"])
        times = length if bar["intervals"] == 1 else f"{bar['intervals']:,}x, up to {length}"
        names.append(f"{bar['task']} {bar['kind']}: {times}")
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
                longest = words.duration(lengths.to_numpy().max())
                full.append(f"{verb} {len(lengths):,}x, up to {longest}")
                short.append(f"{verb} up to {longest}")
        summary = words.fitting(("; ".join(full), "; ".join(short), short[-1]), task, width)
        texts.append((task, summary, len(texts) + _TEXT))
    return pl.DataFrame(texts, ["task", "summary", "row"], orient="row")


def _describe(intervals: pl.DataFrame, span_ns: int) -> str:
    """The chart in words: who held longest, who waited longest."""
    tasks = words.count(intervals["task"].n_unique(), "task")
    sentences = [f"Timeline of a lock over {words.duration(span_ns)}, {tasks}."]
    for state, did in (("holding", "held it"), ("waiting", "waited for it")):
        longest = intervals.filter(pl.col("state") == state).top_k(1, by=_WHOLE_NS)
        for row in longest.iter_rows(named=True):
            mode = {"shared": "shared", "exclusive": "exclusively"}[row["mode"]]
            sentences.append(
                f"{row['task']} {did} longest, {words.duration(row['whole_ns'])} {mode}."
            )
    if len(sentences) < 3:
        sentences.append("Nobody waited.")
    return " ".join(sentences)

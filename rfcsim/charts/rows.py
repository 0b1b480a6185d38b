"""Tasks over time, one row each: what is shown of them, and what is joined or left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from rfcsim.charts import theme, words
from rfcsim.duration import human
from rfcsim.errors import RfcsimError

MOST_BARS = 500  # in one chart: about 65 kB of JSON
MOST_TASKS = 10  # rows in one chart

# A row is a line of text and, under it, the bars. As shares of it:
ROW_PIXELS = 48
TEXT = 0.19
BARS = 0.68

THINNEST = 0.1  # of the height of a bar, however little of its time is filled


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one chart, and the stretch of time that it shows.

    Attributes
    ----------
    intervals : polars.DataFrame
        What all tasks did in that stretch: task, lock, state ("waiting" or "holding"), kind (the
        bars of one kind look alike), start_ns and end_ns (within the stretch), whole_ns (the
        length, including what lies outside the stretch), and whatever else a chart needs.
    tasks : list of str
        The tasks that are drawn, from top to bottom.
    first_ns, last_ns : int
        The ends of the stretch.
    width : int
        Of the plot, in pixels.
    """

    intervals: pl.DataFrame
    tasks: list[str]
    first_ns: int
    last_ns: int
    width: int

    @classmethod
    def of(
        cls,
        chart: str,
        intervals: pl.DataFrame,
        from_ns: int | None,
        to_ns: int | None,
        width: int,
    ) -> "Rows":
        """Cut intervals to a stretch of time, and choose the tasks.

        Raises
        ------
        RfcsimError
            If there is nothing to draw, or more than one lock; the message begins with `chart`.
        """
        order = _order(intervals)
        intervals = _window(chart, intervals, from_ns, to_ns)
        return cls(
            intervals=intervals,
            tasks=sorted(_longest(intervals), key=order.index),
            first_ns=int(intervals["start_ns"].to_numpy().min()) if from_ns is None else from_ns,
            last_ns=int(intervals["end_ns"].to_numpy().max()) if to_ns is None else to_ns,
            width=width,
        )

    @property
    def span_ns(self) -> int:
        return max(self.last_ns - self.first_ns, 1)

    @property
    def pixel_ns(self) -> int:
        return max(self.span_ns // self.width, 1)

    def bars(self, *more: pl.Expr, alone_ns: int | None = None) -> pl.DataFrame:
        """Join intervals of one task and kind that are less than a pixel apart.

        Parameters
        ----------
        more : polars.Expr
            Further columns, aggregated over the intervals of a bar.
        alone_ns : int, optional
            Intervals of this length and longer are not joined.

        Returns
        -------
        polars.DataFrame
            task, kind, start_ns, end_ns, length_ns, intervals (how many), filled_ns, longest_ns
            and `more`; the longest bars first, so that short ones are drawn over them.
        """
        row = ("task", "kind")
        length_ns = pl.col("end_ns") - pl.col("start_ns")
        ordered = self.intervals.filter(pl.col("task").is_in(self.tasks)).sort(
            *row, "start_ns", maintain_order=True
        )
        gap_ns = pl.col("start_ns") - pl.col("end_ns").cum_max().shift().over(row)
        begins = (gap_ns >= self.pixel_ns).fill_null(True)
        if alone_ns is not None:
            alone = length_ns >= alone_ns
            begins = begins | alone | alone.shift(fill_value=False)
        bars = ordered.group_by(*row, begins.cum_sum().alias("bar"), maintain_order=True).agg(
            pl.col("start_ns").first(),
            pl.col("end_ns").max(),
            *more,
            intervals=pl.len(),
            filled_ns=length_ns.sum(),
            longest_ns=pl.col("whole_ns").max(),
        )
        return bars.with_columns(length_ns=length_ns).sort(
            "length_ns", descending=True, maintain_order=True
        )

    def middle(self) -> pl.Expr:
        """The vertical place of a task's bars in the chart, in rows."""
        return pl.col("task").replace_strict({task: i for i, task in enumerate(self.tasks)}) + BARS

    def in_units(self, *times_ns: str) -> list[pl.Expr]:
        """Times in the unit of the axis, rounded to less than a pixel to be short in the JSON."""
        _, scale = words.unit_of(self.span_ns)
        # Ten thousand steps across the chart.
        digits = max(0, len(str(10_000 * scale // self.span_ns)) - 1)
        return [(pl.col(time) / scale).round(digits) for time in times_ns]

    def time(self) -> alt.X:
        """The axis of time, for a column `start`."""
        unit, scale = words.unit_of(self.span_ns)
        return alt.X(
            "start:Q",
            title=f"time ({unit})",
            axis=alt.Axis(tickCount=max(2, self.width // 80)),
            scale=alt.Scale(domain=[self.first_ns / scale, self.last_ns / scale], nice=False),
        )

    def places(self) -> alt.Scale:
        """The scale of a vertical place in rows."""
        return alt.Scale(domain=[len(self.tasks), 0], nice=False)

    def texts(self, summaries: Sequence[str]) -> list[alt.Chart]:
        """The line above the bars of each row: the task, and its summary."""
        lines = pl.DataFrame(
            {
                "task": self.tasks,
                "summary": summaries,
                "row": [place + TEXT for place in range(len(self.tasks))],
            }
        )
        texts = alt.Chart(lines).encode(y="row:Q")
        names = texts.mark_text(align="left", fontWeight="bold")
        described = texts.mark_text(align="right")
        return [
            names.encode(x=alt.value(0), text="task:N"),
            described.encode(x=alt.value(self.width), text="summary:N"),
        ]

    def chart(
        self, layers: Sequence[alt.Chart], bars: pl.DataFrame, title: str, description: str
    ) -> alt.LayerChart:
        """Put the layers together, and say which bars were joined or left out."""
        notes = self._notes(bars, bars.head(MOST_BARS))
        return alt.LayerChart(layer=list(layers)).properties(
            title=alt.TitleParams(title, subtitle=notes) if notes else title,
            description=description,
            width=self.width,
            height=ROW_PIXELS * len(self.tasks),
        )

    def _notes(self, bars: pl.DataFrame, drawn: pl.DataFrame) -> list[str]:
        tasks = self.intervals["task"].n_unique()
        notes = []
        if len(self.tasks) < tasks:
            notes.append(f"{len(self.tasks)} of {tasks} tasks: those that waited and held longest")
        if len(drawn) < len(bars):
            shortest = human(drawn["length_ns"][-1])
            notes.append(f"{len(drawn)} of {len(bars):,} bars: those of {shortest} and longer")
        if drawn["intervals"].to_numpy().max() > 1:
            notes += [
                f"Bars less than {human(self.pixel_ns)} apart are drawn as one,",
                "as high as the share of the time that they fill",
            ]
        return notes


def legend_entry() -> pl.Expr:
    """What an interval is drawn as, by its state and the mode of the lock."""
    return (
        pl.when(pl.col("state") == "waiting")
        .then(pl.lit(theme.WAITING))
        .when(pl.col("mode") == "exclusive")
        .then(pl.lit(theme.EXCLUSIVE))
        .otherwise(pl.lit(theme.SHARED))
    )


def _window(
    chart: str, intervals: pl.DataFrame, from_ns: int | None, to_ns: int | None
) -> pl.DataFrame:
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
            f"{chart}: nobody held the lock or waited (from_ns={from_ns}, to_ns={to_ns})"
        )
    locks = intervals["lock"].unique(maintain_order=True).to_list()
    if len(locks) > 1:
        raise RfcsimError(f"{chart}: expected one lock, got {', '.join(map(str, locks))}")
    return intervals


def _order(intervals: pl.DataFrame) -> list[str]:
    """All tasks; those that held the lock longest come first."""
    held_ns = pl.when(pl.col("state") == "holding").then(pl.col("end_ns") - pl.col("start_ns"))
    by_task = intervals.group_by("task", maintain_order=True).agg(held_ns.sum().alias("held_ns"))
    return by_task.sort("held_ns", descending=True, maintain_order=True)["task"].to_list()


def _longest(intervals: pl.DataFrame) -> list[str]:
    """The tasks that waited for the lock and held it longest in the window."""
    time_ns = (pl.col("end_ns") - pl.col("start_ns")).sum()
    by_task = intervals.group_by("task", maintain_order=True).agg(time_ns=time_ns)
    longest = by_task.sort("time_ns", descending=True, maintain_order=True)
    return longest["task"].head(MOST_TASKS).to_list()

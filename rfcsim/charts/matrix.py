"""A time and its interval for every pair of a row and a column, in a grid of cells."""

import math

import altair as alt
import polars as pl

from rfcsim.charts import theme
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.words import count

MOST_CELLS = 200

_ROW_PIXELS = 46
_LINES = (-13, 2, 15)  # pixels of mean, interval and note from the middle of the cell
_LABEL_PIXELS = 14  # the height of a line of a column's name; more lines are drawn downwards


def matrix(
    frame: pl.DataFrame,
    *,
    row: str = "way",
    column: str = "lock_policy",
    note: str = "kernels",
    title: str = "How long a wait can be",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw a time and its interval in each cell of a grid; the longer the time, the darker.

    The shades are logarithmic. A cell with a note is outlined and shows the note. A cell without a
    time says "none".

    Parameters
    ----------
    frame : polars.DataFrame
        What `rfcsim.matrix` gives for one class of task: the columns named here, and mean, low and
        high in ns.
    row, column, note : str
        Columns of the frame; the note may be missing.
    title : str
    description : str, optional
        Text alternative; by default the shortest and the longest time, and the cells with a note.
    width : int
        Of all cells together, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If a column is missing, if there are two of one cell, or if there is no cell or more than
        MOST_CELLS.
    """
    cells = _cells(frame, row, column, note)
    drawn = cells.with_columns(_shades(cells["mean"]))
    rows = cells["row"].unique(maintain_order=True).to_list()
    columns = cells["column"].unique(maintain_order=True).to_list()
    labels = alt.Axis(
        orient="top",
        labelAngle=0,
        labelExpr="split(datum.label, '-')",  # a line for each word
        labelPadding=4 + _LABEL_PIXELS * max(name.count("-") for name in columns),
        title=None,
        domain=False,
        ticks=False,
    )
    base = alt.Chart(drawn).encode(
        x=alt.X("column:N", sort=columns, axis=labels, scale=alt.Scale(padding=0)),
        y=alt.Y(
            "row:N",
            sort=rows,
            axis=alt.Axis(title=None, domain=False, ticks=False),
            scale=alt.Scale(padding=0),
        ),
        tooltip=alt.Tooltip("what:N", title=" "),
    )
    grounds = base.mark_rect(stroke=theme.GROUND, strokeWidth=1).encode(
        color=alt.Color("fill:N", scale=None)
    )
    noted = base.transform_filter("datum.note != ''")
    outlines = noted.mark_rect(fill=None, stroke=theme.ACCENT, strokeWidth=2.5)
    texts = []
    for text, down, size, weight in zip(
        ("time", "margin", "note"), _LINES, (12, 10, 10), ("bold", "normal", "bold"), strict=True
    ):
        texts.append(
            base.mark_text(dy=down, fontSize=size, fontWeight=weight).encode(
                text=f"{text}:N",
                color=alt.Color("ink:N", scale=None),
            )
        )
    return alt.LayerChart(layer=[grounds, outlines, *texts]).properties(
        title=alt.TitleParams(title, subtitle=_legend(cells)),
        description=description or _describe(cells, rows, columns),
        width=width,
        height=_ROW_PIXELS * len(rows),
    )


def _cells(frame: pl.DataFrame, row: str, column: str, note: str) -> pl.DataFrame:
    """Row, column, mean, low, high, note and the texts of each cell."""
    for name in (row, column, "mean", "low", "high"):
        if name not in frame.columns:
            raise RfcsimError(f"matrix: there is no column {name!r}")
    if frame.is_empty() or len(frame) > MOST_CELLS:
        raise RfcsimError(f"matrix: {len(frame)} cells, must be 1 to {MOST_CELLS}")
    notes = pl.col(note).fill_null("") if note in frame.columns else pl.lit("")
    cells = frame.select(
        pl.col(row).cast(pl.String()).alias("row"),
        pl.col(column).cast(pl.String()).alias("column"),
        *("mean", "low", "high"),
        notes.alias("note"),
    )
    twice = cells.filter(pl.struct("row", "column").is_duplicated())
    if len(twice):
        place = twice.row(0, named=True)
        raise RfcsimError(f"matrix: {place['row']}, {place['column']} is there twice")
    return cells.with_columns(
        time=pl.Series([_time(mean) for mean in cells["mean"]], dtype=pl.String()),
        margin=pl.Series(
            [_margin(*cell) for cell in cells.select("mean", "high").iter_rows()], dtype=pl.String()
        ),
    ).with_columns(
        what=pl.format(
            "{}, {}: {} {} {}", "row", "column", "time", "margin", "note"
        ).str.strip_chars()
    )


def _time(mean: float | None) -> str:
    return "none" if mean is None else human(mean)


def _margin(mean: float | None, high: float | None) -> str:
    return "" if mean is None or high is None else f"\N{PLUS-MINUS SIGN} {human(high - mean)}"


def _shades(means: pl.Series) -> list[pl.Series]:
    """The colours of ground and ink of each cell."""
    logs = [math.log(mean) if mean else None for mean in means]
    known = [value for value in logs if value is not None]
    first = min(known, default=0.0)
    span = max(known, default=0.0) - first or 1.0
    shades = []
    for mean, value in zip(means, logs, strict=True):
        if mean is None:
            shades.append((theme.GROUND, theme.GREY))
        else:
            shades.append(theme.shade(0.0 if value is None else (value - first) / span))
    fills, inks = zip(*shades, strict=True)
    return [pl.Series("fill", fills), pl.Series("ink", inks)]


def _legend(cells: pl.DataFrame) -> list[str]:
    parts = ["the longer, the darker (logarithmic)"]
    if len(cells["high"].drop_nulls()):
        parts.append("\N{PLUS-MINUS SIGN} half of the interval")
    if (cells["note"] != "").any():
        parts.append("outlined: as shipped or proposed")
    if cells["mean"].null_count():
        parts.append("none: never asks for the lock")
    return ["; ".join(parts)]


def _describe(cells: pl.DataFrame, rows: list[str], columns: list[str]) -> str:
    """The chart in words: its extremes, and the cells with a note."""
    sizes = f"{count(len(rows), 'row')} and {count(len(columns), 'column')}"
    sentences = [f"Table of times, {sizes}."]
    known = cells.drop_nulls("mean").sort("mean", maintain_order=True)
    if len(known):
        first, last = known.row(0, named=True), known.row(-1, named=True)
        sentences += [
            f"Shortest: {first['time']} ({first['row']}, {first['column']}).",
            f"Longest: {last['time']} ({last['row']}, {last['column']}).",
        ]
    noted = cells.filter(pl.col("note") != "")
    sentences += [
        f"{cell['note']} ({cell['row']}, {cell['column']}): {cell['time']}."
        for cell in noted.iter_rows(named=True)
    ]
    return " ".join(sentences)

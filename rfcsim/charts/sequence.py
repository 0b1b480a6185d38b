"""A schedule as a sequence chart: who did what in turn, and who held the lock meanwhile."""

from typing import NamedTuple

import altair as alt
import polars as pl

from rfcsim.charts import theme
from rfcsim.errors import RfcsimError

MOST_ROWS = 60

_ROW_PIXELS = 24
_LANE = 0.48  # half the width of a hold's bar, where a lane is 1 wide
_SPACE_LANE = 1.1  # the width of the lane of the address space


class _Row(NamedTuple):
    """What one or more steps of a task did that the others can see."""

    task: str
    text: str
    space: str  # VMAs and pages afterwards


def sequence(
    frame: pl.DataFrame,
    *,
    title: str = "Who did what in turn",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw a schedule from top to bottom, with one lane for each task.

    Steps that nobody else can see are left out, and steps in a row that do the same are drawn as
    one. A bar behind a lane is a hold of mmap_sem. On the right are the VMAs ("L": VM_LOCKED) and
    the pages ("." absent, "p" present, "m" present and mlocked) wherever they change.

    Parameters
    ----------
    frame : polars.DataFrame
        With the columns task, call, did, VMAs and pages, as `rfcsim.replay` gives them.
    title : str
    description : str, optional
        Text alternative; by default the schedule in words.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If there is nothing to draw, or more than MOST_ROWS rows.
    """
    rows = _rows(frame)
    if not 0 < len(rows) <= MOST_ROWS:
        raise RfcsimError(f"sequence: {len(rows)} rows to draw: must be 1 to {MOST_ROWS}")
    tasks = frame["task"].unique(maintain_order=True).sort().to_list()
    lanes = len(tasks) + _SPACE_LANE
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.5, lanes - 0.5], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[len(rows), -1], nice=False))
    holds = (
        alt.Chart(_holds(rows, tasks))
        .mark_rect(opacity=0.45)
        .encode(
            x=x,
            x2="x2:Q",
            y=y,
            y2="y2:Q",
            color=alt.Color(
                "kind:N",
                scale=theme.scale(
                    [theme.EXCLUSIVE, theme.SHARED],
                    [theme.GREY, theme.STATE_COLOURS[theme.SHARED]],
                ),
                legend=alt.Legend(symbolType="square", symbolOpacity=0.45),
            ),
        )
    )
    texts = alt.Chart(_texts(rows, tasks)).encode(x="x:Q", y="y:Q", text="text:N")
    return alt.LayerChart(
        layer=[
            holds,
            texts.transform_filter("datum.head == 0").mark_text(),
            texts.transform_filter("datum.head == 1").mark_text(fontWeight="bold"),
        ]
    ).properties(
        title=title,
        description=description or _describe(rows),
        width=width,
        height=_ROW_PIXELS * (len(rows) + 1),
    )


def _rows(frame: pl.DataFrame) -> list[_Row]:
    rows: list[_Row] = []
    for task, call, did, vmas, pages in frame.select(
        "task", "call", "did", "VMAs", "pages"
    ).iter_rows():
        text = f"{call}() {did}" if did.startswith("returns") else did
        row = _Row(task, text, f"{vmas}  {pages}")
        if rows and did and rows[-1].task == task and rows[-1].text == text:
            rows[-1] = row
        elif did:
            rows.append(row)
    return rows


def _holds(rows: list[_Row], tasks: list[str]) -> pl.DataFrame:
    """A rectangle from the row in which a task takes the lock to that in which it releases it."""
    bars = []
    taken: dict[str, tuple[int, str]] = {}
    for number, row in enumerate(rows):
        if row.text.startswith("takes"):
            taken[row.task] = number, row.text
        elif row.text.startswith("releases") and row.task in taken:
            bars.append((*taken.pop(row.task), row.task, number))
        elif row.text.startswith("downgrades") and row.task in taken:
            bars.append((*taken.pop(row.task), row.task, number - 1))
            taken[row.task] = number, theme.SHARED
    bars += [(start, text, task, len(rows) - 1) for task, (start, text) in taken.items()]
    return pl.DataFrame(
        [
            {
                "x": tasks.index(task) - _LANE,
                "x2": tasks.index(task) + _LANE,
                "y": start - 0.5,
                "y2": end + 0.5,
                "kind": theme.EXCLUSIVE if "exclusive" in text else theme.SHARED,
            }
            for start, text, task, end in bars
        ],
        schema={"x": pl.Float64, "x2": pl.Float64, "y": pl.Float64, "y2": pl.Float64, "kind": str},
    )


def _texts(rows: list[_Row], tasks: list[str]) -> pl.DataFrame:
    space_lane = len(tasks) - 0.5 + _SPACE_LANE / 2
    texts = [(float(lane), -0.9, task, 1) for lane, task in enumerate(tasks)]
    texts.append((space_lane, -0.9, "VMAs and pages", 1))
    space = None
    for number, row in enumerate(rows):
        texts.append((float(tasks.index(row.task)), float(number), row.text, 0))
        if row.space != space:
            texts.append((space_lane, float(number), row.space, 0))
        space = row.space
    return pl.DataFrame(texts, ["x", "y", "text", "head"], orient="row")


def _describe(rows: list[_Row]) -> str:
    return "A schedule. " + "; ".join(f"{row.task} {row.text}" for row in rows) + "."

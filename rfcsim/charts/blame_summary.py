"""Who is to blame for the waits of each class of task, added up."""

from itertools import pairwise

import altair as alt
import polars as pl

from rfcsim.charts import theme
from rfcsim.charts.blame import KINDS, rules, thickness
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.trace import blame as trace_blame
from rfcsim.words import count, percent

MOST_CLASSES = 8
MOST_CAUSES = 5  # of one class

_LINE = {
    "what": pl.String(),
    "number": pl.String(),
    "heading": pl.Boolean(),
    "kind": pl.String(),  # of the bar, if the line has one
    "share": pl.Float64(),
}
_LINE_PIXELS = 20
_INDENT, _NAME, _NUMBER = 12, 260, 130  # the parts of a line, in pixels
_LEAST = _NAME + _NUMBER + 100


def blame_summary(
    parts: pl.DataFrame,
    *,
    title: str = "Who is to blame for the waits",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw what the waits of each class of waiter are due to, and in what shares.

    The class that waited most comes first. If there are more than MOST_CLASSES classes, those that
    waited most are drawn, and the subtitle says so. If a class has more than MOST_CAUSES causes,
    the largest are drawn, and a line says what is left.

    Parameters
    ----------
    parts : polars.DataFrame
        Parts of waits (rfcsim.trace.blame.BLAME_SCHEMA), as `rfcsim.blame` returns them.
    title : str
    description : str, optional
        Text alternative; by default the chart in words.
    width : int
        Of the plot with its names and numbers, in pixels; at least 490.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If nobody waited.
    """
    if parts.is_empty():
        raise RfcsimError("blame_summary: nobody waited")
    width = max(width, _LEAST)
    of_class = trace_blame.blame_summary(parts).partition_by("class", maintain_order=True)
    lines = [line for summary in of_class[:MOST_CLASSES] for line in _lines(parts, summary)]
    table = pl.DataFrame(lines, _LINE, orient="row").with_row_index("row")
    place = alt.Y("row:Q", scale=alt.Scale(domain=[len(lines) - 0.5, -0.5]), axis=None)
    seen = 1 / (width - _NAME - _NUMBER)  # a pixel
    bars = table.drop_nulls("kind").select(
        "row",
        "kind",
        "what",
        start=pl.lit(0),
        end=pl.col("share").clip(seen).round(4),
        pixels=thickness(),
    )
    # The names say what a legend would. The bars are between the names and the numbers.
    layers = [
        rules(bars, legend=None).encode(
            x=alt.X(
                "start:Q",
                title="share of all that the class waited",
                scale=alt.Scale(domain=[0, 1], range=[_NAME, width - _NUMBER]),
                axis=alt.Axis(values=[0, 0.5, 1], labelExpr="100 * datum.value + ' %'"),
            ),
            y=place,
        )
    ]
    for heading, indent in ((True, 0), (False, _INDENT)):
        texts = alt.Chart(table.filter(heading=heading).select("row", "what", "number"))
        font = alt.FontWeight("bold" if heading else "normal")
        left = texts.mark_text(align="left", fontWeight=font, limit=_NAME - indent)
        right = texts.mark_text(align="right", fontWeight=font, limit=_NUMBER)
        layers += [
            left.encode(x=alt.value(indent), y=place, text="what:N"),
            right.encode(x=alt.value(width), y=place, text="number:N"),
        ]
    subtitle = f"{MOST_CLASSES} of {len(of_class)} classes: those that waited most"
    return alt.LayerChart(layer=layers).properties(
        title=alt.TitleParams(title, subtitle=subtitle) if len(of_class) > MOST_CLASSES else title,
        description=description or _describe(lines),
        width=width,
        height=_LINE_PIXELS * len(lines),
    )


def _lines(parts: pl.DataFrame, summary: pl.DataFrame) -> list[tuple]:
    """A line for a class of waiter, then one for each cause of its waits; columns as in _LINE."""
    name = summary["class"][0]
    waits = parts.filter(pl.col("class") == name).select("task", "lock", "wait_start_ns")
    total = human(summary["total_ns"].to_numpy().sum())
    lines: list[tuple] = [(name, f"{count(waits.n_unique(), 'wait')}, {total}", True, None, None)]
    for part, cause, call, total_ns, share in (
        summary.select("part", "cause_class", "cause_call", "total_ns", "share")
        .head(MOST_CAUSES)
        .iter_rows()
    ):
        because = trace_blame.because_of(part, cause, call)
        number = f"{human(total_ns)}, {percent(share)}"
        lines.append((because, number, False, KINDS[part], share))
    if len(rest := summary.slice(MOST_CAUSES)):
        total, share = human(rest["total_ns"].to_numpy().sum()), rest["share"].to_numpy().sum()
        number = f"{total}, {percent(share)}"
        lines.append((f"{len(rest)} more", number, False, None, None))
    return lines


def _describe(lines: list[tuple]) -> str:
    """The chart in words: how long each class waited, and because of what above all."""
    sentences = ["What waits for the lock are due to, by class of waiter."]
    for (what, number, heading, *_), (because, most, *_) in pairwise(lines):
        if heading:
            sentences.append(f"{what} ({number}): above all {because}, {most}.")
    return " ".join(sentences)

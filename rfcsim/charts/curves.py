"""Times against a size, one line for each case, with a slider over a third quantity."""

from itertools import pairwise

import altair as alt
import polars as pl

from rfcsim.charts import logarithmic as log
from rfcsim.charts import theme
from rfcsim.duration import human
from rfcsim.errors import RfcsimError

MOST_LINES = len(theme.SERIES)


def curves(
    frame: pl.DataFrame,
    *,
    x: str,
    line: str,
    slider: str,
    x_title: str,
    slider_title: str,
    y_title: str = "time",
    title: str = "",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw times against a size on logarithmic axes, one line for each case.

    A slider moves through the values of a third column. All of them are in the chart, so it also
    works on a page where nothing is computed.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each point: the columns named here, and mean, low and high in ns.
    x, line, slider : str
        Columns: x has numbers above 0, line has what tells the lines apart, and slider has numbers
        in equal steps.
    x_title, slider_title, y_title, title : str
    description : str, optional
        Text alternative; by default the range of every line at both ends of the slider.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If a column is missing, the slider's values are not in equal steps, or there are more than
        MOST_LINES lines.
    """
    for name in (x, line, slider, "mean", "low", "high"):
        if name not in frame.columns:
            raise RfcsimError(f"curves: there is no column {name!r}")
    names = frame[line].cast(pl.String()).unique(maintain_order=True).to_list()
    if not 1 <= len(names) <= MOST_LINES:
        raise RfcsimError(f"curves: {len(names)} lines, must be 1 to {MOST_LINES}")
    values = sorted(frame[slider].unique().to_list())
    points = frame.select(
        pl.col(x).alias("x"),
        pl.col(line).cast(pl.String()).alias("line"),
        pl.col(slider).alias("at"),
        # A logarithmic axis has no zero.
        *(
            pl.col(bound).fill_null(pl.col("mean")).clip(1).round(0)
            for bound in ("mean", "low", "high")
        ),
        what=pl.Series([human(mean) for mean in frame["mean"]], dtype=pl.String()),
    )
    points = points.with_columns(
        number=pl.col("line").replace_strict({name: str(n) for n, name in enumerate(names)})
    )
    chosen = alt.param(
        name="at",
        value=values[0],
        bind=alt.binding_range(
            min=values[0], max=values[-1], step=_step(values), name=f"{slider_title} "
        ),
    )
    colours, dashes, shapes = zip(*theme.SERIES[: len(names)], strict=True)
    lows, highs = points["low"].to_list(), points["high"].to_list()
    first, last = log.decade(min(lows)), log.decade(max(highs)) + 1
    sizes = sorted(points["x"].unique().to_list())
    legend = alt.Legend(columns=1, symbolType="stroke", symbolSize=500, symbolStrokeWidth=2)
    numbers = [str(number) for number in range(len(names))]
    base = (
        alt.Chart(points)
        .transform_filter("datum.at == at")
        .encode(
            x=alt.X(
                "x:Q",
                title=x_title,
                scale=alt.Scale(type="log", domain=[sizes[0], sizes[-1]], nice=False),
                axis=alt.Axis(values=sizes, grid=False),
            ),
            color=alt.Color("line:N", scale=theme.scale(names, colours), legend=legend),
            tooltip=[alt.Tooltip("line:N", title=" "), alt.Tooltip("what:N", title=y_title)],
        )
    )
    y = alt.Y("mean:Q", **log.time_axis(first, last, y_title))
    lines = base.mark_line(strokeWidth=2).encode(
        y=y, strokeDash=alt.StrokeDash("line:N", scale=theme.scale(names, dashes), legend=legend)
    )
    bounds = base.mark_rule(strokeWidth=1.5).encode(
        y=alt.Y("low:Q", **log.time_axis(first, last, y_title)), y2="high:Q"
    )
    # Vega-Lite joins the legends of scales with the same domain: the marks have their own.
    marks = base.mark_point(filled=True, size=60, opacity=1).encode(
        y=y,
        shape=alt.Shape("number:N", scale=theme.scale(numbers, shapes), legend=None),
    )
    return (
        alt.LayerChart(layer=[lines, bounds, marks])
        .add_params(chosen)
        .properties(
            title=title,
            description=description or _describe(points, names, values, x_title, slider_title),
            width=width,
        )
    )


def _step(values: list[float]) -> float:
    """The distance between any two neighbouring values of the slider."""
    steps = {later - earlier for earlier, later in pairwise(values)}
    if len(steps) != 1:
        raise RfcsimError("curves: the slider's values must be two or more in equal steps")
    return steps.pop()


def _describe(
    points: pl.DataFrame, names: list[str], values: list[float], x_title: str, slider_title: str
) -> str:
    """The chart in words: each line at both ends of the slider."""
    sentences = [f"Lines over {x_title}, for {slider_title} from {values[0]} to {values[-1]}."]
    for value in (values[0], values[-1]):
        at = points.filter(pl.col("at") == value).sort("x", maintain_order=True)
        ends = []
        for name in names:
            means = at.filter(pl.col("line") == name)["mean"].to_list()
            if means:
                ends.append(f"{name} from {human(means[0])} to {human(means[-1])}")
        sentences.append(f"At {value}: {'; '.join(ends)}.")
    return " ".join(sentences)

"""What a batch size costs the locker, against how long it makes the others wait."""

from typing import Any

import altair as alt
import polars as pl

from rfcsim.charts import logarithmic as log
from rfcsim.charts import theme
from rfcsim.charts.slider import CHOSEN, slider
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.words import count

MARKED_PAGES = 256  # the RFC's batch
_WAYS = ("pages", "one hold", "on contention", "fault retry")
_LONGER = (1, 1.5, 2, 3, 5, 10, 20, 50, 100)
_PANEL = 255  # pixels of one panel of the frontier, each way


def frontier(
    points: pl.DataFrame,
    *,
    over: str,
    words: str | None = None,
    start: object = None,
    title: str = "What does a shorter wait cost?",
    description: str | None = None,
) -> alt.FacetChart:
    """Draw how long others wait against how much longer mlock() takes, one panel per scenario.

    A line joins the batch sizes. Each is a dot; the dot of 256 pages is large and has its number.
    Designs without batches have marks of their own. Thin lines are 95 % intervals. A logarithmic
    axis cannot show a wait of zero, so it is drawn at the foot of the axis.

    Parameters
    ----------
    points : polars.DataFrame
        What `rfcsim.frontier` gives: scenario, way, batch_pages, mlock_ns and wait_ns with their
        bounds, and the column `over`.
    over : str
        The column that a slider chooses from.
    words : str, optional
        What the values of that column are; by default its name.
    start : optional
        The value that the slider begins with, and that a picture shows; by default the middle one.
    title : str
    description : str, optional
        Text alternative; by default the batch of 256 pages in each panel.

    Returns
    -------
    altair.FacetChart

    Raises
    ------
    RfcsimError
        If there is no such column or value, if there is nothing to choose, or if there is no row of
        the way "one hold".
    """
    chosen = slider(points, over, words, start)
    frame = _relative(chosen.frame)
    waits = frame.filter(pl.col("wait_ns") > 0)["wait_ns"].to_numpy()
    bottom, top = log.decade(float(waits.min())), log.decade(float(waits.max())) + 1
    most = float(frame["longer"].to_numpy().max())
    x = alt.X(
        "longer:Q",
        title="times as long as in one hold",
        scale=alt.Scale(type="log", domain=[0.93, 1.1 * most], nice=False),
        axis=alt.Axis(values=[tick for tick in _LONGER if tick <= most], format="~g"),
    )
    y = alt.Y("wait_ns:Q", **log.time_axis(bottom, top, "p99 of the others' waits"))
    colours, _, shapes = zip(*theme.SERIES[: len(_WAYS)], strict=True)
    legend = alt.Legend(symbolOpacity=1)
    colour = alt.Color("way:N", scale=theme.scale(_WAYS, colours), legend=legend)
    shape = alt.Shape("way:N", scale=theme.scale(_WAYS, shapes), legend=legend)
    panels = points["scenario"].unique(maintain_order=True).to_list()
    rows = alt.Chart().transform_filter(CHOSEN)
    batched = rows.transform_filter("datum.way == 'pages'")
    thin = rows.mark_rule(opacity=0.6)
    layers = [
        batched.mark_line(strokeWidth=1.5, color=theme.INK).encode(x=x, y=y, order="batch_pages:Q"),
        thin.encode(x=x, y="wait_low_ns:Q", y2="wait_high_ns:Q", color=colour),
        thin.encode(x="longer_low:Q", x2="longer_high:Q", y=y, color=colour),
        rows.mark_point(filled=True, opacity=1).encode(
            x=x,
            y=y,
            color=colour,
            shape=shape,
            size=alt.condition("datum.large", alt.value(110), alt.value(28)),
            tooltip=alt.Tooltip("what:N", title=" "),
        ),
        batched.transform_filter("datum.large")
        .mark_text(align="left", dx=9, dy=-7, fontWeight="bold")
        .encode(x=x, y=y, text="batch_pages:Q"),
    ]
    foot = pl.lit(log.ten_to(bottom))
    shown = frame.with_columns(
        pl.when(pl.col(name).is_not_null()).then(pl.max_horizontal(name, foot)).alias(name)
        for name in ("wait_ns", "wait_low_ns", "wait_high_ns")
    )
    return (
        alt.LayerChart(layer=layers)
        .properties(width=_PANEL, height=_PANEL)
        .facet(facet=alt.Facet("scenario:N", title=None, sort=panels), columns=2, data=shown)
        .add_params(chosen.parameter)
        .properties(
            title=alt.TitleParams(chosen.title(title)),
            description=description or _describe(frame.filter(pl.col(over) == chosen.start)),
        )
    )


def _relative(points: pl.DataFrame) -> pl.DataFrame:
    """Points, with how much longer the locker takes than in one hold, and what each dot is."""
    whole = points.filter(pl.col("way") == "one hold")
    if whole.is_empty():
        raise RfcsimError('points: must have rows of the way "one hold"')
    alone = whole.select("scenario", "place", pl.col("mlock_ns").alias("whole_ns"))
    frame = points.join(alone, on=["scenario", "place"], maintain_order="left")
    what = [_words(row) for row in frame.iter_rows(named=True)]
    return frame.select(
        *("scenario", "place", "way", "batch_pages"),
        *(name for name in points.columns if name not in _RELATIVE),
        pl.col("wait_ns", "wait_low_ns", "wait_high_ns"),
        *(
            (pl.col(f"mlock{end}_ns") / pl.col("whole_ns")).round(4).alias(f"longer{end}")
            for end in ("", "_low", "_high")
        ),
        large=(pl.col("way") != "pages") | (pl.col("batch_pages") == MARKED_PAGES),
        what=pl.Series(what, dtype=pl.String()),
    )


def _words(row: dict[str, Any]) -> str:
    size = row["batch_pages"]
    way = row["way"] if size is None else count(size, "page")
    wait, takes = human(row["wait_ns"]), human(row["mlock_ns"])
    return f"{way}: p99 of the others' waits {wait}, mlock() {takes}"


_RELATIVE = (
    *("scenario", "place", "way", "batch_pages", "waiter", "waits_for"),
    *("mlock_ns", "mlock_low_ns", "mlock_high_ns", "wait_ns", "wait_low_ns", "wait_high_ns"),
    "wait_longest_ns",
)


def _describe(frame: pl.DataFrame) -> str:
    said = [
        f"{row['scenario']}, {row['what']}, {row['longer']:.2f} times one hold."
        for row in frame.filter(pl.col("batch_pages") == MARKED_PAGES).iter_rows(named=True)
    ]
    return " ".join(["Waits against the time of mlock(), by batch size.", *said])


def law(
    frame: pl.DataFrame,
    *,
    over: str,
    words: str | None = None,
    start: object = None,
    simulated: pl.DataFrame | None = None,
    title: str = "Overhead against waiting",
    description: str | None = None,
    width: int = theme.WIDTH,
) -> alt.LayerChart:
    """Draw the batch law: mean wait against overhead, on logarithmic axes, a dot per batch size.

    Parameters
    ----------
    frame : polars.DataFrame
        Several frames of `rfcsim.batch_law` below one another: batch_pages, overhead, mean_ns, and
        the column `over`.
    over : str
        The column that a slider chooses from.
    words, start : optional
        See `frontier`.
    simulated : polars.DataFrame, optional
        What the clock gives: overhead, mean_ns, low_ns, high_ns and the column `over`.
    title : str
    description : str, optional
        Text alternative; by default the batch of 256 pages.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If there is no such column or value, or if there is nothing to choose.
    """
    chosen = slider(frame.filter(pl.col("overhead") > 0), over, words, start)
    lines = chosen.frame.with_columns(large=pl.col("batch_pages") == MARKED_PAGES)
    overhead, wait = lines["overhead"].to_numpy(), lines["mean_ns"].to_numpy()
    first, last = log.decade(float(overhead.min())), log.decade(float(overhead.max())) + 1
    x = alt.X(
        "overhead:Q",
        title="overhead: by so much the batches make mlock() longer",
        **log.axis(first, last, format="~%"),
    )
    y = alt.Y(
        "mean_ns:Q",
        **log.time_axis(
            log.decade(float(wait.min())),
            log.decade(float(wait.max())) + 1,
            "mean wait of a writer",
        ),
    )
    rows = alt.Chart(lines).transform_filter(CHOSEN)
    layers = [
        rows.mark_line(color=theme.INK).encode(x=x, y=y, order="batch_pages:Q"),
        rows.mark_point(filled=True, opacity=1, color=theme.INK).encode(
            x=x, y=y, size=alt.condition("datum.large", alt.value(120), alt.value(36))
        ),
        rows.mark_text(align="left", dx=9, dy=-6).encode(x=x, y=y, text="batch_pages:Q"),
    ]
    if simulated is not None:
        places = lines.select(over, "place").unique()
        runs = alt.Chart(simulated.join(places, on=over)).transform_filter(CHOSEN)
        layers += [
            runs.mark_rule(color=theme.ACCENT, strokeWidth=2).encode(
                x=x, y="low_ns:Q", y2="high_ns:Q"
            ),
            runs.mark_point(shape="square", size=60, color=theme.ACCENT, opacity=1).encode(
                x=x, y=y
            ),
        ]
    here = lines.filter(pl.col("large"), pl.col(over) == chosen.start)
    said = [
        f"256 pages: overhead {100 * row['overhead']:.2g} %, mean wait {human(row['mean_ns'])}."
        for row in here.iter_rows(named=True)
    ]
    return (
        alt.LayerChart(layer=layers)
        .add_params(chosen.parameter)
        .properties(
            title=alt.TitleParams(chosen.title(title)),
            description=description or " ".join(["Mean wait against overhead.", *said]),
            width=width,
            height=300,
        )
    )

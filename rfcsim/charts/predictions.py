"""Predicted against measured times, one mark for each cell, with the misses picked out."""

from collections.abc import Mapping

import altair as alt
import polars as pl

from rfcsim.charts import logarithmic as log
from rfcsim.charts import theme
from rfcsim.duration import human
from rfcsim.errors import RfcsimError

_PANEL = 265  # pixels of one panel, each way
_COLUMNS = ("quantity", "measured_ns", "predicted_ns", "ratio", "placement", "piece_pages", "what")
_PLACES = {"same": "waiter on the same CPU", "other": "waiter on another CPU"}


def predictions(
    cells: pl.DataFrame,
    *,
    factors: Mapping[str, float],
    title: str = "How well is it predicted?",
    description: str | None = None,
) -> alt.FacetChart:
    """Draw predictions against measurements on logarithmic axes, one panel for each quantity.

    On the line they are equal. Between the dashed lines they differ by less than a factor. A cell
    outside is coloured, and the pages of its pieces are written beside it.

    Parameters
    ----------
    cells : polars.DataFrame
        One row for each cell and quantity, as in `Validation.cells`: quantity, measured_ns,
        predicted_ns, ratio, placement ("same" or "other"), piece_pages, and what (in words).
    factors : mapping of str to float
        The quantities to draw, and the factor of each.
    title : str
    description : str, optional
        Text alternative; by default how many cells lie within the factors, and the worst.

    Returns
    -------
    altair.FacetChart

    Raises
    ------
    RfcsimError
        If a column is missing, or a quantity has no cell.
    """
    for name in _COLUMNS:
        if name not in cells.columns:
            raise RfcsimError(f"predictions: there is no column {name!r}")
    wanted = pl.DataFrame({"quantity": list(factors), "factor": list(factors.values())})
    frame = cells.join(wanted, on="quantity", maintain_order="left_right")
    for quantity in factors:
        if frame.filter(quantity=quantity).is_empty():
            raise RfcsimError(f"predictions: there is no cell of {quantity!r}")
    missed = ~pl.col("ratio").is_between(1 / pl.col("factor"), pl.col("factor"))
    points = frame.select(
        "quantity",
        pl.col("measured_ns", "predicted_ns").round(0),
        place=pl.col("placement").replace_strict(_PLACES),
        missed=missed,
        pages=pl.when(missed).then(pl.col("piece_pages").cast(pl.String)).otherwise(pl.lit("")),
        what=pl.struct("what", "predicted_ns", "measured_ns").map_elements(_words, pl.String()),
    )
    times = pl.concat([points["measured_ns"], points["predicted_ns"]]).to_numpy()
    first, last = log.decade(float(times.min())), log.decade(float(times.max())) + 1
    x = alt.X("measured_ns:Q", **log.time_axis(first, last, "measured"))
    y = alt.Y("predicted_ns:Q", **log.time_axis(first, last, "predicted"))
    shape = alt.Shape("place:N", scale=theme.scale(_PLACES.values(), ("circle", "square")))
    rows = alt.Chart().transform_filter(alt.datum.kind == "cell")
    colour = alt.condition("datum.missed", alt.value(theme.ACCENT), alt.value(theme.INK))
    lines = alt.Chart().transform_filter(alt.datum.kind == "line").mark_line(color=theme.GREY)
    layers = [
        lines.encode(
            x=x,
            y=y,
            detail="pages:N",
            strokeDash=alt.condition("datum.missed", alt.value([4, 4]), alt.value([1, 0])),
        ),
        rows.mark_point(opacity=1, size=46, strokeWidth=1.5).encode(
            x=x, y=y, shape=shape, color=colour, tooltip=alt.Tooltip("what:N", title=" ")
        ),
        rows.mark_text(align="left", dx=7, dy=-6, fontSize=11, color=theme.ACCENT).encode(
            x=x, y=y, text="pages:N"
        ),
    ]
    data = pl.concat(
        [
            points.with_columns(kind=pl.lit("cell")),
            *(_lines(quantity, factor, first, last) for quantity, factor in factors.items()),
        ],
        how="diagonal",
    )
    return (
        alt.LayerChart(layer=layers)
        .properties(width=_PANEL, height=_PANEL)
        .facet(facet=alt.Facet("quantity:N", title=None, sort=list(factors)), columns=2, data=data)
        .properties(
            title=alt.TitleParams(title, subtitle=_subtitle(frame, factors)),
            description=description or _describe(frame, factors),
        )
    )


def _lines(quantity: str, factor: float, first: int, last: int) -> pl.DataFrame:
    """The diagonal and the two lines beside it, as far as the panel reaches."""
    ends = []
    for name, times in (("equal", 1.0), ("above", factor), ("below", 1 / factor)):
        low, high = log.ten_to(first), log.ten_to(last)
        for measured in (low * max(1, 1 / times), high * min(1, 1 / times)):
            ends.append((quantity, measured, measured * times, name != "equal", name, "line"))
    columns = ["quantity", "measured_ns", "predicted_ns", "missed", "pages", "kind"]
    return pl.DataFrame(ends, columns, orient="row")


def _words(row: Mapping[str, object]) -> str:
    predicted, measured = (
        human(round(float(str(row[name])))) for name in ("predicted_ns", "measured_ns")
    )
    return f"{row['what']}: {predicted} predicted, {measured} measured"


def _within(frame: pl.DataFrame, quantity: str, factor: float) -> tuple[int, int]:
    ratios = frame.filter(quantity=quantity)["ratio"]
    return int(ratios.is_between(1 / factor, factor).sum()), len(ratios)


def _subtitle(frame: pl.DataFrame, factors: Mapping[str, float]) -> str:
    said = []
    for quantity, factor in factors.items():
        within, cells = _within(frame, quantity, factor)
        said.append(f"{quantity} within a factor of {factor:g} in {within} of {cells}")
    return "; ".join(said)


def _describe(frame: pl.DataFrame, factors: Mapping[str, float]) -> str:
    worst = frame.sort(pl.col("ratio").log().abs()).row(-1, named=True)
    return (
        f"Predicted against measured times: {_subtitle(frame, factors)}. Furthest off is the "
        f"{worst['quantity']} of {_words(worst)}."
    )

"""What a model gives, divided by what it should give: one row each, on a logarithmic axis."""

import altair as alt
import polars as pl

from rfcsim.charts import theme
from rfcsim.errors import RfcsimError

MOST_KINDS = len(theme.SERIES)
MOST_ROWS = 60
COLUMNS = ("kind", "what", "ratio", "low", "high", "fitted")

_ROW_PIXELS = 22
_NUMBER = 56  # pixels at the right, for the ratio in figures
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_FINE_TICKS = (0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4, 2)


def ratios(
    frame: pl.DataFrame,
    *,
    aim: float = 1.3,
    title: str = "Simulated by observed",
    description: str | None = None,
    width: int = theme.WIDTH - 180,
) -> alt.LayerChart:
    """Draw ratios on a logarithmic axis, one row each, with a band where they are meant to be.

    Too small counts as much as too large: twice and half are equally far from one. A mark is hollow
    if the model was fitted to the figure, which then proves little. A thin line is an interval.

    Parameters
    ----------
    frame : polars.DataFrame
        One row for each ratio: kind (colour and shape), what (the name of its row, different from
        all others), ratio, low and high (null: no interval), fitted (whether the figure was used to
        make the model).
    aim : float
        The band goes from 1 / aim to aim.
    title : str
    description : str, optional
        Text alternative; by default how many lie in the band, and the two farthest from one.
    width : int
        Of the plot, in pixels, without the names.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If a column is missing, if there are no rows or too many rows or kinds, if two rows have the
        same name, if a ratio is not above zero, or if the aim is not above 1.
    """
    _check(frame, aim)
    whats = frame["what"].to_list()
    kinds = frame["kind"].unique(maintain_order=True).to_list()
    points = frame.select(
        "kind",
        "what",
        *(pl.col(name).cast(pl.Float64).round_sig_figs(4) for name in ("ratio", "low", "high")),
        "fitted",
        text=pl.Series([_number(ratio) for ratio in frame["ratio"]], dtype=pl.String()),
    )
    bounds = [
        value
        for name in ("ratio", "low", "high")
        for value in [*points[name].drop_nulls().to_list(), aim, 1 / aim]
    ]
    reach = 1.15 * max(max(bounds), 1 / min(bounds))  # one is in the middle
    ticks = _TICKS if reach > 3 else _FINE_TICKS
    x = alt.X(
        "ratio:Q",
        title="ratio, logarithmic; the band is where it should be",
        scale=alt.Scale(type="log", domain=[1 / reach, reach], nice=False),
        axis=alt.Axis(values=[tick for tick in ticks if 1 / reach <= tick <= reach], format="~g"),
    )
    y = alt.Y(
        "what:N",
        title=None,
        scale=alt.Scale(domain=whats),
        axis=alt.Axis(labelLimit=320, ticks=False, domain=False, labelPadding=8),
    )
    colours, _, shapes = zip(*theme.SERIES[: len(kinds)], strict=True)
    band = alt.Chart(pl.DataFrame({"ratio": [1 / aim], "to": [aim]}))
    one = alt.Chart(pl.DataFrame({"ratio": [1.0]}))
    legend = alt.Legend(columns=2, symbolOpacity=1, symbolSize=90)
    shape = alt.Shape("kind:N", scale=theme.scale(kinds, shapes), legend=legend)
    base = alt.Chart(points).encode(y=y)
    layers = [
        band.mark_rect(color=theme.LIGHTEST).encode(x=x, x2="to:Q"),
        one.mark_rule(color=theme.GREY).encode(x=x),
        base.mark_rule(strokeWidth=1.5).encode(
            x="low:Q", x2="high:Q", color=alt.Color("kind:N", scale=theme.scale(kinds, colours))
        ),
        base.mark_point(filled=True, size=130, opacity=1).encode(
            x=x,
            color=alt.Color("kind:N", scale=theme.scale(kinds, colours), legend=legend),
            shape=shape,
        ),
        base.transform_filter("datum.fitted")
        .mark_point(filled=True, size=35, opacity=1, color=theme.GROUND)
        .encode(x=x, shape=shape),
        base.mark_text(align="right").encode(x=alt.value(width + _NUMBER), text="text:N"),
    ]
    subtitle = "Hollow: the model was fitted to that figure"
    return alt.LayerChart(layer=layers).properties(
        title=alt.TitleParams(title, subtitle=subtitle) if frame["fitted"].any() else title,
        description=description or _describe(frame, aim),
        width=width,
        height=_ROW_PIXELS * len(whats),
    )


def _check(frame: pl.DataFrame, aim: float) -> None:
    for name in COLUMNS:
        if name not in frame.columns:
            raise RfcsimError(f"ratios: there is no column {name!r}")
    if not aim > 1:
        raise RfcsimError(f"aim = {aim}: must be above 1")
    if not 1 <= len(frame) <= MOST_ROWS:
        raise RfcsimError(f"ratios: {len(frame)} rows, must be 1 to {MOST_ROWS}")
    if frame["kind"].n_unique() > MOST_KINDS:
        raise RfcsimError(f"ratios: more than {MOST_KINDS} kinds")
    twice = frame.filter(frame["what"].is_duplicated())["what"].to_list()
    if twice:
        raise RfcsimError(f"ratios: two rows are named {twice[0]!r}")
    for name in ("ratio", "low", "high"):
        wrong = frame.filter(pl.col(name).fill_null(0 if name == "ratio" else 1) <= 0)
        if len(wrong):
            raise RfcsimError(f"ratios: {name} of {wrong['what'][0]!r} must be above 0")


def _number(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"


def _describe(frame: pl.DataFrame, aim: float) -> str:
    inside = frame.filter(pl.col("ratio").is_between(1 / aim, aim))
    far = frame.sort(pl.col("ratio").log().abs(), descending=True, maintain_order=True).head(2)
    named = ", ".join(
        f"{what} {_number(ratio)}" for what, ratio in far.select("what", "ratio").iter_rows()
    )
    return (
        f"{len(frame)} ratios, {len(inside)} of them between {1 / aim:.2f} and {aim:g}. "
        f"Farthest from one: {named}."
    )

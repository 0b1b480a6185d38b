"""A slider over values that were computed beforehand, so that it needs no running kernel."""

import json
from typing import Any, NamedTuple

import altair as alt
import polars as pl

from rfcsim.errors import RfcsimError

CHOSEN = "datum.place == place"  # of a frame with places: the rows to show


class Slider(NamedTuple):
    """A slider, and the frame that it chooses from.

    frame : polars.DataFrame, with a column place: the number of the row's value
    parameter : altair.Parameter, to be added to the chart
    words : list of str, such as "writers: 16", for each place
    start : the value that the slider begins with, and that a picture shows
    """

    frame: pl.DataFrame
    parameter: alt.Parameter
    words: list[str]
    start: Any

    def title(self, title: str) -> alt.ExprRef:
        """A title with the chosen value in brackets behind it."""
        return alt.ExprRef(f"{json.dumps(title)} + ' (' + {json.dumps(self.words)}[place] + ')'")


def slider(frame: pl.DataFrame, column: str, words: str | None, start: Any) -> Slider:
    """Make a slider over the values of a column, in their order.

    Parameters
    ----------
    frame : polars.DataFrame
    column : str
    words : str or None
        What the values are; None: the column's name.
    start : a value, or None for the one in the middle

    Returns
    -------
    Slider

    Raises
    ------
    RfcsimError
        If there is no such column or value, or nothing to choose.
    """
    if column not in frame.columns:
        raise RfcsimError(f"over = {column!r}: must be a column of the frame")
    values = frame[column].unique(maintain_order=True).to_list()
    if len(values) < 2:
        raise RfcsimError(f"over = {column!r}: has one value in the frame, must have two")
    begin = values[len(values) // 2] if start is None else start
    if begin not in values:
        raise RfcsimError(f"start = {start!r}: must be one of {', '.join(map(str, values))}")
    name = words or column
    place = pl.col(column).replace_strict(values, list(range(len(values))), return_dtype=pl.Int64)
    return Slider(
        frame=frame.with_columns(place=place),
        parameter=alt.param(
            name="place",
            value=values.index(begin),
            bind=alt.binding_range(min=0, max=len(values) - 1, step=1, name=f"{name}: "),
        ),
        words=[f"{name}: {value}" for value in values],
        start=begin,
    )

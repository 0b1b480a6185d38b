"""Logarithmic axes: decades, steps within them, and times in their units."""

import math
from typing import Any

import altair as alt
import polars as pl

from rfcsim.charts import words

STEPS = 10  # per decade: values that are drawn as one differ by less than 26 %


def step(column: str) -> pl.Expr:
    """The step of a logarithmic axis in which a value lies."""
    return (pl.col(column).log10() * STEPS + 1e-9).floor().cast(pl.Int64)


def decade(value: float) -> int:
    """The power of ten at or below a value."""
    return math.floor(math.log10(value) + 1e-9)


def ten_to(power: int) -> float:
    """The float nearest to a power of ten."""
    return float(f"1e{power}")


def axis(first: int, last: int, **how: Any) -> dict[str, Any]:
    """Scale and axis from one power of ten to another, with a tick at each."""
    return {
        "scale": alt.Scale(type="log", domain=[ten_to(first), ten_to(last)], nice=False),
        "axis": alt.Axis(values=[ten_to(power) for power in range(first, last + 1)], **how),
    }


def time_axis(first: int, last: int, title: str) -> dict[str, Any]:
    """Title, scale and axis of a time in ns, whose labels are in s, ms, us or ns."""
    in_units = " : ".join(
        f"datum.value >= {scale} ? datum.value / {scale} + ' {name}'" for name, scale in words.UNITS
    )
    labels = {"labelExpr": f"{in_units} : datum.label", "labelOverlap": "parity"}
    return {"title": title, **axis(first, last, labelFlush=False, **labels)}

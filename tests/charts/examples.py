"""Frames that the charts are tested with, and what is inside a finished chart."""

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from rfcsim.attribution import blame as blame_of
from rfcsim.charts import blame, blame_summary, curves, holds, matrix, survival, timeline
from rfcsim.data import data_path
from rfcsim.events import INTERVAL_SCHEMA
from rfcsim.histogram import bucket_bounds
from rfcsim.live import read_trace

TRACE = read_trace(data_path("traces", "pieces-256-other-cpu"))

Interval = tuple[str, str, str, int, int]  # task, state, mode, start_ns, end_ns


def intervals(*rows: Interval) -> pl.DataFrame:
    """An interval frame of one lock; the class is the first word of the task."""
    whole = [(task, task.split()[0], "mm", *rest, False) for task, *rest in rows]
    return pl.DataFrame(whole, INTERVAL_SCHEMA, orient="row")


def histogram(values: Any, record: str = "wait_shared", name: str = "victim") -> pl.DataFrame:
    """The simulator's histogram of some durations in ns."""
    low, high = bucket_bounds()
    buckets, counts = np.unique(np.searchsorted(low, values, side="right") - 1, return_counts=True)
    return pl.DataFrame(
        {
            "class": name,
            "record": record,
            "low_ns": low[buckets],
            "high_ns": high[buckets],
            "count": counts,
        }
    )


def random_histogram() -> pl.DataFrame:
    """Waits of two classes, some of them zero, and the holds of one."""
    draw = np.random.default_rng(1)
    waits = draw.exponential(250_000, 5_000).astype(int) * (draw.random(5_000) < 0.7)
    return pl.concat(
        [
            histogram(waits, "wait_exclusive", "victim"),
            histogram(draw.integers(1, 10**9, 500), "wait_shared", "locker"),
            histogram(draw.integers(10**5, 10**6, 500), "hold_shared", "locker"),
        ]
    )


def random_cells() -> pl.DataFrame:
    """Means and intervals on a grid of three by three, at two values of a third column."""
    draw = np.random.default_rng(2)
    cells = [
        (size, case, at, "2.6.36" if size == case == 1 else None)
        for size in (1, 10, 100)
        for case in range(3)
        for at in (0, 5)
    ]
    frame = pl.DataFrame(cells, ["size", "case", "at", "note"], orient="row")
    means = pl.Series("mean", 10 ** draw.uniform(4, 8, len(cells)))
    return frame.with_columns(means, low=0.9 * means, high=1.2 * means)


def charts() -> dict[str, alt.LayerChart]:
    """One chart of each sort and source."""
    return {
        "timeline": timeline(TRACE),
        "narrow timeline": timeline(TRACE, width=300, from_ns=0, to_ns=10**7),
        "blame": blame(TRACE),
        "narrow blame": blame(TRACE, width=300, from_ns=0, to_ns=10**7),
        "blame_summary": blame_summary(blame_of(TRACE)),
        "survival": survival(random_histogram()),
        "survival of a trace": survival(TRACE),
        "holds": holds(random_histogram()),
        "holds of a trace": holds(TRACE, width=300),
        "matrix": matrix(
            random_cells().filter(pl.col("at") == 0), row="size", column="case", note="note"
        ),
        "curves": curves(
            random_cells(), x="size", line="case", slider="at", x_title="size", slider_title="at"
        ),
    }


def rows(chart: alt.LayerChart, layer: int = 0) -> list[dict[str, Any]]:
    """The data of one layer."""
    spec = chart.to_dict()
    own = spec["layer"][layer]
    return spec["datasets"][(own if "data" in own else spec)["data"]["name"]]

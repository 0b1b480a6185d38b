"""Frames for the tests of the charts, and a look into a finished chart."""

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from rfcsim.charts import (
    blame,
    blame_summary,
    call_sites,
    curves,
    frontier,
    holds,
    law,
    matrix,
    predictions,
    ratios,
    sequence,
    stack,
    survival,
    timeline,
)
from rfcsim.data import data_path
from rfcsim.histogram import bucket_bounds
from rfcsim.live import read_trace
from rfcsim.trace.blame import blame as blame_of
from rfcsim.trace.frame import INTERVAL_SCHEMA

TRACE = read_trace(data_path("traces", "pieces-256-other-cpu"))

SCHEDULE = pl.DataFrame(
    [
        ("locker 0", "mlock", "", "[0, 2)", ".."),
        ("locker 0", "mlock", "takes mmap_sem shared", "[0, 2)", ".."),
        ("locker 0", "mlock", "changes pages", "[0, 2)", "m."),
        ("locker 0", "mlock", "changes pages", "[0, 2)", "mm"),
        ("other 0", "munlock", "asks for mmap_sem exclusive", "[0, 2)", "mm"),
        ("locker 0", "mlock", "releases mmap_sem (shared)", "[0, 2)", "mm"),
        ("other 0", "munlock", "takes mmap_sem exclusive", "[0, 2)", "mm"),
    ],
    ["task", "call", "did", "VMAs", "pages"],
    orient="row",
)

SITES = pl.DataFrame(
    [
        ("mlock()", "2.6.36", "exclusive", 65_400_000, 65_500_000, 2_000),
        ("brk()", "2.6.36", "exclusive", 7_000, 8_000, 9_000),
        ("mlock()", "6.4", "shared", 0, 0, 65_000_000),
    ],
    ["call", "kernel", "mode", "fault_wait_ns", "fault_wait_beside_mapper_ns", "map_wait_ns"],
    orient="row",
)

FACTORS = {"p50": 1.3, "p99": 2.0}
CELLS = pl.DataFrame(
    [
        ("p50", 1_000.0, 1_200.0, "same", 4),
        ("p50", 1_000.0, 1_400.0, "other", 16),
        ("p99", 50_000.0, 26_000.0, "same", 64),
        ("p99", 50_000.0, 900_000.0, "other", 256),
        ("max", 1.0, 9.9, "other", 256),
    ],
    ["quantity", "measured_ns", "predicted_ns", "placement", "piece_pages"],
    orient="row",
).with_columns(
    ratio=pl.col("predicted_ns") / pl.col("measured_ns"),
    what=pl.format("pieces of {}", "piece_pages"),
)

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


def frontier_points() -> pl.DataFrame:
    """A frontier of two loads: batches of 16 and 256 pages, one hold, and fault retry."""
    ways = [("pages", 16), ("pages", 256), ("one hold", None), ("fault retry", None)]
    return pl.DataFrame(
        {
            "scenario": ["case"] * 8,
            "load": [load for load in (1, 4) for _ in ways],
            "way": [way for way, _ in ways] * 2,
            "batch_pages": [pages for _, pages in ways] * 2,
            "mlock_ns": [2e6, 1.5e6, 1e6, 1e6, 4e6, 2e6, 1e6, 1e6],
            "wait_ns": [50_000, 300_000, 10**6, 0] * 2,
        }
    ).with_columns(
        mlock_low_ns=0.9 * pl.col("mlock_ns"),
        mlock_high_ns=1.1 * pl.col("mlock_ns"),
        wait_low_ns=(0.9 * pl.col("wait_ns")).cast(pl.Int64),
        wait_high_ns=pl.lit(None, pl.Int64),
    )


def law_frame() -> pl.DataFrame:
    """The batch law for two loads."""
    return pl.DataFrame(
        {
            "load": [1, 1, 1, 4, 4, 4],
            "batch_pages": [16, 256, 4096] * 2,
            "overhead": [0.08, 0.005, 0.0003, 0.32, 0.02, 0.0012],
            "mean_ns": [24_000.0, 144_000.0, 2e6] * 2,
        }
    )


def simulated_law() -> pl.DataFrame:
    """What a simulation might give for that law."""
    mean = pl.col("mean_ns")
    return law_frame().select("load", "overhead", "mean_ns", low_ns=0.7 * mean, high_ns=1.4 * mean)


def random_ratios() -> pl.DataFrame:
    """Ratios around one, of two kinds, with intervals."""
    draw = np.random.default_rng(1)
    ratio = pl.Series(10 ** draw.normal(0, 0.5, 8))
    return pl.DataFrame({"ratio": ratio, "low": 0.8 * ratio, "high": 1.2 * ratio}).with_columns(
        what=pl.Series([f"quantity {number}" for number in range(8)]),
        kind=pl.Series(["formula", "published"] * 4),
        fitted=pl.Series([False] * 7 + [True]),
    )


def charts() -> dict[str, alt.TopLevelMixin]:
    """One chart of each sort, under its name, and more of some sources."""
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
        "frontier": frontier(frontier_points(), over="load"),
        "ratios": ratios(random_ratios()),
        "law": law(law_frame(), over="load", simulated=simulated_law()),
        "predictions": predictions(CELLS, factors=FACTORS),
        "call_sites": call_sites(SITES),
        "sequence": sequence(SCHEDULE),
        "stack": stack(timeline(TRACE), blame(TRACE)),
    }


def rows(chart: alt.LayerChart, layer: int = 0) -> list[dict[str, Any]]:
    """The data of one layer."""
    spec = chart.to_dict()
    own = spec["layer"][layer]
    return spec["datasets"][(own if "data" in own else spec)["data"]["name"]]

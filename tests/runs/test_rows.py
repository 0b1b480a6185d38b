"""The rows of a sweep say what the results of its runs say."""

import polars as pl

from rfcsim.clock.layout import span
from rfcsim.runs.result import Result
from rfcsim.runs.rows import QUANTILES, ROW_SCHEMA
from rfcsim.runs.simulate import simulate
from rfcsim.runs.sweep import sweep
from rfcsim.version import __version__
from tests.runs.examples import SMALL

OVER = {"design": ["exclusive", "batched"], "tasks.victim.count": [1, 4]}
ROWS = sweep(SMALL, OVER, replications=3, seed=7)


def runs() -> list[tuple[Result, pl.DataFrame]]:
    """Every run of the grid, made by itself, and its rows."""
    found = []
    for point, (design, count) in enumerate((d, c) for d in OVER["design"] for c in (1, 4)):
        case = SMALL.replace(design=design, **{"tasks.victim.count": count})
        for replication in range(3):
            result = simulate(case, seed=7, replication=replication)
            found.append((result, ROWS.filter(point=point, replication=replication)))
    return found


def test_the_columns() -> None:
    assert dict(ROWS.schema) == {
        "point": pl.Int64(),
        "scenario": pl.String(),
        "design": pl.String(),
        "tasks.victim.count": pl.Int64(),
        **ROW_SCHEMA,
    }
    assert ROWS["seed"].unique().to_list() == [7]
    assert ROWS["version"].unique().to_list() == [__version__]
    assert ROWS["fingerprint"].n_unique() == 4
    of_points = ROWS.select("point", "design", "tasks.victim.count").unique(maintain_order=True)
    assert of_points.rows() == [
        (0, "exclusive", 1),
        (1, "exclusive", 4),
        (2, "batched", 1),
        (3, "batched", 4),
    ]


def test_rows_stand_in_the_order_of_the_grid() -> None:
    place = {name: number for number, name in enumerate((None, *span.NAMES))}
    classes = {"locker": 0, "victim": 1}
    order = [
        (point, replication, classes[name], place[record], call is not None)
        for point, replication, name, record, call in ROWS.select(
            "point", "replication", "class", "record", "call"
        ).rows()
    ]
    assert order == sorted(order)


def test_waits_holds_and_calls_are_those_of_the_run() -> None:
    times = ["p50_ns", "p99_ns", "max_ns", "total_ns"]
    for result, rows in runs():
        assert rows["elapsed_ns"].unique().to_list() == [result.elapsed_ns]
        mode = pl.col("record").str.split("_").list.last().alias("mode")
        waits = rows.filter(pl.col("record").str.starts_with("wait_"))
        renamed = waits.select("class", mode, pl.col("count").alias("requests"), "waited", *times)
        assert renamed.equals(result.waits)
        holds = rows.filter(pl.col("record").str.starts_with("hold_"))
        renamed = holds.select("class", mode, pl.col("count").alias("holds"), *times)
        assert renamed.equals(result.holds)
        calls = rows.filter(pl.col("call").is_not_null())
        assert calls.select(result.calls.columns).equals(result.calls)
        assert calls["record"].unique().to_list() == ["call"]


def test_quantiles_are_those_of_the_run() -> None:
    for result, rows in runs():
        for row in rows.filter(pl.col("call").is_null()).to_dicts():
            for column, q in QUANTILES.items():
                assert row[column] == result.quantile(row["class"], row["record"], q)
            assert row["mean_ns"] == row["total_ns"] / row["count"]


def test_histograms_are_those_of_the_run() -> None:
    for result, rows in runs():
        buckets = rows.filter(pl.col("call").is_null()).select(
            "class",
            "record",
            pl.col("bucket_ns").alias("high_ns"),
            pl.col("bucket_count").alias("count"),
        )
        assert buckets.explode("high_ns", "count").equals(result.histogram.drop("low_ns"))


def test_all_calls_together_are_the_sum_of_the_calls() -> None:
    keys = ["point", "replication", "class"]
    figures = ["count", "failed", "total_ns"]
    calls = ROWS.filter(record="call")
    together = calls.filter(pl.col("call").is_null()).select(*keys, *figures)
    each = calls.filter(pl.col("call").is_not_null())
    assert each.group_by(keys, maintain_order=True).agg(pl.col(figures).sum()).equals(together)


def test_what_a_kind_of_row_does_not_have_is_null() -> None:
    is_call, is_wait = pl.col("record") == "call", pl.col("record").str.starts_with("wait_")
    assert ROWS.filter(is_wait)["waited"].null_count() == 0
    assert ROWS.filter(~is_wait)["waited"].drop_nulls().is_empty()
    assert ROWS.filter(is_call)["failed"].null_count() == 0
    assert ROWS.filter(~is_call)["failed"].drop_nulls().is_empty()
    single = ROWS.filter(pl.col("call").is_not_null())
    for column in (*QUANTILES, "bucket_ns", "bucket_count"):
        assert single[column].drop_nulls().is_empty()
        assert ROWS.filter(pl.col("call").is_null())[column].null_count() == 0


def test_failed_calls_are_counted() -> None:
    poor = SMALL.replace(rlimit_memlock_pages=1)
    rows = sweep(poor, {"cpus": [1, 2]}, replications=2)
    mlock = rows.filter(record="call", **{"class": "locker"})
    assert mlock["call"].to_list() == [None, "mlock"] * 4
    assert mlock["failed"].to_list() == [1] * 8

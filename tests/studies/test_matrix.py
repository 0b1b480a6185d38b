"""Every lock policy with every way to lock: the table, its order, and where the verdict turns."""

from typing import Any

import polars as pl
import pytest

from rfcsim import RfcsimError, matrix, mean_intervals, preset, sweep, ways_to_lock
from rfcsim.model.layout import design, policy

CASE = preset("matrix-256mb")
WAYS = ways_to_lock(CASE)


@pytest.fixture(scope="module")
def whole() -> pl.DataFrame:
    return matrix(CASE, replications=3, seed=2)


def mean(frame: pl.DataFrame, way: str, lock_policy: str, name: str = "mapper") -> float:
    return frame.row(
        by_predicate=(pl.col("way") == way)
        & (pl.col("lock_policy") == lock_policy)
        & (pl.col("class") == name),
        named=True,
    )["mean"]


def test_a_row_a_way_policy_and_class_in_order(whole: pl.DataFrame) -> None:
    classes = ["locker", "mapper", "worker", "monitor"]
    expected = [
        (way, lock_policy, name)
        for way in WAYS
        for lock_policy in policy.BY_NAME
        for name in classes
    ]
    assert whole.select("way", "lock_policy", "class").rows() == expected
    designs = len(design.BY_NAME)
    assert list(WAYS)[:designs] == list(ways_to_lock(CASE, locker="locker"))[:designs]
    assert set(list(WAYS)[:designs]) == set(design.BY_NAME)


def test_each_cell_has_a_number_between_its_bounds(whole: pl.DataFrame) -> None:
    asked = whole.drop_nulls("mean")
    assert asked.filter(~pl.col("low").le(pl.col("mean") + 1e-6)).is_empty()
    assert asked.filter(~pl.col("high").ge(pl.col("mean") - 1e-6)).is_empty()
    # A fault under the lock of its VMA does not ask for mmap_sem; everybody else always asks.
    silent = whole.filter(pl.col("mean").is_null())
    assert set(silent["class"]) == {"worker"}
    assert set(silent["way"]) == set(WAYS) - (set(design.BY_NAME) - {"vma-lock"})
    assert whole["locking"].null_count() == 0


def test_the_verdict_turns_with_reader_stealing(whole: pl.DataFrame) -> None:
    for lock_policy in policy.BY_NAME:
        held = mean(whole, "exclusive", lock_policy)
        assert held > 80e6
        for way in ("batched", "contended", "mlock pieces", "populate pieces"):
            bound = 4e6 < mean(whole, way, lock_policy) < 9e6
            assert bound == (lock_policy == "reader-stealing"), (way, lock_policy)
            assert bound or mean(whole, way, lock_policy) < 1e6
        for way in ("mlock pieces, pause", "populate pieces, pause"):
            assert mean(whole, way, lock_policy) < 1e6


def test_who_asks_in_both_modes_has_the_worse() -> None:
    touches = {"call": "touch", "region": "heap", "pick": "sequential", "think_ns": 100_000}
    maps = {"call": "munmap", "region": "scratch", "think_ns": 300_000}
    both = CASE.replace(**{"tasks.worker.calls": [touches, maps]})
    axes: dict[str, Any] = {
        "way": {"batched": WAYS["batched"]},
        "lock_policy": ["reader-preference"],
    }
    waits = mean_intervals(sweep(both, axes, replications=3), ["max_ns"]).filter(
        pl.col("class") == "worker", pl.col("record").str.starts_with("wait_")
    )
    shared, exclusive = sorted(waits["mean"])
    cells = matrix(both, ways=axes["way"], policies=axes["lock_policy"], replications=3)
    assert mean(cells, "batched", "reader-preference", "worker") == exclusive > shared


def test_only_what_shipped_or_was_proposed_has_kernels(whole: pl.DataFrame) -> None:
    designs = whole.filter(pl.col("class") == "mapper", pl.col("way").is_in(list(design.BY_NAME)))
    found = designs.drop_nulls("kernels").select("way", "lock_policy", "kernels").rows()
    assert ("exclusive", "fifo", "2.6.29 to 2.6.36") in found
    assert ("mm-populate", "hand-off", "5.3 to 5.10") in found
    assert len(found) == 9


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads() -> None:
    ways = {name: WAYS[name] for name in ("batched", "populate pieces, pause")}
    one, two = (
        matrix(CASE, ways=ways, policies=["fifo"], replications=2, seed=5, threads=threads)
        for threads in (1, 3)
    )
    assert one.equals(two)
    other = matrix(CASE, ways=ways, policies=["fifo"], replications=2, seed=6)
    assert not one.equals(other)


def test_a_program_in_pieces_keeps_its_other_calls_and_its_range() -> None:
    calls = [
        {"call": "read_maps", "think_ns": 7},
        {"call": "mlock", "region": "buffer", "offset_pages": 3, "pages": 99, "think_ns": 5},
    ]
    ways = ways_to_lock(CASE.replace(**{"tasks.locker.calls": calls}), piece_pages=8, pause_ns=9)
    scenario = CASE.replace(**ways["populate pieces, pause"])
    maps, flags, pages = (call.model_dump() for call in scenario.tasks[0].calls)
    assert (maps["call"], maps["think_ns"]) == ("read_maps", 7)
    assert (flags["call"], flags["on_fault"], flags["piece_pages"]) == ("mlock", True, None)
    assert (pages["call"], pages["piece_pages"], pages["pause_ns"]) == ("populate", 8, 9)
    assert (flags["think_ns"], pages["think_ns"]) == (5, 0)
    assert all((call["offset_pages"], call["pages"]) == (3, 99) for call in (flags, pages))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantity": "maximum"}, 'quantity = "maximum": '),
        ({"locker": "lockre"}, 'locker = "lockre": there is none; did you mean locker?'),
        ({"locker": "mapper"}, 'locker = "mapper": must make an mlock call, but makes none'),
        ({"policies": []}, "over.lock_policy"),
        ({"replications": 0}, "replications = 0: must be"),
    ],
)
def test_bad_arguments_are_one_line(arguments: dict, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        matrix(CASE, **arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)

"""How long mlock() takes against how long others wait, with batches and with other designs."""

import polars as pl
import pytest

from rfcsim import (
    Mlock,
    Mlockall,
    RfcsimError,
    Scenario,
    TaskGroup,
    crossings,
    frontier,
    preset,
    simulate,
)

SHORT = {"tasks.locker.start_ns": 0, "regions.data.pages": 16_384}
MEMORY = preset("anon-1gb").replace(name="memory", **SHORT)
DISK = preset("cold-file-1gb").replace(
    name="disk", costs="nvme", **SHORT | {"regions.data.pages": 4096}
)
BATCHES = [16, 256, 4096]


@pytest.fixture(scope="module")
def points() -> pl.DataFrame:
    loads = {"tasks.allocator.count": [1, 8]}
    return frontier([MEMORY, DISK], BATCHES, over=loads, replications=4, seed=3)


def point(points: pl.DataFrame, case: str, load: int, way: str, pages: int | None = None) -> dict:
    return points.row(
        by_predicate=(pl.col("scenario") == case)
        & (pl.col("tasks.allocator.count") == load)
        & (pl.col("way") == way)
        & pl.col("batch_pages").eq_missing(pages),
        named=True,
    )


def test_there_is_a_row_for_every_way(points: pl.DataFrame) -> None:
    ways = [("pages", size) for size in BATCHES] + [
        (way, None) for way in ("one hold", "on contention", "fault retry")
    ]
    assert points.select("way", "batch_pages").rows() == 4 * ways


def test_the_figures_are_those_of_the_runs(points: pl.DataFrame) -> None:
    here = point(points, "memory", 8, "pages", 256)
    case = MEMORY.replace(design="batched", **{"tasks.allocator.count": 8})
    runs = [simulate(case, seed=3, replication=replication) for replication in range(4)]
    took = [run.longest_call("locker", "mlock") for run in runs]
    assert here["mlock_ns"] == pytest.approx(sum(took) / 4)
    assert here["mlock_low_ns"] <= here["mlock_ns"] <= here["mlock_high_ns"]
    assert here["wait_ns"] <= max(run.longest_wait(here["waiter"]) for run in runs)


@pytest.mark.parametrize("load", [1, 8])
def test_larger_batches_are_done_sooner_and_make_others_wait_longer(points, load: int) -> None:
    rows = [point(points, "memory", load, "pages", size) for size in BATCHES]
    rows.append(point(points, "memory", load, "one hold"))
    waits, times = ([row[name] for row in rows] for name in ("wait_ns", "mlock_ns"))
    assert waits == sorted(waits) and times == sorted(times, reverse=True)


def test_fault_retry_helps_with_the_disk_and_with_nothing_else(points: pl.DataFrame) -> None:
    for case, helps in (("memory", False), ("disk", True)):
        retry, one = (point(points, case, 1, way) for way in ("fault retry", "one hold"))
        assert (retry["wait_ns"] < one["wait_ns"] / 10) is helps
    cross = crossings(points).filter(pl.col("way") == "fault retry", pl.col("scenario") == "disk")
    assert cross["waits_alike_pages"].fill_null(0).to_numpy().max() < 256


def test_crossings_are_where_the_curves_cross() -> None:
    frame = pl.DataFrame(
        {
            "scenario": "case",
            "load": 1,
            "way": ["pages", "pages", "pages", "one hold", "on contention"],
            "batch_pages": [1, 10, 100, None, None],
            "mlock_ns": [900.0, 500.0, 400.0, 300.0, 450.0],
            "wait_ns": [5, 20, 200, 1000, 25],
        }
    )
    found = crossings(frame).rows_by_key("way", named=True, unique=True)
    assert found["one hold"]["waits_alike_pages"] == 100
    assert found["one hold"]["lasts_alike_pages"] is None
    assert found["on contention"]["waits_alike_pages"] == 10
    assert found["on contention"]["lasts_alike_pages"] == 100
    assert found["on contention"]["mlock_ns"] == 450


def without_locker(scenario: Scenario) -> Scenario:
    return scenario.replace(tasks=[t for t in scenario.tasks if t.name != "locker"], end_ns=1000)


def with_two(scenario: Scenario) -> Scenario:
    second = TaskGroup(name="second", calls=[Mlock(region="data")])
    return scenario.replace(tasks=[*scenario.tasks, second])


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        ({"batch_pages": []}, "batch_pages is empty: must be one or more"),
        ({"over": {"way": [1]}}, "over.way: must be another name, since frontier itself varies w"),
        ({"scenarios": without_locker(MEMORY)}, "tasks: must be one group that calls mlock"),
        ({"scenarios": with_two(MEMORY)}, "tasks: must be one group .* there are locker, second"),
        (
            {"scenarios": MEMORY.replace(tasks=MEMORY.tasks[:1])},
            "tasks: must have a group besides the locker",
        ),
        (
            {
                "scenarios": [
                    MEMORY,
                    DISK.replace(
                        tasks=[TaskGroup(name="other", calls=[Mlockall()]), *DISK.tasks[1:]]
                    ),
                ]
            },
            "scenarios: the lockers are locker, other, must be one",
        ),
    ],
)
def test_bad_input_is_one_line(arguments: dict, because: str) -> None:
    with pytest.raises(RfcsimError, match=because) as raised:
        frontier(arguments.pop("scenarios", MEMORY), **arguments)
    assert "\n" not in str(raised.value)

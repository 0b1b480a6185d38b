"""Which batch reaches a target, what it costs, and what else would if no batch does."""

import polars as pl
import pytest

from rfcsim import (
    Hold,
    Mlock,
    Mlockall,
    Recommendation,
    Region,
    RfcsimError,
    Scenario,
    TaskGroup,
    batch_law,
    preset,
    recommend,
)

MS = 1_000_000
PIECES = preset("pieces-other-cpu").replace(**{"regions.data.pages": 32_768})


def rare(**changes) -> Scenario:
    """One writer that comes now and then, as the formula assumes."""
    return Scenario(
        name="rare",
        costs="anon-2010",
        design="batched",
        regions=[Region(name="data", pages=524_288)],
        tasks=[
            TaskGroup(name="locker", cpu=0, calls=[Mlock(region="data")]),
            TaskGroup(
                name="writer",
                cpu=1,
                repeats=0,
                start_ns=5 * MS,
                start="exponential",
                calls=[Hold(mode="exclusive", hold_ns=0, think_ns=5 * MS, think="exponential")],
            ),
        ],
    ).replace(**changes)


@pytest.mark.parametrize("target_us", [200, 400, 1600])
def test_the_batch_is_the_one_of_the_formula(target_us: int) -> None:
    found = recommend(rare(), p99_wait_ns=1000 * target_us, replications=10, seed=2)
    p99 = batch_law("anon-2010", [2**n for n in range(15)])
    says = p99.filter(pl.col("p99_ns") <= 1000 * target_us)["batch_pages"].to_numpy().max()
    assert found.pages is not None
    assert found.pages == says
    assert found.unit == "batch"
    trials = found.trials.rows_by_key("pages", named=True, unique=True)
    assert trials[found.pages]["reaches"] and not trials[2 * found.pages]["reaches"]


def test_a_target_that_one_hold_reaches_needs_no_batches() -> None:
    found = recommend(rare(), p99_wait_ns=10_000 * MS, replications=2)
    assert found.pages == 524_288
    assert "0.0 % longer than in one batch" in found.text


@pytest.fixture(scope="module")
def stolen() -> Recommendation:
    return recommend(PIECES, p99_wait_ns=MS, replications=4, seed=1)


def test_it_says_plainly_that_no_piece_helps_and_what_would(stolen: Recommendation) -> None:
    assert stolen.pages is None
    assert stolen.text.startswith("No piece keeps p99 of the waits within 1.00 ms under reader-st")
    would = set(stolen.best().filter(pl.col("reaches"))["way"])
    assert would == {
        "a pause of 73.0 us",
        "locker and waiters on one CPU",
        "real-time waiters",
        "a lock with hand-over (fifo)",
    }
    assert all(way in stolen.text for way in would)


def test_the_table_says_it_in_words(stolen: Recommendation) -> None:
    table = stolen.table()
    assert table["way"][0] == "as it is"
    assert table["reaches"].to_list() == ["no", "yes", "yes", "yes", "yes"]
    assert table.columns == ["way", "pages", "reaches", "p99 wait", "of", "mlock takes"]


def test_what_would_help_does(stolen: Recommendation) -> None:
    """The recommended pause, put into the scenario, leads to a recommendation of its own."""
    paused = stolen.best().row(by_predicate=pl.col("way").str.contains("pause"), named=True)
    key = "tasks.locker.calls.populate"
    case = PIECES.replace(**{f"{key}.pause_ns": 73_000, f"{key}.piece_pages": 1})
    again = recommend(case, p99_wait_ns=MS, replications=4, seed=1)
    assert again.pages == paused["pages"]


def test_no_batch_is_shorter_than_a_wait_for_the_disk() -> None:
    case = preset("cold-file-1gb").replace(
        design="batched", **{"regions.data.pages": 2048, "tasks.locker.start_ns": 0}
    )
    found = recommend(case, p99_wait_ns=MS, replications=3)
    assert found.pages is None
    assert "a kernel that drops the lock to wait for the disk" in found.text


def test_the_same_seed_gives_the_same_words() -> None:
    first, second = (recommend(rare(), p99_wait_ns=MS, replications=3, seed=5) for _ in range(2))
    assert first.text == second.text and first.trials.equals(second.trials)


def test_progress_ends_at_the_end() -> None:
    told: list[float] = []
    recommend(PIECES, p99_wait_ns=MS, replications=2, progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0


@pytest.mark.parametrize(
    ("scenario", "arguments", "because"),
    [
        (rare(), {"p99_wait_ns": 0}, "p99_wait_ns = 0: must be 1 to "),
        (rare(), {"p99_wait_ns": 1.5}, "p99_wait_ns = 1.5: must be a whole number"),
        (rare(), {"p99_wait_ns": MS, "replications": 0}, "replications = 0: must be 1 to "),
        (
            rare(design="exclusive").replace(
                tasks=[TaskGroup(name="locker", calls=[Mlockall()]), rare().tasks[1]]
            ),
            {"p99_wait_ns": MS},
            'design = "exclusive": must be "batched", since mlockall',
        ),
        (rare().replace(tasks=rare().tasks[:1]), {"p99_wait_ns": MS}, "tasks: must have a group"),
    ],
)
def test_bad_input_is_one_line(scenario: Scenario, arguments: dict, because: str) -> None:
    with pytest.raises(RfcsimError, match=because) as raised:
        recommend(scenario, **arguments)
    assert "\n" not in str(raised.value)

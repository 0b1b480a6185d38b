"""A sweep: the same bytes whatever runs it, and nothing is lost when a worker fails."""

import math
import multiprocessing
import re
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from pathlib import Path

import polars as pl
import pytest

from rfcsim.errors import RfcsimError, SweepError
from rfcsim.runs import harvest, worker
from rfcsim.runs.grid import build_grid
from rfcsim.runs.rows import Sheet
from rfcsim.runs.sweep import sweep
from rfcsim.runs.worker import Stretch, run_stretch
from tests.runs.examples import SMALL, Failing, free_costs, killed_after_the_first

OVER = {"design": ["exclusive", "batched"], "batch_pages": [8, 64]}
RUNS = 4 * 6


def small_sweep(to: Path | None = None, **options) -> pl.DataFrame:
    return sweep(SMALL, OVER, replications=6, seed=3, to=to, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a sweep on one thread that was never stopped."""
    file = tmp_path_factory.mktemp("whole") / "rows.parquet"
    small_sweep(file, threads=1)
    return file


@pytest.fixture
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every run come back by itself, and be written at once."""
    monkeypatch.setattr(worker, "SECONDS_A_STRETCH", 0.0)
    monkeypatch.setattr(harvest, "SECONDS_A_PART", 0.0)
    monkeypatch.setattr(harvest, "SHARE_A_PART", 0.0)


class Backwards(Executor):
    """Does its work last in, first out, in a thread of its own."""

    def __init__(self) -> None:
        self.waiting: list[tuple] = []
        self.one_at_a_time = threading.Lock()

    def submit(self, fn, /, *args, **kwargs) -> Future:
        future: Future = Future()
        self.waiting.append((future, fn, args, kwargs))
        threading.Thread(target=self.work).start()
        return future

    def work(self) -> None:
        with self.one_at_a_time:
            future, fn, args, kwargs = self.waiting.pop()
            future.set_result(fn(*args, **kwargs))


def test_the_rows_are_those_of_the_file(whole: Path) -> None:
    assert small_sweep().equals(pl.read_parquet(whole))
    assert [path.name for path in whole.parent.iterdir()] == [whole.name]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads_gives_the_same_bytes(
    whole: Path, tmp_path: Path, many_parts: None, threads: int
) -> None:
    file = tmp_path / "rows.parquet"
    small_sweep(file, threads=threads)
    assert file.read_bytes() == whole.read_bytes()


def test_processes_give_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        small_sweep(file, executor=pool)
    assert file.read_bytes() == whole.read_bytes()


def test_the_order_of_work_does_not_matter(whole: Path, tmp_path: Path, many_parts: None) -> None:
    file = tmp_path / "rows.parquet"
    small_sweep(file, executor=Backwards())
    assert file.read_bytes() == whole.read_bytes()


def test_stretches_are_halved_as_long_as_they_take_long(monkeypatch, whole: Path) -> None:
    monkeypatch.setattr(worker, "SECONDS_A_STRETCH", 0.0)
    monkeypatch.setattr("rfcsim.runs.sweep.WORKERS", 1)
    seen: list[tuple[int, int]] = []

    class Watched(ThreadPoolExecutor):
        def submit(self, fn, stretch, /):
            seen.append((stretch.first, stretch.end))
            return super().submit(fn, stretch)

    with Watched(1) as pool:
        rows = small_sweep(executor=pool)
    assert rows.equals(pl.read_parquet(whole))
    shorter_and_shorter = [(0, 12), (12, 18), (18, 21), (21, 23), (23, 24)]
    assert seen[:7] == [*shorter_and_shorter, (1, 7), (7, 12)]
    assert len(seen) == RUNS


@pytest.mark.parametrize("first", [1, 5, 6, 11])
def test_what_is_left_of_a_stretch_has_the_points_of_its_runs(first: int) -> None:
    grid = build_grid(SMALL, OVER, reserved=[])
    points = tuple((point.scenario, point.costs) for point in grid.points)
    whole = Stretch(first=0, end=15, replications=6, seed=3, points=points[:3])
    for part in whole.rest(first):
        numbered = range(part.first // 6, (part.end - 1) // 6 + 1)
        assert part.points == tuple(points[point] for point in numbered)
        played = run_stretch(part)
        assert (played.end, played.problem) == (part.end, None)


def test_runs_that_share_a_machine_are_as_good_as_runs_by_themselves(
    monkeypatch: pytest.MonkeyPatch, whole: Path
) -> None:
    monkeypatch.setattr(worker, "SECONDS_A_STRETCH", math.inf)
    monkeypatch.setattr(harvest, "SHARE_A_STRETCH", 1.0)
    prepared = []
    prepare_pair = worker.prepare_pair

    def counted(*arguments):
        prepared.append(arguments)
        return prepare_pair(*arguments)

    monkeypatch.setattr(worker, "prepare_pair", counted)
    assert small_sweep(threads=1).equals(pl.read_parquet(whole))
    assert len(prepared) == 4  # one per point


@pytest.mark.parametrize("room", [1, 5, 60])
def test_a_sheet_that_is_full_is_taken_and_filled_again(
    monkeypatch: pytest.MonkeyPatch, whole: Path, room: int
) -> None:
    monkeypatch.setattr(worker, "SECONDS_A_CALL", math.inf)
    monkeypatch.setattr("rfcsim.runs.rows.SHEET_ROWS", room)
    monkeypatch.setattr("rfcsim.runs.rows.SHEET_BUCKETS", room)
    taken = []
    take = Sheet.take

    def counted(sheet, first_run):
        taken.append(len(sheet.rows))
        return take(sheet, first_run)

    monkeypatch.setattr(Sheet, "take", counted)
    assert small_sweep(threads=1).equals(pl.read_parquet(whole))
    assert len(taken) > 4


def test_a_run_of_many_slices_is_the_same_run(monkeypatch: pytest.MonkeyPatch, whole: Path) -> None:
    monkeypatch.setattr(worker, "EVENTS_A_CHUNK", 7)
    assert small_sweep(threads=1).equals(pl.read_parquet(whole))


def test_a_seed_and_a_replication_are_those_of_simulate(whole: Path) -> None:
    other = sweep(SMALL, OVER, replications=6, seed=4)
    rows = pl.read_parquet(whole)
    assert not other.drop("seed").equals(rows.drop("seed"))
    fewer = sweep(SMALL, OVER, replications=2, seed=3)
    assert fewer.equals(rows.filter(pl.col("replication") < 2))


def test_progress_counts_runs(many_parts: None) -> None:
    shares: list[float] = []
    small_sweep(threads=1, progress=shares.append)
    assert shares == [done / RUNS for done in range(RUNS + 1)]


def test_a_finished_file_is_read_and_not_run_again(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rows.parquet"
    file.write_bytes(whole.read_bytes())
    monkeypatch.setattr(worker, "prepare_pair", None)
    assert small_sweep(file).equals(pl.read_parquet(whole))
    with pytest.raises(TypeError):  # the control: without the file it would run
        small_sweep(tmp_path / "other.parquet")


@pytest.mark.parametrize("when", ["submit", "result"])
def test_what_an_executor_did_before_it_died_is_safe(
    whole: Path, tmp_path: Path, when: str
) -> None:
    file = tmp_path / "rows.parquet"
    dying = Failing(5, BrokenExecutor("A process was terminated abruptly. Sorry."), when)
    with pytest.raises(SweepError) as caught:
        small_sweep(file, executor=dying)
    assert str(caught.value) == (
        "executor died, BrokenExecutor: A process was terminated abruptly; the rows of 5 of 24 "
        f"runs are safe in {file}.parts, and the same sweep goes on from there"
    )
    done = pl.read_parquet(whole).filter(pl.col("point") == 0, pl.col("replication") < 5)
    assert caught.value.rows.equals(done)
    assert pl.read_parquet(f"{file}.parts/*.parquet").equals(done)
    shares: list[float] = []
    small_sweep(file, progress=shares.append)
    assert shares[0] == 5 / 24
    assert file.read_bytes() == whole.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_worker_process_that_is_killed(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("killed.parquet", "whole.parquet")]

    class Killed(ProcessPoolExecutor):
        def submit(self, fn, stretch, /):
            return super().submit(killed_after_the_first, fn, stretch)

    with (
        Killed(2, mp_context=multiprocessing.get_context("spawn")) as pool,
        pytest.raises(SweepError, match=r"^executor died, BrokenProcessPool: .* are safe in"),
    ):
        small_sweep(files[0], executor=pool)
    for file in files:
        small_sweep(file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_without_a_file_the_error_has_the_rows(whole: Path) -> None:
    with pytest.raises(SweepError, match="the rows of 7 of 24 runs are in no file") as caught:
        small_sweep(executor=Failing(7, BrokenExecutor()))
    kept = caught.value.rows
    assert kept.equals(pl.read_parquet(whole).head(len(kept)))
    assert kept.select("point", "replication").n_unique() == 7


def test_an_executor_that_is_shut_down() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(SweepError, match="cannot schedule new futures after shutdown; the rows of"):
        small_sweep(executor=pool)


def test_a_mistake_of_ours_is_no_input_error(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    with pytest.raises(ZeroDivisionError) as caught:
        small_sweep(file, executor=Failing(3, ZeroDivisionError()))
    assert "the rows of 3 of 24 runs are safe" in caught.value.__notes__[0]


def test_a_worker_of_another_version_is_refused() -> None:
    class Old(Failing):
        def submit(self, fn, /, *args, **kwargs) -> Future:
            future = super().submit(fn, *args, **kwargs)
            old: Future = Future()
            old.set_result(future.result()._replace(engine="0.0.9, engine abc"))
            return old

    with pytest.raises(SweepError, match=r"a worker has rfcsim 0\.0\.9, engine abc, must be "):
        small_sweep(executor=Old(100, BrokenExecutor()))


def test_a_point_that_cannot_be_run_is_named_and_the_others_are_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, costs = Path("rows.parquet"), free_costs(Path("."))
    over = {"end_ns": [10**6], "costs": ["anon-2010", f"./{costs}"]}
    endless = SMALL.replace(
        **{"tasks.victim.calls.0.think_ns": 0, "tasks.victim.calls.1.hold_ns": 0},
        **{"tasks.victim.repeats": 0},
    )
    with pytest.raises(SweepError) as caught:
        sweep(endless, over, replications=3, to=file, threads=1)
    assert str(caught.value) == (
        "costs = './free.toml': a task would make calls for ever in no time, must have costs above "
        '0, or its calls think_ns above 0 (at end_ns = 1000000, costs = "./free.toml"); the rows '
        "of 3 of 6 runs are safe in rows.parquet.parts, and the same sweep goes on from there"
    )


def test_an_interrupt_says_what_is_safe(tmp_path: Path, whole: Path, many_parts: None) -> None:
    file = tmp_path / "rows.parquet"

    def interrupt(share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        small_sweep(file, threads=1, progress=interrupt)
    (note,) = caught.value.__notes__
    assert note.endswith(f" are safe in {file}.parts, and the same sweep goes on from there")
    said = re.match(r"the rows of (\d+) of 24 runs", note)
    assert said is not None
    parts = pl.read_parquet(f"{file}.parts/*.parquet")
    assert 8 <= int(said[1]) == parts.select("point", "replication").n_unique()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rfcsim")]
    small_sweep(file)
    assert file.read_bytes() == whole.read_bytes()


def test_rows_do_not_wait_for_others_to_be_written(tmp_path: Path, monkeypatch) -> None:
    """One run comes back at once, the next only when the first is on the disk."""
    monkeypatch.setattr(harvest, "SECONDS_A_PART", 0.05)
    file = tmp_path / "rows.parquet"
    parts: list[list[Path]] = []

    class OneIsSlow(ThreadPoolExecutor):
        def submit(self, fn, stretch, /):
            return super().submit(self.slowly, fn, stretch)

        def slowly(self, fn, stretch):
            folder = Path(f"{file}.parts")
            while stretch.first and not list(folder.glob("*.parquet")):
                time.sleep(0.01)
            parts.append(list(folder.glob("*.parquet")))
            return fn(stretch)

    with OneIsSlow(1) as pool:
        small_sweep(file, executor=pool)
    assert parts[0] == []
    assert parts[1] != []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replications": 0}, "replications = 0: must be 1 to 100000"),
        ({"seed": -1}, "seed = -1: must be 0 to 9223372036854775807"),
        ({"threads": 0}, "threads = 0: must be 1 to 100000"),
        ({"executor": 4}, "executor = 4: must be a concurrent.futures.Executor"),
        ({"progress": 4}, "progress = 4: must be true, false or something to call"),
        (
            {"over": {"version": [1]}},
            "over.version: must be a field, or variants need another name",
        ),
        (
            {"over": {"batch_pages": range(1, 102)}, "replications": 100_000},
            "over: 10100000 runs in all, must be 10000000 or less",
        ),
    ],
)
def test_bad_arguments_are_one_line(options, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        sweep(SMALL, **({"over": OVER} | options))
    assert str(caught.value) == message

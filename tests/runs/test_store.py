"""The file of a sweep: whatever happens on the way, the sweep goes on to the same bytes."""

import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import polars as pl
import pytest

from rfcsim.errors import RfcsimError, SweepError
from rfcsim.runs import harvest, store, worker
from rfcsim.runs.sweep import sweep
from tests.house.project import ROOT
from tests.runs.examples import SMALL, TEXT, Failing

OVER = {"batch_pages": [8, 64]}

# Every run is a part; after so many it waits for somebody to kill it.
EVERY_RUN_A_PART = """
import os, signal
from rfcsim import cli
from rfcsim.runs import harvest, store, worker

worker.SECONDS_A_STRETCH = 0.0
harvest.SECONDS_A_PART = harvest.SHARE_A_PART = 0.0
left = int(os.environ.get("MOST_PARTS", -1))
append = store.Store.append

def count(*arguments):
    global left
    append(*arguments)
    left -= 1
    while not left:
        signal.pause()

store.Store.append = count
cli.main()
"""


@pytest.fixture(autouse=True)
def _many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every run come back by itself, and be written at once."""
    monkeypatch.setattr(worker, "SECONDS_A_STRETCH", 0.0)
    monkeypatch.setattr(harvest, "SECONDS_A_PART", 0.0)
    monkeypatch.setattr(harvest, "SHARE_A_PART", 0.0)


def small_sweep(file: Path | str | None, **options) -> pl.DataFrame:
    return sweep(SMALL, OVER, **({"replications": 4, "to": file, "threads": 1} | options))


def stopped_after(runs: int, file: Path, **options) -> None:
    """Run the sweep until this many of its runs are done."""
    with pytest.raises(SweepError):
        small_sweep(file, executor=Failing(runs, BrokenExecutor()), **options)


def refused(*arguments, **options) -> str:
    with pytest.raises(RfcsimError) as caught:
        small_sweep(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    file = tmp_path / "whole.parquet"
    small_sweep(file)
    return file.read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.parquet"


def test_a_sweep_that_is_killed_at_any_step_ends_with_the_same_bytes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.runs.kills"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    attempts = [json.loads(line) for line in done.stdout.splitlines()]
    killed = [attempt["killed"] for attempt in attempts]
    assert killed.count(False) == 2  # the last attempt of each way
    assert killed.index(False) > 20
    assert len(killed) - killed.index(False) > 5
    assert len({attempt["digest"] for attempt in attempts}) == 1
    assert all(attempt["after"] == ["rows.parquet"] for attempt in attempts)
    assert max(attempt["left"] for attempt in attempts) > 4  # some were killed among parts


def test_the_command_is_killed_and_goes_on(tmp_path: Path, file: Path) -> None:
    (tmp_path / "small.toml").write_text(TEXT)
    plan = tmp_path / "plan.toml"
    plan.write_text("scenario = 'small.toml'\nreplications = 12\nover.batch_pages = [8, 64]\n")
    command = [sys.executable, "-c", EVERY_RUN_A_PART, "sweep", str(plan), "--to"]
    parts = Path(f"{file}.parts")
    for safe in (1, 5):
        more = safe - len(list(parts.glob("*.parquet")))
        running = subprocess.Popen(
            [*command, str(file)],
            cwd=ROOT,
            env=os.environ | {"MOST_PARTS": str(more)},
            stdout=subprocess.DEVNULL,
        )
        while len(list(parts.glob("*.parquet"))) < safe and running.poll() is None:
            time.sleep(0.001)
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        assert not file.exists()
    other = tmp_path / "whole.parquet"
    for name in (file, other):
        subprocess.run([*command, str(name)], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    assert file.read_bytes() == other.read_bytes()
    assert not parts.exists()


def test_what_is_done_is_not_done_again(file: Path, whole: bytes) -> None:
    for runs in (2, 3):
        stopped_after(runs, file)
    shares: list[float] = []
    small_sweep(file, progress=shares.append)
    assert shares == [runs / 8 for runs in range(5, 9)]
    assert file.read_bytes() == whole


def test_parts_are_rows_that_can_be_used(file: Path, whole: bytes) -> None:
    stopped_after(3, file)
    parts = pl.read_parquet(f"{file}.parts/*.parquet")
    assert parts.equals(pl.read_parquet(whole).head(len(parts)))
    assert parts.select("point", "replication").n_unique() == 3


def test_damaged_parts_are_made_again(file: Path, whole: bytes) -> None:
    stopped_after(4, file)
    first, second, *_ = sorted(Path(f"{file}.parts").glob("*.parquet"))
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes()[:-20])
    shares: list[float] = []
    small_sweep(file, progress=shares.append)
    assert shares[0] == 2 / 8
    assert file.read_bytes() == whole


def test_a_part_that_was_written_twice_counts_once(file: Path, whole: bytes) -> None:
    stopped_after(4, file)
    parts = sorted(Path(f"{file}.parts").glob("*.parquet"))
    parts[0].with_name("000009.parquet").write_bytes(parts[0].read_bytes())
    small_sweep(file)
    assert file.read_bytes() == whole


def test_two_sweeps_on_one_file_are_refused(file: Path, whole: bytes) -> None:
    """From another thread or another process; allowed again once the first sweep is over."""
    program = f"""
from rfcsim import RfcsimError, sweep
from tests.runs.examples import SMALL
try:
    sweep(SMALL, {OVER!r}, replications=4, to={str(file)!r})
except RfcsimError as error:
    print(error)
"""
    busy = f"{file}: another sweep is writing it, must be one at a time"
    said = []

    def meanwhile(share: float) -> None:
        if share == 0.5:
            said.append(refused(file))
            other = subprocess.run(
                [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            said.append(other.stdout.strip())

    small_sweep(file, progress=meanwhile)
    assert said == [busy, busy]
    assert file.read_bytes() == whole
    assert small_sweep(file).equals(pl.read_parquet(whole))


def test_workers_that_outlive_a_killed_sweep_do_not_hold_its_lock(tmp_path: Path) -> None:
    """A child that is forked would inherit a lock of flock()."""
    folder = tmp_path / "rows.parquet.parts"
    program = f"""
import os, signal, sys
from rfcsim.runs.store import Store
with Store({str(tmp_path / "rows.parquet")!r}, {{}}):
    child = os.fork()
    if child == 0:
        sys.stdin.read()
        os._exit(0)
    print(child, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", program]
    killed = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert killed.stdin is not None and killed.stdout is not None
    child = int(killed.stdout.readline())
    try:
        assert killed.wait() == -signal.SIGKILL
        assert (folder / "lock").exists()
        os.kill(child, 0)  # it is still there
        small_sweep(tmp_path / "rows.parquet")
    finally:
        os.kill(child, signal.SIGKILL)
        killed.stdin.close()
        killed.stdout.close()


def test_a_lock_that_somebody_is_about_to_remove_is_no_lock(
    file: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other sweep removes its folder between our opening the lock and our taking it."""
    real, calls = fcntl.lockf, []

    def removed_first(descriptor: int, operation: int) -> None:
        if not calls:
            (Path(f"{file}.parts") / "lock").unlink()
        calls.append(operation)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "lockf", removed_first)
    small_sweep(file)
    assert len(calls) == 2
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"seed": 5}, "seed = 0 there and 5 here"),
        ({"replications": 5}, "replications = 4 there and 5 here"),
        ({"over": {"batch_pages": [8, 32]}}, "over.batch_pages = [8, 64] there and [8, 32] here"),
        ({"over": {"cpus": [1]}}, "over.cpus = nothing there and [1] here"),
        (
            {"over": OVER | {"cpus": [1]}},
            "over.cpus = nothing there and [1] here",
        ),
        (
            {"scenario": SMALL.replace(name="other")},
            'scenario = ["small"] there and ["other"] here',
        ),
        ({"scenario": SMALL.replace(cpus=1)}, "fingerprint = "),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_rows_of_another_sweep_are_kept(file: Path, options, difference: str, finished) -> None:
    if finished:
        small_sweep(file)
    else:
        stopped_after(2, file)
    before = {path: path.read_bytes() for path in file.parent.rglob("*") if path.is_file()}
    arguments = {"scenario": SMALL, "over": OVER, "replications": 4, "to": file} | options
    with pytest.raises(RfcsimError) as caught:
        sweep(**arguments)
    message = str(caught.value)
    assert message.startswith(f"{file}: has rows of another sweep, {difference}")
    assert message.endswith("; they are kept, must be another file (or fresh)")
    assert {path: path.read_bytes() for path in before} == before
    rows = sweep(**arguments, fresh=True)
    assert rows.equals(pl.read_parquet(file))
    assert rows.equals(sweep(**(arguments | {"to": None})))


@pytest.mark.parametrize("finished", [True, False])
def test_rows_of_another_version_are_kept(file: Path, monkeypatch, finished) -> None:
    from rfcsim.runs import sweep as module

    ours = worker.engine()
    for owner in (module, harvest, worker):
        monkeypatch.setattr(owner, "engine", lambda: "0.0.9, engine abc")
    if finished:
        small_sweep(file)
    else:
        stopped_after(2, file)
    for owner in (module, harvest, worker):
        monkeypatch.setattr(owner, "engine", lambda: ours)
    message = refused(file)
    assert message.startswith(
        f'{file}: has rows of another sweep, rfcsim = "0.0.9, engine abc" there and "{ours[:5]}'
    )


def test_a_file_that_is_of_no_sweep_is_kept(file: Path) -> None:
    for content in (b"mine", b""):
        file.write_bytes(content)
        assert refused(file) == f"{file}: exists and is of no sweep, must be new (or fresh)"
        assert file.read_bytes() == content
    pl.DataFrame({"mine": [1]}).write_parquet(file)
    assert "is of no sweep" in refused(file)
    small_sweep(file, fresh=True)
    assert len(pl.read_parquet(file)) > 1


def test_fresh_starts_again(file: Path, whole: bytes) -> None:
    stopped_after(4, file)
    shares: list[float] = []
    small_sweep(file, fresh=True, progress=shares.append)
    assert shares[0] == 0
    assert file.read_bytes() == whole
    small_sweep(file, fresh=True, progress=shares.append)
    assert shares.count(0) == 2


def test_a_finished_file_can_be_read_where_nothing_can_be_written(
    file: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(whole)
    monkeypatch.setattr(store.Store, "__enter__", None)
    assert small_sweep(file).equals(pl.read_parquet(whole))


def test_bad_places_are_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: is a folder, must be a file"
    assert refused(tmp_path / "no" / "file") == f"{tmp_path / 'no'}: no such folder"
    os.mkfifo(tmp_path / "pipe")
    for fresh in (False, True):
        for path in (tmp_path / "pipe", Path("/dev/null")):
            assert refused(path, fresh=fresh) == f"{path}: is no regular file, must be one"
            assert path.exists()
    (tmp_path / "file.parts").write_text("in the way")
    said = os.strerror(errno.EEXIST)
    assert refused(tmp_path / "file") == f"{tmp_path / 'file.parts'}: {said}"


def test_a_relative_path_and_a_link_lead_to_the_file(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "link.parquet").symlink_to("there/rows.parquet")
    small_sweep("link.parquet")
    assert (tmp_path / "there" / "rows.parquet").read_bytes() == whole
    assert (tmp_path / "link.parquet").is_symlink()


@pytest.mark.parametrize("room", [0, 3, 8])
def test_a_full_disk_says_what_is_safe(file: Path, whole: bytes, monkeypatch, room: int) -> None:
    """There is room for some parts only, or for all parts but not for the file."""
    real = os.fsync
    written = 0

    def full(descriptor: int) -> None:
        nonlocal written
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path.endswith(".partial") and "sweep.json" not in path:
            written += 1
            if written > room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(SweepError) as caught:
        small_sweep(file)
    name = file if room == 8 else f"{file}.parts/{room:06}.parquet"
    assert str(caught.value) == (
        f"{name}: No space left on device; the rows of {room} of 8 runs are safe in {file}.parts, "
        "and the same sweep goes on from there"
    )
    assert len(caught.value.rows.select("point", "replication").unique()) >= room
    assert not list(file.parent.rglob("*.partial"))
    monkeypatch.setattr(store.os, "fsync", real)
    shares: list[float] = []
    small_sweep(file, progress=shares.append)
    assert shares[0] == room / 8
    assert file.read_bytes() == whole


def no_large_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


def test_a_disk_that_is_full_in_the_middle_of_a_write(tmp_path: Path, file: Path) -> None:
    """A limit on the size of files stands for a full disk: the write fails halfway."""
    small_sweep(tmp_path / "compiled.parquet")  # so that the limit does not hit Numba's cache
    (tmp_path / "small.toml").write_text(TEXT)
    plan = tmp_path / "plan.toml"
    plan.write_text("scenario = 'small.toml'\nreplications = 4\nover.batch_pages = [8, 64]\n")
    command = [sys.executable, "-m", "rfcsim", "sweep", str(plan), "--to", str(file)]
    failed = subprocess.run(
        command, cwd=ROOT, text=True, capture_output=True, preexec_fn=no_large_files, check=False
    )
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == (
        f"rfcsim: error: {file}.parts/000000.parquet: File too large; the rows of 0 of 8 runs are "
        f"safe in {file}.parts, and the same sweep goes on from there\n"
    )
    assert not file.exists()
    assert not list(tmp_path.rglob("*.partial"))

"""The compiled operations and loops: what they do to memory, and what they record."""

import errno
import mmap
import os
from threading import Thread

import numpy as np
import pytest

from rfcsim.histogram import bucket_of
from rfcsim.live import calls, limits, loops
from rfcsim.live.bench import new_bench
from rfcsim.live.calls import OPERATION_NAMES, W_DONE, W_PASS
from rfcsim.live.loops import (
    BEGUN,
    CONTROL_SIZE,
    NEVER,
    ROW_ALL,
    ROW_FIRST,
    ROW_PAUSE,
    STAT_COUNT,
    STAT_MAX_NS,
    STAT_MIN_NS,
    STAT_SUM_NS,
    STOP,
    lock_range,
    new_recorder,
    rounds,
)
from tests.live.facts import PAGE, locked_pages, pages_of, present_pages

NO_THINK = np.zeros(1, np.int64)


def control(begun: bool = True) -> np.ndarray:
    flags = np.zeros(CONTROL_SIZE, np.int64)
    flags[BEGUN] = begun
    return flags


def do(bench: calls.Bench, operation: int, first: int = 0, pages: int = 1, times: int = 1) -> int:
    program = np.array([(operation, first, pages)])
    recorder = new_recorder(ROW_FIRST + 1)
    return rounds(program, bench, 0, NO_THINK, times, NEVER, control(), recorder)


def passes(*rows: tuple[int, int, int]) -> np.ndarray:
    return np.array(rows, np.int64).reshape(-1, loops.PASS_SIZE)


# --- operations -------------------------------------------------------------------------------


@pytest.mark.parametrize("backing", ["anonymous", "file", "huge"])
@pytest.mark.parametrize(
    ("operation", "present", "locked"),
    [
        (calls.NOTHING, 0, 0),
        (calls.MLOCK, 2, 2),
        (calls.MLOCK_ONFAULT, 0, 2),
        (calls.POPULATE_READ, 2, 0),
        (calls.POPULATE_WRITE, 2, 0),
        (calls.WRITE, 2, 0),
        (calls.READ, 2, 0),
        (calls.MAP_OVER_POPULATED, 2, 0),
        (calls.MAP_OVER, 0, 0),
    ],
    ids=lambda value: OPERATION_NAMES[value] if isinstance(value, int) else value,
)
def test_what_an_operation_does_to_its_pages(
    backing, operation: int, present: int, locked: int
) -> None:
    with new_bench(backing, 4) as bench:
        assert do(bench, operation, first=1, pages=2) == 0
        middle = set(pages_of(bench.memory)[1:3])
        found = present_pages(bench.memory)
        # The kernel may map more pages of a file than were touched (fault-around).
        assert found == (middle if present else set()) or (
            backing == "file" and operation == calls.READ and found > middle
        )
        assert locked_pages() & set(pages_of(bench.memory)) == (middle if locked else set())


@pytest.mark.parametrize("backing", ["anonymous", "file"])
def test_what_was_made_present_and_locked_can_be_undone(backing) -> None:
    with new_bench(backing, 4) as bench:
        pages = set(pages_of(bench.memory))
        assert do(bench, calls.MLOCK, pages=4) == 0
        assert do(bench, calls.MUNLOCK, pages=1) == 0
        assert locked_pages() & pages == pages - {min(pages)}
        assert do(bench, calls.MUNLOCK, pages=4) == 0
        assert do(bench, calls.DROP, pages=4) == 0
        assert not present_pages(bench.memory)


def test_writes_reach_every_page_and_protection_holds() -> None:
    with new_bench("anonymous", 3) as bench:
        assert do(bench, calls.WRITE, pages=3) == 0
        assert bench.memory[::PAGE].tolist() == [1, 1, 1]
        assert do(bench, calls.PROTECT_READ, pages=3) == 0
        # Nobody may write, so the kernel may not either.
        assert do(bench, calls.POPULATE_WRITE, pages=3) in (errno.EFAULT, errno.EINVAL)
        assert do(bench, calls.PROTECT_WRITE, pages=3) == 0
        assert do(bench, calls.POPULATE_WRITE, pages=3) == 0


def test_a_mapping_is_there_between_mmap_and_munmap() -> None:
    with new_bench("anonymous", 1) as bench:
        assert do(bench, calls.MAP, pages=2) == 0
        start = int(bench.words[calls.W_MAPPED])
        vmas = [line.split()[0].split("-") for line in limits.proc_lines("self/maps")]
        ranges = [range(int(low, 16), int(high, 16)) for low, high in vmas]
        assert any(start in vma and start + 2 * PAGE - 1 in vma for vma in ranges)
        assert do(bench, calls.UNMAP, pages=2) == 0
        assert do(bench, calls.UNMAP, pages=0) == errno.EINVAL


def test_a_file_is_read_to_its_end(tmp_path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 300)  # more than fits into the buffer
    with new_bench("anonymous", 1, str(file)) as bench:
        assert do(bench, calls.READ_FILE) == 0
        left = 256 * 300 % calls.BUFFER_BYTES
        buffer = bench.words[calls.W_BUFFER :].view(np.uint8)
        assert bytes(buffer[:left]) == file.read_bytes()[-left:]
    with new_bench("anonymous", 1, str(tmp_path / "missing")) as bench:
        assert do(bench, calls.READ_FILE) == errno.ENOENT


def test_every_operation_has_a_name() -> None:
    numbers = [
        value
        for name, value in vars(calls).items()
        if name.isupper() and isinstance(value, int) and not name.startswith(("W_", "_"))
    ]
    operations = set(numbers) - {calls.WORDS, calls.BUFFER_BYTES}
    assert operations == set(range(len(OPERATION_NAMES)))


@pytest.mark.parametrize("backing", ["anonymous", "file"])
def test_the_memory_is_given_back_even_while_somebody_holds_on_to_it(backing) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with new_bench(backing, 4) as bench:
        assert do(bench, calls.MLOCK, pages=4) == 0
    assert not present_pages(bench.memory)
    assert not locked_pages() & set(pages_of(bench.memory))
    assert len(os.listdir("/proc/self/fd")) <= before + (backing == "file")  # the mapping's own


# --- in pieces --------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 3, 7, 10])
@pytest.mark.parametrize("slices", [False, True], ids=["at once", "piece by piece"])
def test_every_piece_is_done_once_and_recorded(piece: int, slices: bool) -> None:
    pieces = -(-7 // piece)
    with new_bench("anonymous", 7) as bench:
        recorder, flags = new_recorder(ROW_FIRST + 2), control(begun=False)
        rows = passes((calls.MLOCK_ONFAULT, 7, NEVER), (calls.POPULATE_WRITE, piece, 0))
        visits = 0
        while bench.words[W_PASS] < len(rows):
            until_ns = 0 if slices else NEVER
            assert lock_range(rows, bench, 1000, False, until_ns, flags, recorder) == 0
            visits += 1
        assert visits == (1 + pieces if slices else 1)
        pages = set(pages_of(bench.memory))
        assert present_pages(bench.memory) == pages <= locked_pages()
        counts = recorder.statistics[:, STAT_COUNT].tolist()
        assert counts == [visits, pieces - 1, 1, pieces]
        assert (flags[BEGUN], flags[STOP]) == (1, 1)
        # The whole lasts as long as its parts and the readings of the clock between them.
        sums = recorder.statistics[:, STAT_SUM_NS]
        if not slices:
            assert sums[ROW_ALL] >= sums[1:].sum()


def test_a_pause_follows_only_what_took_long_enough() -> None:
    with new_bench("anonymous", 4) as bench:
        recorder = new_recorder(ROW_FIRST + 1)
        rows = passes((calls.POPULATE_WRITE, 1, NEVER))
        assert lock_range(rows, bench, 1000, True, NEVER, control(), recorder) == 0
        assert recorder.statistics[ROW_PAUSE, STAT_COUNT] == 0


@pytest.mark.parametrize("spins", [False, True])
def test_a_pause_lasts_as_long_as_asked(spins: bool) -> None:
    with new_bench("anonymous", 3) as bench:
        recorder = new_recorder(ROW_FIRST + 1)
        rows = passes((calls.POPULATE_WRITE, 1, 0))
        assert lock_range(rows, bench, 200_000, spins, NEVER, control(), recorder) == 0
        assert recorder.statistics[ROW_PAUSE, STAT_MIN_NS] >= 200_000


def test_a_locker_that_is_told_to_stop_says_how_far_it_came() -> None:
    with new_bench("anonymous", 6) as bench:
        flags = control()
        rows = passes((calls.WRITE, 2, 0))
        assert lock_range(rows, bench, 0, False, 0, flags, new_recorder(ROW_FIRST + 1)) == 0
        flags[STOP] = 1
        assert lock_range(rows, bench, 0, False, NEVER, flags, new_recorder(ROW_FIRST + 1)) == 0
        assert (bench.words[W_PASS], bench.words[W_DONE]) == (0, 2)
        assert len(present_pages(bench.memory)) == 2


def test_other_python_threads_go_on_meanwhile() -> None:
    """One of them ends it, which would otherwise take hours."""
    pages = 2**20
    with new_bench("anonymous", pages) as bench:
        flags = control()

        def stop() -> None:
            while not bench.words[W_DONE]:
                pass
            flags[STOP] = 1

        thread = Thread(target=stop, daemon=True)
        thread.start()
        rows = passes((calls.WRITE, 1, 0))
        recorder = new_recorder(ROW_FIRST + 1)
        assert lock_range(rows, bench, 10_000_000, False, NEVER, flags, recorder) == 0
        assert 0 < bench.words[W_DONE] < pages
        thread.join()


def test_a_piece_that_fails_is_named() -> None:
    with new_bench("anonymous", 6) as bench:
        start = bench.memory.ctypes.data + 4 * PAGE
        assert limits.libc().mprotect(limits.ctypes.c_void_p(start), PAGE, 0) == 0
        rows = passes((calls.POPULATE_WRITE, 2, 0))
        error = lock_range(rows, bench, 0, False, NEVER, control(), new_recorder(ROW_FIRST + 1))
        assert error in (errno.EFAULT, errno.EINVAL, errno.ENOMEM)
        assert bench.words[W_DONE] == 4


# --- rounds -----------------------------------------------------------------------------------


def test_rounds_move_on_and_start_over_where_the_memory_ends() -> None:
    with new_bench("anonymous", 5) as bench:
        program = np.array([(calls.WRITE, 0, 1)])
        recorder = new_recorder(ROW_FIRST + 1)
        assert rounds(program, bench, 1, NO_THINK, 7, NEVER, control(), recorder) == 0
        # Five rounds, then all pages are dropped, then two rounds.
        assert present_pages(bench.memory) == set(pages_of(bench.memory)[:2])
        assert recorder.statistics[:, STAT_COUNT].tolist() == [7, 0, 7]


def test_rounds_wait_for_the_locker_and_end_with_it() -> None:
    flags, recorder = control(begun=False), new_recorder(ROW_FIRST + 1)
    program = np.array([(calls.SYSCALL, 0, 0)])
    with new_bench("anonymous", 1) as bench:
        thread = Thread(
            target=rounds, args=(program, bench, 0, NO_THINK, NEVER, NEVER, flags, recorder)
        )
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        assert not recorder.statistics[:, STAT_COUNT].any()
        flags[BEGUN] = 1
        while not recorder.statistics[ROW_FIRST, STAT_COUNT] and thread.is_alive():
            pass
        flags[STOP] = 1
        thread.join()


def test_think_times_are_used_round_and_round() -> None:
    with new_bench("anonymous", 1) as bench:
        program = np.array([(calls.NOTHING, 0, 0)])
        recorder = new_recorder(ROW_FIRST + 1)
        thinks = np.array([1000, 0, 2000])
        assert rounds(program, bench, 0, thinks, 8, NEVER, control(), recorder) == 0
        assert recorder.statistics[ROW_PAUSE, STAT_COUNT] == 5


def test_latencies_are_counted_in_the_clocks_buckets() -> None:
    with new_bench("anonymous", 1) as bench:
        recorder = new_recorder(ROW_FIRST + 1)
        program = np.array([(calls.SYSCALL, 0, 0)])
        assert rounds(program, bench, 0, NO_THINK, 500, NEVER, control(), recorder) == 0
        counts = recorder.histograms[ROW_FIRST]
        (used,) = counts.nonzero()
        least, most = recorder.statistics[ROW_FIRST, [STAT_MIN_NS, STAT_MAX_NS]]
        assert counts.sum() == 500
        assert (used[0], used[-1]) == (bucket_of(least), bucket_of(most))


def test_each_wake_up_is_recorded_once() -> None:
    flags, recorder = control(), new_recorder(ROW_FIRST + 1)
    semaphores = np.zeros((2, 8), np.int64)
    loops.new_semaphores(semaphores)
    with new_bench("anonymous", 1) as bench, new_bench("anonymous", 1) as other:
        thread = Thread(target=loops.woken, args=(semaphores, other, flags, recorder))
        thread.start()
        loops.wake(semaphores, bench, 1000, False, 20, flags)
        thread.join()
    assert recorder.statistics[ROW_FIRST, STAT_COUNT] == 20
    assert mmap.PAGESIZE == PAGE

"""Locking in pieces: every page is locked and present, or, after an error, none is locked."""

import mmap
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rfcsim
from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits, lock, lock_memory, unlock_memory
from rfcsim.live.calls import MLOCK_ONFAULT, MUNLOCK
from rfcsim.live.loops import lock_range
from tests.live.facts import PAGE, anonymous, locked_pages, pages_of, present_pages

BOTH_CALLS = "mlock2(MLOCK_ONFAULT), madvise(MADV_POPULATE_WRITE)"


@pytest.fixture(autouse=True)
def nothing_stays_locked():
    before = locked_pages(), limits.locked_bytes()
    yield
    assert (locked_pages(), limits.locked_bytes()) == before


@pytest.fixture(params=["both calls", "without populate", "without mlock2"])
def calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The calls that lock_memory uses on today's kernels and on older ones; no huge pages."""
    monkeypatch.setattr(limits, "huge_page_bytes", limits.page_bytes)
    if request.param == "both calls":
        return BOTH_CALLS
    name = "has_populate" if request.param == "without populate" else "has_mlock2"
    monkeypatch.setattr(limits, name, lambda: False)
    return "mlock"


# --- what is locked ---------------------------------------------------------------------------


@pytest.mark.parametrize("piece_pages", [1, 3, 8, 1000])
def test_every_page_is_locked_and_present(calls: str, piece_pages: int) -> None:
    array = anonymous(8)
    array[PAGE] = 7  # one page is there already
    with lock_memory(array, piece_pages=piece_pages, pause_us=0) as memory:
        assert set(pages_of(array)) <= locked_pages()
        assert present_pages(array) == set(pages_of(array))
        assert (memory.pages, memory.nbytes, memory.beyond_bytes) == (8, 8 * PAGE, 0)
        assert memory.calls == calls
        assert memory.pieces == len(calls.split(",")) * -(-8 // piece_pages)
        assert 0 < memory.longest_ns <= memory.total_ns
        assert memory.locked
    assert not memory.locked
    assert array[PAGE] == 7


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.zeros((10, 30), order="F"),
        lambda: np.array(["2010-11-23"], "datetime64[s]"),
        lambda: bytearray(3 * PAGE),
        lambda: memoryview(bytearray(2 * PAGE))[100:5000],
        lambda: mmap.mmap(-1, 2 * PAGE),
        lambda: np.zeros(0),
    ],
    ids=["array", "dates", "bytearray", "slice", "shared", "empty"],
)
def test_the_partial_pages_at_both_ends_are_locked_too(make) -> None:
    buffer = make()
    array = buffer if isinstance(buffer, np.ndarray) else np.frombuffer(buffer, np.uint8)
    pages = set(pages_of(array)) if array.size else set()
    with lock_memory(buffer) as memory:
        assert pages <= locked_pages()
        assert present_pages(array) >= pages
        assert memory.pages == len(pages)
        assert memory.beyond_bytes == len(pages) * PAGE - array.nbytes


def test_the_file_of_a_shared_mapping_is_not_made_dirty(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(4 * PAGE))
    os.utime(file, (1_290_500_000, 1_290_500_000))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 4 * PAGE) as shared:
        array = np.frombuffer(shared, np.uint8)
        with lock_memory(shared) as memory:
            assert memory.calls.endswith("madvise(MADV_POPULATE_READ)")
            assert present_pages(array) == set(pages_of(array)) <= locked_pages()
        assert file.stat().st_mtime == 1_290_500_000
        del array  # otherwise the mapping could not be closed


@pytest.mark.parametrize("piece_pages", [1, 2, 3, 9])
@pytest.mark.parametrize("first", range(4))
def test_no_huge_page_is_split(
    monkeypatch: pytest.MonkeyPatch, piece_pages: int, first: int
) -> None:
    """VMAs are split between two calls only where a huge page, here of two pages, ends."""
    monkeypatch.setattr(limits, "huge_page_bytes", lambda: 2 * PAGE)
    array = anonymous(13)[first * PAGE :]
    ends: dict[int, list[int]] = {MLOCK_ONFAULT: [], MUNLOCK: []}

    def seen(passes, bench, *rest):
        operation, pieces, _ = passes[0]
        start = bench.memory.ctypes.data
        if operation in ends:
            ends[operation] += range(start, start + bench.memory.nbytes, pieces * PAGE)
        return lock_range(passes, bench, *rest)

    monkeypatch.setattr(lock, "lock_range", seen)
    with lock_memory(array, piece_pages=piece_pages, pause_us=0):
        assert set(pages_of(array)) <= locked_pages()
    for starts in ends.values():
        assert starts[0] == array.ctypes.data
        assert len(starts) > 1 or piece_pages == 9
        assert all(start % (2 * PAGE) == 0 for start in starts[1:])


# --- until when -------------------------------------------------------------------------------


def test_it_stays_locked_until_it_is_unlocked_by_buffer_or_by_result() -> None:
    array = anonymous(4)
    lock_memory(array)
    assert set(pages_of(array)) <= locked_pages()
    unlock_memory(array)
    assert not set(pages_of(array)) & locked_pages()
    unlock_memory(lock_memory(array))
    with pytest.raises(LiveError, match=r"^unlock_memory: the buffer is not locked"):
        unlock_memory(array)


def test_a_locked_buffer_stays_where_it_is() -> None:
    buffer = bytearray(PAGE)
    with lock_memory(buffer), pytest.raises(BufferError):
        buffer.extend(bytes(100 * PAGE))
    buffer.extend(bytes(100 * PAGE))


def test_a_page_that_two_buffers_share_is_locked_until_both_are_unlocked() -> None:
    array = anonymous(5)
    pages = list(pages_of(array))
    left, right = array[: 2 * PAGE + 100], array[2 * PAGE + 100 :]
    first, second = lock_memory(left), lock_memory(right)
    first.unlock()
    assert locked_pages() & set(pages) == set(pages[2:])
    first.unlock()  # a second time, to no effect
    assert locked_pages() & set(pages) == set(pages[2:])
    second.unlock()


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))), st.integers(0, 30))
def test_what_no_other_buffer_holds(held: list[tuple[int, int]], end: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        others = [lock._Range(min(pair), max(pair)) for pair in held]
        patch.setattr(lock, "_locked", [type("Held", (), {"_range": other}) for other in others])
        found = [page for part in lock._not_held(lock._Range(5, 5 + end)) for page in range(*part)]
    assert found == [
        page for page in range(5, 5 + end) if not any(page in range(*other) for other in others)
    ]


# --- nothing stays half-locked ----------------------------------------------------------------


def test_an_error_in_the_middle_leaves_nothing_locked(calls: str) -> None:
    with open(os.memfd_create("short"), "r+b") as file:
        os.ftruncate(file.fileno(), 8 * PAGE)
        short = mmap.mmap(file.fileno(), 8 * PAGE)
        os.ftruncate(file.fileno(), 5 * PAGE)
        with pytest.raises(LiveError) as caught:
            lock_memory(short, piece_pages=2)
        name = calls.replace("WRITE", "READ").split(", ")[-1]
        assert str(caught.value).startswith(f"lock_memory: {name}: ")
        assert "\n" not in str(caught.value)


def test_an_interrupt_leaves_nothing_locked(
    interruptible: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = anonymous(8)
    before = limits.locked_bytes()
    locked = []

    def interrupted(passes, bench, pause_ns, spins, until_ns, control, recorder):
        """One piece, as if the slice of time were over after it, and then Ctrl-C."""
        if locked:  # what was locked is unlocked
            return lock_range(passes, bench, pause_ns, spins, until_ns, control, recorder)
        assert until_ns <= time.monotonic_ns() + lock.SLICE_NS
        error = lock_range(passes, bench, 0, spins, 0, control, recorder)
        locked.append(limits.locked_bytes() - before)
        signal.raise_signal(signal.SIGINT)
        return error

    monkeypatch.setattr(limits, "has_populate", lambda: False)  # so that a piece is one page
    monkeypatch.setattr(lock, "lock_range", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lock_memory(array, piece_pages=1)
    assert locked == [PAGE]


LIMITED = """
import os, resource
import numpy as np
import rfcsim
from rfcsim.live.limits import has_cap_ipc_lock, locked_bytes, page_bytes

page = page_bytes()
array = np.frombuffer(__import__("mmap").mmap(-1, 40 * page), np.uint8)
rfcsim.lock_memory(array[:page]).unlock()  # compiled, while the cache may still be written
if has_cap_ipc_lock():
    os.setuid(65534)  # and it is gone
resource.setrlimit(resource.RLIMIT_MEMLOCK, (8 * page, 8 * page))
held = rfcsim.lock_memory(array[: 2 * page])
rfcsim.lock_memory(array[page : 8 * page]).unlock()  # the page that is already held counts once
print(locked_bytes() // page)
try:
    rfcsim.lock_memory(array[2 * page : 10 * page])
except rfcsim.LiveError as error:
    print(error)
print(locked_bytes() // page)
"""


def test_the_limit_is_accounted_for_before_anything_is_locked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True
    )
    eight, six, two = (limits.size(pages * PAGE) for pages in (8, 6, 2))
    before, message, after = done.stdout.splitlines()
    assert (before, after) == ("2", "2")
    assert message.startswith(
        f"lock_memory: needs {eight} of locked memory, {six} are allowed "
        f"(RLIMIT_MEMLOCK {eight}, {two} of it in use); raise it by ulimit -l, "
    )


def test_memory_that_is_not_there_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: limits.Room(0, "MemAvailable"))
    array = anonymous(4)
    with pytest.raises(LiveError, match=r"^lock_memory: needs .* of memory, at most 0 B are all"):
        lock_memory(array)
    array[:] = 1  # pages that are already present need no more memory
    monkeypatch.setattr(limits, "KEPT_FREE_BYTES", 0)
    monkeypatch.setattr(limits, "KEPT_FREE_SHARE", 2**60)
    lock_memory(array).unlock()


@pytest.mark.parametrize(
    ("buffer", "options", "message"),
    [
        (b"read-only", {}, "buffer: the bytes is read-only, must be writable"),
        (np.zeros((9, 9))[:, ::2], {}, "buffer: the ndarray is not contiguous, must be one"),
        (memoryview(bytearray(9))[::2], {}, "buffer: memoryview: "),
        ("text", {}, "buffer: str: "),
        (bytearray(9), {"piece_pages": 0}, "piece_pages = 0: must be a whole number, 1 or more"),
        (bytearray(9), {"piece_pages": 1.5}, "piece_pages = 1.5: must be a whole number"),
        (bytearray(9), {"piece_pages": "9"}, "piece_pages = '9': must be a whole number"),
        (bytearray(9), {"pause_us": None}, "pause_us = None: must be 0 to 1e9"),
        (bytearray(9), {"pause_us": -1}, "pause_us = -1: must be 0 to 1e9"),
        (bytearray(9), {"pause_us": float("nan")}, "pause_us = nan: must be 0 to 1e9"),
    ],
)
def test_bad_input(buffer: object, options: dict, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        rfcsim.lock_memory(buffer, **options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)

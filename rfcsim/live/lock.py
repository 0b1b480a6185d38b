"""Lock memory without keeping the other threads of the process waiting.

`mlock()` of a large range holds mmap_lock from its first page to its last. Whoever maps or unmaps
memory meanwhile waits for all of it. Here the range is locked in pieces, with pauses in which
waiters get their turn.
"""

import ctypes
import errno
import os
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from rfcsim.errors import LiveError, RfcsimError
from rfcsim.live import limits
from rfcsim.live.calls import (
    MLOCK,
    MLOCK_ONFAULT,
    MUNLOCK,
    OPERATION_NAMES,
    POPULATE_READ,
    POPULATE_WRITE,
    W_FILE,
    W_PAGE_BYTES,
    W_PASS,
    WORDS,
    Bench,
)
from rfcsim.live.loops import (
    CONTROL_SIZE,
    NEVER,
    ROW_ALL,
    ROW_FIRST,
    STAT_COUNT,
    STAT_MAX_NS,
    STAT_SUM_NS,
    Recorder,
    lock_range,
    new_recorder,
)

PIECE_PAGES = 256
PAUSE_US = 40.0
SLICE_NS = 100_000_000  # how long a signal, such as Ctrl-C, may have to wait

_locked: list["LockedMemory"] = []  # in the order in which they were locked
_one_at_a_time = threading.Lock()  # taken to lock or unlock; _locked changes only under it


class _Range(NamedTuple):
    """A range of bytes of the address space."""

    start: int
    end: int

    @property
    def nbytes(self) -> int:
        return self.end - self.start


class LockedMemory:
    """Memory that `lock_memory` locked; used as a context manager, it is unlocked at the end.

    It keeps the buffer alive, and in its place, until it is unlocked.

    Attributes
    ----------
    nbytes : int
        The size of the buffer.
    pages : int
        The number of whole pages locked: all that the buffer touches.
    beyond_bytes : int
        The bytes of these pages before and after the buffer.
    calls : str
        The system calls that did it, separated by commas.
    pieces : int
        How many calls it took.
    longest_ns : int
        The time of the longest call, during which nobody could map or unmap memory.
    total_ns : int
        The time of all calls and pauses together.
    """

    def __init__(self, export: Any, bytes_: _Range, pieces: "_Pieces") -> None:
        self._export = export
        self._bytes = bytes_
        self._range = _whole_pages(bytes_)
        self._pieces = pieces
        self.nbytes: int = bytes_.nbytes
        self.pages: int = self._range.nbytes // limits.page_bytes()
        self.beyond_bytes: int = self._range.nbytes - bytes_.nbytes
        self.calls = ""
        self.pieces = 0
        self.longest_ns = 0
        self.total_ns = 0

    def __repr__(self) -> str:
        return (
            f"<{limits.size(self.nbytes)} locked by {self.calls}: {self.pages} pages in "
            f"{self.pieces} pieces, {limits.size(self.beyond_bytes)} beyond the buffer>"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unlock()

    @property
    def locked(self) -> bool:
        """Whether it is still locked."""
        return self in _locked

    def unlock(self) -> None:
        """Unlock the memory, except pages that another `lock_memory` holds; twice is no error."""
        with _one_at_a_time:
            if self in _locked:
                _locked.remove(self)
                _unlock(self._range, self._pieces)
        self._export = None


class _Pieces(NamedTuple):
    pages: int
    pause_ns: int


def lock_memory(
    buffer: Any, *, piece_pages: int = PIECE_PAGES, pause_us: float = PAUSE_US
) -> LockedMemory:
    """Lock a buffer into memory in pieces, so that no other thread waits long for mmap_lock.

    First every page is flagged, with `mlock2(MLOCK_ONFAULT)`, then every page is made present, with
    `madvise(MADV_POPULATE_WRITE)`, each in pieces. For a shared mapping, whose file would have to
    be written back, it is `MADV_POPULATE_READ`. On a kernel without these calls (before 5.14), it
    is `mlock()` in pieces, as `calls` of the result says. Other Python threads go on meanwhile.

    Flags are set, and later cleared, by whole huge pages, so that none of them is split: the pages
    of such a call are rounded up to a multiple of 2 MiB (on x86). `mlock()` in smaller pieces, on
    an old kernel, does split them.

    Only whole pages can be locked: the first and the last page are locked whole, including the
    bytes around the buffer. A page that several locked buffers share stays locked until the last of
    them is unlocked. The function does not know what was locked by other means.

    Parameters
    ----------
    buffer : object with a writable, contiguous buffer
        A NumPy array, `mmap.mmap`, `bytearray`, ...
    piece_pages : int
        Pages per call: this limits how long others wait once it is their turn.
    pause_us : float
        The pause after each piece, in us, in which others get their turn; 0 means none. A call that
        only set flags, and took less than this, is not followed by a pause. The kernel adds what
        its timers need, 50 us by default.

    Returns
    -------
    LockedMemory
        A context manager: `with lock_memory(array):`. Without `with`, the memory stays locked,
        and the buffer alive, until `unlock_memory`.

    Raises
    ------
    LiveError
        If this is not Linux, the limit is too low, there is too little memory, or a page cannot be
        locked. Nothing stays locked then.
    RfcsimError
        If the buffer is not writable or not contiguous, or an argument is out of range.

    Source: mm/mlock.c and mm/madvise.c, 6.19; mlock2(2), madvise(2).
    """
    limits.require_linux("lock_memory")
    pieces = _check_pieces(piece_pages, pause_us)
    export, bytes_ = _export(buffer)
    memory = LockedMemory(export, bytes_, pieces)
    range_ = memory._range
    with _one_at_a_time:
        new = sum(part.nbytes for part in _not_held(range_))
        limits.require_memlock("lock_memory", new)
        if range_.nbytes > limits.available_memory().nbytes:  # else counting would not be worth it
            limits.require_memory("lock_memory", _absent_bytes(range_))
        _locked.append(memory)  # from now on, others do not unlock its pages
        try:
            _lock(memory)
        except BaseException:
            _locked.remove(memory)
            _unlock(range_, pieces)
            raise
    return memory


def unlock_memory(memory: Any) -> None:
    """Unlock what `lock_memory` locked, in the same pieces.

    Parameters
    ----------
    memory : LockedMemory or buffer
        What `lock_memory` returned, or the buffer that it was given.

    Raises
    ------
    LiveError
        If `lock_memory` did not lock the buffer.
    """
    limits.require_linux("unlock_memory")
    if isinstance(memory, LockedMemory):
        memory.unlock()
        return
    _, bytes_ = _export(memory)
    for locked in reversed(_locked):
        if locked._bytes == bytes_:
            locked.unlock()
            return
    raise LiveError("unlock_memory: the buffer is not locked by lock_memory()")


def _check_pieces(piece_pages: int, pause_us: float) -> _Pieces:
    if not isinstance(piece_pages, int | np.integer) or not 1 <= piece_pages <= 2**40:
        raise RfcsimError(f"piece_pages = {piece_pages!r}: must be a whole number, 1 or more")
    if not isinstance(pause_us, int | float | np.number) or not 0 <= pause_us <= 1e9:
        raise RfcsimError(f"pause_us = {pause_us!r}: must be 0 to 1e9")
    return _Pieces(int(piece_pages), round(pause_us * 1000))


def _export(buffer: Any) -> tuple[Any, _Range]:
    """Hold on to a buffer, so that it can neither move nor go; the hold, and its range."""
    kind = type(buffer).__name__
    try:
        array = buffer if isinstance(buffer, np.ndarray) else np.frombuffer(buffer, np.uint8)
    except (TypeError, ValueError, BufferError) as error:
        raise RfcsimError(f"buffer: {kind}: {error}") from None
    if not array.flags.writeable:
        raise RfcsimError(f"buffer: the {kind} is read-only, must be writable")
    if not array.flags.forc:
        raise RfcsimError(f"buffer: the {kind} is not contiguous, must be one stretch of memory")
    return array, _Range(array.ctypes.data, array.ctypes.data + array.nbytes)


def _whole_pages(bytes_: _Range) -> _Range:
    page = limits.page_bytes()
    start = bytes_.start // page * page
    return _Range(start, -(-bytes_.end // page) * page if bytes_.end > bytes_.start else start)


# --- the work ---------------------------------------------------------------------------------


def _lock(memory: LockedMemory) -> None:
    range_, pieces = memory._range, memory._pieces
    recorders = []
    if limits.has_mlock2() and limits.has_populate():
        # The flagging call also marks pages that are present, under the exclusive lock.
        recorders += _go_flagging(MLOCK_ONFAULT, range_, pieces, pause_after_ns=pieces.pause_ns)
        operations = [MLOCK_ONFAULT]
        for stretch, shared in _mappings(range_):
            operations.append(POPULATE_READ if shared else POPULATE_WRITE)
            recorders.append(_go(operations[-1], stretch, pieces))
    else:
        operations = [MLOCK]
        recorders += [_go(MLOCK, range_, pieces)] if range_.nbytes else []
    memory.calls = ", ".join(dict.fromkeys(OPERATION_NAMES[operation] for operation in operations))
    memory.pieces = sum(int(part.statistics[ROW_FIRST, STAT_COUNT]) for part in recorders)
    longest = (int(part.statistics[ROW_FIRST, STAT_MAX_NS]) for part in recorders)
    memory.longest_ns = max(longest, default=0)
    memory.total_ns = sum(int(part.statistics[ROW_ALL, STAT_SUM_NS]) for part in recorders)


def _unlock(range_: _Range, pieces: _Pieces) -> None:
    for part in _not_held(range_):
        _go_flagging(MUNLOCK, part, pieces, until_ns=NEVER)


def _go_flagging(operation: int, range_: _Range, pieces: _Pieces, **how: int) -> list[Recorder]:
    """Do an operation that splits VMAs, but only where huge pages end, so that it splits none."""
    huge = limits.huge_page_bytes()
    middle = min(-(-range_.start // huge) * huge, range_.end)
    larger = pieces._replace(pages=limits.whole_huge_pages(pieces.pages))
    parts = (_Range(range_.start, middle), _Range(middle, range_.end))
    return [_go(operation, part, larger, **how) for part in parts if part.nbytes]


def _go(
    operation: int,
    range_: _Range,
    pieces: _Pieces,
    *,
    pause_after_ns: int = 0,
    until_ns: int | None = None,
) -> Recorder:
    """Do one operation on a range in pieces."""
    recorder = new_recorder(ROW_FIRST + 1)
    words = np.zeros(WORDS, np.int64)
    words[W_PAGE_BYTES] = limits.page_bytes()
    words[W_FILE] = -1
    bench = Bench(_memory(range_), np.zeros(1, np.uint8), words)
    passes = np.array([(operation, pieces.pages, pause_after_ns)])
    control = np.zeros(CONTROL_SIZE, np.int64)
    while words[W_PASS] < len(passes):
        # Python looks for signals between slices.
        until = time.monotonic_ns() + SLICE_NS if until_ns is None else until_ns
        error = lock_range(passes, bench, pieces.pause_ns, False, until, control, recorder)
        if error:
            raise LiveError(_explain(operation, error))
    return recorder


def _explain(operation: int, error: int) -> str:
    name = errno.errorcode.get(error, str(error))
    if operation == MUNLOCK:
        return f"unlock_memory: munlock: {name}: {os.strerror(error)}; a part stays locked"
    hints = {
        "EAGAIN": "the kernel could not make every page present",
        "EFAULT": "a page has nothing behind it: is the file shorter than its mapping?",
        "ENOMEM": "out of memory, RLIMIT_MEMLOCK too low, or too many mappings "
        "(sysctl vm.max_map_count)",
        "EPERM": "RLIMIT_MEMLOCK is 0, or a sandbox forbids the call",
    }
    hint = hints.get(name, os.strerror(error))
    return f"lock_memory: {OPERATION_NAMES[operation]}: {name}: {hint}; nothing stays locked"


def _not_held(range_: _Range) -> Iterator[_Range]:
    """The parts of a range that no locked memory covers."""
    start = range_.start
    for held in sorted(memory._range for memory in _locked):
        if held.end > start and held.start < range_.end:
            if held.start > start:
                yield _Range(start, held.start)
            start = held.end
    if start < range_.end:
        yield _Range(start, range_.end)


def _mappings(range_: _Range) -> Iterator[tuple[_Range, bool]]:
    """The VMAs of a range, and whether each is a shared mapping."""
    for line in limits.proc_lines("self/maps"):
        addresses, permissions, _ = line.split(maxsplit=2)
        start, end = (int(address, 16) for address in addresses.split("-"))
        start, end = max(start, range_.start), min(end, range_.end)
        if start < end:
            yield _Range(start, end), permissions[3] == "s"


def _absent_bytes(range_: _Range) -> int:
    """How many bytes of a range are not in memory."""
    page = limits.page_bytes()
    present = np.zeros(range_.nbytes // page, np.uint8)
    address, length = ctypes.c_void_p(range_.start), ctypes.c_size_t(range_.nbytes)
    if limits.libc().mincore(address, length, present.ctypes.data_as(ctypes.c_void_p)):
        return range_.nbytes
    return int((present & 1 == 0).sum()) * page


def _memory(range_: _Range) -> np.ndarray:
    return np.ctypeslib.as_array((ctypes.c_uint8 * range_.nbytes).from_address(range_.start))

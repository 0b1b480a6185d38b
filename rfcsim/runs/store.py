"""Rows on their way into one Parquet file: what has been written survives whatever happens.

Until all rows are there, a folder FILE.parts beside the file holds:

- sweep.json, which says of which sweep the parts are,
- parts, each a Parquet file with the rows of some runs, either whole or not there at all,
- lock, which one process at a time holds; the lock ends with the process, however that ends.

The file itself is written once, from all parts in the grid's order. Its bytes therefore do not
depend on who ran what when, or on how often the sweep was stopped.
"""

import contextlib
import errno
import io
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from rfcsim.errors import RfcsimError
from rfcsim.files import write_whole
from rfcsim.scenario.explain import shorten

KEY = "rfcsim"  # our key in the metadata of a Parquet file
ROWS_A_GROUP = 2**16

# POSIX locks work between processes, and unlike those of flock() they are not inherited by the
# workers of a pool that are forked. Between the threads of a process, this set does their work.
_locked: set[Path] = set()
_locked_guard = threading.Lock()


class Store:
    """The Parquet file of a sweep, and its parts so far; a context that holds the lock.

    Parameters
    ----------
    file : path
    sweep : dict
        Tells one sweep from another. JSON can hold it, and the user knows its entries by name.
    fresh : bool
        Throw away what is there.

    Raises
    ------
    RfcsimError
        One line: the file is of another sweep, is in use, or cannot be written.
    """

    def __init__(
        self, file: str | os.PathLike[str], sweep: dict[str, Any], fresh: bool = False
    ) -> None:
        self.name = str(file)
        self._file = Path(os.path.realpath(file))
        self._sweep = sweep
        self._fresh = fresh
        self.folder = Path(f"{self._file}.parts")
        self._lock = -1
        self._parts = 0
        if self._file.is_dir():
            raise RfcsimError(f"{self.name}: is a folder, must be a file")
        if self._file.exists() and not self._file.is_file():
            raise RfcsimError(f"{self.name}: is no regular file, must be one")
        if not self._file.parent.is_dir():
            raise RfcsimError(f"{self._file.parent}: no such folder")

    def __enter__(self) -> Self:
        with self._explained():
            self._take_lock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _locked_guard:
            _locked.discard(self.folder)
        os.close(self._lock)

    def begun(self) -> bool:
        """Whether there is a folder of parts."""
        return self.folder.exists()

    def finished(self) -> pl.DataFrame | None:
        """The rows, if the file has them all; does not need the lock."""
        if self._fresh or not self._file.exists():
            return None
        with self._explained():
            content = self._file.read_bytes()
        found = _read(content)
        if found is None:
            raise RfcsimError(f"{self.name}: exists and is of no sweep, must be new (or fresh)")
        about, frame = found
        self._compare(about)
        return frame

    def safe(self) -> list[tuple[pl.DataFrame, list[list[int]]]]:
        """Prepare to go on; the frame and the runs, as [first, end), of every part so far."""
        with self._explained():
            if self._fresh:
                self._file.unlink(missing_ok=True)
            description = self.folder / "sweep.json"
            begun = _json(description)
            if begun is None or self._fresh:
                self._remove("*.parquet", "*.partial")
                write_whole(description, json.dumps(self._sweep, indent=1).encode())
            else:
                self._compare(begun)
                self._remove("*.partial")  # of a process that was killed
            parts = []
            for path in sorted(self.folder.glob("*.parquet")):
                self._parts = int(path.stem) + 1
                part = _read(path.read_bytes())
                if part is None:  # damaged by somebody else: simulate its runs again
                    path.unlink()
                else:
                    about, frame = part
                    parts.append((frame, about["runs"]))
            return parts

    def append(self, frame: pl.DataFrame, runs: Iterable[list[int]]) -> None:
        """Write the rows of some runs, [first, end) each; when it returns, they are safe."""
        part = self.folder / f"{self._parts:06}.parquet"
        with self._explained():
            write_whole(part, _parquet(frame, {"runs": list(runs)}))
        self._parts += 1

    def finish(self, frame: pl.DataFrame) -> None:
        """Write the file from all rows, in the grid's order, and remove the parts."""
        content = _parquet(frame, self._sweep)
        with self._explained():
            write_whole(self._file, content, folder=self.folder)
        self.clear()

    def clear(self) -> None:
        """Remove the folder of parts as far as possible; what is left of it does no harm."""
        with contextlib.suppress(OSError):
            self._remove("*.parquet", "*.partial")
            (self.folder / "sweep.json").unlink(missing_ok=True)
            (self.folder / "lock").unlink()
            self.folder.rmdir()  # refused if somebody else has begun to use it

    def _remove(self, *patterns: str) -> None:
        for pattern in patterns:
            for path in self.folder.glob(pattern):
                path.unlink()

    def _take_lock(self) -> None:
        with _locked_guard:
            if self.folder in _locked:
                raise self._busy()
            while self._lock < 0:
                self.folder.mkdir(exist_ok=True)
                path = self.folder / "lock"
                try:
                    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
                except FileNotFoundError:  # a sweep that was done removed the folder
                    continue
                try:
                    _lock(lock)
                    if _same(path, lock):
                        self._lock = lock
                except OSError as error:
                    if error.errno in (errno.EACCES, errno.EAGAIN):
                        raise self._busy() from None
                    raise
                finally:
                    if self._lock < 0:
                        os.close(lock)
            _locked.add(self.folder)

    def _busy(self) -> RfcsimError:
        return RfcsimError(f"{self.name}: another sweep is writing it, must be one at a time")

    def _compare(self, found: dict[str, Any]) -> None:
        """Refuse rows of another sweep, and say what is different about it."""
        for key in self._sweep | found:
            theirs, ours = found.get(key), self._sweep.get(key)
            if theirs != ours:
                raise RfcsimError(
                    f"{self.name}: has rows of another sweep, {key} = {_show(theirs)} there and "
                    f"{_show(ours)} here; they are kept, must be another file (or fresh)"
                )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn errors of the file system into one line."""
        try:
            yield
        except OSError as error:
            raise RfcsimError(f"{error.filename or self.name}: {error.strerror}") from None


def _lock(descriptor: int) -> None:
    """Lock a file against other processes until this one ends; OSError if another has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _same(path: Path, descriptor: int) -> bool:
    """Whether the file at a path is still the one that was opened."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _show(value: object) -> str:
    if value is None:
        return "nothing"
    return shorten(json.dumps(value, ensure_ascii=False))


def _parquet(frame: pl.DataFrame, about: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(
        buffer, compression="zstd", row_group_size=ROWS_A_GROUP, metadata={KEY: json.dumps(about)}
    )
    return buffer.getvalue()


def _read(content: bytes) -> tuple[dict[str, Any], pl.DataFrame] | None:
    """What a Parquet file says of itself, and its rows; None if it is not one of ours."""
    try:
        about = json.loads(pl.read_parquet_metadata(io.BytesIO(content))[KEY])
        return about, pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, KeyError, ValueError):
        return None


def _json(file: Path) -> dict[str, Any] | None:
    try:
        return json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None

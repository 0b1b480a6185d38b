"""Files that commands write: whole or not at all, and never over others unasked."""

import errno
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rfcsim.cli.app import InputError
from rfcsim.files import write_whole

if TYPE_CHECKING:
    import polars as pl


def check_output(file: Path, force: bool, makes_folder: bool = False) -> None:
    """Refuse, before the work, a file that could not be written after it or that exists."""
    if file.is_dir():
        raise InputError(f"{file}: is a folder, must be a file")
    if file.exists() and not file.is_file():  # a device that is written over is gone
        raise InputError(f"{file}: is no regular file, must be one")
    if file.exists() and not force:
        raise InputError(f"{file}: exists, must be new (or give --force)")
    if file.is_symlink():  # what it leads to is written
        file = Path(os.path.realpath(file))
    folder = file.parent
    if makes_folder:
        folder = next(path for path in file.parents if path.exists())
    if not folder.is_dir():
        raise InputError(f"{folder}: {'is no folder' if folder.exists() else 'no such folder'}")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: {os.strerror(errno.EACCES)}")


def write_new(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        write_whole(file, content)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None


def parquet(frame: "pl.DataFrame") -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()

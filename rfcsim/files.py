"""Files that are written whole or not at all."""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from rfcsim.errors import RfcsimError

_LONGEST_NAME = 40  # characters of the file's name in that of the temporary one


def write_whole(
    path: str | os.PathLike[str], content: bytes, folder: str | os.PathLike[str] | None = None
) -> None:
    """Write a file whole or not at all: whoever looks finds the old one or the new one.

    The content goes into a new file beside the old one, which then takes its place.

    - The content is on the disk before it takes the name, and the name is there before this
      returns. So the same holds after the power has failed.
    - The temporary file has a name that nobody can foresee, and is never one that was there. It is
      removed whatever happens, Ctrl-C included. Only a process that is killed leaves it behind.
    - A new file has the permissions of any other; one in the place of another has those of that
      file, and its owner if this process may give it away.
    - If the path is a symbolic link, the file that it leads to is written, and the link stays.
    - What is no regular file, such as a device or a pipe, stays.

    Parameters
    ----------
    path : path
    content : bytes
    folder : path, optional
        Where the temporary file is, on the same file system; the file's own folder if not given.

    Raises
    ------
    OSError
        It names `path`, and never the temporary file.
    """
    try:
        _write(path, content, folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def save_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """`write_whole` for a file that a caller of the package names.

    Raises
    ------
    RfcsimError
        If the file cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise RfcsimError(f"{path}: cannot be written: {error.strerror}") from None


def _write(
    path: str | os.PathLike[str], content: bytes, folder: str | os.PathLike[str] | None
) -> None:
    try:
        old = os.stat(path)  # where fs.protected_symlinks is set, follows no planted link
    except FileNotFoundError:
        old = None
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "is no regular file, must be one")
    target = Path(os.path.realpath(path))
    name = f".{target.name[:_LONGEST_NAME]}.{secrets.token_hex(8)}.partial"
    partial = Path(target.parent if folder is None else folder) / name
    try:
        # "x": it must be new, and the last name is not followed if it is a link.
        with open(partial, "xb", opener=_opener(old)) as stream:
            if old is not None:
                _take_after(stream.fileno(), old)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, target)
    except BaseException as error:
        if not isinstance(error, FileExistsError):  # of that name: not ours
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _opener(old: os.stat_result | None):
    """Open as open() does, but at no time for more users than the old file."""
    mode = 0o666 if old is None else old.st_mode & 0o777
    return lambda name, flags: os.open(name, flags, mode)


def _take_after(descriptor: int, old: os.stat_result) -> None:
    """Give a file the owner and the permissions of an old one, as far as they are different."""
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    if (new.st_mode ^ old.st_mode) & 0o777:
        os.fchmod(descriptor, old.st_mode & 0o777)


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # one may be allowed to write a folder, and not to read it
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

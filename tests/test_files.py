"""Files are written whole or not at all, whatever happens meanwhile."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rfcsim import files
from rfcsim.errors import RfcsimError
from rfcsim.files import save_whole, write_whole
from tests.house.project import ROOT

OLD, NEW = b"old", b"new" * 1000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.txt"


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def in_another_process(code: str, **how: Any) -> subprocess.CompletedProcess[str]:
    script = f"import os, signal, sys\nfrom rfcsim.files import write_whole\n{code}"
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, **how
    )  # fmt: skip


@pytest.mark.parametrize("name", ["file.txt", "x" * 255, "ü" * 127, ".hidden", "a b\n"])
def test_a_new_file_and_one_in_the_place_of_another(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    for content in (OLD, NEW, b""):
        write_whole(file, content)
        assert file.read_bytes() == content
        assert list(tmp_path.iterdir()) == [file]


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_whole("file.txt", NEW)
    assert Path("file.txt").read_bytes() == NEW


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077, 0o000])
def test_a_new_file_has_the_permissions_of_any_other(file: Path, umask, mask: int) -> None:
    umask(mask)
    write_whole(file, NEW)
    assert mode(file) == 0o666 & ~mask


@pytest.mark.parametrize("given", [0o600, 0o444, 0o664, 0o755, 0o000])
def test_the_permissions_of_the_old_file_stay(file: Path, umask, given: int) -> None:
    file.write_bytes(OLD)
    file.chmod(given)
    write_whole(file, NEW)
    assert mode(file) == given
    file.chmod(0o600)
    assert file.read_bytes() == NEW


def test_a_secret_file_is_at_no_time_open_to_others(
    file: Path, umask, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(OLD)
    file.chmod(0o600)
    seen = []
    real = os.open

    def watched(path: str, flags: int, *rest: int, **more: int) -> int:
        descriptor = real(path, flags, *rest, **more)
        seen.append((flags, stat.S_IMODE(os.fstat(descriptor).st_mode)))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    write_whole(file, NEW)
    (flags, created), *_ = seen
    assert flags & os.O_EXCL and flags & os.O_CREAT
    assert created == 0o600


def test_the_owner_of_the_old_file_stays_where_that_is_allowed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, say; the file of somebody else cannot be had otherwise."""
    asked = []
    monkeypatch.setattr(os, "fchown", lambda _, *owner: asked.append(owner))
    real = os.stat
    other = 12345

    def of_somebody_else(path: str, **more: Any) -> os.stat_result:
        found = real(path, **more)
        return os.stat_result([*found[:4], other, other, *found[6:]]) if path == file else found

    file.write_bytes(OLD)
    monkeypatch.setattr(os, "stat", of_somebody_else)
    write_whole(file, NEW)
    assert asked == [(other, other)]

    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchown", refuse)
    write_whole(file, OLD)
    assert file.read_bytes() == OLD


# --- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("step", "there"),
    [
        ("open", False),
        ("fsync", False),
        ("replace", False),
        ("open", True),
        ("fchmod", True),
        ("fsync", True),
        ("replace", True),
    ],
)
def test_what_fails_leaves_what_was_there(
    file: Path,
    umask,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    step: str,
    there: bool,
) -> None:
    if there:
        file.write_bytes(OLD)
        file.chmod(0o606)  # of which the umask takes a bit away, to be given back
    before = sorted(file.parent.iterdir())
    real = getattr(os, step)

    def fail(*arguments: Any) -> None:
        if step == "open":
            real(*arguments)  # the error comes when the file is there
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)) as caught:
        write_whole(file, NEW)
    assert sorted(file.parent.iterdir()) == before
    assert not there or file.read_bytes() == OLD
    if isinstance(caught.value, OSError):
        assert caught.value.filename == str(file)
        assert caught.value.strerror == "full"


def test_a_full_disk_leaves_the_old_file(file: Path) -> None:
    """The size limit of a file stands for a full disk: the write fails half way."""
    file.write_bytes(OLD)
    failed = in_another_process(
        f"try:\n write_whole({str(file)!r}, bytes(3000))\nexcept OSError as error:\n print(error)",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert failed.stdout == f"[Errno 27] File too large: '{file}'\n"
    assert file.read_bytes() == OLD
    assert list(file.parent.iterdir()) == [file]


def test_an_interrupt_in_the_middle_leaves_the_old_file(interruptible: None, file: Path) -> None:
    file.write_bytes(OLD)
    interrupted = in_another_process(
        "real = os.fsync\n"
        "os.fsync = lambda file: (real(file), signal.raise_signal(signal.SIGINT))\n"
        f"write_whole({str(file)!r}, bytes(3000))"
    )
    assert interrupted.returncode == -signal.SIGINT
    assert file.read_bytes() == OLD
    assert list(file.parent.iterdir()) == [file]


def test_who_is_killed_leaves_the_old_file(file: Path) -> None:
    file.write_bytes(OLD)
    killed = in_another_process(
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"write_whole({str(file)!r}, bytes(3000))"
    )
    assert killed.returncode == -signal.SIGKILL
    assert file.read_bytes() == OLD
    (left,) = set(file.parent.iterdir()) - {file}
    assert left.name.startswith(".file.txt.") and left.suffix == ".partial"
    write_whole(file, NEW)  # it is in nobody's way
    assert file.read_bytes() == NEW


def test_a_file_is_on_the_disk_before_it_has_its_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def step(*arguments: Any, name: str = name, real: Callable = real) -> None:
            first = arguments[0]
            on = os.readlink(f"/proc/self/fd/{first}") if isinstance(first, int) else str(first)
            steps.append((name, on))
            real(*arguments)

        monkeypatch.setattr(os, name, step)
    write_whole(file, NEW)
    partial = steps[0][1]
    assert partial.endswith(".partial")
    assert steps == [("fsync", partial), ("replace", partial), ("fsync", str(file.parent))]


def test_a_folder_that_cannot_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: Path, flags: int, *rest: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    write_whole(file, NEW)
    assert file.read_bytes() == NEW


@pytest.mark.parametrize("processes", [False, True])
def test_of_writers_at_the_same_time_one_has_the_whole_file(file: Path, processes: bool) -> None:
    contents = [bytes([number]) * 200_000 for number in range(4)]
    seen = set()

    def write(content: bytes) -> None:
        if processes:
            code = f"for _ in range(50): write_whole({str(file)!r}, {content[:1]!r} * 200_000)"
            assert in_another_process(code).returncode == 0
            return
        for _ in range(50):
            write_whole(file, content)

    write_whole(file, contents[0])
    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen.add(file.read_bytes())
    assert seen <= set(contents)
    assert list(file.parent.iterdir()) == [file]


# --- links, and what is no file --------------------------------------------------------------


def test_a_link_at_the_name_of_the_temporary_file_is_not_followed(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if somebody could foresee that name; and at the names that could be foreseen once."""
    target = tmp_path / "target"
    target.write_bytes(OLD)
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "seen")
    once = [f".file.txt.{os.getpid()}.partial", f"file.txt.{os.getpid()}.partial"]
    for name in (*once, "file.txt.partial", ".file.txt.seen.partial"):
        (tmp_path / name).symlink_to(target)
    with pytest.raises(FileExistsError):
        write_whole(file, NEW)
    assert not file.exists()
    assert (tmp_path / ".file.txt.seen.partial").is_symlink()
    monkeypatch.undo()
    write_whole(file, NEW)
    assert file.read_bytes() == NEW and not file.is_symlink()
    assert target.read_bytes() == OLD


def test_the_name_of_the_temporary_file_is_another_each_time(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    real = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (names.append(old.name), real(old, new)))
    for _ in range(5):
        write_whole(file, NEW)
    assert len({name.split(".")[-2] for name in names}) == 5
    assert all(len(name.split(".")[-2]) == 16 for name in names)


def test_what_a_link_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link", tmp_path / "there" / "file"
    link.symlink_to("there/file")
    for content in (OLD, NEW):  # at first it leads nowhere
        write_whole(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert list((tmp_path / "there").iterdir()) == [target]


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "lost").symlink_to("missing/file")
    before = sorted(tmp_path.iterdir())
    for name, wrong in (("circle", errno.ELOOP), ("lost", errno.ENOENT)):
        with pytest.raises(OSError) as caught:
            write_whole(tmp_path / name, NEW)
        assert (caught.value.errno, caught.value.filename) == (wrong, str(tmp_path / name))
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_no_regular_file_stays(tmp_path: Path) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, Path("/dev/null")):
        with pytest.raises(OSError, match="is no regular file, must be one"):
            write_whole(path, NEW)
    assert pipe.is_fifo() and Path("/dev/null").is_char_device()
    with pytest.raises(IsADirectoryError):
        write_whole(folder, NEW)
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(tmp_path / "missing" / "file", NEW)
    assert caught.value.filename == str(tmp_path / "missing" / "file")
    assert sorted(tmp_path.iterdir()) == [folder, pipe]


def test_what_the_package_saves_is_written_whole_or_refused_in_one_line(file: Path) -> None:
    save_whole(file, NEW)
    assert file.read_bytes() == NEW
    missing = file.parent / "missing" / "file"
    with pytest.raises(RfcsimError) as caught:
        save_whole(missing, NEW)
    assert str(caught.value) == f"{missing}: cannot be written: No such file or directory"

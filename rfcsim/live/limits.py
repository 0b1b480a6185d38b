"""What this process may do on this machine: memory, locked memory, CPUs, real-time threads."""

import ctypes
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Literal, NamedTuple

import numpy as np

from rfcsim.errors import LiveError

NO_FIFO = 'priority = "fifo": needs CAP_SYS_NICE or RLIMIT_RTPRIO; "normal" works'
Placement = Literal["same", "other"]  # the CPUs of two threads

PROC = Path("/proc")
KEPT_FREE_SHARE = 10  # this fraction of the machine's memory (1/10) stays available, ...
KEPT_FREE_BYTES = 128 << 20  # ... and at least this much
CAP_IPC_LOCK = 14
WHOLE_USER_NAMESPACE = ["0", "0", "4294967295"]


def require_linux(what: str) -> None:
    """Refuse, in one line, a system that has no mmap_lock.

    Raises
    ------
    LiveError
    """
    if not sys.platform.startswith("linux"):
        raise LiveError(
            f"{what}: needs Linux, this is {sys.platform}; "
            "scenarios, charts, stored traces and stored measurements work here"
        )


def size(nbytes: float) -> str:
    """Write a number of bytes with three digits, such as "4.00 KiB" or "1.50 GiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(nbytes) < 999.5 or unit == "GiB":
            break
        nbytes /= 1024
    digits = 0 if unit == "B" or nbytes >= 99.95 else 1 if nbytes >= 9.995 else 2
    return f"{nbytes:.{digits}f} {unit}"


def page_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE")


@cache
def huge_page_bytes() -> int:
    """The size of a transparent huge page, or of a page if there are none."""
    try:
        return int(Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size").read_text())
    except (OSError, ValueError):
        return page_bytes()


def whole_huge_pages(pages: int) -> int:
    """Round a number of pages up to whole huge pages."""
    in_one = huge_page_bytes() // page_bytes()
    return -(-pages // in_one) * in_one


@cache
def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


# --- memory -----------------------------------------------------------------------------------


class Room(NamedTuple):
    """How many more bytes this process can use, and what says so."""

    nbytes: int
    source: str


def available_memory() -> Room:
    """The least room that MemAvailable and the memory cgroups of this process leave."""
    rooms = [Room(meminfo()["MemAvailable"], "MemAvailable"), *_cgroup_rooms()]
    return min(rooms)


def require_memory(what: str, nbytes: int) -> None:
    """Refuse to take memory that others will need.

    Raises
    ------
    LiveError
    """
    room = available_memory()
    kept = max(KEPT_FREE_BYTES, meminfo()["MemTotal"] // KEPT_FREE_SHARE)
    if nbytes > room.nbytes - kept:
        raise LiveError(
            f"{what}: needs {size(nbytes)} of memory, at most {size(max(0, room.nbytes - kept))} "
            f"are allowed ({room.source} leaves {size(room.nbytes)}, and {size(kept)} stay free)"
        )


def meminfo() -> dict[str, int]:
    """The lines of /proc/meminfo, in bytes; counts of pages stay as they are."""
    found = {}
    for line in (PROC / "meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        number, *unit = rest.split()
        found[name] = int(number) * (1024 if unit else 1)
    return found


class _Files(NamedTuple):
    limit: str
    usage: str
    reclaimable: str  # the line of memory.stat with the page cache that can be given up


_FILES = {
    "cgroup2": _Files("memory.max", "memory.current", "inactive_file"),
    "cgroup": _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def _cgroup_rooms() -> Iterator[Room]:
    """The room that each memory cgroup of this process leaves; a container may hide some."""
    for kind, mount, folder in _memory_cgroups():
        files = _FILES[kind]
        while True:
            try:
                limit = (folder / files.limit).read_text().strip()
                usage = int((folder / files.usage).read_text())
                stat = dict(
                    line.split() for line in (folder / "memory.stat").read_text().splitlines()
                )
            except (OSError, ValueError):
                pass  # the root of version 2 has no limit
            else:
                if limit != "max":
                    used = usage - int(stat.get(files.reclaimable, 0))
                    yield Room(max(0, int(limit) - used), f"{files.limit} of {folder}")
            if folder == mount:
                break
            folder = folder.parent


def _memory_cgroups() -> Iterator[tuple[str, Path, Path]]:
    """The kind, mount point and folder of each hierarchy that limits this process's memory."""
    paths = {}
    for line in proc_lines("self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            paths["cgroup" if controllers else "cgroup2"] = path
    for line in proc_lines("self/mountinfo"):
        where, _, what = line.partition(" - ")
        kind, _, options = what.split()[:3]
        root, mount = where.split()[3:5]
        if kind in paths and (kind == "cgroup2" or "memory" in options.split(",")):
            path = Path(paths[kind])
            inside = path.relative_to(root) if path.is_relative_to(root) else Path()
            yield kind, Path(mount), Path(mount) / inside


def proc_lines(name: str) -> list[str]:
    """The lines of a file of /proc; none if it is hidden."""
    try:
        return (PROC / name).read_text().splitlines()
    except OSError:
        return []


# --- locked memory ----------------------------------------------------------------------------


def memlock_limit() -> int | None:
    """RLIMIT_MEMLOCK in bytes; None without a limit, or with CAP_IPC_LOCK."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY or has_cap_ipc_lock() else soft


def has_cap_ipc_lock() -> bool:
    """Whether the kernel lets this process lock memory without limit.

    It asks for the capability in the first user namespace, and does not see that of a container.
    """
    status = process_status()
    held = int(status.get("CapEff", "0"), 16) >> CAP_IPC_LOCK & 1
    maps = proc_lines("self/uid_map")
    return bool(held) and [line.split() for line in maps] == [WHOLE_USER_NAMESPACE]


def locked_bytes() -> int:
    """VmLck: how much this process has locked, by its VMAs."""
    return int(process_status().get("VmLck", "0 kB").split()[0]) * 1024


def process_status() -> dict[str, str]:
    pairs = (line.partition(":") for line in proc_lines("self/status"))
    return {name: value.strip() for name, _, value in pairs}


def require_memlock(what: str, nbytes: int) -> None:
    """Refuse to lock more than RLIMIT_MEMLOCK leaves.

    Parameters
    ----------
    what : str
        Begins the message.
    nbytes : int
        Bytes to lock that are not locked yet.

    Raises
    ------
    LiveError
    """
    limit = memlock_limit()
    if limit is None:
        return
    locked = locked_bytes()
    if nbytes > limit - locked:
        raise LiveError(
            f"{what}: needs {size(nbytes)} of locked memory, {size(max(0, limit - locked))} are "
            f"allowed (RLIMIT_MEMLOCK {size(limit)}, {size(locked)} of it in use); raise it by "
            "ulimit -l, LimitMEMLOCK= of systemd, /etc/security/limits.conf or "
            "--ulimit memlock= of a container, or give CAP_IPC_LOCK"
        )


def munlock(memory: np.ndarray) -> None:
    """Unlock what is locked of some whole pages."""
    libc().munlock(ctypes.c_void_p(memory.ctypes.data), ctypes.c_size_t(memory.nbytes))


@cache
def has_mlock2() -> bool:
    """Whether the kernel knows mlock2() (since 4.4)."""
    return _accepts("mlock2", 1)


@cache
def has_populate() -> bool:
    """Whether the kernel knows MADV_POPULATE_READ and MADV_POPULATE_WRITE (since 5.14)."""
    return _accepts("madvise", 23)


def _accepts(call: str, number: int) -> bool:
    """Whether the kernel knows a flag or an advice: for a range of no pages, only that counts."""
    function = getattr(libc(), call, None)
    if function is None:
        return False
    return function(ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_int(number)) == 0


# --- CPUs -------------------------------------------------------------------------------------


def cpus() -> list[int]:
    """The CPUs that this process may use, in order."""
    return sorted(os.sched_getaffinity(0))


def two_cpus(placement: Placement) -> tuple[int, int]:
    """The CPUs of two threads: the same, or two, which share a core only if there is no other.

    Raises
    ------
    LiveError
        If there is no other CPU, or `placement` is neither.
    """
    allowed = cpus()
    first = allowed[0]
    if placement == "same":
        return first, first
    if placement != "other":
        raise LiveError(f'placement = "{placement}": must be "same" or "other"')
    if len(allowed) == 1:
        raise LiveError('placement = "other": this process may use one CPU only; "same" works')
    siblings = _siblings(first)
    return first, next((cpu for cpu in allowed[1:] if cpu not in siblings), allowed[1])


def _siblings(cpu: int) -> set[int]:
    file = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        parts = file.read_text().strip().split(",")
    except OSError:
        return {cpu}
    found: set[int] = set()
    for part in parts:
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def pin(cpu: int | None, fifo: bool = False) -> None:
    """Bind the calling thread, and no other, to a CPU; with `fifo`, make it a real-time one."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    if fifo:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def fifo_allowed() -> bool:
    """Whether a thread of this process may become SCHED_FIFO."""
    allowed = []

    def attempt() -> None:
        try:
            pin(None, fifo=True)
        except OSError:
            return
        allowed.append(True)

    thread = Thread(target=attempt)
    thread.start()
    thread.join()
    return bool(allowed)

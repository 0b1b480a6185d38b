"""What this process may do: limits are read from where the kernel states them."""

import os
from pathlib import Path

import pytest

from rfcsim.errors import LiveError
from rfcsim.live import limits

MEMINFO = "MemTotal:       4194304 kB\nMemAvailable:   3145728 kB\nHugePages_Total:       0\n"
GIB = 1 << 30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc of a machine with 4 GiB, of which 3 are available."""
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(MEMINFO)
    monkeypatch.setattr(limits, "PROC", proc)
    return proc


def cgroup(folder: Path, limit: object, usage: int, cached: int = 0, version: int = 2) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = limits._FILES["cgroup2" if version == 2 else "cgroup"]
    (folder / names.limit).write_text(f"{limit}\n")
    (folder / names.usage).write_text(f"{usage}\n")
    (folder / "memory.stat").write_text(f"anon 7\n{names.reclaimable} {cached}\n")


@pytest.mark.parametrize("version", [1, 2])
def test_the_narrowest_cgroup_above_this_process_counts(machine: Path, version: int) -> None:
    mount = machine.parent / "cgroup"
    unlimited = "max" if version == 2 else 2**63 - 4096
    cgroup(mount / "a", GIB, usage=GIB // 2, cached=GIB // 4, version=version)
    cgroup(mount / "a" / "b", unlimited, usage=GIB // 2, version=version)
    cgroup(mount / "other", 1, usage=1, version=version)
    kind, line = ("cgroup2", "0::/a/b") if version == 2 else ("cgroup", "4:cpu,memory:/a/b")
    (machine / "self" / "cgroup").write_text(f"9:name=systemd:/elsewhere\n{line}\n")
    (machine / "self" / "mountinfo").write_text(
        "23 1 0:21 / /proc rw - proc proc rw\n"
        f"30 23 0:26 / {mount} rw,nosuid shared:9 - {kind} cgroup rw,memory\n"
    )
    room = limits.available_memory()
    assert room.nbytes == GIB - (GIB // 2 - GIB // 4)
    assert room.source.endswith(f" of {mount / 'a'}")


def test_a_container_that_hides_where_its_cgroup_is(machine: Path) -> None:
    """A container sees its own cgroup as the root of the mount, despite /proc/self/cgroup."""
    mount = machine.parent / "cgroup"
    cgroup(mount, GIB, usage=0)
    (machine / "self" / "cgroup").write_text("0::/../../docker/abc\n")
    (machine / "self" / "mountinfo").write_text(
        f"30 23 0:26 /docker/abc {mount} rw - cgroup2 cgroup rw\n"
    )
    assert limits.available_memory().nbytes == GIB


def test_without_cgroups_the_machine_counts(machine: Path) -> None:
    assert limits.available_memory() == (3 * GIB, "MemAvailable")
    assert limits.meminfo()["HugePages_Total"] == 0


def test_memory_stays_free(machine: Path) -> None:
    most = 3 * GIB - 4 * GIB // 10
    limits.require_memory("measure", most)
    with pytest.raises(LiveError) as caught:
        limits.require_memory("measure", most + 1)
    assert str(caught.value) == (
        "measure: needs 2.60 GiB of memory, at most 2.60 GiB are allowed "
        "(MemAvailable leaves 3.00 GiB, and 410 MiB stay free)"
    )


@pytest.mark.parametrize(
    ("effective", "uid_map", "held"),
    [
        ("000001ffffffffff", "         0          0 4294967295\n", True),
        ("0000000000004000", "0 0 4294967295\n", True),
        ("000001ffffffbfff", "0 0 4294967295\n", False),
        ("000001ffffffffff", "0 1000 1\n1 100000 65536\n", False),  # root of a rootless container
        ("000001ffffffffff", "", False),
    ],
)
def test_the_capability_counts_in_the_first_user_namespace_alone(
    machine: Path, effective: str, uid_map: str, held: bool
) -> None:
    (machine / "self" / "status").write_text(f"Name:\tx\nCapEff:\t{effective}\nVmLck:\t 8 kB\n")
    (machine / "self" / "uid_map").write_text(uid_map)
    assert limits.has_cap_ipc_lock() is held
    assert limits.locked_bytes() == 8192


def test_what_the_kernel_does_not_know_is_seen_without_memory() -> None:
    assert not limits._accepts("madvise", 250)
    assert not limits._accepts("mlock2", 1 << 20)
    assert not limits._accepts("no_such_call", 1)


def test_asking_whether_fifo_is_allowed_changes_nothing() -> None:
    before = os.sched_getscheduler(0), os.sched_getaffinity(0)
    assert limits.fifo_allowed() in (True, False)
    assert (os.sched_getscheduler(0), os.sched_getaffinity(0)) == before


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [(0, "0 B"), (999, "999 B"), (4096, "4.00 KiB"), (10 << 20, "10.0 MiB"), (3 << 40, "3072 GiB")],
)
def test_sizes_are_written_with_three_digits(nbytes: int, text: str) -> None:
    assert limits.size(nbytes) == text

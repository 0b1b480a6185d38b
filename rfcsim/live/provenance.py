"""On what a measurement was made: machine, kernel, settings, versions."""

import gzip
import os
import platform
import shlex
import sys
import time
from importlib.metadata import version
from pathlib import Path

from rfcsim.live import limits
from rfcsim.version import __version__

_CLOCK_MONOTONIC_COARSE = 6  # it advances with the tick
_CONFIG = (
    "CONFIG_HZ",
    "CONFIG_PREEMPT_NONE",
    "CONFIG_PREEMPT_VOLUNTARY",
    "CONFIG_PREEMPT",
    "CONFIG_PREEMPT_LAZY",
    "CONFIG_PREEMPT_RT",
    "CONFIG_PREEMPT_DYNAMIC",
    "CONFIG_PER_VMA_LOCK",
    "CONFIG_RWSEM_SPIN_ON_OWNER",
    "CONFIG_TRANSPARENT_HUGEPAGE",
)
_PARAMETERS = (  # of the kernel's command line; the rest of it stays private
    "cpuidle_haltpoll.force",
    "haltpoll.guest_halt_poll_ns",
    "idle",
    "intel_idle.max_cstate",
    "isolcpus",
    "mitigations",
    "nohz",
    "nohz_full",
    "nosmt",
    "preempt",
    "processor.max_cstate",
    "rcu_nocbs",
    "threadirqs",
    "transparent_hugepage",
)
_VM = Path("/sys/kernel/mm/transparent_hugepage")


def provenance() -> dict[str, str]:
    """Describe this machine, its kernel and this process; what cannot be read is left out."""
    system = os.uname()
    memory = limits.meminfo()
    found = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "versions": ", ".join(
            [
                f"rfcsim {__version__}",
                f"Python {platform.python_version()}",
                *(f"{name} {version(name)}" for name in ("numba", "numpy", "polars")),
                " ".join(platform.libc_ver()),
            ]
        ),
        "kernel": system.release,
        "kernel_build": system.version,
        "kernel_parameters": " ".join(_parameters()),
        "kernel_config": ", ".join(_config(system.release)),
        "hz": f"{1 / time.clock_getres(_CLOCK_MONOTONIC_COARSE):.0f}",
        "preemption": _read("/sys/kernel/debug/sched/preempt"),
        "base_slice_ns": _read("/sys/kernel/debug/sched/base_slice_ns"),
        "sched_rt": f"{_read('/proc/sys/kernel/sched_rt_runtime_us')} us of "
        f"{_read('/proc/sys/kernel/sched_rt_period_us')}",
        "machine": system.machine,
        "cpu": _cpu_model(),
        "hypervisor": "yes" if "hypervisor" in _cpuinfo("flags").split() else "not seen",
        "cpus": f"{os.cpu_count()}, allowed {', '.join(map(str, limits.cpus()))}",
        "smt": _read("/sys/devices/system/cpu/smt/active"),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "idle_driver": _read("/sys/devices/system/cpu/cpuidle/current_driver"),
        "cpu_quota": _read("/sys/fs/cgroup/cpu.max"),
        "clocksource": _read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "timer_slack_ns": _read("/proc/self/timerslack_ns"),
        "page_bytes": str(limits.page_bytes()),
        "transparent_huge_pages": _read(_VM / "enabled"),
        "transparent_huge_pages_defrag": _read(_VM / "defrag"),
        "memory_bytes": str(memory["MemTotal"]),
        "memory_available_bytes": str(limits.available_memory().nbytes),
        "swap_bytes": str(memory.get("SwapTotal", 0)),
        "overcommit": _read("/proc/sys/vm/overcommit_memory"),
        "numa_nodes": _read("/sys/devices/system/node/online"),
        "rlimit_memlock": _or_unlimited(limits.memlock_limit()),
        "locked_bytes": str(limits.locked_bytes()),
        "vmas": str(len(limits.proc_lines("self/maps"))),
        "load": _read("/proc/loadavg"),
    }
    return {name: value for name, value in found.items() if value}


def stolen_ticks() -> int:
    """The CPU time that the hypervisor gave to others, in ticks of 1/100 s."""
    fields = _read("/proc/stat").partition("\n")[0].split()
    return int(fields[8]) if len(fields) > 8 else 0


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError):
        return ""


def _config(release: str) -> list[str]:
    """The lines of the kernel's configuration that matter here; none if it cannot be read."""
    try:
        text = gzip.decompress(Path("/proc/config.gz").read_bytes()).decode()
    except OSError:
        text = _read(f"/boot/config-{release}")
    lines = text.splitlines()
    return [line for line in lines if line.partition("=")[0] in _CONFIG]


def _parameters() -> list[str]:
    given = _read("/proc/cmdline").split()
    return [parameter for parameter in given if parameter.partition("=")[0] in _PARAMETERS]


def _cpuinfo(name: str) -> str:
    for line in limits.proc_lines("cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _cpu_model() -> str:
    # Arm has numbers instead of a name.
    return _cpuinfo("model name") or " ".join(
        f"{name} {_cpuinfo(name)}" for name in ("CPU implementer", "CPU part") if _cpuinfo(name)
    )


def _or_unlimited(limit: int | None) -> str:
    return "none" if limit is None else str(limit)

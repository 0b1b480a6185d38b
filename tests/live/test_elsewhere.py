"""Without Linux: everything can be imported, and whatever needs Linux says so."""

import subprocess
import sys

import pytest

# Take away what this package might use and macOS and Windows do not have. NumPy and the others are
# loaded before that, as they are other builds there.
PROGRAM = """
import importlib, os, pkgutil, sys
import altair, numba, numpy, polars, pydantic, rich, scipy.stats, typer
import lazy_loader, nbformat, papermill, platformdirs, tomli_w, vl_convert
import ctypes, mmap, subprocess, threading

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "pwd", "grp", "resource", "termios", "pty"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in ("fcntl", "pwd", "grp", "resource", "termios", "pty"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
for name in [name for name in dir(os) if name.startswith("sched_") or name.startswith("SCHED_")]:
    delattr(os, name)
del os.uname, os.sysconf, os.register_at_fork
for name in ("MADV_HUGEPAGE", "MADV_NOHUGEPAGE", "MAP_POPULATE", "MAP_STACK", "MAP_PRIVATE"):
    delattr(mmap, name)
sys.platform = PLATFORM

import rfcsim
for module in pkgutil.walk_packages(rfcsim.__path__, "rfcsim."):
    if not module.name.endswith(("__main__", "rfcsim.book")):
        importlib.import_module(module.name)
for name in rfcsim.__all__:
    getattr(rfcsim, name)

trace = rfcsim.read_trace(rfcsim.data.data_path("traces", "pieces-256-same-cpu"))
rfcsim.charts.timeline(trace)
for refused in REFUSED:
    try:
        eval(refused)
    except rfcsim.LiveError as error:
        print(error)
"""
REFUSED = [
    "rfcsim.lock_memory(bytearray(9))",
    "rfcsim.unlock_memory(bytearray(9))",
    "rfcsim.measure()",
    "rfcsim.measure([rfcsim.Probe()])",
    "rfcsim.probes()",
    "rfcsim.standard_probes()",
    "rfcsim.record(['true'])",
]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_what_needs_linux_says_so_and_the_rest_works(platform: str) -> None:
    program = PROGRAM.replace("PLATFORM", repr(platform)).replace("REFUSED", repr(REFUSED))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(REFUSED)
    for line, refused in zip(lines, REFUSED, strict=True):
        function = refused.removeprefix("rfcsim.").partition("(")[0]
        assert line == (
            f"{function}: needs Linux, this is {platform}; "
            "scenarios, charts, stored traces and stored measurements work here"
        )

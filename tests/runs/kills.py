"""Run a small sweep again and again, and kill it one step of the file system later each time.

Then kill it in the middle of writing a file, each time one of more bytes. Every attempt is a child
of one process that has everything imported and compiled, so that there can be many. For each, print
how many files there were after the kill, and a hash of the file after the same sweep was run again.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rfcsim.runs import harvest
from rfcsim.runs.simulate import simulate
from rfcsim.runs.sweep import sweep
from tests.runs.examples import SMALL

OVER = {"batch_pages": [8, 32, 64]}
BYTES_APART = 1000
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "fcntl.lockf"}


def small_sweep(file: Path) -> None:
    sweep(SMALL, OVER, replications=1, to=file, threads=1)


def in_child(work: Callable[[], None]) -> int:
    """Do something in a child, and return its wait status."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def killed_at(number: int, file: Path) -> None:
    """Run the sweep, and be killed right before a given step in the file's folder."""
    left = number

    def count(event: str, arguments: tuple) -> None:
        nonlocal left
        if event in STEPS and (event == "fcntl.lockf" or str(file.parent) in str(arguments[0])):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    small_sweep(file)


def killed_in_write(number: int, file: Path) -> None:
    """Run the sweep, and be killed while writing a file of more than a given size."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (number * BYTES_APART, resource.RLIM_INFINITY))
    small_sweep(file)


def attempt(number: int, how: Callable[[int, Path], None]) -> bool:
    """Kill a sweep in one way, and run it again; whether it was killed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        killed = os.WIFSIGNALED(in_child(lambda: how(number, file)))
        left = len([path for path in Path(folder).rglob("*") if path.is_file()])
        assert in_child(lambda: small_sweep(file)) == 0
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        after = sorted(path.name for path in Path(folder).rglob("*"))
    print(json.dumps({"killed": killed, "left": left, "digest": digest, "after": after}))
    return killed


def main() -> None:
    # Each run of the sweep comes back and is written by itself.
    harvest.SECONDS_A_PART = harvest.SHARE_A_PART = 0.0
    simulate(SMALL)
    for how in (killed_at, killed_in_write):
        number = 0
        while attempt(number, how):
            number += 1


if __name__ == "__main__":
    main()

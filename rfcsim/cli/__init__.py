"""The command `rfcsim`: who waited for mmap_sem, and how long.

Everything but typer is imported inside the commands, so that --help is quick.
"""

# A module's import adds its commands; help lists them in this order.
from rfcsim.cli import runs, check, lists, kernel, calibration, rerun  # isort: skip
from rfcsim.cli.app import BROKEN_PIPE, INTERRUPTED, app, main

__all__ = [
    "BROKEN_PIPE",
    "INTERRUPTED",
    "app",
    "calibration",
    "check",
    "kernel",
    "lists",
    "main",
    "rerun",
    "runs",
]

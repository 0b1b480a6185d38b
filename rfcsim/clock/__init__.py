"""The model in virtual time: an event engine with CPUs, a disk and fixed-size recorders."""

from rfcsim.clock.engine import run
from rfcsim.clock.machine import build, restart

__all__ = ["build", "restart", "run"]

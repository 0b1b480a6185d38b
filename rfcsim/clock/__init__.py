"""The model in virtual time: an event engine with CPUs, a disk and fixed-size recorders."""

from rfcsim.clock.engine import run
from rfcsim.clock.machine import build, copy_of
from rfcsim.clock.replications import replicate, restart

__all__ = ["build", "copy_of", "replicate", "restart", "run"]

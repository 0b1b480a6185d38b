"""The model in virtual time: an event engine with CPUs, a disk and fixed-size recorders."""

from rfcsim.clock.engine import run
from rfcsim.clock.histogram import bucket_bounds
from rfcsim.clock.machine import build

__all__ = ["bucket_bounds", "build", "run"]

"""A real kernel beside the simulated one: measure it, predict it, and lock memory on it."""

from rfcsim.live.calibrate import Calibration, calibrate
from rfcsim.live.lock import LockedMemory, lock_memory, unlock_memory
from rfcsim.live.measure import measure
from rfcsim.live.measurement import Measurement, load_measurement
from rfcsim.live.probe import Probe, probes, standard_probes
from rfcsim.live.recommend import recommend
from rfcsim.live.recommendation import Recommendation
from rfcsim.live.record import record
from rfcsim.live.validate import Validation, validate
from rfcsim.trace.reader import read_trace

__all__ = [
    "Calibration",
    "LockedMemory",
    "Measurement",
    "Probe",
    "Recommendation",
    "Validation",
    "calibrate",
    "load_measurement",
    "lock_memory",
    "measure",
    "probes",
    "read_trace",
    "recommend",
    "record",
    "standard_probes",
    "unlock_memory",
    "validate",
]

"""A real kernel beside the simulated one."""

from rfcsim.live.ftrace import read_trace
from rfcsim.live.lock import LockedMemory, lock_memory, unlock_memory
from rfcsim.live.measure import measure
from rfcsim.live.measurement import Measurement, load_measurement
from rfcsim.live.probe import Probe, probes, standard_probes

__all__ = [
    "LockedMemory",
    "Measurement",
    "Probe",
    "load_measurement",
    "lock_memory",
    "measure",
    "probes",
    "read_trace",
    "standard_probes",
    "unlock_memory",
]

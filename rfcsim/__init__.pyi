from . import charts, live
from .duration import human, nanoseconds
from .errors import (
    CostTableError,
    LiveError,
    NotebookError,
    RfcsimError,
    ScenarioError,
    SweepError,
    TraceError,
)
from .lab.explorer import explorer
from .lab.runs import explorer_grid
from .live.calibrate import Calibration, calibrate
from .live.lock import LockedMemory, lock_memory, unlock_memory
from .live.measure import measure
from .live.measurement import Measurement, load_measurement
from .live.probe import Probe, probes, standard_probes
from .live.record import record
from .live.validate import Validation, validate
from .orders.check import CLAIMS, Check, check
from .orders.differences import sequential_differences
from .orders.mutants import mutant_scoreboard
from .orders.schedule import replay
from .orders.verdicts import verdicts
from .orders.walk import walk
from .orders.worst_wait import WorstWait, worst_wait
from .rerun import find_notebook, notebooks, rerun_notebook
from .runs.compare import Comparison, compare
from .runs.quantiles import quantile_intervals
from .runs.replicate import Replications, replicate
from .runs.result import Result
from .runs.simulate import simulate
from .runs.statistics import mean_intervals, paired_differences, sweep_table
from .runs.sweep import sweep
from .runs.sweep_file import SweepFile, read_sweep
from .scenario.calls import (
    Brk,
    Fork,
    GetUserPages,
    Hold,
    Kill,
    Mlock,
    Mlockall,
    Mmap,
    Mprotect,
    Mremap,
    Munlock,
    Munlockall,
    Munmap,
    Populate,
    ReadMaps,
    RemapFilePages,
    Touch,
    Truncate,
)
from .scenario.checked import Limits
from .scenario.costs import CostTable, load_costs
from .scenario.kernels import kernel, kernels
from .scenario.presets import (
    check_scenario,
    check_scenarios,
    cost_tables,
    preset,
    presets,
)
from .scenario.process import Published, Region, TaskGroup
from .scenario.scenario import Scenario
from .scenario.ways import ways_to_lock
from .studies.batch_law import batch_law
from .studies.frontier import crossings, frontier
from .studies.matrix import matrix
from .studies.published import published_comparison
from .studies.recommend import Recommendation, recommend
from .studies.sites import call_site, call_sites
from .trace.blame import blame, blame_summary, blame_table
from .trace.frame import lock_intervals
from .trace.perfetto import write_perfetto
from .trace.reader import read_trace
from .version import __version__

__all__ = [
    "CLAIMS",
    "Brk",
    "Calibration",
    "Check",
    "Comparison",
    "CostTable",
    "CostTableError",
    "Fork",
    "GetUserPages",
    "Hold",
    "Kill",
    "Limits",
    "LiveError",
    "LockedMemory",
    "Measurement",
    "Mlock",
    "Mlockall",
    "Mmap",
    "Mprotect",
    "Mremap",
    "Munlock",
    "Munlockall",
    "Munmap",
    "NotebookError",
    "Populate",
    "Probe",
    "Published",
    "ReadMaps",
    "Recommendation",
    "Region",
    "RemapFilePages",
    "Replications",
    "Result",
    "RfcsimError",
    "Scenario",
    "ScenarioError",
    "SweepError",
    "SweepFile",
    "TaskGroup",
    "Touch",
    "TraceError",
    "Truncate",
    "Validation",
    "WorstWait",
    "__version__",
    "batch_law",
    "blame",
    "blame_summary",
    "blame_table",
    "calibrate",
    "call_site",
    "call_sites",
    "charts",
    "check",
    "check_scenario",
    "check_scenarios",
    "compare",
    "cost_tables",
    "crossings",
    "explorer",
    "explorer_grid",
    "find_notebook",
    "frontier",
    "human",
    "kernel",
    "kernels",
    "live",
    "load_costs",
    "load_measurement",
    "lock_intervals",
    "lock_memory",
    "matrix",
    "mean_intervals",
    "measure",
    "mutant_scoreboard",
    "nanoseconds",
    "notebooks",
    "paired_differences",
    "preset",
    "presets",
    "probes",
    "published_comparison",
    "quantile_intervals",
    "read_sweep",
    "read_trace",
    "recommend",
    "record",
    "replay",
    "replicate",
    "rerun_notebook",
    "sequential_differences",
    "simulate",
    "standard_probes",
    "sweep",
    "sweep_table",
    "unlock_memory",
    "validate",
    "verdicts",
    "walk",
    "ways_to_lock",
    "worst_wait",
    "write_perfetto",
]

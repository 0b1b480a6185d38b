from . import charts, live
from .attribution import blame, blame_summary, blame_table
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
from .events import lock_intervals
from .experiment.batch_law import batch_law
from .experiment.calls import (
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
from .experiment.check import CLAIMS, Check, check
from .experiment.compare import Comparison, compare
from .experiment.costs import CostTable, load_costs
from .experiment.differences import sequential_differences
from .experiment.frontier import crossings, frontier
from .experiment.kernels import kernel, kernels
from .experiment.matrix import matrix
from .experiment.mutants import mutant_scoreboard
from .experiment.part import Limits
from .experiment.parts import Published, Region, TaskGroup
from .experiment.presets import (
    check_scenario,
    check_scenarios,
    cost_tables,
    preset,
    presets,
)
from .experiment.published import published_comparison
from .experiment.quantiles import quantile_intervals
from .experiment.recommend import Recommendation, recommend
from .experiment.replicate import Replications, replicate
from .experiment.result import Result
from .experiment.scenario import Scenario
from .experiment.schedule import replay
from .experiment.simulate import simulate
from .experiment.sites import call_site, call_sites
from .experiment.statistics import mean_intervals, paired_differences, sweep_table
from .experiment.sweep import sweep
from .experiment.sweep_file import SweepFile, read_sweep
from .experiment.verdicts import verdicts
from .experiment.walk import walk
from .experiment.ways import ways_to_lock
from .experiment.worst_wait import WorstWait, worst_wait
from .lab.explorer import explorer
from .lab.runs import explorer_grid
from .live.advice import Advice
from .live.advise import advise
from .live.calibrate import Calibration, calibrate
from .live.lock import LockedMemory, lock_memory, unlock_memory
from .live.measure import measure
from .live.measurement import Measurement, load_measurement
from .live.probe import Probe, probes, standard_probes
from .live.record import record
from .live.traces import read_trace
from .live.validate import Validation, validate
from .perfetto import write_perfetto
from .rerun import find_notebook, notebooks, rerun_notebook
from .version import __version__

__all__ = [
    "CLAIMS",
    "Advice",
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
    "advise",
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

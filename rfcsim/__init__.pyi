from . import charts
from .errors import CostTableError, RfcsimError, ScenarioError, TraceError
from .events import lock_intervals
from .experiment.compare import Comparison, compare
from .experiment.costs import CostTable, load_costs
from .experiment.duration import human
from .experiment.parts import (
    Hold,
    Limits,
    Mlock,
    Mmap,
    Munlock,
    Munmap,
    Published,
    ReadMaps,
    Region,
    TaskGroup,
    Touch,
)
from .experiment.presets import cost_tables, preset, presets
from .experiment.published import published_comparison
from .experiment.replicate import Replications, replicate
from .experiment.result import Result
from .experiment.scenario import Scenario
from .experiment.simulate import simulate
from .experiment.walk import walk
from .live.ftrace import read_trace
from .version import __version__

__all__ = [
    "Comparison",
    "CostTable",
    "CostTableError",
    "Hold",
    "Limits",
    "Mlock",
    "Mmap",
    "Munlock",
    "Munmap",
    "Published",
    "ReadMaps",
    "Region",
    "Replications",
    "Result",
    "RfcsimError",
    "Scenario",
    "ScenarioError",
    "TaskGroup",
    "Touch",
    "TraceError",
    "__version__",
    "charts",
    "compare",
    "cost_tables",
    "human",
    "load_costs",
    "lock_intervals",
    "preset",
    "presets",
    "published_comparison",
    "read_trace",
    "replicate",
    "simulate",
    "walk",
]

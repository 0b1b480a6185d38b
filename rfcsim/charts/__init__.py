"""Charts of plain frames: who held the lock, who waited, how long, and because of whom.

`enable()` shows them in a notebook; `save(chart, path)` writes them to a file.
"""

from rfcsim.charts.blame import blame
from rfcsim.charts.blame_summary import blame_summary
from rfcsim.charts.curves import curves
from rfcsim.charts.distributions import holds, survival
from rfcsim.charts.matrix import matrix
from rfcsim.charts.predictions import predictions
from rfcsim.charts.ratios import ratios
from rfcsim.charts.renderer import enable, save
from rfcsim.charts.sequence import sequence
from rfcsim.charts.sites import call_sites
from rfcsim.charts.stack import stack
from rfcsim.charts.timeline import timeline
from rfcsim.charts.tradeoffs import frontier, law

__all__ = [
    "blame",
    "blame_summary",
    "call_sites",
    "curves",
    "enable",
    "frontier",
    "holds",
    "law",
    "matrix",
    "predictions",
    "ratios",
    "save",
    "sequence",
    "stack",
    "survival",
    "timeline",
]

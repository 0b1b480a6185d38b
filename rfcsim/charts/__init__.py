"""Charts of plain frames: who held the lock, who waited, and how long.

`enable()` shows them in a notebook; `save(chart, path)` writes them to a file.
"""

from rfcsim.charts.distributions import holds, survival
from rfcsim.charts.renderer import enable, save
from rfcsim.charts.sequence import sequence
from rfcsim.charts.timeline import timeline

__all__ = ["enable", "holds", "save", "sequence", "survival", "timeline"]

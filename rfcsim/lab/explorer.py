"""The way in to the explorer, also where the packages for its widget are not installed."""

from typing import TYPE_CHECKING

from rfcsim.extras import require
from rfcsim.lab.runs import Chosen

if TYPE_CHECKING:
    from rfcsim.lab.widget import Explorer


def explorer(
    backing: str = "memory",
    design: str = "batched",
    lock_policy: str = "fifo",
    batch_pages: int = 256,
    threads: int = 1,
    *,
    seed: int = 0,
) -> "Explorer":
    """Explore runs in JupyterLab: choose, drag, and see timeline, tail and blame of each.

    256 MiB are locked beside threads that fault, threads that map and unmap, and one that
    reads /proc/PID/maps. Every control can be reached with the Tab key and moved with the arrow
    keys.

    Parameters
    ----------
    backing : "memory", "page cache" or "disk"
        Where the locked pages come from.
    design : str
        Of mlock(); see `Scenario`.
    lock_policy : str
        Of mmap_sem; see `Scenario`.
    batch_pages : int
        Pages per hold of the design "batched": a power of two from 4 to 16,384.
    threads : int
        How many threads fault, and how many map and unmap: 1 to 16.
    seed : int

    Returns
    -------
    ipywidgets.VBox
        Make it the last expression of a cell.

    Raises
    ------
    RfcsimError
        One line: the argument, its value and what is allowed; or what has to be installed.
    """
    require("explorer", "anywidget", "ipywidgets")
    from rfcsim.lab.widget import Explorer

    return Explorer(Chosen(backing, design, lock_policy, batch_pages, threads), seed)

"""Cost tables for tests, by name: what is not named costs nothing."""

import numpy as np

from rfcsim.clock.layout import (
    COST_DISK_DEPTH,
    COST_DISK_PAGE,
    COST_DISK_REQUEST,
    COST_DISK_SEEK,
    COST_LOCK,
    COST_SWITCH,
    COST_TIMESLICE,
    COST_WAKE_UP,
    N_COSTS,
)
from rfcsim.model.layout import WORK_NAMES

COLUMNS = {name: work for work, name in enumerate(WORK_NAMES)} | {
    "lock": COST_LOCK,
    "wake_up": COST_WAKE_UP,
    "switch": COST_SWITCH,
    "timeslice": COST_TIMESLICE,
    "disk_request": COST_DISK_REQUEST,
    "disk_seek": COST_DISK_SEEK,
    "disk_page": COST_DISK_PAGE,
    "disk_depth": COST_DISK_DEPTH,
}


def cost_values(**costs: int) -> np.ndarray:
    """A cost table's values: int64[N_COSTS], in ns (`disk_depth` is a count)."""
    values = np.zeros(N_COSTS, np.int64)
    for name, value in ({"ns": 1, "timeslice": 10**9, "disk_depth": 1} | costs).items():
        values[COLUMNS[name]] = value
    return values

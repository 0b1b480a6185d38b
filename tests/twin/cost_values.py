"""Cost tables for tests, by name. Work that is not named costs nothing."""

import numpy as np

from rfcsim.clock.layout import cost
from rfcsim.model.layout import work

COLUMNS = {name: column for column, name in enumerate(work.NAMES)} | {
    "lock": cost.LOCK,
    "wake_up": cost.WAKE_UP,
    "switch": cost.SWITCH,
    "timeslice": cost.TIMESLICE,
    "disk_request": cost.DISK_REQUEST,
    "disk_seek": cost.DISK_SEEK,
    "disk_page": cost.DISK_PAGE,
    "disk_depth": cost.DISK_DEPTH,
}


def cost_values(**costs: int) -> np.ndarray:
    """A cost table's values: int64[cost.COUNT], in ns (`disk_depth` is a count)."""
    values = np.zeros(cost.COUNT, np.int64)
    for name, value in ({"ns": 1, "timeslice": 10**9, "disk_depth": 1} | costs).items():
        values[COLUMNS[name]] = value
    return values

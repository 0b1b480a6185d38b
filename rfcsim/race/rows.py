"""Sets of rows that are numbered in the order in which they came, and that grow."""

from typing import NamedTuple

import numpy as np

from rfcsim._jit import inner, njit
from rfcsim.race.prefetch import prefetch

FIRST_ROOM = 1 << 10
GROWTH = 1 / 4  # by which a full set grows

MIX = np.uint64(0x9E3779B97F4A7C15)
HALF = np.uint64(32)
_LOWER = np.uint64(0xFFFFFFFF)
ONE = np.uint64(1)


class RowSet(NamedTuple):
    """A set of rows: open addressing over an array in which they lie one after another.

    rows : int64 or uint32[room, columns]
    table : uint64[slots], 0 or the row's hash in the upper half and its number + 1 in the lower
    count : int64[1], rows in the set
    """

    rows: np.ndarray
    table: np.ndarray
    count: np.ndarray


@inner
def hash_of(row):
    """A hash of 32 bits."""
    h = np.uint64(0)
    for column in range(row.size):
        h = (h + np.uint64(row[column])) * MIX
    return ((h ^ h >> HALF) * MIX) >> HALF


@inner
def find_or_add(row_set, row, h):
    """Find a row, whose hash is `h`; add it if the set does not have it.

    Returns
    -------
    (int, bool)
        Number of the row, and whether it is new.
    """
    rows, table, count = row_set.rows, row_set.table, row_set.count[0]
    mask = np.uint64(table.size) - ONE
    slot = h & mask
    while table[slot] != 0:
        if table[slot] >> HALF == h:
            number = np.int64(table[slot] & _LOWER) - 1
            if same(rows[number], row):
                return number, False
        slot = (slot + ONE) & mask
    table[slot] = h << HALF | np.uint64(count + 1)
    copy_row(row, rows[count])
    row_set.count[0] = count + 1
    return count, True


@inner
def same(row, other):
    column = 0
    while column < row.size and row[column] == other[column]:
        column += 1
    return column == row.size


@inner
def copy_row(source, target):
    for column in range(source.size):
        target[column] = source[column]


@inner
def prefetch_slot(row_set, h):
    """Ask the memory for the slot in which the search for a row with this hash begins."""
    prefetch(row_set.table, h & (np.uint64(row_set.table.size) - ONE))


@inner
def prefetch_row(row_set, h):
    """Ask the memory for the row of that slot."""
    number = row_set.table[h & (np.uint64(row_set.table.size) - ONE)] & _LOWER
    if number != 0:
        prefetch(row_set.rows, number - ONE)


@inner
def has_room(row_set, more):
    """Whether `more` rows still fit, with a quarter of the slots to spare."""
    needed, slots = row_set.count[0] + more, row_set.table.size
    return needed <= row_set.rows.shape[0] and needed <= slots - slots // 4


def new_rows(columns: int, dtype: type[np.generic]) -> RowSet:
    """An empty set."""
    return RowSet(
        rows=np.zeros((FIRST_ROOM, columns), dtype),
        table=np.zeros(2 * FIRST_ROOM, np.uint64),
        count=np.zeros(1, np.int64),
    )


def size_for(row_set: RowSet, more: int) -> tuple[int, int]:
    """How many rows and slots a set has once there is room for `more` rows."""
    needed, room, slots = int(row_set.count[0]) + more, row_set.rows.shape[0], row_set.table.size
    if needed > room:
        room = needed + int(GROWTH * room)
    return room, slots_for(needed, slots)


def slots_for(entries: int, slots: int) -> int:
    """The number of slots, doubled until the entries leave a quarter of them to spare."""
    while entries > slots - slots // 4:
        slots *= 2
    return slots


def bytes_for(row_set: RowSet, more: int) -> tuple[int, int]:
    """Bytes that a set takes with room for `more` rows, and those on top of them while it grows.

    An array that grows may be copied, depending on the version of NumPy.
    """
    room, slots = size_for(row_set, more)
    rows, table = row_set.rows, row_set.table
    grown = [array.nbytes for array, size in ((rows, room), (table, slots)) if size > len(array)]
    return room * rows.strides[0] + slots * table.itemsize, max(grown, default=0)


def grow(row_set: RowSet, more: int) -> None:
    """Let a set grow, if need be, to have room for `more` rows, in the same arrays."""
    rows, table = row_set.rows, row_set.table
    room, slots = size_for(row_set, more)
    if room > len(rows):
        rows.resize((room, rows.shape[1]), refcheck=False)
    if slots > len(table):
        entries = table.copy()
        table.resize(0, refcheck=False)
        table.resize(slots, refcheck=False)
        _refill(table, entries)


@njit
def _refill(table, entries):
    """Enter the entries of a smaller table into an empty one."""
    mask = np.uint64(table.size) - ONE
    for n in range(entries.size):
        if entries[n] != 0:
            slot = entries[n] >> HALF & mask
            while table[slot] != 0:
                slot = (slot + ONE) & mask
            table[slot] = entries[n]

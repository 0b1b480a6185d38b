"""A map from numbers to numbers that can grow: what the moves made so far became."""

from typing import NamedTuple

import numpy as np

from rfcsim._jit import inner, njit
from rfcsim.race.rows import HALF, MIX, ONE, slots_for

FIRST_SLOTS = 1 << 11
UNKNOWN = -1  # never the value of a key

# The columns of a slot. A key of 0: the slot is free.
KEY = 0
VALUE = 1


class Remembered(NamedTuple):
    """The map: open addressing, a key beside its value.

    slots : int64[slots, 2]
    count : int64[1], keys in the map
    """

    slots: np.ndarray
    count: np.ndarray


@inner
def recall(remembered, key):
    """The value of a key, or UNKNOWN."""
    slots = remembered.slots
    slot = _slot_of(slots, key)
    return slots[slot, VALUE] if slots[slot, KEY] == key else UNKNOWN


@inner
def remember(remembered, key, value):
    """Give a value to a key that has none."""
    slots = remembered.slots
    slot = _slot_of(slots, key)
    slots[slot, KEY] = key
    slots[slot, VALUE] = value
    remembered.count[0] += 1


@inner
def can_remember(remembered, more):
    """Whether `more` keys still fit, with a quarter of the slots to spare."""
    slots = remembered.slots.shape[0]
    return remembered.count[0] + more <= slots - slots // 4


@inner
def _slot_of(slots, key):
    """The slot where a key is, or would be."""
    mask = np.uint64(slots.shape[0]) - ONE
    slot = np.uint64(key) * MIX >> HALF & mask
    while slots[slot, KEY] != key and slots[slot, KEY] != 0:
        slot = (slot + ONE) & mask
    return slot


def new_remembered() -> Remembered:
    """An empty map."""
    return Remembered(slots=np.zeros((FIRST_SLOTS, 2), np.int64), count=np.zeros(1, np.int64))


def size_for(remembered: Remembered, more: int) -> int:
    """How many slots have room for `more` keys on top of those there are."""
    return slots_for(int(remembered.count[0]) + more, len(remembered.slots))


def bytes_for(remembered: Remembered, more: int) -> tuple[int, int]:
    """Bytes that a map takes with room for `more` keys, and those on top of them while it grows."""
    slots = size_for(remembered, more)
    copied = remembered.slots.nbytes if slots > len(remembered.slots) else 0
    return slots * remembered.slots.strides[0], copied


def grow(remembered: Remembered, more: int) -> None:
    """Let a map grow, if need be, to have room for `more` keys."""
    slots = size_for(remembered, more)
    if slots > len(remembered.slots):
        entries = remembered.slots.copy()
        remembered.slots.resize((0, 2), refcheck=False)
        remembered.slots.resize((slots, 2), refcheck=False)
        _refill(remembered.slots, entries)


@njit
def _refill(slots, entries):
    """Enter the entries of a smaller map into an empty one."""
    for n in range(entries.shape[0]):
        if entries[n, KEY] != 0:
            slot = _slot_of(slots, entries[n, KEY])
            slots[slot, KEY] = entries[n, KEY]
            slots[slot, VALUE] = entries[n, VALUE]

"""The set of states that were found: open addressing over the packed keys."""

import numpy as np

from rfcsim._jit import inner, njit
from rfcsim.race.layout import SEARCH_STATES

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@inner
def _slot_of(key, slots):
    """Where the search for a key begins: a hash of its words, below `slots`, a power of two."""
    h = np.uint64(key.size)
    for word in range(key.size):
        h = (h ^ key[word]) * _MIX
        h ^= h >> _SHIFT
    return np.int64((h * _MIX) >> np.uint64(32)) & (slots - 1)


@inner
def find_or_add(search, link):
    """Look for the key that stands behind the last state; keep it there if it is new.

    Returns
    -------
    (int, bool)
        Number of the state, and whether it is new; a new one is reached by `link`.
    """
    keys, table = search.keys, search.table
    count = search.search[SEARCH_STATES]
    key = keys[count]
    slot = _slot_of(key, table.size)
    while table[slot] != 0:
        other = table[slot] - 1
        same = True
        for word in range(key.size):
            if keys[other, word] != key[word]:
                same = False
                break
        if same:
            return other, False
        slot += 1
        if slot == table.size:
            slot = 0
    table[slot] = count + 1
    search.links[count] = link
    search.search[SEARCH_STATES] = count + 1
    return count, True


@njit
def refill(keys, count, table):
    """Enter the first `count` keys, which differ, into a table that is empty."""
    for state in range(count):
        slot = _slot_of(keys[state], table.size)
        while table[slot] != 0:
            slot += 1
            if slot == table.size:
                slot = 0
        table[slot] = state + 1

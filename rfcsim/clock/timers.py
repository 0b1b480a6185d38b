"""The next event of every source, in a winner tree.

Ties go to the source with the lower number: the left child wins unless the right is earlier.
"""

from rfcsim._jit import inner, njit

NEVER = 2**63 - 1


@njit
def set_timer(timers, winners, source, time):
    """Set the time of a source's next event; with NEVER it has none."""
    timers[source] = time
    node = (timers.size + source) >> 1
    while node > 0:
        left, right = winners[2 * node], winners[2 * node + 1]
        winners[node] = right if timers[right] < timers[left] else left
        node >>= 1


@inner
def next_source(winners):
    """The source of the next event."""
    return winners[1]


@inner
def first_of_others(timers, winners, source):
    """The source of the next event among all but this one."""
    node = timers.size + source
    best = -1
    while node > 1:
        other = winners[node ^ 1]
        if best < 0 or timers[other] < timers[best]:
            best = other
        elif timers[other] == timers[best]:
            best = min(best, other)
        node >>= 1
    return best

"""The worst that can happen to a task that waits: the most pages made present before its turn.

There are no times here, so a wait is measured by what others get done while it lasts. Programs end,
so no schedule comes back to a state that it has left, and a longest path exists.
"""

from graphlib import TopologicalSorter
from typing import NamedTuple

import numpy as np

from rfcsim.model.layout import bit, lock
from rfcsim.race.arrays import Search
from rfcsim.race.explore import keep, look_at, start, take
from rfcsim.race.layout import actor
from rfcsim.race.problem import CheckerError, Problem, make_room, new_search, refuse_uncached
from rfcsim.race.search import Leg, legs_of

MOST_STATES = 200_000
MOST_GIB = 4.0


class WorstWait(NamedTuple):
    """A schedule in which one task waits while others make as many pages present as they can.

    pages : made present by others between its request and its grant
    legs : the schedule from the start to the grant; empty if the task never has to wait
    """

    pages: int
    legs: list[Leg]


class _Node(NamedTuple):
    """What the search for the longest path needs to know of a state."""

    parent: tuple[int, int]  # the state that it was first reached from, and the task that moved
    present: int
    waits: bool  # the task in question waits for the lock
    moves: dict[int, int]  # task that moves -> state that follows


def worst_wait(problem: Problem, task: int, policy: int) -> WorstWait:
    """Find the longest path, in pages, from a request of a task for mmap_sem to its grant.

    Parameters
    ----------
    problem : Problem
    task : int
        Who waits.
    policy : int
        grant.ANY or grant.FIFO.

    Raises
    ------
    CheckerError
        If the problem is too large for the checker, needs a disk, or has over MOST_STATES states.
    """
    nodes = _explore(problem, task, policy)
    follows = {
        number: set(node.moves.values()) if node.waits else () for number, node in enumerate(nodes)
    }
    ahead = [0] * len(nodes)  # pages that can still come before the grant
    via: dict[int, int] = {}  # by whose move
    for number in TopologicalSorter(follows).static_order():
        node = nodes[number]
        if not node.waits:
            continue
        for mover, other in node.moves.items():
            made = max(0, nodes[other].present - node.present) if mover != task else 0
            if number not in via or made + ahead[other] > ahead[number]:
                ahead[number] = made + ahead[other]
                via[number] = mover
    waiting = [number for number, node in enumerate(nodes) if node.waits]
    if not waiting:
        return WorstWait(0, [])
    worst = max(waiting, key=lambda number: ahead[number])
    return WorstWait(ahead[worst], _legs(nodes, worst, via))


def _explore(problem: Problem, task: int, policy: int) -> list[_Node]:
    """Every state that can be reached, and the moves between them."""
    search = new_search(problem, policy=policy, reduce=False)
    start(search)
    nodes = [_node(search, task, (-1, -1))]
    number = 0
    while number < len(nodes):
        make_room(search, MOST_GIB)
        for mover in range(len(search.actors)):
            look_at(search, number)
            if take(search, mover) == 0:
                continue
            refuse_uncached(search)
            after, new = keep(search)
            if new:
                nodes.append(_node(search, task, (number, mover)))
            nodes[number].moves[mover] = after
        if len(nodes) > MOST_STATES:
            raise CheckerError(f"over {MOST_STATES:,} states: must be a smaller scenario")
        number += 1
    return nodes


def _node(search: Search, task: int, parent: tuple[int, int]) -> _Node:
    return _Node(
        parent=parent,
        present=int(np.count_nonzero(search.state.pages & bit.PRESENT)),
        waits=bool(search.actors[task, actor.WAITS] != lock.UNLOCKED),
        moves={},
    )


def _legs(nodes: list[_Node], number: int, via: dict[int, int]) -> list[Leg]:
    """The schedule that reaches a state, and goes on from it the way `via` says."""
    movers: list[int] = []
    at = number
    while (parent := nodes[at].parent)[0] >= 0:
        at, mover = parent
        movers.append(mover)
    movers.reverse()
    at = number
    while at in via:
        movers.append(via[at])
        at = nodes[at].moves[via[at]]
    return legs_of((mover, 1) for mover in movers)

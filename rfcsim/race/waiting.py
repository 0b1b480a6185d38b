"""The worst that can happen to a task that waits: most pages made present before its turn.

Times play no part here, so a wait is measured by what others get done while it lasts. Programs
end, so no schedule comes back to a state that it has left, and a longest path exists.

States are told apart by all that the model keeps of them, which may tell more of them apart than
the explorer does. That costs time in a search that is small, and no verdict: what follows from a
state follows from another that differs in nothing that matters.
"""

from graphlib import TopologicalSorter
from typing import NamedTuple

import numpy as np

from rfcsim._jit import njit
from rfcsim.model.layout import MM_NEXT_IDENTITY, PAGE_PRESENT, UNLOCKED
from rfcsim.race.explorer import start
from rfcsim.race.layout import ACTOR_WAITS, SEARCH_STATUS, UNCACHED, Search
from rfcsim.race.moves import may_move, move
from rfcsim.race.search import ExplorerError, Leg, Problem, new_search

MOST_STATES = 200_000


class WorstWait(NamedTuple):
    """A schedule in which one task waits while others make as many pages present as they can.

    pages : made present by others between its request and its grant
    legs : the schedule from the start to the grant; empty if the task never has to wait
    """

    pages: int
    legs: list[Leg]


class _Node(NamedTuple):
    """A state, and what it takes to go on from it."""

    arrays: list[np.ndarray]
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
        POLICY_ANY or POLICY_FIFO.

    Raises
    ------
    ExplorerError
        If the problem does not fit the explorer, needs a disk, or has over MOST_STATES states.
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
    search = new_search(problem, policy, reduce=False)
    start(search)
    nodes = [_node(search, task, (-1, -1))]
    known = {_key(nodes[0]): 0}
    number = 0
    while number < len(nodes):
        for mover in range(len(search.actors)):
            for working, kept in zip(_arrays(search), nodes[number].arrays, strict=True):
                working[...] = kept
            if take(search, mover) == 0:
                continue
            if search.search[SEARCH_STATUS] == UNCACHED:
                raise ExplorerError("regions: must be cached, since the explorer has no disk")
            node = _node(search, task, (number, mover))
            other = known.setdefault(_key(node), len(nodes))
            if other == len(nodes):
                nodes.append(node)
            nodes[number].moves[mover] = other
        if len(nodes) > MOST_STATES:
            raise ExplorerError(f"over {MOST_STATES:,} states: must be a smaller scenario")
        number += 1
    return nodes


@njit
def take(search, task):
    """Let a task make a step in the working state; 0 if it cannot."""
    return move(search, task) if may_move(search, task) else 0


def _arrays(search: Search) -> list[np.ndarray]:
    """The working state, without what is only scratch."""
    state = search.state._asdict()
    del state["granted"]
    return [*state.values(), search.actors, search.results]


def _node(search: Search, task: int, parent: tuple[int, int]) -> _Node:
    search.state.mm[MM_NEXT_IDENTITY] = 0  # set anew by each step
    return _Node(
        arrays=[array.copy() for array in _arrays(search)],
        parent=parent,
        present=int(np.count_nonzero(search.state.pages & PAGE_PRESENT)),
        waits=bool(search.actors[task, ACTOR_WAITS] != UNLOCKED),
        moves={},
    )


def _key(node: _Node) -> bytes:
    return b"".join(array.tobytes() for array in node.arrays)


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
    legs: list[Leg] = []
    for mover in movers:
        if legs and legs[-1].task == mover:
            legs[-1] = Leg(mover, legs[-1].steps + 1)
        else:
            legs.append(Leg(mover, 1))
    return legs

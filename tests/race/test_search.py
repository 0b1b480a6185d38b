"""The search finds the same whatever it remembers and however it grows; its memory is bounded."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcsim import Munlock, Region, Scenario, TaskGroup, Touch
from rfcsim.orders.problem import problem_of
from rfcsim.race import remembered, rows
from rfcsim.race.arrays import Search
from rfcsim.race.explore import explore, start
from rfcsim.race.layout import control, grant, search_status
from rfcsim.race.problem import GIB, CheckerError, Problem, new_search
from rfcsim.race.search import search_all
from tests.race.scenarios import MAP_ANEW, MLOCK, MUNLOCK, beside_mlock, scenarios_of_any_call

ENOUGH = 1 << 18  # states of the crowd


@pytest.fixture(scope="module")
def crowd() -> Problem:
    """A problem of some 200,000 states. All that a search of it calls has been compiled."""
    problem = problem_of(beside_mlock(MLOCK, MUNLOCK, MAP_ANEW, pages=5, batch=1))
    search_all(problem, reduce=False)
    return problem


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def found(search: Search) -> tuple[list, ...]:
    """Everything that a search has found."""
    states = int(search.states.count[0])
    return (
        search.states.rows[:states].tolist(),
        search.parents[:states].tolist(),
        search.common_parts.rows[: search.common_parts.count[0]].tolist(),
        search.task_parts.rows[: search.task_parts.count[0]].tolist(),
        search.violated.tolist(),
        [int(search.control[control.MOVES])],
    )


HOW: dict[str, dict[str, Any]] = {
    "step by step": {"reduce": False},
    "reduced": {"reduce": True},
    "call by call": {"whole_calls": True},
}


@given(scenarios_of_any_call(), st.sampled_from([grant.ANY, grant.FIFO]), st.sampled_from([*HOW]))
@settings(max_examples=150)
def test_moves_that_are_remembered_equal_those_that_are_made(
    scenario: Scenario, policy: int, how: str
) -> None:
    problem = problem_of(scenario)
    recalling, making = (
        search_all(problem, policy=policy, remember=remember, **HOW[how]).search
        for remember in (True, False)
    )
    assert found(recalling) == found(making)
    assert making.remembered.count[0] == 0


@pytest.mark.parametrize("policy", [grant.ANY, grant.FIFO])
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_a_fault_that_looks_at_a_writer_is_made_again(order: str, policy: int) -> None:
    """What the holder is about to change, one mapping or the other, is in the holder's own part."""
    unlocks = tuple(Munlock(region=name) for name in order)
    scenario = Scenario(
        name="two-mappings",
        costs="anon-2010",
        design="vma-lock",
        regions=(Region(name="a", pages=1), Region(name="b", pages=1)),
        tasks=(
            TaskGroup(name="unlocker", calls=unlocks),
            TaskGroup(name="toucher", calls=(Touch(region="b"),)),
        ),
    )
    recalling, making = (
        search_all(problem_of(scenario), policy=policy, remember=remember).search
        for remember in (True, False)
    )
    assert found(recalling) == found(making)


def test_a_search_that_grows_finds_what_one_with_room_finds(crowd: Problem) -> None:
    grown = search_all(crowd, reduce=False)
    assert len(grown.search.states.rows) > 100 * rows.FIRST_ROOM
    roomy = new_search(crowd, policy=grant.ANY, reduce=False)
    for row_set in (roomy.states, roomy.common_parts, roomy.task_parts):
        rows.grow(row_set, ENOUGH)
    roomy.parents.resize(len(roomy.states.rows), refcheck=False)
    remembered.grow(roomy.remembered, ENOUGH)
    start(roomy)
    assert explore(roomy, ENOUGH) == search_status.EXHAUSTED, "in one go"
    assert found(grown.search) == found(roomy)


@pytest.mark.usefixtures("traced")
def test_a_state_takes_75_bytes_at_most_even_at_the_worst_moment(crowd: Problem) -> None:
    """50 million of them fit in 8 GB with room to spare."""
    exploration = search_all(crowd, reduce=False)
    _, peak_bytes = tracemalloc.get_traced_memory()
    assert exploration.nbytes < peak_bytes < exploration.states * 75


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("most_gib", [0.002, 0.005])
def test_no_more_memory_is_taken_than_there_may_be(crowd: Problem, most_gib: float) -> None:
    with pytest.raises(CheckerError, match=f"when {most_gib} GiB were full"):
        search_all(crowd, reduce=False, most_gib=most_gib)
    _, peak_bytes = tracemalloc.get_traced_memory()
    assert most_gib * GIB / 2 < peak_bytes < most_gib * GIB * 1.02


ROWS = st.lists(st.tuples(*[st.integers(0, 2)] * 3), max_size=200)


@given(ROWS)
@settings(max_examples=50)
def test_rows_are_numbered_as_they_come(drawn: list[tuple[int, int, int]]) -> None:
    row_set = rows.RowSet(
        rows=np.zeros((1, 3), np.uint32), table=np.zeros(2, np.uint64), count=np.zeros(1, np.int64)
    )
    numbers: dict[tuple[int, int, int], int] = {}
    for row in drawn:
        rows.grow(row_set, 1)
        known = row in numbers
        expected = (numbers.setdefault(row, len(numbers)), not known)
        assert find_or_add(row_set, np.array(row, np.uint32)) == expected
    assert row_set.rows[: len(numbers)].tolist() == [list(row) for row in numbers]


@given(st.lists(st.integers(1, 2**62), max_size=200, unique=True))
@settings(max_examples=50)
def test_what_was_remembered_is_recalled(keys: list[int]) -> None:
    memory = remembered.Remembered(np.zeros((2, 2), np.int64), np.zeros(1, np.int64))
    for n, key in enumerate(keys):
        remembered.grow(memory, 1)
        assert recall(memory, key) == remembered.UNKNOWN
        remember(memory, key, n)
    assert [recall(memory, key) for key in keys] == list(range(len(keys)))


# Python cannot call these functions of jitted code by themselves.


@numba.njit
def find_or_add(row_set, row):
    return rows.find_or_add(row_set, row, rows.hash_of(row))


@numba.njit
def recall(memory, key):
    return remembered.recall(memory, key)


@numba.njit
def remember(memory, key, value):
    remembered.remember(memory, key, value)

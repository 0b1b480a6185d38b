"""The page "Add a system call": its edits apply, its commands run, its numbers are right."""

import re

import pytest

import rfcsim
from tests.house.applied import Copy, Page, row_of

PAGE = Page("add_a_system_call")
BEFORE, AFTER, CHECK = PAGE.commands
GUARDS = "mincore or tried_on or type_checker"  # in tests/house/test_nothing_forgotten.py

# Random scenarios that make the new call; engine and twin must agree on them.
AGREE = """
from hypothesis import given, settings
from rfcsim.model.layout import call
from tests.twin.agreement import agreed_outcome
from tests.twin.strategies import cases

values = set()

@settings(max_examples=120, derandomize=True, deadline=None, database=None)
@given(cases())
def agree(case):
    if any(made.call == "mincore" for group in case.scenario.tasks for made in group.calls):
        for (_, number), made in agreed_outcome(*case).calls.items():
            if number == call.MINCORE:
                values.update(value for _, value in made)

agree()
print(sorted(values))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("copy"), PAGE)


def test_it_is_a_hundred_lines() -> None:
    assert 90 < PAGE.lines_added < 130


def test_the_clock_says_what_the_page_says(copy: Copy) -> None:
    before, after = copy.results(BEFORE), copy.results(AFTER)
    holds = row_of(after["holds"], group="monitor", mode="shared")
    calls = row_of(after["calls"], group="monitor", call="mincore")
    figures = {
        "holds": f"{holds['holds'] / calls['count']:g} times",
        "hold": rfcsim.human(holds["p50_ns"]),
        "before": rfcsim.human(row_of(before["waits"], group="monitor")["max_ns"]),
        "after": rfcsim.human(row_of(after["waits"], group="monitor")["max_ns"]),
    }
    assert PAGE.complaints(figures) == []


def test_it_waits_in_a_convoy(copy: Copy) -> None:
    """Never for a batch, which is shared as well: for the allocator, which waits for the batch."""
    done = copy.command(AFTER, "--blame")
    blamed = re.findall(r"^ monitor +(\w+) (?:by|behind) (\w+)", done.stdout, re.MULTILINE)
    assert ("convoy", "allocator") in blamed
    assert "locker" not in [whom for _, whom in blamed]


def test_a_schedule_has_an_answer_that_no_order_of_whole_calls_has(copy: Copy) -> None:
    done = copy.command(CHECK)
    found = dict(re.findall(r"^ ([\w-]+) +(holds|violated)", done.stdout, re.MULTILINE))
    of_outcomes = ("serialisable", "as-if-sequential", "as-if-sequential-strict")
    expected = {name: "violated" if name in of_outcomes else "holds" for name in rfcsim.CLAIMS}
    assert found == expected, done.stderr
    assert re.search(r"asker 0 +mincore +returns 0 ", done.stdout)


def test_engine_and_twin_agree(copy: Copy) -> None:
    done = copy.python("-c", AGREE)
    assert done.stdout.strip() == "[-12, 0]", done.stderr
    assert copy.passed("tests/twin/test_by_hand.py", select="mincore") == 1


def test_nothing_is_forgotten(copy: Copy) -> None:
    assert copy.complaints_of_style() == ""
    guards = f"{GUARDS} or figure_in_its_place"
    files = ("tests/house/test_nothing_forgotten.py", "tests/scenario/test_costs.py")
    assert copy.passed(*files, select=guards) == 16


def test_the_package_tells_who_forgets(copy: Copy) -> None:
    assert len(PAGE.forgotten) == PAGE.text.count("\n| `") == 8, "all rows of the table are read"
    assert copy.untold(select=GUARDS) == []

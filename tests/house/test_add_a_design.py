"""The page "Add a design in 30 lines": its edits apply, its commands run, its numbers are right."""

import re

import pytest

import rfcsim
from tests.house.applied import Copy, Page, row_of

PAGE = Page("add_a_design")
RUN, *CHECKS = PAGE.commands
GUARDS = "every_rule or rules_describe or scenario_names or of_a_kernel or has_its_verdicts"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("copy"), PAGE)


def test_it_is_30_lines_at_most() -> None:
    assert 0 < PAGE.lines_added <= 30


def test_the_clock_says_what_the_page_says(copy: Copy) -> None:
    lazy = copy.results(RUN)
    batched = rfcsim.simulate(rfcsim.preset("anon-1gb").replace(design="batched"))

    def shared_holds(rows: list[dict]) -> str:
        return f"{row_of(rows, group='locker', mode='shared')['holds']} times"

    longest_ns = max(row["max_ns"] for row in lazy["waits"] if row["class"] == "worker")
    longest = rfcsim.human(longest_ns)
    assert longest == rfcsim.human(batched.longest_wait("worker"))
    figures = {
        "lazy_holds": shared_holds(lazy["holds"]),
        "batched_holds": shared_holds(batched.holds.to_dicts()),
        "lazy_wait": longest,
    }
    assert PAGE.complaints(figures) == []


@pytest.mark.parametrize("command", CHECKS)
def test_the_verdicts_are_those_of_batched(copy: Copy, command: str) -> None:
    done = copy.command(command)
    batched = rfcsim.check(rfcsim.check_scenario(command.split()[2]))
    found = dict(re.findall(r"^ ([\w-]+) +(holds|violated)", done.stdout, re.MULTILINE))
    expected = {c: "violated" if c in batched.schedules else "holds" for c in rfcsim.CLAIMS}
    assert {claim: found.get(claim) for claim in expected} == expected, done.stderr
    assert done.returncode == 1
    assert re.search(r"violated +(A\d+ B\d+ )+A\d+ B1 *$", done.stdout, re.MULTILINE)


def test_the_tests_of_the_page_pass(copy: Copy) -> None:
    files = ("tests/model/test_designs.py", "tests/orders/test_verdicts.py")
    asked = "holds_of_an_mlock or (verdicts_of_the_analysis and (lazy or batched-disk))"
    assert copy.passed(*files, select=asked) == 9 + 2


def test_nothing_is_forgotten(copy: Copy) -> None:
    assert copy.complaints_of_style() == ""
    house = ("tests/house/test_nothing_forgotten.py", "tests/scenario/test_kernels.py")
    assert copy.passed(*house, "tests/orders/test_verdicts.py", select=GUARDS) == 5


def test_the_package_tells_who_forgets(copy: Copy) -> None:
    assert len(PAGE.forgotten) == PAGE.text.count("\n| `") == 6, "all rows are read"
    assert copy.untold(select=GUARDS) == []

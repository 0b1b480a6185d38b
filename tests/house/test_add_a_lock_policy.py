"""The page "Add a lock policy": its edits apply, its commands run, its numbers are right."""

import pytest

import rfcsim
from tests.house.applied import Copy, Page, row_of

PAGE = Page("add_a_lock_policy")
STEALING, COUNTED, FIFO = PAGE.commands
GUARDS = "every_rule or rules_describe or scenario_names or of_a_kernel"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("copy"), PAGE)


def test_it_is_30_lines() -> None:
    assert 0 < PAGE.lines_added <= 33


def test_the_clock_says_what_the_page_says(copy: Copy) -> None:
    preset = rfcsim.preset("pieces-other-cpu")
    assert preset.lock_policy == "reader-stealing"
    (pieces,) = (call.piece_pages for call in preset.tasks[0].calls if call.call == "populate")
    figures = {"piece": f"{pieces} pages"}
    took: dict[str, int] = {}
    for name, command in (("stealing", STEALING), ("counted", COUNTED), ("fifo", FIFO)):
        results = copy.results(command)
        took[name] = row_of(results["calls"], group="locker", call="populate")["total_ns"]
        longest = row_of(results["waits"], group="victim")["max_ns"]
        figures[f"{name}_wait"] = rfcsim.human(longest)
        if name != "stealing":
            figures[f"{name}_price"] = f"{100 * (took[name] / took['stealing'] - 1):.0f} %"
    assert PAGE.complaints(figures) == []


def test_the_batch_law_is_that_of_the_clock(copy: Copy) -> None:
    law = "tests/closed_forms/test_batch_law.py"
    assert copy.passed(law, select="counted and (rare_writer or refused)") == 2


def test_the_lock_keeps_its_promises(copy: Copy) -> None:
    assert copy.passed("tests/model/test_rwsem.py", select="counted") == 2


def test_nothing_is_forgotten(copy: Copy) -> None:
    assert copy.complaints_of_style() == ""
    files = ("tests/house/test_nothing_forgotten.py", "tests/scenario/test_kernels.py")
    assert copy.passed(*files, select=GUARDS) == 4


def test_the_package_tells_who_forgets(copy: Copy) -> None:
    assert len(PAGE.forgotten) == PAGE.text.count("\n| `") - 3 == 5, "all rows are read"
    assert copy.untold(select=GUARDS) == []

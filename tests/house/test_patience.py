"""No test fails because the machine is busy, or because SIGINT is ignored where it was started.

What waits for something waits until it is there. These are the ways in which it was otherwise.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.project import ROOT

TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
BOUNDS = re.compile(
    r"timeout=(?!0\b|3600\b)[0-9.]+"  # of a process, a thread, a page; an hour ends what hangs
    r"|\bTimer\("
    r"|wait_for_timeout\("
    r"|set_default_timeout\((?!0\))"
    r"|deadline=(?!None)"
)


def functions(text: str) -> Iterator[tuple[ast.FunctionDef, str]]:
    """The functions of a module, with their source, decorators included."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            yield node, ast.get_source_segment(text, node) or ""


def test_no_test_sets_a_bound_that_load_can_break() -> None:
    found = {path.name: BOUNDS.findall(path.read_text()) for path in TESTS}
    assert {name: bounds for name, bounds in found.items() if bounds} == {}


def test_who_interrupts_asks_for_an_interrupt_that_works() -> None:
    without = [
        function.name
        for path in TESTS
        if path.name != "conftest.py" and "SIGINT" in (text := path.read_text())
        for function, source in functions(text)
        if "SIGINT" in source
        if "interruptible" not in [argument.arg for argument in function.args.args]
    ]
    assert without == []


def test_notebooks_have_an_hour() -> None:
    makefile = (ROOT / "Makefile").read_text()
    bounds = re.findall(r"timeout=(\d+)", makefile)
    assert len(bounds) == 4 and set(bounds) == {"3600"}


def test_these_tests_find_what_they_look_for() -> None:
    for bad in (
        "run(command, timeout=120)",
        "Timer(0.3, stop)",
        "page.wait_for_timeout(100)",
        "page.set_default_timeout(30_000)",
        "@settings(deadline=200)",
    ):
        assert BOUNDS.search(bad), bad
    for good in ("launch(timeout=0)", "settings(deadline=None)", "environment.timeout(hold_ns)"):
        assert not BOUNDS.search(good), good

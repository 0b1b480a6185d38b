"""Little's law, exactly: the number of tasks that wait, summed over time, is the sum of the waits.

The left side is read from the trace, the right side from the recorders: two ways through the
engine.
"""

from hypothesis import given

from rfcsim.clock.layout import span, stat
from tests.twin.engine import run_engine, seen_on_engine
from tests.twin.strategies import Case, cases


def area(trace: list[tuple[int, str, int, int, int]], enters: str, leaves: str) -> int:
    """The number of tasks that are between two of their events, summed over time."""
    number = total = before = 0
    for time, event, _, _, _ in trace:
        total += number * (time - before)
        before = time
        number += (event == enters) - (event == leaves)
    assert number == 0
    return total


@given(cases())
def test_waiting_tasks_over_time_are_the_sum_of_the_waits(case: Case):
    machine = run_engine(*case)
    waits = machine.statistics[:, [span.WAIT_SHARED, span.WAIT_EXCLUSIVE], stat.SUM]
    trace = seen_on_engine(machine)["trace"]
    assert area(trace, "start_locking", "acquire_returned") == waits.sum()


@given(cases())
def test_holders_over_time_are_the_sum_of_the_holds(case: Case):
    machine = run_engine(*case)
    holds = machine.statistics[:, [span.HOLD_SHARED, span.HOLD_EXCLUSIVE], stat.SUM]
    trace = seen_on_engine(machine)["trace"]
    assert area(trace, "granted", "released") == holds.sum()

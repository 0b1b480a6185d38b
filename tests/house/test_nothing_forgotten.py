"""What is added in one place is known in all others that must know it; each message says where.

What can be checked as it is imported is checked there: rfcsim/model/layout/complete.py.
"""

import inspect
import re
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings

import rfcsim
from rfcsim import Region, Scenario, TaskGroup
from rfcsim._jit import JITTED
from rfcsim.clock.layout import cost, distribution, event
from rfcsim.model.layout import call, design, effect, policy, reg, rule, work
from rfcsim.model.shared import NO_STEP
from rfcsim.model.state import new_state
from rfcsim.model.step import begin, take_step
from rfcsim.runs.prepare import machine_of
from rfcsim.scenario import compile as compiled
from rfcsim.scenario.calls import CLASSES, BaseCall
from rfcsim.scenario.checked import Checked, Distribution
from tests.house.project import ROOT
from tests.race.scenarios import scenarios_of_any_call
from tests.twin.random_calls import EVERYTHING
from tests.twin.test_twin import MODEL_ALONE

CALLS = call.NAMES[1:]
RULES = (ROOT / "notebooks" / "reference" / "rules.md").read_text()
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "notebooks" / "reference" / "architecture.md").read_text()


# --- a call ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_a_step_function(name: str) -> None:
    state = new_state(pages=2, vma_capacity=2, tasks=1)
    begin(state, 0, call.NAMES.index(name), 0, 1, 0, 0)
    kind, _, _ = take_step(state, 0)
    assert kind != NO_STEP, f"rfcsim/model/step.py: step() does not know {name}"


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_public_drawn_and_described(name: str) -> None:
    kind = CLASSES[name]
    assert kind.__name__ in rfcsim.__all__, "put its class into rfcsim/__init__.pyi"
    assert kind in EVERYTHING or name in MODEL_ALONE, (
        "put its class into EVERYTHING of tests/twin/random_calls.py, for the twin to make it, or "
        "its name into MODEL_ALONE of tests/twin/test_twin.py"
    )
    assert f"`{name}(" in RULES, "describe it in notebooks/reference/rules.md"


def test_the_checker_is_tried_on_every_call() -> None:
    drawn: set[type[BaseCall]] = set()

    @settings(max_examples=3 * settings().max_examples)
    @given(scenarios_of_any_call())
    def draw(scenario: Scenario) -> None:
        drawn.update(type(call) for group in scenario.tasks for call in group.calls)

    draw()
    missing = sorted(kind.__name__ for kind in set(CLASSES.values()) - drawn)
    assert missing == [], "put them among the makers of tests/race/scenarios.py"


def test_a_call_begins_with_none_of_the_registers_of_the_last() -> None:
    """A new register is set in `rfcsim.model.step.begin`, unless it outlives the call."""
    state = new_state(pages=1, vma_capacity=1, tasks=2)
    for task in range(2):
        state.tasks[task] = 100 + task
        begin(state, task, call.MUNLOCK, 0, 1, 0, 0)
    kept = [number for number in range(reg.SIZE) if state.tasks[0, number] >= 100]
    assert kept == [reg.KILLED]


# --- what a user describes ------------------------------------------------------------------------

# A value of each field that differs from the one that BASE, or the field's default, has.
OTHER: dict[str, Any] = {
    # of calls
    "think_ns": 5,
    "think": "uniform",
    "region": "b",
    "offset_pages": 1,
    "pages": 1,
    "piece_pages": 1,
    "pause_ns": 5,
    "on_fault": True,
    "current": False,
    "future": True,
    "locked": True,
    "populate": True,
    "protection": "r",
    "new_pages": 1,
    "to_region": "b",
    "to_offset_pages": 1,
    "may_move": False,
    "nonblock": True,
    "write": False,
    "pick": "random",
    "task": "others",
    "number": 1,
    "mode": "exclusive",
    "hold_ns": 5,
    "distribution": "uniform",
    # of regions
    "backing": "file",
    "cached": True,
    "present": True,
    "access": "random",
    "special": "io",
    "mapped": False,
    "grows_down": True,
    "end_of_file_page": 2,
    "gap_pages": 2,
    "one_per": "tasks",
    # of task groups
    "count": 3,
    "repeats": 2,
    "start_ns": 5,
    "start": "uniform",
    "cpu": 1,
    "realtime": True,
    # of scenarios
    "design": "batched",
    "batch_pages": 5,
    "lock_policy": "phase-fair",
    "cpus": 3,
    "wake_up_preemption": True,
    "end_ns": 5,
    "rlimit_memlock_pages": 5,
    "cap_ipc_lock": True,
    "max_map_count": 5,
    "readahead_pages": 5,
}
BASE = {
    "region": "a",
    "pages": 2,
    "protection": "rw",
    "task": "tasks",
    "mode": "shared",
    "hold_ns": 1,
}
# What a field needs beside it to have a meaning.
BESIDE: dict[str, dict[str, Any]] = {
    "pause_ns": {"piece_pages": 1},
    "to_offset_pages": {"to_region": "b"},
    "future": {"current": True},
    "current": {"future": True},
    "cached": {"backing": "file"},
    "end_of_file_page": {"backing": "file"},
}
MEANT_FOR_PEOPLE = {"name", "description", "published"}
MADE_OF_OTHERS = {"regions", "tasks", "calls", "call"}
ELSEWHERE = {"costs"}  # a file


def fields() -> list[tuple[type[Checked], str]]:
    kinds = [*CLASSES.values(), Region, TaskGroup, Scenario]
    left_out = MEANT_FOR_PEOPLE | MADE_OF_OTHERS | ELSEWHERE
    return [(kind, name) for kind in kinds for name in kind.model_fields if name not in left_out]


def arrays(kind: type[Checked], given: dict[str, Any]) -> list[bytes]:
    """What becomes of a scenario with such a part."""
    required = {
        name: BASE[name]
        for name, field in kind.model_fields.items()
        if name in BASE and (field.is_required() or (name == "pages" and kind is not Region))
    }
    parts: dict[type[Checked], dict[str, Any]] = {
        Region: {"name": "a", "pages": 3},
        TaskGroup: {"name": "tasks", "count": 2},
        Scenario: {},
    }
    calls: tuple = (rfcsim.Munlock(region="a"),)
    if kind in parts:
        parts[kind] |= given
    else:
        calls = (kind(**required | given),)
    scenario = Scenario(
        **{"name": "s", "costs": "none", "batch_pages": 2, "max_map_count": 9}
        | {"regions": (Region(**parts[Region]), Region(name="b", pages=4))}
        | {
            "tasks": (
                TaskGroup(**{"calls": calls} | parts[TaskGroup]),
                TaskGroup(name="others", count=2, calls=(rfcsim.ReadMaps(),)),
            )
        }
        | parts[Scenario]
    )
    machine = machine_of(scenario, np.ones(cost.COUNT, np.int64))
    return [np.asarray(array).tobytes() for array in (*machine.state, *machine[1:])]


@pytest.mark.parametrize(
    ("kind", "name"), fields(), ids=lambda value: getattr(value, "__name__", value)
)
def test_every_field_makes_a_difference(kind: type[Checked], name: str) -> None:
    assert name in OTHER, "give it another value in OTHER above"
    beside = BESIDE.get(name, {})
    with_it = arrays(kind, beside | {name: OTHER[name]})
    assert with_it != arrays(kind, beside), "read it in rfcsim/scenario/compile.py"


@pytest.mark.parametrize(
    ("table", "kind", "field"),
    [
        ("PROTECTION", Region, "protection"),
        ("ACCESS", Region, "access"),
        ("SPECIAL", Region, "special"),
        ("MODE", CLASSES["hold"], "mode"),
        ("PICK", CLASSES["touch"], "pick"),
        ("DISTRIBUTION", CLASSES["hold"], "distribution"),
    ],
)
def test_every_word_has_its_number(table: str, kind: type[Checked], field: str) -> None:
    words = get_args(kind.model_fields[field].annotation)
    assert {*getattr(compiled, table)} == {*words}, f"{table} of rfcsim/scenario/compile.py"


def test_every_distribution_can_be_asked_for() -> None:
    assert {*distribution.NAMES} == {*get_args(Distribution)}, "rfcsim/scenario/checked.py"


# --- words for people -----------------------------------------------------------------------------


def test_the_rules_describe_every_design_policy_class_of_work_and_event() -> None:
    named = [f"`{name}`" for name in (*design.BY_NAME, *policy.BY_NAME)]
    named += [f"`{name.upper()}(" for name in event.NAMES]
    named += [name.upper() for name in work.NAMES]
    missing = [name for name in named if name not in RULES]
    assert missing == [], "describe them in notebooks/reference/rules.md"


def test_the_scenario_names_every_design_and_policy() -> None:
    documented = inspect.getdoc(Scenario) or ""
    missing = [name for name in (*design.BY_NAME, *policy.BY_NAME) if f'"{name}"' not in documented]
    assert missing == [], "name them in the docstring of rfcsim/scenario/scenario.py"


def test_the_folders_are_listed_where_one_looks_for_them() -> None:
    packages = [path.parent.name for path in (ROOT / "rfcsim").glob("*/__init__.py")]
    for page, text in (("README.md", README), ("architecture.md", ARCHITECTURE)):
        missing = [name for name in packages if f"`rfcsim/{name}/`" not in text]
        assert missing == [], f"say in {page} what is in it"


# --- the engines ----------------------------------------------------------------------------------


def test_every_rule_is_read_and_is_part_of_a_design_or_policy() -> None:
    files = (ROOT / "rfcsim" / "model").rglob("*.py")
    model = "".join(path.read_text() for path in files if path.parent.name != "layout")
    for module, name, sums in (
        *((rule, name, design.BY_NAME.values()) for name in rule.BITS),
        *((policy, name, policy.BY_NAME.values()) for name in policy.BITS),
    ):
        word = f"{module.__name__.rpartition('.')[2]}.{name}"
        bit = getattr(module, name)
        assert any(total & bit for total in sums), f"{word} is in none of BY_NAME"
        assert re.search(rf"\b{re.escape(word)}\b", model), f"no step reads {word}"


def test_every_engine_performs_every_effect() -> None:
    effects = {name for name in vars(effect) if name.isupper()}
    known = {"CPU", "DOWN", "UP", "SUBMIT", "WAIT_PAGE", "DONE", "DOWNGRADE"}
    assert effects == known, (
        "an engine takes an effect that it does not know for another: perform it in _advance of "
        "rfcsim/clock/engine.py, _step of rfcsim/race/moves.py, run_alone of "
        "rfcsim/race/differences.py, _perform of rfcsim/orders/walk.py and moves of "
        "tests/model/walk.py; then name it here"
    )


def test_the_cache_knows_every_compiled_module() -> None:
    package = ROOT / "rfcsim"
    compiled = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^@(njit|inner|cold)\b", path.read_text(), re.MULTILINE)
    ]
    known = [name for name in compiled if name in JITTED or name.partition("/")[0] in JITTED]
    assert len(compiled) > 20
    assert known == compiled, "name them in JITTED of rfcsim/_jit.py, or stale code may run"

"""Scenarios: what they refuse, in which words, and that they survive TOML."""

import pickle
from collections.abc import Iterable

import pytest
from hypothesis import given

from rfcsim.errors import ScenarioError
from rfcsim.model.layout import call, design, policy
from rfcsim.scenario.calls import Hold, Mlock, Touch
from rfcsim.scenario.checked import Limits
from rfcsim.scenario.process import Published, Region, TaskGroup
from rfcsim.scenario.scenario import Scenario
from tests.runs.examples import SMALL, TEXT
from tests.twin.strategies import scenarios

KEYS = ", ".join(Scenario.model_fields)
CALLS = ", ".join(call.NAMES[1:])


def one_of(names: Iterable[str]) -> str:
    """The names as a message lists them: "a", "b" or "c"."""
    *others, last = (f'"{name}"' for name in names)
    return f"{', '.join(others)} or {last}"


# The part of the text that is changed, what it is changed to, and the whole message.
BAD_TEXTS = [
    # values out of range
    ("pages = 100", "pages = -3", "regions[0].pages = -3: must be 1 or more"),
    ("pages = 100", "pages = 0", "regions[0].pages = 0: must be 1 or more"),
    ("cpus = 2", "cpus = 0", "cpus = 0: must be 1 or more"),
    ("cpus = 2", "cpus = 1025", "cpus = 1025: must be 1024 or less"),
    ("cpus = 2", "batch_pages = 0", "batch_pages = 0: must be 1 or more"),
    ("cpus = 2", "readahead_pages = 0", "readahead_pages = 0: must be 1 or more"),
    ("cpus = 2", "rlimit_memlock_pages = -1", "rlimit_memlock_pages = -1: must be 0 or more"),
    ("repeats = 20", "repeats = -1", "tasks[1].repeats = -1: must be 0 or more"),
    ("count = 3", "count = 0", "tasks[1].count = 0: must be 1 or more"),
    (
        "hold_ns = 50",
        f"hold_ns = {10**15 + 1}",
        f"tasks[1].calls[1].hold_ns = {10**15 + 1}: must be {10**15} or less",
    ),
    # values of the wrong kind
    ("pages = 100", "pages = 1.5", "regions[0].pages = 1.5: must be a whole number"),
    ("pages = 100", "pages = nan", "regions[0].pages = nan: must be a whole number"),
    ("pages = 100", 'pages = "100"', 'regions[0].pages = "100": must be a whole number'),
    ("count = 3", "count = true", "tasks[1].count = true: must be a whole number"),
    (
        "pages = 100",
        'pages = 100\npresent = "yes"',
        'regions[0].present = "yes": must be true or false',
    ),
    ("pages = 100", "pages = [1, 2]", "regions[0].pages = [...]: must be a whole number"),
    ('costs = "anon-2010"', "costs = 3", "costs = 3: must be text"),
    ("[[regions]]\nname", "[[x]]\nname", f"x: unknown key; known are {KEYS}"),
    ("cpus = 2", "regions = 5\n[[x]]", None),
    # unknown words
    (
        "cpus = 2",
        'design = "fair"',
        f'design = "fair": must be {one_of(design.BY_NAME)}',
    ),
    (
        "cpus = 2",
        'lock_policy = "lifo"',
        f'lock_policy = "lifo": must be {one_of(policy.BY_NAME)}',
    ),
    (
        'call = "mlock"',
        'call = "mlock"\npause_ns = 5',
        "tasks[0].calls[0].pause_ns = 5: only with piece_pages",
    ),
    (
        "pages = 100",
        'pages = 100\nbacking = "disk"',
        'regions[0].backing = "disk": must be "anonymous", "file" or "hugetlb"',
    ),
    (
        'pick = "random"',
        'pick = "last"',
        'tasks[1].calls[0].pick = "last": must be "fixed", "random" or "sequential"',
    ),
    (
        'call = "mlock"',
        'call = "mloc"',
        f'tasks[0].calls[0].call = "mloc": must be one of {CALLS}; did you mean mlock?',
    ),
    (
        'call = "mlock"',
        "",
        f"tasks[0].calls[0].call: missing, must be one of {CALLS}",
    ),
    # keys that are missing or unknown
    ("hold_ns = 50", "", "tasks[1].calls[1].hold_ns: missing, must be given"),
    ('costs = "anon-2010"', "", "costs: missing, must be given"),
    ("cpus = 2", "cpu = 2", "cpu: unknown key; did you mean cpus?"),
    ("pages = 100", "page = 100", "regions[0].page: unknown key; did you mean pages?"),
    (
        "think_ns = 2_000",
        "think_us = 2",
        "tasks[1].calls[0].think_us: unknown key; did you mean think_ns?",
    ),
    ("count = 3", "cout = 3", "tasks[1].cout: unknown key; did you mean count?"),
    ("cpus = 2", '"a b" = 2', f'"a b": unknown key; known are {KEYS}'),
    # names
    ('name = "small"', 'name = ""', "name = \"\": must be 1 to 64 letters, digits, '_' or '-'"),
    (
        'name = "data"',
        'name = "a.b"',
        "regions[0].name = \"a.b\": must be 1 to 64 letters, digits, '_' or '-'",
    ),
    ('name = "arena"', 'name = "data"', 'regions[1].name = "data": must be unique'),
    ('name = "victim"', 'name = "locker"', 'tasks[1].name = "locker": must be unique'),
    (
        'one_per = "victim"',
        'one_per = "victims"',
        'regions[1].one_per = "victims": must name a task group; did you mean victim?',
    ),
    (
        'region = "data"',
        'region = "dat"',
        'tasks[0].calls[0].region = "dat": must name a region; did you mean data?',
    ),
    (
        'region = "data"',
        'region = "arena"',
        'tasks[0].calls[0].region = "arena": is one_per victim, must be a region of all tasks or '
        "of this group",
    ),
    # ranges
    (
        'region = "data"',
        'region = "data"\noffset_pages = 100',
        "tasks[0].calls[0].offset_pages = 100: must be 99 or less, or give pages",
    ),
    (
        'region = "data"',
        'region = "data"\npages = 128',
        "tasks[0].calls[0].pages = 128: the range ends beyond the address space, must be 127 or "
        "less",
    ),
    (
        "pages = 100",
        f"pages = {2**31}",
        f"regions[0].pages = {2**31}: the address space would have {2**31 + 1} pages, must be "
        f"{2**31} or less",
    ),
    # what does not go together
    (
        "pages = 100",
        "pages = 100\ncached = true",
        'regions[0].cached = true: only with backing = "file"',
    ),
    (
        "pages = 100",
        "pages = 100\nend_of_file_page = 3",
        'regions[0].end_of_file_page = 3: only with backing = "file"',
    ),
    (
        "pages = 100",
        'pages = 100\nbacking = "file"\nend_of_file_page = 101',
        "regions[0].end_of_file_page = 101: must be 100 (pages) or less",
    ),
    (
        "pages = 100",
        "pages = 100\nmapped = false\npresent = true",
        "regions[0].present = true: only with mapped = true",
    ),
    (
        "pages = 100",
        'pages = 100\nlocked = true\nspecial = "io"',
        "regions[0].locked = true: a special or hugetlb mapping is never VM_LOCKED",
    ),
    ("count = 3", "count = 3\ncpu = 2", "tasks[1].cpu = 2: must be 1 (cpus - 1) or less"),
    (
        "cpus = 2",
        "max_map_count = 3",
        "max_map_count = 3: must be 4 (mapped regions) or more",
    ),
    # not TOML
    ("cpus = 2", "cpus = ", "line 3, column 8: not valid TOML: invalid value"),
    ("cpus = 2", "cpus: 2", None),
    (
        "cpus = 2",
        "cpus = 2\ncpus = 3",
        "line 4, column 9: not valid TOML: cannot overwrite a value",
    ),
    ("cpus = 2", "cpus = " + "9" * 5000, None),
    ("cpus = 2", "cpus = " + "[" * 5000, None),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD_TEXTS)
def test_bad_text_is_one_line_that_names_the_field(old: str, new: str, message: str | None) -> None:
    assert TEXT.count(old) >= 1
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_toml_text(TEXT.replace(old, new, 1), "case.toml")
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("case.toml: ")
    if message is not None:
        assert str(caught.value) == f"case.toml: {message}"


def test_a_run_that_outlasts_the_clock_is_refused() -> None:
    with pytest.raises(ScenarioError) as caught:
        SMALL.replace(
            **{"tasks.victim.repeats": 10**12, "tasks.victim.calls.touch.think_ns": 10**6}
        )
    assert str(caught.value) == (
        "tasks[1].repeats = 1000000000000: thinking and holding would take 3000150000000030000 ns, "
        "must be 72057594037927936 or less (or give end_ns)"
    )


def test_tasks_that_never_end_need_an_end() -> None:
    with pytest.raises(ScenarioError) as caught:
        SMALL.replace(**{"tasks.victim.repeats": 0, "tasks.locker.repeats": 0})
    assert str(caught.value) == ("end_ns = 0: must be more than 0 when every task repeats for ever")
    assert SMALL.replace(end_ns=1, **{"tasks.victim.repeats": 0, "tasks.locker.repeats": 0})


def test_too_many_tasks_are_refused() -> None:
    many = {"tasks.victim.count": Limits.TASKS}
    with pytest.raises(ScenarioError) as caught:
        SMALL.replace(**many)
    assert str(caught.value) == "tasks: 4097 tasks in all, must be 4096 or less"


# Parts made in Python, without a file.
BAD_PARTS = [
    (lambda: Region(name="a", pages=0), "pages = 0: must be 1 or more"),
    (lambda: Region(name="a", **{"pags": 1}), "pags: unknown key; did you mean pages?"),
    (lambda: Hold(mode="shared", hold_ns=-1), "hold_ns = -1: must be 0 or more"),
    (lambda: Mlock(**{"regoin": "a"}), "regoin: unknown key; did you mean region?"),
    (lambda: TaskGroup(name="a", calls=()), "calls = []: must have at least one entry"),
    (
        lambda: Published(task="a", quantity="longest call", value=1, unit="1/s", source=""),
        'unit = "1/s": the unit of longest call is "s"',
    ),
    (
        lambda: Published(
            task="a", quantity="longest call", value=2, value_to=1, unit="s", source=""
        ),
        "value_to = 1: must be 2 (value) or more",
    ),
]


@pytest.mark.parametrize(("make", "message"), BAD_PARTS)
def test_bad_part_is_one_line(make, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        make()
    assert str(caught.value) == message


def test_unused_names_are_checked_too() -> None:
    figure = {"task": "ps", "quantity": "longest call", "value": 1, "unit": "s", "source": "x"}
    with pytest.raises(ScenarioError) as caught:
        SMALL.replace(published=(figure,))
    assert str(caught.value) == (
        'published[0].task = "ps": must name a task group; known are locker, victim'
    )


def test_replace_reaches_inside_and_validates() -> None:
    changed = SMALL.replace(
        design="batched", **{"tasks.victim.count": 5, "tasks.1.calls.touch.think_ns": 7}
    )
    assert changed.design == "batched"
    assert changed.tasks[1].count == 5
    assert changed.tasks[1].calls[0] == SMALL.tasks[1].calls[0].model_copy(update={"think_ns": 7})
    assert changed.tasks[0] == SMALL.tasks[0]
    assert SMALL.design == "exclusive"


BAD_CHANGES = [
    ("desgn", "batched", "desgn: unknown key; did you mean design?"),
    ("tasks.victm.count", 3, "tasks.victm: there is none; did you mean victim?"),
    ("tasks.7.count", 3, "tasks.7: there is none; known are locker, victim"),
    ("tasks.victim.cont", 3, "tasks[1].cont: unknown key; did you mean count?"),
    ("tasks.victim", 3, "tasks.victim: must name a field of one of tasks"),
    (
        "tasks.victim.count.x",
        3,
        "tasks.victim.count.x: unknown key; tasks.victim.count is not a table",
    ),
    ("name.x", 3, "name.x: unknown key; name is not a table"),
    ("regon.data.pages", 3, "regon: unknown key; did you mean regions?"),
    ("regions.data.pages", -3, "regions[0].pages = -3: must be 1 or more"),
    ("", 3, '"": unknown key; known are ' + KEYS),
]


@pytest.mark.parametrize(("key", "value", "message"), BAD_CHANGES)
def test_bad_change_is_one_line(key: str, value: object, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        SMALL.replace(**{key: value})
    assert str(caught.value) == message


@given(scenarios())
def test_toml_brings_every_scenario_back(scenario: Scenario) -> None:
    again = Scenario.from_toml_text(scenario.to_toml())
    assert again == scenario
    assert again.to_toml() == scenario.to_toml()
    assert scenario.replace() == scenario


def test_any_description_survives_toml() -> None:
    text = 'two\nlines, "quotes", \\ and \t, \u00e9, \x07'
    assert Scenario.from_toml_text(SMALL.replace(description=text).to_toml()).description == text


def test_a_scenario_is_frozen_and_travels_between_processes() -> None:
    with pytest.raises(ValueError, match="frozen"):
        SMALL.cpus = 3
    assert pickle.loads(pickle.dumps(SMALL)) == SMALL
    assert hash(SMALL) == hash(Scenario.from_toml_text(TEXT))


def test_files_that_cannot_be_read(tmp_path) -> None:
    missing = tmp_path / "missing.toml"
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for file, problem in (
        (missing, "No such file or directory"),
        (tmp_path, "Is a directory"),
        (binary, "not a UTF-8 text file"),
    ):
        with pytest.raises(ScenarioError) as caught:
            Scenario.from_toml(file)
        assert str(caught.value) == f"{file}: {problem}"


def test_a_cost_table_beside_the_file_is_found(tmp_path) -> None:
    file = tmp_path / "case.toml"
    file.write_text(TEXT.replace('"anon-2010"', '"own.toml"'))
    assert Scenario.from_toml(file).costs == str(tmp_path / "own.toml")
    file.write_text(TEXT)
    assert Scenario.from_toml(file).costs == "anon-2010"


def test_regions_lie_one_after_another_behind_their_gaps() -> None:
    placed = [(p.region.name, p.copy, p.start, p.end) for p in SMALL.placements()]
    assert placed == [
        ("data", 0, 1, 101),
        ("arena", 0, 102, 110),
        ("arena", 1, 111, 119),
        ("arena", 2, 120, 128),
    ]


def test_a_call_without_pages_means_the_rest_of_its_region() -> None:
    assert Touch(region="data", offset_pages=99).pages is None
    assert SMALL.replace(**{"tasks.locker.calls.0.offset_pages": 99})

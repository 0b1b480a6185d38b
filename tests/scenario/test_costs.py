"""Cost tables are complete, have sources, reach the clock in its order, and are else refused."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.clock.layout import cost
from rfcsim.data import data_names, data_path
from rfcsim.errors import CostTableError
from rfcsim.model.layout import work
from rfcsim.scenario.costs import COST_ROWS, MOST_NS, Cost, CostTable, cost_values, load_costs

TABLES = data_names("costs")
NVME = data_path("costs", "nvme").read_text()

WINDOW_PAGES = 32  # 128 KiB, the readahead window
PAGES_OF_20_GIB = 20 * 2**30 // 4096


def value(table: str, row: str) -> int:
    return load_costs(table).costs[row].value


def refused(path: Path | str) -> str:
    with pytest.raises(CostTableError) as caught:
        load_costs(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def changed(folder: Path, old: str, new: str) -> Path:
    assert old in NVME
    path = folder / "own.toml"
    path.write_text(NVME.replace(old, new))
    return path


# --- the tables that come with the package ----------------------------------------------------


def test_the_tables() -> None:
    assert TABLES == ["anon-2010", "hdd-2010", "nvme", "page-cache-2010", "vm-6.18"]


@pytest.mark.parametrize("name", TABLES)
def test_the_clock_gets_every_figure_in_its_place(name: str) -> None:
    written = tomllib.loads(data_path("costs", name).read_text())
    values = load_costs(name).values
    assert values.dtype == np.int64
    assert values.shape == (cost.COUNT,)
    assert not values.flags.writeable
    assert values[work.NS] == 1
    # A few places by the names given here, all of them by the table's own map.
    assert values[work.SYSCALL] == written["syscall_ns"]["value"]
    assert values[work.MLOCK_FILE] == written["mlock_file_ns"]["value"]
    assert values[work.MAPS_VMA] == written["maps_vma_ns"]["value"]
    assert values[cost.LOCK] == written["lock_ns"]["value"]
    assert values[cost.DISK_PAGE] == written["disk_page_ns"]["value"]
    assert values[cost.DISK_DEPTH] == written["disk_depth"]["value"]
    assert sorted(COST_ROWS.values()) == [i for i in range(cost.COUNT) if i != work.NS]
    assert [row.removesuffix("_ns") for row in COST_ROWS][: len(work.NAMES) - 1] == list(
        work.NAMES[1:]
    )


@pytest.mark.parametrize("name", TABLES)
def test_the_frame_shows_every_figure_with_its_source(name: str) -> None:
    frame = load_costs(name).frame()
    assert frame.columns == ["cost", "value", "unit", "status", "source"]
    assert len(frame) == len(COST_ROWS)
    assert frame.filter(unit="reads")["cost"].to_list() == ["disk_depth"]
    assert (frame["source"].str.len_chars() > 5).all()


def test_a_table_is_loaded_by_path_as_by_name() -> None:
    path = data_path("costs", "hdd-2010")
    assert load_costs(path) == load_costs(str(path)) == load_costs("hdd-2010")


def test_only_the_measured_machine_claims_measurements() -> None:
    measured = {name for name in TABLES if "measured" in load_costs(name).frame()["status"]}
    assert measured == {"vm-6.18"}


# --- the figures that they must reproduce -----------------------------------------------------


def test_the_slow_disk_reads_20_gib_in_the_published_time() -> None:
    a_window = value("hdd-2010", "disk_request_ns") + WINDOW_PAGES * value(
        "hdd-2010", "disk_page_ns"
    )
    assert a_window == pytest.approx(5_350_000, rel=0.001)
    assert a_window * PAGES_OF_20_GIB / WINDOW_PAGES == pytest.approx(876e9, rel=1e-5)


@pytest.mark.parametrize("name", ["hdd-2010", "page-cache-2010", "anon-2010"])
def test_a_hard_disk_reads_a_page_at_random_in_18_ms(name: str) -> None:
    parts = ("disk_request_ns", "disk_seek_ns", "disk_page_ns")
    assert sum(value(name, part) for part in parts) == 18_000_000
    assert value(name, "disk_depth") == 1


def test_20_gib_of_page_cache_take_several_seconds() -> None:
    assert 3e9 < PAGES_OF_20_GIB * value("page-cache-2010", "mlock_file_ns") < 6e9


def test_nvme_reads_alike_everywhere_and_several_at_a_time() -> None:
    assert value("nvme", "disk_seek_ns") == 0
    assert 70_000 <= value("nvme", "disk_request_ns") <= 100_000
    assert value("nvme", "disk_depth") > 1
    a_window_ns = value("nvme", "disk_request_ns") + WINDOW_PAGES * value("nvme", "disk_page_ns")
    bytes_a_second = value("nvme", "disk_depth") * WINDOW_PAGES * 4096 / (a_window_ns / 1e9)
    assert 2e9 < bytes_a_second < 5e9


def test_the_derived_rows_of_the_measured_machine_add_up() -> None:
    row = {name: cost.value for name, cost in load_costs("vm-6.18").costs.items()}
    entry = row["syscall_ns"] + 2 * row["lock_ns"]
    assert 1_500 <= entry + row["fault_anon_ns"] <= 2_000
    assert entry + row["fault_file_ns"] == 445
    assert 350 <= entry + row["vma_visit_ns"] <= 425  # mprotect() that changes nothing
    map_and_unmap = 2 * entry + 2 * row["vma_change_ns"] + row["vma_visit_ns"]
    assert 4_200 <= map_and_unmap + row["unmap_page_ns"] <= 4_700


def test_the_tables_of_2010_share_their_cpu() -> None:
    cpu = [row for row in COST_ROWS if not row.startswith("disk_")]
    tables = [load_costs(name).costs for name in TABLES if name.endswith("2010")]
    assert len(tables) == 3
    assert all(table[row] == tables[0][row] for table in tables for row in cpu)


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nvm", "", "NVME"])
def test_an_unknown_name_is_answered_with_those_there_are(name: str) -> None:
    message = refused(name)
    assert repr(name) in message
    assert all(known in message for known in TABLES)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "missing.toml")
    assert "No such file" in refused("missing.toml")
    assert "Is a directory" in refused(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[disk_depth]", "[disk_dept]", "disk_dept: unknown row; did you mean disk_depth?"),
        ('name = "nvme"', 'name = "nvme"\nspeed = 3', "speed: unknown row; known are syscall_ns, "),
        ('name = "nvme"\n', "", "name: missing, must be given"),
        ('name = "nvme"', "name = 3", "name = 3: must be text"),
        ('name = "nvme"', 'name = ""', 'name = "": string should have at least 1 character'),
        ('name = "nvme"', 'name = "nvme', "line 1, column 13: not valid TOML: "),
        ("value = 85_000", "value = -1", "disk_request_ns.value = -1: must be 0 or more"),
        ("value = 85_000", "value = 85e3", "disk_request_ns.value = 85000.0: must be a whole "),
        ("value = 85_000", "value = true", "disk_request_ns.value = true: must be a whole number"),
        ("value = 85_000", 'value = "85 us"', 'disk_request_ns.value = "85 us": must be a whole'),
        ("value = 85_000", f"value = {MOST_NS + 1}", f"disk_request_ns.value = {MOST_NS + 1}: must"
         f" be {MOST_NS} or less"),
        ("value = 85_000\n", "", "disk_request_ns.value: missing, must be given"),
        ("value = 85_000", "value = 85_000\nunit = 1", "disk_request_ns.unit: unknown key; known"
         " are value, status, source"),
        ("value = 85_000", "value = 85_000\nstate = 1", "disk_request_ns.state: unknown key; did"
         " you mean status?"),
        ("[disk_depth]", "[lock_ns.x]", "disk_depth: missing, must be a table with value, "),
        ("value = 4\n", "value = 0\n", "disk_depth.value = 0: must be 1 to 65536"),
        ("value = 4\n", "value = 65537\n", "disk_depth.value = 65537: must be 1 to 65536"),
        ("value = 4_000_000", "value = 0", f"timeslice_ns.value = 0: must be 1 to {MOST_NS}"),
        ('status = "published"', 'status = "guess"', 'status = "guess": must be "measured",'
         ' "published", "derived" or "estimate"'),
    ],
)  # fmt: skip
def test_a_bad_table_is_refused_with_row_value_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    path = changed(tmp_path, old, new)
    message = refused(path)
    assert message.startswith(f"{path}: ")
    assert expected in message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"era": 2010}, "era = 2010: must be text"),
        ({"costs": 3}, "costs = 3: must be a table"),
        ({"costs": {"lock": 1}}, "costs.lock: unknown row; did you mean lock_ns?"),
        ({"speed": 3}, "speed: unknown key; known are name, era, description, costs"),
    ],
)
def test_a_table_made_in_python_is_refused_alike(changes: dict[str, Any], expected: str) -> None:
    fields = dict(load_costs("nvme"))
    with pytest.raises(CostTableError) as caught:
        CostTable(**fields | changes)
    assert str(caught.value) == expected
    with pytest.raises(CostTableError, match=r"^value = 1\.5: must be a whole number$"):
        Cost(value=1.5, status="measured", source="a watch")  # type: ignore[arg-type]


def test_tables_that_are_nested_too_deeply(tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 100_000)
    assert refused(path) == f"{path}: tables are nested too deeply"


@given(st.sampled_from(sorted(COST_ROWS)))
def test_each_row_is_needed(tmp_path_factory: pytest.TempPathFactory, row: str) -> None:
    before, _, rest = NVME.partition(f"[{row}]\n")
    _, _, after = rest.partition("\n\n")
    path = tmp_path_factory.getbasetemp() / "short.toml"
    path.write_text(before + after)
    message = refused(path)
    assert message == f"{path}: {row}: missing, must be a table with value, status, source"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(load_costs(name).to_toml())
    assert load_costs(path) == load_costs(name)


@given(st.binary(max_size=60))
def test_no_other_error_comes_out_of_a_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    refused(path)


def test_costs_that_are_kept_are_read_again_when_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = data_path("costs", "hdd-2010").read_text()
    path.write_text(text)
    kept = cost_values(path)
    assert np.array_equal(kept, load_costs(path).values)
    assert cost_values(path) is kept
    assert not kept.flags.writeable
    path.write_text(text.replace("[lock_ns]\nvalue = ", "[lock_ns]\nvalue = 9"))
    changed = cost_values(path)
    assert np.flatnonzero(changed != kept).tolist() == [COST_ROWS["lock_ns"]]
    assert np.array_equal(changed, load_costs(path).values)

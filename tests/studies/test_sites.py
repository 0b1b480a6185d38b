"""The call sites: what the simulation finds, compared with what is known of each kernel."""

import polars as pl
import pytest

from rfcsim import RfcsimError, call_site, call_sites, simulate
from rfcsim.studies.sites import KERNELS

PAGES = 4096


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return call_sites(pages=PAGES)


def column(table: pl.DataFrame, kernel: str, name: str) -> dict:
    rows = table.filter(pl.col("kernel") == kernel)
    return dict(rows.select("site", name).iter_rows())


# Where 2.6.36 populates exclusively: kernel-facts 3.
EXCLUSIVE = {
    "mlock",
    "mmap-locked",
    "mmap-populate",
    "mmap-future",
    "brk-future",
    "mremap-grow",
    "remap-locked",
}


def exclusive(table: pl.DataFrame, kernel: str) -> set[str]:
    return {site for site, mode in column(table, kernel, "mode").items() if mode == "exclusive"}


def test_in_2_6_36_all_hold_it_exclusively_but_a_growing_stack_and_remap_file_pages(table) -> None:
    assert exclusive(table, "2.6.36") == EXCLUSIVE
    assert set(column(table, "2.6.36", "mode")) - EXCLUSIVE == {
        "stack-grow", "remap-first", "remap-again",
    }  # fmt: skip


@pytest.mark.parametrize("kernel", ["RFC", "2.6.38"])
def test_what_the_rfc_and_2_6_38_change_is_mlock_alone(table, kernel: str) -> None:
    assert exclusive(table, kernel) == EXCLUSIVE - {"mlock"}
    changed = [
        site
        for site, hold in column(table, kernel, "hold_ns").items()
        if hold != column(table, "2.6.36", "hold_ns")[site]
    ]
    assert changed == ["mlock"]
    whole, part = (column(table, name, "hold_ns")["mlock"] for name in ("2.6.38", kernel))
    assert part == pytest.approx(whole if kernel == "2.6.38" else whole / 16, rel=0.1)


@pytest.mark.parametrize("kernel", ["3.9", "6.4"])
def test_from_3_9_on_nothing_is_populated_exclusively(table, kernel: str) -> None:
    assert exclusive(table, kernel) == set()


def test_the_published_cure_is_where_the_simulation_finds_it(table) -> None:
    kernels = [kernel for kernel in KERNELS if kernel != "RFC"]
    for site in EXCLUSIVE:
        rows = table.filter((pl.col("site") == site) & pl.col("kernel").is_in(kernels))
        first = rows.filter(pl.col("mode") == "shared")["kernel"][0]
        assert rows["cured"].unique().to_list() == [first], site


def test_a_shared_hold_stops_no_thread_that_faults(table) -> None:
    """Except for what remap_file_pages does exclusively: it clears marks and unmaps."""
    waits = column(table, "3.9", "fault_wait_ns")
    remap = {site: waits.pop(site) for site in ("remap-first", "remap-locked")}
    assert set(waits.values()) == {0}
    holds = column(table, "3.9", "hold_ns")
    assert all(0 < wait < holds[site] for site, wait in remap.items())


@pytest.mark.parametrize("kernel", ["2.6.38", "3.9"])
def test_unless_a_third_one_maps_and_queues_before_it(table, kernel: str) -> None:
    holds = column(table, kernel, "hold_ns")
    for site, wait in column(table, kernel, "fault_wait_beside_mapper_ns").items():
        assert wait > holds[site] / 3, site


def test_per_vma_locks_let_the_fault_pass_and_not_the_one_that_maps(table) -> None:
    waits = column(table, "6.4", "fault_wait_beside_mapper_ns")
    assert set(waits.values()) == {0}
    holds = column(table, "6.4", "hold_ns")
    for site, wait in column(table, "6.4", "map_wait_ns").items():
        assert wait > holds[site] / 2, site


def test_a_hold_is_as_long_as_there_are_pages() -> None:
    few, many = (call_sites(["mmap-populate"], pages=n) for n in (PAGES, 4 * PAGES))
    ratios = (many["hold_ns"] / few["hold_ns"]).to_list()
    assert ratios == pytest.approx([4] * len(KERNELS), rel=0.01)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_page_fault_lets_the_stack_grow_without_populating_it(kernel: str) -> None:
    scenario = call_site("stack-grow", kernel, pages=PAGES)
    touch = {"call": "touch", "region": "below", "pages": 1}
    hold_ns = {}
    for name, calls in (("gup", scenario.tasks[0].calls), ("fault", (touch,))):
        holds = simulate(scenario.replace(**{"tasks.caller.calls": calls})).holds
        hold_ns[name] = holds.filter(pl.col("class") == "caller")["max_ns"].to_list()
    (gup,) = hold_ns["gup"]
    assert gup > 1_000_000
    if kernel == "6.4":  # a VMA lock does not help: there is no VMA yet
        assert len(hold_ns["fault"]) == 1
    assert max(hold_ns["fault"]) < 2_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mlok",), "site = 'mlok': there is none; did you mean mlock?"),
        (("mlock", "2.6.37"), "kernel = '2.6.37': there is none; did you mean 2.6.38?"),
        (("remap-first", "6.4"), "kernel = '6.4': must be an older one, since remap_file_pages()"),
    ],
)
def test_what_there_is_none_of_is_one_line(arguments, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        call_site(*arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)

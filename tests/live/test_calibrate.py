"""A calibration gives back the costs that a measurement was made with, and looks at no pieces."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import rfcsim
from rfcsim import CostTable, RfcsimError, calibrate, load_costs, load_measurement
from rfcsim.data import data_path
from rfcsim.live.calibrate import Calibration, rules_of
from rfcsim.live.figures import figure
from rfcsim.live.measurement import Measurement
from rfcsim.scenario.costs import COST_ROWS
from tests.live.synthetic import SLEEP_EXTRA_NS, measurement_of

RECORDED = data_path("measurements", "vm-6.18")
BUCKET = 1 / 32  # a histogram knows a time to within this share
NOT_MEASURED = {"drain_all", "lock", "disk_request", "disk_seek", "disk_page", "disk_depth"}


def changed(factors: dict[str, float]) -> CostTable:
    """vm-6.18 with other figures."""
    table = load_costs("vm-6.18")
    costs = {
        row: cost.model_copy(update={"value": round(cost.value * factors.get(row, 1))})
        for row, cost in table.costs.items()
    }
    return table.model_copy(update={"costs": costs})


def same(one: Calibration, other: Calibration) -> bool:
    arrays = zip(
        (*one.conditions.own_ns.values(), one.conditions.page_ns, one.conditions.wake_up_ns),
        (*other.conditions.own_ns.values(), other.conditions.page_ns, other.conditions.wake_up_ns),
        strict=True,
    )
    return (
        one.table == other.table
        and one.rows.equals(other.rows)
        and one.conditions.sleep_extra_ns == other.conditions.sleep_extra_ns
        and all(np.array_equal(*pair) for pair in arrays)
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("faster", [0.4, 1.0, 3.0])
def test_known_costs_come_back_within_their_uncertainty(faster: float, seed: int) -> None:
    truth = changed({"mlock_anon_ns": faster, "wake_up_ns": 1 / faster, "switch_ns": faster})
    found = calibrate(measurement_of(truth, seed))
    known = {row.removesuffix("_ns"): cost.value for row, cost in truth.costs.items()}
    measured = found.rows.filter(pl.col("low").is_not_null())
    assert set(measured["cost"]) == set(known) - NOT_MEASURED
    # Nine figures: seven of the eighteen intervals in a hundred would miss by chance, so one bucket
    # is allowed on top. What is derived carries the bucket of what it was derived from.
    for cost, value, low, high in measured.select("cost", "value", "low", "high").iter_rows():
        slack = BUCKET * (known[cost] + 2 * known["syscall"]) + 1
        assert low <= value <= high
        assert low - slack <= known[cost] <= high + slack, cost
    assert found.conditions.sleep_extra_ns["normal"] == pytest.approx(SLEEP_EXTRA_NS, rel=0.05)
    assert found.conditions.sleep_extra_ns["fifo"] == pytest.approx(
        SLEEP_EXTRA_NS - 50_000, rel=0.3
    )


@pytest.mark.parametrize(
    ("kernel", "busy"), [("6.4.1", True), ("6.3.9", False), ("5.15.0-91-generic", False)]
)
def test_where_every_fault_takes_the_lock_rounds_beside_faults_are_not_the_victims_own(
    kernel: str, busy: bool
) -> None:
    """Rounds beside a thread that touches pages take 1 ms longer than those beside no thread."""
    made = measurement_of(load_costs("vm-6.18"), 0)
    beside_faults = (pl.col("role") == "victim") & (pl.col("method") == "touch")
    alone = made.records.filter(beside_faults).with_columns(
        method=pl.lit("none"), probe=pl.col("probe") + 100
    )
    waited = pl.element().struct
    later = pl.struct(
        *((waited.field(end) + 1_000_000).alias(end) for end in ("low_ns", "high_ns")),
        waited.field("count"),
    )
    slow = made.records.with_columns(
        histogram=pl.when(beside_faults)
        .then(pl.col("histogram").list.eval(later))
        .otherwise("histogram")
    )
    provenance = {**made.provenance, "kernel": kernel}
    found = calibrate(Measurement(pl.concat([slow, alone]), provenance))
    expected = calibrate(made)
    own_ns = expected.conditions.own_ns
    assert found.conditions.own_ns.keys() == own_ns.keys()
    for placement, times_ns in found.conditions.own_ns.items():
        assert np.array_equal(times_ns, own_ns[placement] + 1_000_000 * busy)
    same_cost = (
        found.table.costs["vma_change_ns"].value == expected.table.costs["vma_change_ns"].value
    )
    assert same_cost != busy


def test_the_interval_is_as_wide_as_the_figures_are_apart() -> None:
    seven = figure(range(7))
    assert seven is not None and (seven.value, seven.low, seven.high) == (3, 0, 6)
    # Of 20 values, the 6th and the 15th: binom(20, 1/2) is below 6 in 2.07 % of all cases.
    twenty = figure(range(20))
    assert twenty is not None and (twenty.value, twenty.low, twenty.high) == (9.5, 5, 14)
    assert figure([]) is None
    five, six = (figure(range(n, 0, -1)) for n in (5, 6))
    assert five is not None and (five.low, five.high) == (1, 5)  # all there is, at 94 %
    assert six is not None and (six.low, six.high) == (1, 6)


# --- pieces are not looked at -------------------------------------------------------------------


def test_runs_in_pieces_change_nothing() -> None:
    measurement = load_measurement(RECORDED)
    in_pieces = pl.col("piece_pages").is_not_null()
    records = measurement.records
    assert records.filter(in_pieces).height > 500
    before = calibrate(measurement)
    dropped = Measurement(records.filter(~in_pieces), measurement.provenance)
    assert same(calibrate(dropped), before)
    worse = records.with_columns(
        pl.when(in_pieces).then(pl.col("sum_ns") * 1000).otherwise("sum_ns").alias("sum_ns"),
        pl.when(in_pieces).then(pl.col("histogram").list.head(1)).otherwise("histogram"),
    )
    assert same(calibrate(Measurement(worse, measurement.provenance)), before)


def test_runs_over_whole_ranges_do() -> None:
    measurement = load_measurement(RECORDED)
    whole = pl.col("piece_pages").is_null() & (pl.col("experiment") == "probe")
    slower = measurement.records.with_columns(
        pl.when(whole).then(pl.col("sum_ns") * 2).otherwise("sum_ns").alias("sum_ns")
    )
    before = calibrate(measurement).table.costs["mlock_anon_ns"].value
    after = calibrate(Measurement(slower, measurement.provenance)).table.costs["mlock_anon_ns"]
    assert after.value == pytest.approx(2 * before, abs=1)


# --- what comes out ----------------------------------------------------------------------------


def test_the_table_is_one_that_scenarios_read(tmp_path: Path) -> None:
    found = calibrate(load_measurement(RECORDED), name="mine")
    path = tmp_path / "mine.toml"
    path.write_text(found.table.to_toml())
    assert load_costs(path) == found.table
    assert found.rows["cost"].to_list() == [row.removesuffix("_ns") for row in COST_ROWS]
    case = rfcsim.preset("pieces-pause").replace(costs=str(path))
    assert rfcsim.simulate(case).longest_wait("victim") > 0
    for cost, status, source, low in found.rows.select("cost", "status", "source", "low").rows():
        measured = low is not None
        assert measured == (cost not in NOT_MEASURED)
        assert (status in ("measured", "derived")) == measured
        assert source.startswith("not measured; that of vm-6.18: ") != measured
        assert source.endswith(" in 1 figure") == (cost == "tick")
        assert ("two lock of vm-6.18" in source) == (cost in ("vma_visit", "vma_change"))


@pytest.mark.parametrize(
    ("release", "rules"),
    [
        ("6.18.44-generic", ("vma-lock", "reader-stealing")),
        ("6.25.0", ("vma-lock", "reader-stealing")),
        ("7.1-rc3", ("vma-lock", "reader-stealing")),
        ("6.1.90", ("mm-populate", "reader-stealing")),
        ("5.15.0-91", ("mm-populate", "reader-stealing")),
        ("5.4.1", ("mm-populate", "hand-off")),
        ("4.19.0", ("mm-populate", "writer-stealing")),
    ],
)
def test_the_rules_are_those_of_the_kernel_or_of_the_nearest(release: str, rules) -> None:
    assert rules_of(release) == rules


# --- bad input ----------------------------------------------------------------------------------


def test_what_is_missing_is_said() -> None:
    measurement = load_measurement(RECORDED)
    probes = pl.col("experiment") == "probe"
    for kept, lacks in (
        (probes, "operations timed alone"),
        (~probes | pl.col("piece_pages").is_not_null(), "runs over a whole range"),
        (pl.lit(False), "operations timed alone"),
    ):
        part = Measurement(measurement.records.filter(kept), measurement.provenance)
        with pytest.raises(RfcsimError, match=f"^measurement: has no {lacks}"):
            calibrate(part)
    with pytest.raises(RfcsimError, match=r"^kernel 'mine': must begin with its version"):
        rules_of("mine")


def test_the_command(rfcsim, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("measurement.parquet").write_bytes(RECORDED.read_bytes())
    status, out, err = rfcsim("calibrate")
    assert (status, err) == (0, "rfcsim: note: costs.toml has the whole table\n")
    found = load_costs("costs.toml")
    assert found == calibrate(load_measurement(RECORDED)).table
    assert all(f" {row.removesuffix('_ns')} " in out for row in COST_ROWS)
    status, _, err = rfcsim("calibrate")
    assert (status, err) == (
        2,
        "rfcsim: error: costs.toml: exists, must be new (or give --force)\n",
    )
    newer = load_measurement(RECORDED)
    Measurement(newer.records, {**newer.provenance, "kernel": "7.1.3"}).write("newer.parquet")
    status, _, err = rfcsim("calibrate", "newer.parquet", "-o", "newer.toml")
    assert (status, err.splitlines()[0]) == (
        0,
        "rfcsim: note: kernel 7.1.3: is newer than 6.19, whose rules are taken for its own",
    )
    Path("other.parquet").write_bytes(b"PAR1")
    for name, message in (
        ("none.parquet", "none.parquet: cannot be read: No such file or directory"),
        ("other.parquet", "other.parquet: is not a Parquet file"),
    ):
        status, out, err = rfcsim("calibrate", name, "-o", "new.toml")
        assert (status, out, err) == (2, "", f"rfcsim: error: {message}\n")
        assert not Path("new.toml").exists()
    status, out, err = rfcsim("calibrate", "--name", "", "-o", "new.toml")
    message = 'name = "": must have at least one character'
    assert (status, out, err) == (2, "", f"rfcsim: error: {message}\n")
    assert not Path("new.toml").exists()

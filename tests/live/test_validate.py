"""Predictions follow the rules of the kernel and are compared cell by cell, none left out."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rfcsim import Probe, RfcsimError, load_costs, load_measurement, validate
from rfcsim.data import data_path
from rfcsim.histogram import bucket_of
from rfcsim.live.calibrate import calibrate
from rfcsim.live.measurement import ALL, RECORD_SCHEMA, SETTINGS, Measurement
from rfcsim.live.predict import Predictor, scenario_of
from rfcsim.live.validate import AIMS, QUANTITIES
from tests.live.synthetic import measurement_of

RECORDED = data_path("measurements", "vm-6.18")
PAGES = 16_384


def synthetic(seed: int, probes: list[Probe]) -> Measurement:
    """A measurement whose runs in pieces are as predicted from its own calibration."""
    measurement = measurement_of(load_costs("vm-6.18"), seed)
    calibration = calibrate(measurement)
    predictor = Predictor(calibration, calibration.table, seed=seed + 1)
    rows = []
    for number, probe in enumerate(probes):
        settings = {name: getattr(probe, name) for name in SETTINGS}
        about = {"experiment": "probe", "probe": 100 + number, "operation": ALL} | settings
        for repetition, run in enumerate(predictor.runs(probe, 9)):
            times = {"locker": [run.total_ns], "victim": run.rounds_ns.tolist()}
            for role, values in times.items():
                row = about | {"repetition": repetition, "role": role, "count": len(values)}
                row |= {"sum_ns": sum(values), "min_ns": min(values), "max_ns": max(values)}
                row["covered_pages"] = probe.pages if role == "locker" else None
                rows.append(row | {"histogram": buckets(values)})
    records = pl.concat([measurement.records, pl.DataFrame(rows, RECORD_SCHEMA)])
    return Measurement(records, measurement.provenance)


def buckets(values: list[int]) -> list[dict[str, int]]:
    from rfcsim.histogram import bucket_bounds

    low_ns, high_ns = bucket_bounds()
    places, counts = np.unique([bucket_of(value) for value in values], return_counts=True)
    return [
        {"low_ns": int(low_ns[place]), "high_ns": int(high_ns[place]), "count": int(count)}
        for place, count in zip(places, counts, strict=True)
    ]


def probes(**changes) -> list[Probe]:
    settings = {"method": "onfault-populate", "pages": PAGES, "locker_cpu": 0} | changes
    return [
        Probe(**settings, piece_pages=piece, pause_us=pause_us, victim_cpu=cpu)
        for piece in (32, 256)
        for pause_us in (0.0, 40.0)
        for cpu in (0, 1)
    ]


def test_a_machine_that_is_as_the_model_has_it_is_predicted() -> None:
    found = validate(synthetic(1, probes()))
    assert found.cells["judged"].all()
    assert found.cells.height == 8 * len(QUANTITIES)
    for quantity, factor in (("p50", 1.25), ("p99", 1.5), ("total", 1.1)):
        ratios = found.cells.filter(quantity=quantity)["ratio"]
        assert ratios.is_between(1 / factor, factor).all(), (quantity, ratios.to_list())
    assert (found.summary["share"] == 1).all()


def test_a_machine_that_is_not_is_found_out() -> None:
    """Pieces that take three times as long as the pages of a whole range."""
    measurement = synthetic(1, probes())
    slower = measurement.records.with_columns(
        pl.when(pl.col("piece_pages").is_not_null())
        .then(pl.col("histogram").list.eval(tripled()))
        .otherwise("histogram")
        .alias("histogram"),
        max_ns=pl.when(pl.col("piece_pages").is_not_null())
        .then(pl.col("max_ns") * 3)
        .otherwise("max_ns"),
    )
    found = validate(Measurement(slower, measurement.provenance))
    assert found.summary["within"].to_list() == [0, 0]
    assert found.cells.filter(pl.col("quantity") != "total")["ratio"].max() < 0.6  # pyright: ignore


def tripled() -> pl.Expr:
    from rfcsim.histogram import bucket_bounds

    low_ns, _ = bucket_bounds()
    fields = pl.element().struct

    def moved(low: int) -> int:
        return int(low_ns[bucket_of(3 * low)])

    low = fields.field("low_ns").map_elements(moved, pl.Int64())
    return pl.struct(low_ns=low, high_ns=low, count=fields.field("count"))


def test_the_scenario_is_the_probe() -> None:
    calibration = calibrate(load_measurement(RECORDED))
    extra_ns = calibration.conditions.sleep_extra_ns
    probe = Probe(
        method="onfault-populate",
        pages=4096,
        piece_pages=16,
        pause_us=40.0,
        think_us=200.0,
        locker_cpu=0,
        victim_cpu=1,
        priority="fifo",
    )
    scenario = scenario_of(probe, calibration)
    assert (scenario.design, scenario.lock_policy) == ("vma-lock", "reader-stealing")
    flags, pieces, afterwards = scenario.tasks[0].calls
    assert (flags.call, flags.on_fault, flags.piece_pages) == ("mlock", True, None)  # pyright: ignore
    assert (pieces.call, pieces.piece_pages) == ("populate", 16)  # pyright: ignore
    assert pieces.pause_ns == 40_000 + extra_ns["normal"]  # pyright: ignore
    assert (afterwards.call, scenario.regions[0].pages) == ("hold", 4096)
    victim = scenario.tasks[1]
    assert (scenario.tasks[0].cpu, victim.cpu, victim.realtime) == (0, 1, True)
    late, think, *round_ = victim.calls
    assert (late.think_ns, late.think) == (extra_ns["fifo"], "constant")
    assert (think.think_ns, think.think) == (200_000, "exponential")
    assert [call.call for call in round_] == ["mmap", "munmap"]
    # A whole range has neither pieces nor pauses, and a spin takes no longer than asked for.
    whole = scenario_of(probe.model_copy(update={"piece_pages": None}), calibration)
    assert whole.tasks[0].calls[1].piece_pages is None  # pyright: ignore
    spins = scenario_of(probe.model_copy(update={"pause_by": "spin"}), calibration)
    assert spins.tasks[0].calls[1].pause_ns == 40_000  # pyright: ignore


def test_the_same_seed_predicts_the_same() -> None:
    calibration = calibrate(load_measurement(RECORDED))
    probe = Probe(method="mlock", pages=512, piece_pages=8, locker_cpu=0, victim_cpu=1)

    def predicted(seed: int) -> list[tuple]:
        runs = Predictor(calibration, calibration.table, seed).runs(probe, 3)
        return [(run.rounds_ns.tolist(), run.total_ns) for run in runs]

    assert predicted(5) == predicted(5)
    assert predicted(5) != predicted(6)


# --- every cell ---------------------------------------------------------------------------------


def part(*kept: pl.Expr) -> Measurement:
    measurement = load_measurement(RECORDED)
    admitted = (pl.col("experiment") != "probe") | pl.col("piece_pages").is_null()
    return Measurement(
        measurement.records.filter(admitted | pl.all_horizontal(kept)), measurement.provenance
    )


def test_every_cell_is_reported() -> None:
    measurement = part(pl.col("piece_pages") == 4096)
    found = validate(measurement)
    predicted = set(found.cells["probe"])
    reported = found.left_out["probes"].sum() + len(predicted)
    lockers = measurement.latencies.filter(role="locker", operation=ALL)
    assert reported == lockers["probe"].n_unique()
    for _, cell in found.cells.group_by("probe"):
        assert cell["quantity"].to_list() == list(QUANTITIES)
        assert (cell["low_ns"] <= cell["predicted_ns"]).all()
        assert (cell["predicted_ns"] <= cell["high_ns"]).all()
        assert cell["ratio"].to_list() == (cell["predicted_ns"] / cell["measured_ns"]).to_list()
    # What the calibration saw does not count.
    assert (found.cells["judged"] == found.cells["piece_pages"].is_not_null()).all()
    for row in found.summary.iter_rows(named=True):
        factor, aim = AIMS[row["quantity"]]
        of_it = found.cells.filter("judged", quantity=row["quantity"])
        within = [1 / factor <= ratio <= factor for ratio in of_it["ratio"]]
        assert (row["within"], row["cells"], row["aim"]) == (sum(within), len(within), aim)
        assert f"{row['quantity']} within a factor of {factor:g} in {sum(within)} of" in found.text
    assert found.table().height == len(predicted)


def test_another_cost_table_predicts_something_else() -> None:
    measurement = part(pl.col("piece_pages") == 16384)
    slow = load_costs("vm-6.18")
    cost = slow.costs["mlock_anon_ns"].model_copy(update={"value": 14_000})
    slow = slow.model_copy(update={"costs": slow.costs | {"mlock_anon_ns": cost}})
    own, other = (
        found.cells.filter(quantity="total")["predicted_ns"].median()
        for found in (validate(measurement), validate(measurement, slow))
    )
    assert other / own == pytest.approx(10.3, rel=0.1)  # pyright: ignore


# --- bad input, and the command -----------------------------------------------------------------


def test_nothing_to_predict() -> None:
    with pytest.raises(RfcsimError, match=r"^measurement: has no runs in pieces"):
        validate(part(pl.lit(False)))


def test_the_command(rfcsim, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    measurement = part(pl.col("piece_pages") == 16384)
    measurement.write("measurement.parquet")
    status, out, err = rfcsim("validate", "--to", "cells.parquet")
    assert (status, err) == (0, "rfcsim: note: costs: calibrated from measurement.parquet\n")
    found = validate(measurement)
    assert out.splitlines()[-1] == found.text
    assert "not predicted: map-populate, anonymous memory, victim mmap (2 probes)" in out
    assert pl.read_parquet("cells.parquet").equals(found.cells)
    # A table in this folder is used, and a broken one is refused.
    Path("costs.toml").write_text("name = 1")
    status, out, err = rfcsim("validate")
    assert (status, out) == (2, "")
    assert err.startswith("rfcsim: error: costs.toml: ")
    # The table may also be of this measurement.
    Path("measurement.parquet").rename("other.parquet")
    status, other, err = rfcsim("validate", "other.parquet")
    assert (status, err) == (0, "rfcsim: note: costs: calibrated from other.parquet\n")
    assert other.splitlines()[-1] == found.text
    Path("slow.toml").write_bytes(data_path("costs", "nvme").read_bytes())
    status, slow, err = rfcsim("validate", "other.parquet", "--costs", "slow.toml")
    assert (status, err) == (0, "rfcsim: note: costs: slow.toml\n")
    assert slow != other
    status, _, err = rfcsim("validate", "none.parquet", "--costs", "vm-6.18")
    assert err == "rfcsim: error: none.parquet: cannot be read: No such file or directory\n"
    assert status == 2

"""A measurement: how its rows are put together, what its tables say, and its file."""

import errno
import io
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcsim.errors import RfcsimError
from rfcsim.histogram import bucket_bounds, bucket_of
from rfcsim.live import measurement
from rfcsim.live.loops import (
    Recorder,
    new_recorder,
)
from rfcsim.live.measure import measure
from rfcsim.live.measurement import ALL, RECORD_SCHEMA, Measurement, load_measurement
from rfcsim.live.probe import Probe

PAGES = 12  # 48 KiB: within the smallest RLIMIT_MEMLOCK that there is


def recorded(values: list[int], rows: int = 1) -> Recorder:
    recorder = new_recorder(rows)
    for value in values:
        recorder.histograms[0, bucket_of(value)] += 1
    recorder.statistics[0] = (len(values), sum(values), min(values), max(values))
    return recorder


def frame(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(rows, RECORD_SCHEMA)


@given(st.lists(st.lists(st.integers(0, 10**10), min_size=1), min_size=1, max_size=4))
def test_repetitions_are_put_together(repetitions: list[list[int]]) -> None:
    about = {"experiment": "probe", "probe": 0, "method": "mlock", "role": "victim"}
    rows = [
        {"repetition": number} | row
        for number, values in enumerate(repetitions)
        for row in measurement.record(recorded(values), 0, about, ALL)
    ]
    (found,) = Measurement(frame(*rows)).latencies.iter_rows(named=True)
    values = sorted(value for each in repetitions for value in each)
    assert (found["repetitions"], found["count"]) == (len(repetitions), len(values))
    assert found["max_ns"] == values[-1]
    assert found["mean_ns"] == pytest.approx(sum(values) / len(values))
    for quantile, name in ((0.5, "p50_ns"), (0.99, "p99_ns")):
        exact = int(np.quantile(values, quantile, method="inverted_cdf"))
        _, high = bucket_bounds()
        assert found[name] == min(values[-1], high[bucket_of(exact)])


def test_a_hold_is_a_call_without_what_is_no_hold() -> None:
    alone = {"experiment": "mlock-locked-page", "role": "alone", "repetition": 0}
    about = {"experiment": "probe", "probe": 0, "role": "locker", "repetition": 0}
    found = Measurement(
        frame(
            *measurement.record(recorded([16]), 0, alone, "mlock", covered_pages=1),
            *measurement.record(recorded([1000, 20]), 0, about, "mlock", covered_pages=2),
            *measurement.record(recorded([10]), 0, about | {"probe": 1}, "mlock"),
            *measurement.record(recorded([500]), 0, about, "write"),
        )
    ).holds
    assert found.select("probe", "operation", "count", "p50_ns", "max_ns").rows() == [
        (0, "mlock", 2, 4, 984),
        (1, "mlock", 1, 0, 0),
    ]


def test_what_a_page_takes_is_told_with_its_spread() -> None:
    about = {"experiment": "fault", "role": "alone", "backing": "anonymous"}
    rows = [
        {"repetition": number} | row
        for number, nanoseconds in enumerate((100, 300, 200))
        for row in measurement.record(
            recorded([nanoseconds]), 0, about, "write", step=0, covered_pages=10
        )
    ]
    (found,) = Measurement(frame(*rows)).alone.iter_rows(named=True)
    assert (found["page_ns"], found["page_ns_low"], found["page_ns_high"]) == (20, 10, 30)


def test_the_table_has_a_row_for_each_probe_also_where_nobody_waited() -> None:
    asked = [
        Probe(method="touch", pages=1),
        Probe(method="populate", pages=PAGES, piece_pages=4, pause_us=250.0, victim="maps"),
    ]
    records = measure(asked, repetitions=1, alone=False).records
    nobody = (pl.col("probe") == 0) & (pl.col("role") == "victim")
    table = Measurement(records.filter(~nobody)).table()
    assert table["method"].to_list() == ["touch", "populate"]
    assert table["pages"].to_list() == [1, 4]
    assert table["pause"].to_list() == [None, "250 us"]
    assert table["rounds"][0] == 0
    assert table["cpu"].to_list() == ["any", "any"]
    assert table["longest hold"][0] is None


# --- the file ---------------------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = measure([Probe(method="touch", pages=PAGES)], repetitions=1, alone=False)
    file = tmp_path / "measurement.parquet"
    found.write(file)
    again = load_measurement(file)
    assert again.records.equals(found.records)
    assert again.provenance == found.provenance
    assert repr(again) == repr(found) == f"<1 probes on {os.uname().release}>"
    stream = io.BytesIO()
    found.write(stream)
    assert stream.getvalue() == file.read_bytes()
    missing = tmp_path / "missing" / "measurement.parquet"
    with pytest.raises(RfcsimError, match=f"^{missing}: cannot be written: No such file"):
        found.write(missing)
    assert list(tmp_path.iterdir()) == [file]


def test_a_measurement_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "measurement.parquet"
    Measurement(frame()).write(file)
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RfcsimError, match=f"^{file}: cannot be written: No space left"):
        Measurement(frame()).write(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_measurement_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file.parquet"
    with pytest.raises(RfcsimError, match="cannot be read: No such file"):
        load_measurement(file)
    file.write_text("no Parquet")
    with pytest.raises(RfcsimError, match="is not a Parquet file"):
        load_measurement(file)
    pl.DataFrame({"a": [1]}).write_parquet(file)
    with pytest.raises(RfcsimError, match=r"must be a measurement of format 1, is none of rfcsim"):
        load_measurement(file)
    frame().write_parquet(file, metadata={"rfcsim.format": "7"})
    with pytest.raises(RfcsimError, match=r"must be a measurement of format 1, is format 7"):
        load_measurement(file)


# --- what is not allowed ----------------------------------------------------------------------

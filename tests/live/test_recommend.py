"""What is recommended reaches its target as measured and predicted, and is measured again."""

import importlib
import json
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rfcsim import RfcsimError, load_measurement
from rfcsim.data import data_path
from rfcsim.live import Recommendation, recommend, snippets
from rfcsim.live.measurement import ALL, RECORD_SCHEMA, Measurement
from rfcsim.live.measurement import SETTINGS as FIELDS
from rfcsim.live.probe import LOCKING
from rfcsim.live.provenance import provenance
from rfcsim.live.recommendation import CONFIRMED
from tests.live.facts import PAGE, anonymous, locked_pages, pages_of, present_pages

module = importlib.import_module("rfcsim.live.recommend")  # its name is also that of its function
RECORDED = data_path("measurements", "vm-6.18")
MS = 1_000_000
TOUCHING = pl.col("method").is_in(["touch", "onfault-touch"]).fill_null(False)


def without(rows: pl.Expr) -> Measurement:
    measurement = load_measurement(RECORDED)
    return Measurement(measurement.records.filter(~rows), measurement.provenance)


def here(measurement: Measurement) -> Measurement:
    """The same measurement, as if it were of this machine."""
    of_machine = {name: provenance()[name] for name in ("kernel", "cpu")}
    return Measurement(measurement.records, {**measurement.provenance, **of_machine})


@pytest.fixture(scope="module")
def in_pieces() -> Recommendation:
    """A measurement without the way that touches pages."""
    return recommend(without(TOUCHING), p99_wait_ns=MS, confirm=False)


def test_the_quickest_of_those_that_reach_the_target_is_recommended() -> None:
    found = recommend(load_measurement(RECORDED), p99_wait_ns=MS, confirm=False)
    reaching = found.trials.filter("reaches")
    assert found.best is not None and found.kept is None
    assert found.best["total_ns"] == reaching["total_ns"].min()
    assert (reaching["p99_high_ns"] <= MS).all()
    assert set(found.trials.filter(~pl.col("reaches"))["method"]) >= {"mlock"}
    assert found.best["method"] == "onfault-touch"
    assert "mlock2(MLOCK_ONFAULT), a write to each page" in found.text
    assert found.table().height == found.trials.height


def test_the_largest_piece_that_reaches_the_target_is_recommended(
    in_pieces: Recommendation,
) -> None:
    best = in_pieces.best
    assert best is not None
    assert (best["method"], best["pause_us"]) == ("onfault-populate", 40.0)
    assert best["p99_high_ns"] <= MS
    search = module._Search(without(TOUCHING), MS, None, 0)
    assert search._piece(best["piece_pages"], 40.0, "normal") == best
    assert not search._piece(2 * best["piece_pages"], 40.0, "normal")["reaches"]
    words = f"{best['piece_pages']} pages at a time, with 40 us of sleep after each"
    assert words in in_pieces.text and "It was not measured again." in in_pieces.text


def test_what_may_not_be_locked_is_not_said_to_be() -> None:
    locking = pl.col("method").is_in(LOCKING).fill_null(False)
    found = recommend(without(locking), p99_wait_ns=MS, confirm=False)
    assert set(found.trials["method"]) == {"populate", "touch"}
    assert "making 65,536 pages present, which may not be locked here, takes" in found.text
    assert "mlock" not in found.c_code + found.python_code


def test_a_measured_setting_that_missed_the_target_is_not_recommended(
    in_pieces: Recommendation,
) -> None:
    best = in_pieces.best
    assert best is not None and best["basis"] == "predicted, and measured"
    measurement = without(TOUCHING)
    setting = (pl.col("piece_pages") == best["piece_pages"]) & (pl.col("pause_us") == 40)
    slow = pl.lit([{"low_ns": 2 * MS, "high_ns": 2 * MS, "count": 100}])
    slow = slow.cast(measurement.records.schema["histogram"])
    worse = measurement.records.with_columns(
        pl.when(setting & (pl.col("role") == "victim"))
        .then(slow)
        .otherwise("histogram")
        .alias("histogram")
    )
    found = recommend(Measurement(worse, measurement.provenance), p99_wait_ns=MS, confirm=False)
    assert found.best is not None
    assert found.best["piece_pages"] != best["piece_pages"]


def test_where_nothing_reaches_the_target_that_is_said() -> None:
    found = recommend(without(TOUCHING), p99_wait_ns=2_000, confirm=True)
    assert found.best is None and found.kept is None and found.confirmed.is_empty()
    assert (found.c_code, found.python_code) == ("", "")
    assert found.text.startswith(
        "No way keeps p99 of the others' waits within 2.00 us; the nearest"
    )
    assert "fifo" in set(found.trials["priority"])
    assert "Real-time waiters would not help either" in found.text


# --- measured again ----------------------------------------------------------------------------


def confirming(monkeypatch, keeping: int) -> list[dict]:
    """Let pieces of this many pages keep the target, and nothing else."""
    asked: list[dict] = []

    def measured(setting, pages, target_ns):
        asked.append(dict(setting))
        keeps = (setting["piece_pages"] or pages) <= keeping
        row = {name: setting[name] for name in ("method", "piece_pages", "pause_us")}
        row["placement"] = "other"
        p99_ns = target_ns - 1 if keeps else target_ns + 1
        row |= {"rounds": 9, "p99_ns": p99_ns, "max_ns": 2 * p99_ns, "total_ns": 7, "keeps": keeps}
        return pl.DataFrame([row], CONFIRMED)

    monkeypatch.setattr(module, "_measured_again", measured)
    return asked


def test_smaller_pieces_are_measured_until_one_keeps_the_target(in_pieces, monkeypatch) -> None:
    first = in_pieces.best["piece_pages"]
    asked = confirming(monkeypatch, first // 4)
    found = recommend(here(without(TOUCHING)), p99_wait_ns=MS)
    assert [each["piece_pages"] for each in asked] == [first, first // 2, first // 4]
    assert found.kept is True and found.best is not None
    assert found.best["piece_pages"] == first // 4
    assert "Larger pieces did not keep the target" in found.text
    assert found.text.endswith("it keeps its promise.")


def test_a_promise_that_is_not_kept_is_not_made(monkeypatch) -> None:
    asked = confirming(monkeypatch, 0)
    found = recommend(here(without(TOUCHING)), p99_wait_ns=MS)
    assert len(asked) == module.MOST_CONFIRMED == found.confirmed.height
    assert found.kept is False
    assert "waits was to be " in found.text
    assert found.text.endswith("it does NOT keep the target.")


@pytest.mark.parametrize("one_call", [False, True])
def test_where_touching_or_one_call_does_not_keep_the_target_pieces_do(
    in_pieces, monkeypatch, one_call: bool
) -> None:
    measurement = load_measurement(RECORDED)
    if one_call:  # it is as quick as before, but suddenly nobody waits for it
        quick = pl.lit([{"low_ns": 9, "high_ns": 9, "count": 100}])
        quick = quick.cast(measurement.records.schema["histogram"])
        of_call = (pl.col("method") == "mlock") & pl.col("piece_pages").is_null()
        waiting = of_call & (pl.col("role") == "victim")
        records = measurement.records.with_columns(
            histogram=pl.when(waiting).then(quick).otherwise("histogram")
        )
        measurement = Measurement(records, measurement.provenance)
    first = in_pieces.best["piece_pages"]
    asked = confirming(monkeypatch, first)
    found = recommend(here(measurement), p99_wait_ns=MS)
    tried = ["mlock", "onfault-touch"] if one_call else ["onfault-touch"]
    assert [each["method"] for each in asked] == [*tried, "onfault-populate"]
    assert found.kept is True and found.best is not None
    assert (found.best["piece_pages"], found.best["pause_us"]) == (first, 40.0)
    assert set(found.confirmed["method"]) == {each["method"] for each in asked}
    assert "waits is " in found.text
    assert "Other ways did not keep the target when they were measured." in found.text
    assert found.text.endswith("it keeps its promise.")


def test_it_is_measured_at_exactly_that_setting(monkeypatch) -> None:
    probes = []
    real = module.measure

    def measured(asked, **how):
        probes.extend(asked)
        real(asked, **how)
        # What it found is not looked at: on a busy machine nobody may have had the time to wait.
        of_all = {"operation": ALL, "repetition": 0, "count": 9, "sum_ns": 90, "max_ns": 10}
        of_all |= {"histogram": [{"low_ns": 10, "high_ns": 10, "count": 9}]}
        rows = [
            {"experiment": "probe", "probe": number, "role": role}
            | {name: getattr(probe, name) for name in FIELDS}
            | of_all
            for number, probe in enumerate(asked)
            for role in ("locker", "victim")
        ]
        return Measurement(pl.DataFrame(rows, RECORD_SCHEMA))

    monkeypatch.setattr(module, "measure", measured)
    of_probe = pl.col("experiment") == "probe"
    records = without(TOUCHING).records.with_columns(
        pages=pl.lit(1024, pl.Int64()),
        covered_pages=pl.when(of_probe).then(1024).otherwise("covered_pages"),
    )
    found = recommend(here(Measurement(records)), p99_wait_ns=1000 * MS)
    assert found.best is not None and found.kept is True
    assert {(probe.method, probe.pages) for probe in probes} == {(found.best["method"], 1024)}
    assert {probe.piece_pages for probe in probes} <= {found.best["piece_pages"], None}
    assert set(found.confirmed["placement"]) <= {"same", "other"}
    assert set(found.confirmed["rounds"]) == {9}


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"kernel": "6.18.1-elsewhere"}, "6.18.1-elsewhere, "),
        ({"cpu": "Another CPU"}, "Another CPU"),
    ],
)
def test_what_was_measured_elsewhere_is_not_confirmed_here(monkeypatch, there, said) -> None:
    asked = confirming(monkeypatch, 0)
    measurement = here(load_measurement(RECORDED))
    moved = Measurement(measurement.records, {**measurement.provenance, **there})
    found = recommend(moved, p99_wait_ns=MS)
    assert (asked, found.kept) == ([], None)
    assert found.best is not None and found.confirmed.is_empty()
    assert said in found.elsewhere
    assert found.text.endswith(
        f"It was measured elsewhere ({found.elsewhere}), so not confirmed here."
    )
    assert recommend(moved, p99_wait_ns=MS, confirm=False).text.endswith(
        "It was not measured again."
    )


# --- lines to paste ------------------------------------------------------------------------------

SETTINGS = [
    ("mlock", None, 0.0),
    ("mlock", 3, 5.0),
    ("populate", 2, 0.0),
    ("onfault-populate", 5, 40.0),
    ("onfault-touch", None, 0.0),
    ("touch", None, 0.0),
]


@pytest.mark.parametrize(("method", "piece_pages", "pause_us"), SETTINGS)
def test_the_lines_of_python_do_it(method, piece_pages, pause_us) -> None:
    array = anonymous(11)
    code = snippets.in_python(method, piece_pages, pause_us)
    names: dict = {"array": array}
    exec(code, names)  # as if a user had pasted it
    assert present_pages(array) == set(pages_of(array))
    locks = method not in ("populate", "touch")
    assert (set(pages_of(array)) <= locked_pages()) == locks
    assert not array.any()
    if "locked" in names:
        names["locked"].unlock()


@pytest.mark.parametrize(("method", "piece_pages", "pause_us"), SETTINGS)
def test_the_lines_of_python_work_on_the_array_itself(method, piece_pages, pause_us) -> None:
    whole = anonymous(12)
    array = whole.view(np.int32).reshape(-1, 3, order="F")
    assert array.flags.f_contiguous and not array.flags.c_contiguous
    code = snippets.in_python(method, piece_pages, pause_us)
    names: dict = {"array": array}
    exec(code, names)
    assert present_pages(array) == set(pages_of(array)) == set(pages_of(whole))
    if "flat" in names:  # to read for a copy would make pages present too: the zero page
        assert np.shares_memory(names["flat"], array)
    if "locked" in names:
        names["locked"].unlock()
    with pytest.raises(ValueError, match=r"^(array|buffer): .*must be "):
        exec(code, {"array": anonymous(2)[::2]})


@pytest.mark.parametrize("method", ["populate", "onfault-populate"])
def test_the_lines_of_c_need_no_new_headers(method: str, tmp_path: Path) -> None:
    code = snippets.in_c(method, 2, 0.0)
    includes = "#include <unistd.h>\n"
    assert includes in code
    code = code.replace(includes, f"{includes}#undef MADV_POPULATE_WRITE\n")
    (tmp_path / "lock.c").write_text(code)
    subprocess.run(["gcc", "-Wall", "-Werror", "-c", "lock.c"], cwd=tmp_path, check=True)


@pytest.mark.parametrize(("method", "piece_pages", "pause_us"), SETTINGS)
def test_the_lines_of_c_do_it(method, piece_pages, pause_us, tmp_path: Path) -> None:
    program = (
        snippets.in_c(method, piece_pages, pause_us)
        + f"""
#include <stdio.h>
int main(void)
{{
    size_t bytes = 11 * {PAGE};
    unsigned char there[11];
    char *start = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lock_pages(start, bytes) || mincore(start, bytes, there))
        return 1;
    int present = 0;
    for (int page = 0; page < 11; page++)
        present += there[page] & 1;
    printf("%d", present);
}}
"""
    )
    (tmp_path / "lock.c").write_text(program)
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "lock.c", "-o", "lock"], cwd=tmp_path, check=True)
    run = subprocess.run(["./lock"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert run.stdout == "11"


# --- bad input, and the command ------------------------------------------------------------------


def test_bad_input() -> None:
    measurement = load_measurement(RECORDED)
    with pytest.raises(RfcsimError, match=r"^p99_wait_ns = 0: must be 1 to "):
        recommend(measurement, p99_wait_ns=0)
    with pytest.raises(RfcsimError, match=r"^measurement: has no runs with the victim mmap"):
        recommend(without(pl.col("victim").eq_missing("mmap")), p99_wait_ns=MS)


def test_the_command(rfcsim, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = rfcsim("recommend", "--p99-wait", "1ms")
    assert (status, out) == (2, "")
    assert err == (
        "rfcsim: error: give a SCENARIO.toml, --preset NAME or --from-measurement FILE, or have "
        "measurement.parquet in this folder\n"
    )
    status, _, err = rfcsim("recommend", "--preset", "anon-1gb", "--from-measurement", RECORDED)
    assert (status, err) == (
        2,
        "rfcsim: error: --from-measurement: cannot be used with a scenario\n",
    )
    Path("measurement.parquet").write_bytes(RECORDED.read_bytes())
    status, out, err = rfcsim("recommend", "--p99-wait", "1ms", "--no-confirm")
    expected = recommend(load_measurement(RECORDED), p99_wait_ns=MS, confirm=False)
    assert (status, err) == (0, "rfcsim: note: costs: calibrated from measurement.parquet\n")
    assert expected.text in out
    assert expected.c_code in out and expected.python_code in out
    status, out, _ = rfcsim("recommend", "--p99-wait", "1us", "--no-confirm", "--json")
    found = json.loads(out)
    assert (status, found["best"], found["kept"]) == (1, None, None)
    assert found["text"].startswith("No way keeps p99")
    assert np.isfinite([trial["p99_ns"] for trial in found["trials"]]).all()


def test_costs_that_lie_here_are_not_those_of_another_measurement(
    rfcsim, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("costs.toml").write_text("name = 1")
    arguments = ("recommend", "--p99-wait", "1us", "--no-confirm")
    status, _, err = rfcsim(*arguments, "--from-measurement", RECORDED)
    assert (status, err) == (1, f"rfcsim: note: costs: calibrated from {RECORDED}\n")
    Path("measurement.parquet").write_bytes(RECORDED.read_bytes())
    status, out, err = rfcsim(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("rfcsim: error: costs.toml: ")

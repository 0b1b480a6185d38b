"""The matrix of call sites: a cell for each call and kernel, and the wait that was asked for."""

import polars as pl
import pytest
import vl_convert as vlc

from rfcsim import RfcsimError
from rfcsim.charts import call_sites
from tests.charts.examples import SITES


def cells(wait: str = "fault_wait_ns") -> list[dict]:
    (data,) = call_sites(SITES, wait=wait).to_dict()["datasets"].values()
    return data


def test_each_call_and_kernel_has_a_cell() -> None:
    assert cells() == [
        {"call": "mlock()", "kernel": "2.6.36", "hold": "holds it exclusively", "wait": "65.4 ms"},
        {"call": "brk()", "kernel": "2.6.36", "hold": "holds it exclusively", "wait": "7.00 us"},
        {"call": "mlock()", "kernel": "6.4", "hold": "holds it shared", "wait": "0"},
    ]


def test_the_wait_is_the_one_asked_for() -> None:
    assert [cell["wait"] for cell in cells(wait="map_wait_ns")] == ["2.00 us", "9.00 us", "65.0 ms"]


def test_rows_and_columns_come_in_the_order_of_the_frame() -> None:
    encoding = call_sites(SITES).to_dict()["layer"][0]["encoding"]
    assert encoding["x"]["sort"] == ["2.6.36", "6.4"]
    assert encoding["y"]["sort"] == ["mlock()", "brk()"]


def test_it_compiles_for_jupyterlab_and_says_itself_in_words() -> None:
    chart = call_sites(SITES).to_dict()
    vlc.vegalite_to_vega(chart, vl_version="5.8")
    assert "2.6.36: 2 of 2 calls under an exclusive hold" in chart["description"]
    assert "6.4: 0 of 1 call under an exclusive hold, longest wait 0." in chart["description"]


@pytest.mark.parametrize(
    ("frame", "wait", "message"),
    [
        (SITES, "hold_ns", "wait = 'hold_ns': must be one of fault_wait_ns, "),
        (SITES.clear(), "map_wait_ns", "call_sites: the frame is empty"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(frame: pl.DataFrame, wait: str, message: str) -> None:
    with pytest.raises(RfcsimError) as caught:
        call_sites(frame, wait=wait)
    assert str(caught.value).startswith(message)

"""The call sites as a matrix: how each holds the lock as it populates, and who waits how long."""

import altair as alt
import polars as pl

from rfcsim.charts import theme
from rfcsim.duration import human
from rfcsim.errors import RfcsimError
from rfcsim.words import count

WAITS = ("fault_wait_ns", "fault_wait_beside_mapper_ns", "map_wait_ns")

_ROW_PIXELS = 26
_WIDTH = 420  # the names of the calls need the rest of a column
_MODES = {"exclusive": theme.EXCLUSIVE, "shared": theme.SHARED}


def call_sites(
    frame: pl.DataFrame,
    *,
    wait: str = "fault_wait_ns",
    title: str = "How long does it wait?",
    description: str | None = None,
    width: int = _WIDTH,
) -> alt.LayerChart:
    """Draw a cell for each call and kernel, with the longest wait of somebody else in it.

    The colour says how the call holds mmap_sem while it populates. If a kernel does not have the
    call, the cell is empty.

    Parameters
    ----------
    frame : polars.DataFrame
        What `rfcsim.call_sites` gives.
    wait : str
        Whose wait: "fault_wait_ns", "fault_wait_beside_mapper_ns" or "map_wait_ns".
    title : str
    description : str, optional
        Text alternative; by default a sentence for each kernel.
    width : int
        Of the plot, in pixels.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    RfcsimError
        If there is nothing to draw, or there is no such wait.
    """
    if wait not in WAITS:
        raise RfcsimError(f"wait = {wait!r}: must be one of {', '.join(WAITS)}")
    if frame.is_empty():
        raise RfcsimError("call_sites: the frame is empty, must have at least one row")
    cells = frame.select(
        "call",
        "kernel",
        hold=pl.col("mode").replace_strict(_MODES),
        wait=pl.col(wait).map_elements(human, pl.String()),
    )
    calls, kernels = (
        cells[name].unique(maintain_order=True).to_list() for name in cells.columns[:2]
    )
    base = alt.Chart(cells).encode(
        x=alt.X(
            "kernel:N",
            sort=kernels,
            title=None,
            axis=alt.Axis(orient="top", labelAngle=0, ticks=False, domain=False),
        ),
        y=alt.Y(
            "call:N",
            sort=calls,
            title=None,
            axis=alt.Axis(labelLimit=300, ticks=False, domain=False),
        ),
    )
    squares = base.mark_rect(stroke=theme.GROUND, strokeWidth=2).encode(
        color=alt.Color(
            "hold:N",
            scale=theme.scale(_MODES.values(), map(theme.STATE_COLOURS.get, _MODES.values())),
            legend=alt.Legend(symbolType="square"),
        )
    )
    texts = base.encode(text="wait:N")
    return alt.LayerChart(
        layer=[
            squares,
            texts.transform_filter(alt.datum.hold == theme.SHARED).mark_text(),
            texts.transform_filter(alt.datum.hold == theme.EXCLUSIVE).mark_text(
                color=theme.GROUND, fontWeight="bold"
            ),
        ]
    ).properties(
        title=title,
        description=description or _describe(frame, wait),
        width=width,
        height=_ROW_PIXELS * len(calls),
    )


def _describe(frame: pl.DataFrame, wait: str) -> str:
    """The matrix in words."""
    sentences = ["A matrix of calls and kernels."]
    for (kernel,), rows in frame.group_by("kernel", maintain_order=True):
        exclusive = rows["mode"].to_list().count("exclusive")
        calls = count(len(rows), "call")
        longest = human(max(rows[wait].to_list()))
        sentences.append(
            f"{kernel}: {exclusive} of {calls} under an exclusive hold, longest wait {longest}."
        )
    return " ".join(sentences)

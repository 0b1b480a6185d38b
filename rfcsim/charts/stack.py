"""Several charts as one figure."""

import altair as alt

from rfcsim.errors import RfcsimError


def stack(*charts: alt.LayerChart, description: str | None = None) -> alt.VConcatChart:
    """Put charts one above the other, so that they can be compared.

    Parameters
    ----------
    *charts : altair.LayerChart
        Two or more.
    description : str, optional
        Text alternative; by default those of the charts, one after another.

    Returns
    -------
    altair.VConcatChart

    Raises
    ------
    RfcsimError
        If there are fewer than two.
    """
    if len(charts) < 2:
        raise RfcsimError(f"stack: {len(charts)} charts, must be two or more")
    return alt.VConcatChart(vconcat=list(charts)).properties(
        description=description or " ".join(str(chart.description) for chart in charts)
    )

"""The explorer in JupyterLab: controls, and the run that they stand for."""

from pathlib import Path
from typing import Any

import altair as alt
import anywidget
import ipywidgets as widgets
import traitlets
import vl_convert

from rfcsim.charts import theme
from rfcsim.charts.explorer import NAMES
from rfcsim.charts.explorer import explorer as picture
from rfcsim.charts.renderer import VEGA_LITE
from rfcsim.lab.runs import ALLOWED, CLASSES, Chosen, check, rows_of

_SCRIPT = Path(__file__).with_name("charts.js").read_text()


class Picture(anywidget.AnyWidget):
    """Charts of one specification, with named data that Python replaces, and a line of words."""

    _esm = vl_convert.javascript_bundle(_SCRIPT, vl_version=VEGA_LITE)

    specification = traitlets.Dict().tag(sync=True)
    rows = traitlets.Dict().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)
    shown = traitlets.Int(0).tag(sync=True)


class Explorer(widgets.VBox):
    """Controls, and the picture of the run that they stand for, with a line of words.

    Attributes
    ----------
    chosen : Chosen
        What the controls say.
    """

    def __init__(self, chosen: Chosen, seed: int) -> None:
        check(chosen)
        self.seed = seed
        self._controls = {
            field: _control(field, allowed, getattr(chosen, field))
            for field, allowed in ALLOWED.items()
        }
        self._picture = Picture(specification=_specification())
        self._show()
        for control in self._controls.values():
            control.observe(self._changed, names="value")
        super().__init__([*self._controls.values(), self._picture])

    @property
    def chosen(self) -> Chosen:
        return Chosen(**{field: control.value for field, control in self._controls.items()})

    def _changed(self, _: object) -> None:
        self._show()

    def _show(self) -> None:
        chosen = self.chosen
        self._controls["batch_pages"].disabled = chosen.design != "batched"
        rows = rows_of(chosen, self.seed)
        (said,) = rows.pop("said")
        with self._picture.hold_sync():
            self._picture.said = said["text"]
            self._picture.shown += 1
            self._picture.rows = rows


def _control(field: str, allowed: tuple[Any, ...], value: Any) -> widgets.SelectionSlider:
    """A slider, for words too, since JupyterLab takes the arrow keys of a menu for itself."""
    return widgets.SelectionSlider(
        options=allowed,
        value=value,
        description=field.replace("_", " "),
        style={"description_width": "8em"},
        layout=widgets.Layout(width="40em", max_width="100%"),
    )


def _specification() -> dict[str, Any]:
    theme.register()
    with alt.theme.enable(theme.NAME):
        return picture({name: [] for name in NAMES}, CLASSES).to_dict()

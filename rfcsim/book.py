"""How a chart of a notebook becomes part of a page of the book: a MyST-NB plugin.

MyST-NB finds it by its entry point and calls it for each output. The chart stays a Vega-Lite
specification, which the page draws in the reader's browser from a script that lies beside it.
"""

import json
from typing import Any, ClassVar

from docutils import nodes

from rfcsim.charts.renderer import MIME_TYPE


class VegaLite:
    """Puts the specification into the page, for the book's `charts.js` to draw."""

    mime_priority_overrides: ClassVar = [("html", MIME_TYPE, 5)]  # before image/png, which has 10

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Node] | None:
        """The output as docutils nodes, or None if it is not a chart that stands by itself.

        The node's attribute `description` is the chart's text alternative.
        """
        if inline or data.mime_type != MIME_TYPE:
            return None
        # "</" would end the script element that carries the specification.
        specification = json.dumps(data.content).replace("</", "<\\/")
        html = f'<script type="application/json">{specification}</script>'
        chart = nodes.raw(text=f'<div class="vega-lite">{html}</div>', format="html")
        chart["description"] = data.content.get("description", "")
        return [chart]

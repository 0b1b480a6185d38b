"""How a chart of a notebook becomes part of a page of the book: a MyST-NB plugin.

MyST-NB finds it by its entry point and calls it for each output. The chart stays a Vega-Lite
specification, which the page draws in the reader's browser from scripts that lie beside it.
"""

import json
from typing import Any, ClassVar

from docutils import nodes

VEGA_LITE = "application/vnd.vegalite.v5+json"


class VegaLite:
    """Puts the specification into the page, for `vega-init.js` to draw."""

    mime_priority_overrides: ClassVar = [("html", VEGA_LITE, 5)]  # before image/png, which has 10

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Node] | None:
        """The output as docutils nodes, or None if it is not a chart that stands by itself."""
        if inline or data.mime_type != VEGA_LITE:
            return None
        # "</" would end the script element that carries the specification.
        specification = json.dumps(data.content).replace("</", "<\\/")
        html = f'<script type="application/json">{specification}</script>'
        return [nodes.raw(text=f'<div class="vega-lite">{html}</div>', format="html")]

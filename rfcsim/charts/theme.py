"""One look for every chart: readable in black and white, by the colour-blind, on a dark page.

Colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which remain distinct for
all common forms of colour blindness. Nothing is said by colour alone: bars also differ in height
and lightness, lines in their dashes and end marks. A chart brings its own white ground, since text
that is drawn for one ground is lost on the other. The book draws charts again on a dark page, in
the colours of DARK.
"""

from collections.abc import Iterable
from typing import Any

import altair as alt

NAME = "rfcsim"

INK = "#000000"
GREY = "#595959"  # 7:1 against the white ground
GRID = "#dddddd"
GROUND = "#ffffff"

# How a task stands to the lock: legend entry -> colour.
EXCLUSIVE = "holds it exclusively"
SHARED = "holds it shared"
WAITING = "waits for it (thin)"
STATE_COLOURS = {EXCLUSIVE: "#000000", SHARED: "#56b4e9", WAITING: "#d55e00"}
MODE_COLOURS = {
    "exclusive": STATE_COLOURS[EXCLUSIVE],
    "shared": STATE_COLOURS[SHARED],
    "call": "#bbbbbb",
    "round": "#bbbbbb",
}
ACCENT = "#d55e00"

# What a wait is due to: legend entry -> colour, dashes and thickness of its bar, in pixels. The
# waiter's own wake-up is nobody's fault, so it is grey. Sand and violet are not from Okabe and Ito,
# whose orange and purple are too close to vermilion and blue for some people.
HELD = "waits: another holds it"
STOLEN = "waits: stolen"
AHEAD = "waits: queued ahead"
CONVOY = "waits: convoy"
WAKING = "wakes up (thin)"
BLAME_BARS = {
    EXCLUSIVE: (STATE_COLOURS[EXCLUSIVE], (1, 0), 24),
    SHARED: (STATE_COLOURS[SHARED], (1, 0), 24),
    HELD: ("#d55e00", (1, 0), 13),
    STOLEN: ("#0072b2", (3, 1), 13),
    AHEAD: ("#e0b285", (2, 2), 13),
    CONVOY: ("#a64dff", (5, 1, 1, 1), 13),
    WAKING: ("#595959", (1, 0), 4),
}

# Lines of one chart, in this order: colour, dashes, mark at the end.
SERIES = (
    ("#000000", (1, 0), "circle"),
    ("#d55e00", (7, 3), "square"),
    ("#0072b2", (2, 2), "triangle-up"),
    ("#009e73", (10, 3, 2, 3), "diamond"),
    ("#cc79a7", (4, 2), "triangle-down"),
    ("#e69f00", (12, 4), "cross"),
    ("#56b4e9", (7, 2, 2, 2, 2, 2), "triangle-right"),
)

# From short to long. There is one hue, so that lightness alone says it, to everybody.
LIGHTEST, DARKEST = "#e8f3fa", "#0b3a5e"

# On a dark page: colour -> what is drawn instead. All others can be seen on either ground.
DARK = {
    INK: "#f2f2f2",
    GREY: "#a6aab0",
    GRID: "#34373b",
    GROUND: "#131416",  # the ground of the book's dark pages
    STATE_COLOURS[SHARED]: "#2672aa",  # text in INK stands on it
    BLAME_BARS[STOLEN][0]: "#7cc4ff",
}

WIDTH = 640  # pixels of the plot itself; a whole chart is then as wide as a notebook's column


def theme() -> alt.theme.ThemeConfig:
    """The look, in the form that Altair's registry of themes takes."""
    return {
        "config": {
            "background": GROUND,
            "font": "Liberation Sans, Arial, Helvetica, sans-serif",
            "padding": 10,
            "view": {"stroke": None, "continuousWidth": WIDTH, "continuousHeight": 280},
            "title": {
                "anchor": "start",
                "frame": "group",
                "color": INK,
                "fontSize": 15,
                "fontWeight": "bold",
                "subtitleColor": GREY,
                "subtitleFontSize": 12,
                "subtitlePadding": 4,
                "offset": 10,
            },
            "axis": {
                "labelColor": INK,
                "labelFontSize": 12,
                "titleColor": INK,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "domainColor": GREY,
                "tickColor": GREY,
                "gridColor": GRID,
                "labelLimit": 220,
            },
            "text": {"color": INK, "fontSize": 12},
            "legend": {
                "labelColor": INK,
                "labelFontSize": 12,
                "title": None,
                "labelLimit": 0,
                "orient": "bottom",
            },
        }
    }


def register() -> None:
    """Make the theme known to Altair, without switching it on."""
    alt.theme.register(NAME, enable=False)(theme)


def scale(domain: Iterable[Any], values: Iterable[Any]) -> alt.Scale:
    """A scale that gives each value of its domain a colour, a shape or a dash of its own."""
    return alt.Scale(domain=list(domain), range=list(values))


def shade(share: float) -> tuple[str, str]:
    """A ground between LIGHTEST (0) and DARKEST (1), and the ink that can be read on it."""
    light, dark = ([int(end[i : i + 2], 16) for i in (1, 3, 5)] for end in (LIGHTEST, DARKEST))
    mixed = [round(a + (b - a) * share) for a, b in zip(light, dark, strict=True)]
    # Black and white are equally far from a luminance of 0.18.
    luminance = sum(
        weight * (value / 255) ** 2.2
        for weight, value in zip((0.2126, 0.7152, 0.0722), mixed, strict=True)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed), INK if luminance > 0.18 else GROUND

"""Every page of the book, at both widths and in both themes: nothing fails or overflows.

The pictures are kept in build/browser/ to be looked at.
"""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from rfcsim.charts import theme
from tests.browser.reader import Reader, Theme
from tests.house.project import ROOT

NOTEBOOKS = [f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
REFERENCE = [
    f"notebooks/reference/{path.stem}"
    for path in sorted((ROOT / "notebooks" / "reference").glob("*.md"))
]
PAGES = ["index", *NOTEBOOKS, *REFERENCE, "data/README", "genindex", "search"]
LOOKS: list[tuple[Theme, int]] = [
    ("light", 1400),
    ("dark", 1400),
    ("dark", 380),
    ("light", 380),
]
JUDGED: list[tuple[Theme, int]] = [("dark", 380), ("light", 1400)]  # by axe, which is slow

PICTURES = ROOT / "build" / "browser"
TALLEST = 16_000  # pixels of a picture
AXE = {"resultTypes": ["violations"], "preload": False}
# The time that axe takes grows with the square of a page's length, so of many equal parts it sees
# only some.
MORE_OF_THE_SAME = """() => {
  const [, ...drawings] = document.querySelectorAll(".vega-lite svg");
  for (const drawing of drawings) drawing.replaceChildren();
  const few = {
    ".role-mark > *": 5, ".role-axis-label > *": 5, ".role-axis-grid > *": 5,
    "tbody > tr": 8, "pre > span": 40, ".toc-tree li": 12, ".genindextable li": 12,
    "dl.py.class": 4, "dl.py.exception": 2, "dl.py.function": 4, "section > section > p": 5,
  };
  for (const [kind, most] of Object.entries(few)) {
    const seen = new Map();
    for (const part of document.querySelectorAll(kind)) {
      seen.set(part.parentNode, (seen.get(part.parentNode) ?? 0) + 1);
      if (seen.get(part.parentNode) > most) part.remove();
    }
  }
}"""


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_every_page_is_read(book: Path) -> None:
    made = {str(page.relative_to(book).with_suffix("")) for page in book.rglob("*.html")}
    assert made == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_page(reader: Reader, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    ground = {"light": rgb(theme.GROUND), "dark": rgb(theme.DARK[theme.GROUND])}
    for number, (look, width) in enumerate(LOOKS):
        if number == 0:
            reader.open(name, theme=look, width=width)
        else:
            reader.turn(look, width)
        _picture(reader, f"{name.replace('/', '-')}-{look}-{width}")
        assert reader.overflow() <= 0, (look, width)
        for chart in reader.charts():
            assert chart["marks"] > 0, chart
            assert chart["outside"] == 0, chart
            assert chart["name"], "a chart without a text alternative"
            assert chart["ground"] == ground[look], (look, width)
            assert chart["width"] <= chart["room"], (look, width)
    for look, width in JUDGED:
        reader.turn(look, width)
        reader.page.evaluate(MORE_OF_THE_SAME)
        assert _faults(reader) == [], (look, width)


def _picture(reader: Reader, name: str) -> None:
    height = reader.page.evaluate("document.documentElement.scrollHeight")
    width = reader.page.evaluate("window.innerWidth")
    reader.page.screenshot(
        path=PICTURES / f"{name}.jpg",
        type="jpeg",
        quality=70,
        full_page=True,
        clip={"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)},
        animations="disabled",
    )


def _faults(reader: Reader) -> list[str]:
    """The serious or critical problems that axe finds."""
    found = Axe().run(reader.page, options=AXE).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:200]} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def test_a_chart_says_what_it_shows(reader: Reader) -> None:
    reader.open("notebooks/00_start_here")
    stored = json.loads((ROOT / "notebooks" / "00_start_here.ipynb").read_text())
    described = [
        output["data"]["application/vnd.vegalite.v5+json"]["description"]
        for cell in stored["cells"]
        for output in cell.get("outputs", ())
        if "application/vnd.vegalite.v5+json" in output.get("data", {})
    ]
    assert [chart["name"] for chart in reader.charts()] == described
    reader.page.locator("summary", has_text="In words").first.click()
    assert reader.page.locator(".in-words p").first.inner_text() == described[0]

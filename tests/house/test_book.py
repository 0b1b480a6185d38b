"""The book: built from the stored notebooks without a warning, and it asks no network."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rfcsim
from tests.house.project import ROOT

VEGA_LITE = "application/vnd.vegalite.v5+json"
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page loads, and the charts that stand in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.charts: list[dict] = []
        self._in_chart = False
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if address := found.get(LOADED.get(tag, "")):
            self.loads.append(address)
        self._in_chart = tag == "script" and found.get("type") == "application/json"

    def handle_endtag(self, tag: str) -> None:
        self._in_chart = False

    def handle_data(self, data: str) -> None:
        if self._in_chart:
            self.charts.append(json.loads(data))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("book") / "site"
    build = [sys.executable, "notebooks/_book/build.py", "--strict", "notebooks", str(site)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert str(site / "index.html") in built.stdout
    return site


def test_every_page_is_there_with_all_its_charts(site: Path) -> None:
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        stored = [
            output["data"][VEGA_LITE]
            for cell in json.loads(notebook.read_text())["cells"]
            for output in cell.get("outputs", ())
            if VEGA_LITE in output.get("data", {})
        ]
        assert Page(site / "notebooks" / f"{notebook.stem}.html").charts == stored
    for name in ("rules", "blame", "architecture", "add_a_design", "api"):
        assert (site / "notebooks" / "reference" / f"{name}.html").exists()
    for page in ("index", "data/README"):
        assert (site / f"{page}.html").exists()


def test_pages_ask_no_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        for address in Page(page).loads:
            assert not re.match(r"\w+:|//", address), (page, address)
            assert (page.parent / address.partition("?")[0].partition("#")[0]).exists(), address
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", style.read_text()), style


def test_pages_have_what_draws_their_charts(site: Path) -> None:
    for page in (site / "notebooks").glob("*.html"):
        assert any(re.match(r"\.\./_static/charts\.js", address) for address in Page(page).loads)
    script = (site / "_static" / "charts.js").read_text()
    assert len(script) > 500_000  # Vega is in it
    assert ".vega-lite" in script


def test_the_page_of_the_face_has_every_name(site: Path) -> None:
    page = (site / "notebooks" / "reference" / "api.html").read_text()
    for name in rfcsim.__all__:
        if name not in ("charts", "live"):
            assert f'id="rfcsim.{name}"' in page, name
    for name in rfcsim.charts.__all__:
        assert f'id="rfcsim.charts.{name}"' in page, name

"""The book: it is built from the stored notebooks without a warning, and needs no network.

What it does in a browser is in tests/browser/.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl

import rfcsim
from notebooks._book.frames import as_table
from tests.house.project import ROOT

VEGA_LITE = "application/vnd.vegalite.v5+json"
# A commit of Linux, or the number of a message.
CITED = r"\b(?:(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{11,12}|1\d{10})\b"
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page loads, where it links, its charts, and the captions of its figures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.charts: list[dict] = []
        self.captions: list[str] = []
        self._in_chart = self._in_caption = False
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if address := found.get(LOADED.get(tag, "")):
            self.loads.append(address)
        if tag == "a" and "href" in found:
            self.links.append(found["href"] or "")
        self.anchors |= {name for name in (found.get("id"), found.get("name")) if name}
        if tag == "figcaption":
            self.captions.append("")
            self._in_caption = True
        self._in_chart = tag == "script" and found.get("type") == "application/json"

    def handle_endtag(self, tag: str) -> None:
        self._in_chart = False
        self._in_caption &= tag != "p"

    def handle_data(self, data: str) -> None:
        if self._in_chart:
            self.charts.append(json.loads(data))
        elif self._in_caption:
            self.captions[-1] += data


def test_the_book_is_small(book: Path) -> None:
    assert sum(file.stat().st_size for file in book.rglob("*") if file.is_file()) < 15_000_000


def test_every_page_is_there_with_all_its_charts(book: Path) -> None:
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        stored = [
            output["data"][VEGA_LITE]
            for cell in json.loads(notebook.read_text())["cells"]
            for output in cell.get("outputs", ())
            if VEGA_LITE in output.get("data", {})
        ]
        assert Page(book / "notebooks" / f"{notebook.stem}.html").charts == stored
    for page in (ROOT / "notebooks" / "reference").glob("*.md"):
        assert (book / "notebooks" / "reference" / f"{page.stem}.html").exists()
    for page in ("index", "data/README"):
        assert (book / f"{page}.html").exists()


def test_every_chart_is_a_figure_with_a_number_and_a_caption(book: Path) -> None:
    for page in (book / "notebooks").glob("*.html"):
        read = Page(page)
        for number, caption in enumerate(read.captions, start=1):
            name = f"Figure {int(page.stem[:2])}.{number}. "
            assert caption.strip().startswith(name) and len(caption) > 2 * len(name), caption
            assert f"figure-{number}" in read.anchors
        assert len(read.captions) == len(read.charts), page


def test_links_lead_to_what_is_there(book: Path) -> None:
    pages = {path: Page(path) for path in book.rglob("*.html")}
    links = {(path, link) for path, page in pages.items() for link in page.links}
    inside = [(path, link) for path, link in links if not re.match(r"\w+:", link)]
    assert len(inside) > 500
    for path, link in inside:
        address, _, anchor = link.partition("#")
        target = (path.parent / address).resolve() if address else path
        assert target.exists(), (path.name, link)
        if anchor and target in pages:
            assert anchor in pages[target].anchors, (path.name, link)


def test_what_is_cited_stands_in_the_sources() -> None:
    cells = (
        "".join(cell["source"])
        for notebook in (ROOT / "notebooks").glob("*.ipynb")
        for cell in json.loads(notebook.read_text())["cells"]
        if cell["cell_type"] == "markdown"
    )
    sources = ROOT / "notebooks" / "reference" / "sources.md"
    others = {*sources.parent.glob("*.md"), ROOT / "data" / "README.md"} - {sources}
    texts = [*cells, *(path.read_text() for path in others)]
    cited = {found for text in texts for found in re.findall(CITED, text)}
    assert len(cited) > 15
    assert {name for name in cited if f"`{name}`" not in sources.read_text()} == set()


def test_the_first_mention_of_a_term_leads_to_the_glossary(book: Path) -> None:
    links = Page(book / "notebooks" / "02_the_patch.html").links
    terms = [link for link in links if "reference/glossary.html#" in link]
    assert "reference/glossary.html#mmap-sem-mmap-lock" in terms
    assert "reference/glossary.html#convoy" in terms
    assert len(terms) == len(set(terms))


def test_frames_become_tables() -> None:
    names = ["preset", "waits", "p50", "largest"]
    frame = pl.DataFrame([["anon", 3, "1 ms", None], ["a<b", -1, "20 us", 7]], names, orient="row")
    table = as_table(frame._repr_html_())
    assert ">shape" not in table and "&quot;" not in table and "i64" not in table
    assert re.findall(r'<th class="(\w+)">(\w+)', table) == [
        ("words", "preset"),
        ("number", "waits"),
        ("number", "p50"),
        ("number", "largest"),
    ]
    assert re.findall(r"<td[^>]*>(.*?)</td>", table) == [
        *("anon", "3", "1 ms", "null"),
        *("a&lt;b", "-1", "20 us", "7"),
    ]
    assert as_table("<p>&quot;</p>") == "<p>&quot;</p>"
    with pl.Config(fmt_str_lengths=8):
        long = pl.DataFrame({"source": ["where it comes from"]})
        assert ">where it…<" in as_table(long._repr_html_()), "cut off, and without its quotes"
    odd = pl.DataFrame({"said": ['"<b>"', None, "it's", "1\n2", ""]})
    assert re.findall(r"<td[^>]*>(.*?)</td>", as_table(odd._repr_html_()), re.DOTALL) == [
        *("&quot;&lt;b&gt;&quot;", "null", "it&#x27;s", "1\n2", ""),
    ]
    kinds = pl.DataFrame({"kind": ["a"]}, {"kind": pl.Categorical})
    assert ">a<" in as_table(kinds._repr_html_())
    assert as_table(pl.DataFrame({"n": []})._repr_html_()).count("<tr>") == 1


def test_pages_ask_no_network(book: Path) -> None:
    pages = list(book.rglob("*.html"))
    assert pages
    for page in pages:
        for address in Page(page).loads:
            assert not re.match(r"\w+:|//", address), (page, address)
            assert (page.parent / address.partition("?")[0].partition("#")[0]).exists(), address
    for style in book.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", style.read_text()), style


def test_pages_have_what_draws_their_charts(book: Path) -> None:
    for page in (book / "notebooks").glob("*.html"):
        assert any(re.match(r"\.\./_static/charts\.js", address) for address in Page(page).loads)
    script = (book / "_static" / "charts.js").read_text()
    assert len(script) > 500_000  # Vega is in it
    assert ".vega-lite" in script


def test_the_page_of_the_face_has_every_name(book: Path) -> None:
    page = (book / "notebooks" / "reference" / "api.html").read_text()
    for name in rfcsim.__all__:
        if name not in ("charts", "live"):
            assert f'id="rfcsim.{name}"' in page, name
    for name in rfcsim.charts.__all__:
        assert f'id="rfcsim.charts.{name}"' in page, name

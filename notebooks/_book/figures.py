"""Figures: each chart of a notebook with its caption, its number, and what it shows in words.

In a notebook the paragraph below the n-th chart begins with "**Figure n.**", and the text says
"figure n". That reads well wherever notebooks are read. The book makes a figure of chart and
caption, counts by chapter ("Figure 4.2" is the second one of notebook 04), and turns every mention
in the text into a link.
"""

import re
from html import escape
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

CAPTION = re.compile(r"Figure (\d+)\.$")
MENTION = re.compile(r"\b([Ff]igure) (\d+)\b(?! of notebook)")
CHAPTER = re.compile(r"(\d\d)_")

logger = logging.getLogger(__name__)


def chapter_of(docname: str) -> str | None:
    """The number that a notebook's file name begins with, None for other pages."""
    match = CHAPTER.match(PurePosixPath(docname).name)
    return match and match[1]


class Figures(SphinxTransform):
    """Joins charts and captions, and links the figures that the text mentions."""

    default_priority = 850  # after MyST-NB has laid out the cells

    def apply(self, **kwargs: object) -> None:
        chapter = chapter_of(self.env.docname)
        if chapter is None:
            return
        charts, captions = list(_charts(self.document)), list(_captions(self.document))
        numbers = [number for _, number in captions]
        if numbers != list(range(1, len(charts) + 1)):
            logger.warning(
                "%d charts, but captions of figures %s",
                *(len(charts), numbers or "none"),
                location=self.env.docname,
            )
            return
        for chart, (caption, number) in zip(charts, captions, strict=True):
            _join(chart, caption, int(chapter), number)
        _link(self.document, int(chapter), len(charts))
        _number_title(self.document, chapter)


def _charts(document: nodes.document) -> list[nodes.container]:
    """The outputs that are charts: MyST-NB's container of each, with every MIME type."""
    return [
        output
        for output in document.findall(nodes.container)
        if output.get("nb_element") == "mime_bundle" and _description(output) is not None
    ]


def _description(output: nodes.container) -> str | None:
    described = (raw["description"] for raw in output.findall(nodes.raw) if "description" in raw)
    return next(described, None)


def _captions(document: nodes.document) -> list[tuple[nodes.paragraph, int]]:
    found = []
    for paragraph in document.findall(nodes.paragraph):
        first = next((child for child in paragraph if child.astext()), None)
        match = CAPTION.match(first.astext()) if isinstance(first, nodes.strong) else None
        if match:
            found.append((paragraph, int(match[1])))
    return found


def _join(chart: nodes.container, caption: nodes.paragraph, chapter: int, number: int) -> None:
    """Put a figure in the chart's place, and take the caption out of the text."""
    caption.parent.remove(caption)
    name = next(iter(caption.findall(nodes.strong)))
    name.replace_self(nodes.strong("", f"Figure {chapter}.{number}."))
    words = escape(_description(chart) or "")
    in_words = f'<details class="in-words"><summary>In words</summary><p>{words}</p></details>'
    figure = nodes.figure(ids=[f"figure-{number}"], classes=["chart"])
    chart.replace_self(figure)
    figure += chart
    figure += nodes.caption("", "", *caption.children)
    figure += nodes.legend("", nodes.raw(text=in_words, format="html"))


def _link(document: nodes.document, chapter: int, figures: int) -> None:
    for text in list(document.findall(nodes.Text)):
        if not _is_prose(text):
            continue
        parts: list[nodes.Node] = []
        at = 0
        for match in MENTION.finditer(text):
            if int(match[2]) > figures:
                logger.warning("there is no %s", match[0], location=text.parent)
                continue
            parts.append(nodes.Text(text[at : match.start()]))
            words = f"{match[1]} {chapter}.{match[2]}"
            parts.append(nodes.reference("", words, refuri=f"#figure-{match[2]}", internal=True))
            at = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def _is_prose(text: nodes.Text) -> bool:
    node = text.parent
    if isinstance(node, nodes.strong) and isinstance(node.parent, nodes.caption):
        return False
    while node is not None:
        if isinstance(node, nodes.literal | nodes.literal_block | nodes.reference | nodes.title):
            return False
        node = node.parent
    return True


def _number_title(document: nodes.document, chapter: str) -> None:
    """Put the chapter before the title, since the text speaks of "notebook 04"."""
    title = next(iter(document.findall(nodes.title)))
    title.insert(0, nodes.inline("", f"{chapter} ", classes=["chapter"]))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(Figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

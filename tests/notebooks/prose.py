"""Do the numbers in a notebook's prose still say what the run gives?

A quantity in a markdown cell says where it comes from in a comment right after it, which no
reader sees:

    ps waits 14 min 36 s<!--=ps_wait--> behind a window of 128 KiB<!--cited-->.

`<!--=NAME-->`: it is the value of NAME in a *figures cell*, a code cell with the tag `figures`
whose output is a dict of strings, such as {'ps_wait': '14 min 36 s'}. The stored output is
compared with a fresh run elsewhere (nbval), and with the prose here, so a changed result with
unchanged prose fails. `<!--cited-->`: it has another source, which data/ledger.toml names.
"""

import ast
import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

MARKER = re.compile(r"<!--(?:=(?P<name>\w+)|(?P<cited>cited))-->")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
TAG = re.compile(r"</?\w[^>]*>")
WIDE_SPACE = re.compile(r"[\s\u00a0\u2009\u202f]+")  # a line break, no-break and thin spaces

NUMBER = r"(?<![\w.])(?!(?:19|20)\d\ds\b)\d[\d,]*(?:\.\d+)?"
TIME = r"(?:[nuµμm]?s|(?:nano|micro|milli)?sec(?:ond)?s?|min(?:ute)?s?|h(?:ours?)?|days?|years?)"
SIZE = r"(?:[kKMGTP]i?B|(?:kilo|mega|giga|kibi|mebi|gibi)?bytes?|pages?)"
WORDS = r"(?:[\w()]+ ){0,2}[\w()]+"  # the things that a number counts
RATE = rf"(?:[kMG]?Hz|{WORDS}(?: ?/ ?(?:s|min|h)| (?:a|per) (?:second|minute|hour)))"
RATIO = r"(?:%|per ?cent|×|x|times|fold)"
QUANTITY = rf"{NUMBER}[ -]?(?:{RATE}|{TIME}|{SIZE}|{RATIO})(?!\w)"
QUANTITIES = re.compile(rf"{QUANTITY}(?: (?:and )?{QUANTITY})*")

_markdown = MarkdownIt("commonmark").enable(["table"]).use(dollarmath_plugin)


def figures(notebook: NotebookNode) -> dict[str, str]:
    """The values in the stored outputs of a notebook's figures cells.

    Raises
    ------
    ValueError
        If the output of a figures cell is not one dict of strings, or names a value twice, or if
        the value is written out in its source, so that it does not come from the run.
    """
    values: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or "figures" not in cell.metadata.get("tags", ()):
            continue
        try:
            (output,) = cell.outputs
            stored = ast.literal_eval(output.data["text/plain"])
            if not all(isinstance(text, str) for pair in stored.items() for text in pair):
                raise TypeError(stored)
        except (AttributeError, KeyError, SyntaxError, TypeError, ValueError):
            raise ValueError("a figures cell must put out one dict of strings") from None
        for name, value in stored.items():
            if name in values:
                raise ValueError(f"figures: {name!r} is there twice")
            if value in cell.source:
                raise ValueError(f"figures: {name!r} is written in its cell, not computed")
        values |= stored
    return values


def paragraphs(markdown: str) -> Iterator[str]:
    """The text that a reader sees, with its comments, block by block, without code and formulas."""
    for token in _markdown.parse(markdown):
        if token.type == "inline":
            yield WIDE_SPACE.sub(" ", "".join(map(_text, token.children or ())))
        elif token.type == "html_block":
            yield WIDE_SPACE.sub(" ", TAG.sub(" ", token.content))
        elif token.type == "fence" and token.info.startswith("{"):  # a MyST directive: a note
            yield from paragraphs(token.content)


def _text(token: Token) -> str:
    if token.type == "image":
        return token.content  # its alternative text
    if token.type in ("code_inline", "math_inline"):
        return "\N{OBJECT REPLACEMENT CHARACTER}"
    if token.type == "html_inline":
        return token.content if COMMENT.fullmatch(token.content) else ""
    return " " if token.type in ("softbreak", "hardbreak") else token.content


def complaints(notebook: NotebookNode) -> list[str]:
    """What is wrong with the quantities in a notebook's prose, one line each; [] if nothing is."""
    try:
        values = figures(notebook)
    except ValueError as error:
        return [str(error)]
    found: list[str] = []
    unused = set(values)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        for paragraph in paragraphs(cell.source):
            unused -= {marker["name"] for marker in MARKER.finditer(paragraph)}
            found += (f"cell {number}: {wrong}" for wrong in _wrong(paragraph, values))
    return found + [f"figures: {name!r} is nowhere in the prose" for name in sorted(unused)]


def citations(notebook: NotebookNode) -> list[str]:
    """The text before each `<!--cited-->` of a notebook: its paragraph up to there."""
    return [
        COMMENT.sub("", paragraph[: marker.start()])
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for paragraph in paragraphs(cell.source)
        for marker in MARKER.finditer(paragraph)
        if marker["cited"]
    ]


def _wrong(paragraph: str, values: dict[str, str]) -> Iterator[str]:
    for comment in COMMENT.finditer(paragraph):
        marker = MARKER.fullmatch(comment[0])
        before = paragraph[: comment.start()]
        if marker is None:
            yield f"{comment[0]} is no marker; there are <!--=NAME--> and <!--cited-->"
        elif marker["name"] is None:
            continue
        elif marker["name"] not in values:
            yield f"{comment[0]} names no value of a figures cell"
        elif not re.search(rf"(?<![\w.,-]){re.escape(values[marker['name']])}$", before):
            yield f"{comment[0]} stands behind {before[-40:]!r}; it is {values[marker['name']]!r}"
    for quantity in QUANTITIES.finditer(paragraph):
        if not MARKER.match(paragraph, quantity.end()):
            yield f"{quantity[0]!r} has neither <!--=NAME--> nor <!--cited--> behind it"

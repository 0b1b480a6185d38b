"""Links from every page to the glossary and to the sources, without a mark in the text.

Where a page first uses a term of the glossary, the term becomes a link, which shows the first
sentence of its entry when pointed at. So does every identifier of a message or a commit that is in
the sources.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

GLOSSARY, SOURCES = "notebooks/reference/glossary", "notebooks/reference/sources"
UNLINKED = ("index", GLOSSARY, SOURCES, "notebooks/reference/api")
ELSEWHERE = (nodes.reference, nodes.title, nodes.literal_block, nodes.raw)
IDENTIFIER = re.compile(r"[0-9a-f]{11,12}|\S+@\S+")  # of a commit or a message
SENTENCE = re.compile(r".+?\.(?= |$)")


class Entry(NamedTuple):
    """Where a term is explained, and its explanation in a sentence."""

    page: str
    anchor: str
    sentence: str


class Terms:
    """The terms and identifiers of a book, read from its own pages."""

    def __init__(self, env: BuildEnvironment) -> None:
        spellings: dict[str, Entry] = {}
        for section in _innermost(env.get_doctree(GLOSSARY)):
            entry = Entry(GLOSSARY, section["ids"][0], _first_sentence(section))
            for term in section[0].astext().split(", "):
                capital = term[0].upper() + term[1:]
                plurals = () if term.startswith("PG_") else (f"{term}s", f"{capital}s")
                spellings |= dict.fromkeys((term, capital, *plurals), entry)
        for section in _innermost(env.get_doctree(SOURCES)):
            entry = Entry(SOURCES, section["ids"][0], section[0].astext())
            paragraphs = (child for child in section if isinstance(child, nodes.paragraph))
            for code in (code for text in paragraphs for code in text.findall(nodes.literal)):
                if IDENTIFIER.fullmatch(code.astext()):
                    spellings[code.astext()] = entry
        self._spellings = spellings
        longest_first = sorted(spellings, key=len, reverse=True)
        any_of_them = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<![\w./-])(?:{any_of_them})(?![\w/(-]|\.\w)")

    def found_in(self, text: str) -> Iterator[tuple[re.Match[str], Entry]]:
        """The terms and identifiers in a text, each with its entry."""
        return ((match, self._spellings[match[0]]) for match in self._pattern.finditer(text))


def _innermost(page: nodes.document) -> list[nodes.section]:
    """The sections that have no section inside: the entries."""
    sections = page.findall(nodes.section)
    return [section for section in sections if len(list(section.findall(nodes.section))) == 1]


def _first_sentence(section: nodes.section) -> str:
    paragraph = next(child for child in section if isinstance(child, nodes.paragraph))
    words = paragraph.findall(nodes.Text)
    text = "".join(word for word in words if not isinstance(word.parent, nodes.raw))
    text = " ".join(text.split())
    sentence = SENTENCE.match(text)
    return sentence[0] if sentence else text


def link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Make the links of one page."""
    if docname in UNLINKED:
        return
    terms = app.env.temp_data.setdefault("rfcsim_terms", None) or Terms(app.env)
    app.env.temp_data["rfcsim_terms"] = terms
    seen: set[Entry] = set()
    for text in list(doctree.findall(nodes.Text)):
        if any(isinstance(parent, ELSEWHERE) for parent in _parents(text)):
            continue
        parts: list[nodes.Node] = []
        at = 0
        for match, entry in terms.found_in(text):
            if entry in seen:
                continue
            seen.add(entry)
            address = app.builder.get_relative_uri(docname, entry.page)
            parts.append(nodes.Text(text[at : match.start()]))
            parts.append(
                nodes.reference(
                    "",
                    match[0],
                    refuri=f"{address}#{entry.anchor}",
                    reftitle=entry.sentence,
                    internal=True,
                    classes=["term"],
                )
            )
            at = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def _parents(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

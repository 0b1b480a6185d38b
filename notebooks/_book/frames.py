"""Frames as tables for readers: without Polars' notes on shape and types, and without quotes."""

import re
from html import escape
from html.parser import HTMLParser

TEXT = ("str", "cat", "enum")  # the types whose values Polars puts in quotes
QUANTITY = re.compile(r"[-+±]?\d|null$|$")  # a value with or without a unit, or one there is not


class Frame(HTMLParser):
    """What the HTML of a frame says.

    Attributes
    ----------
    is_frame : bool
        Whether it is the HTML of a frame at all.
    rows : list of list of str
        The names of the columns, their types, then the rows.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.is_frame = False
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.is_frame |= ("class", "dataframe") in attrs
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell &= tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def as_table(html: str) -> str:
    """Turn the HTML of a frame into a table with words flush left and numbers flush right.

    Any other HTML stays as it is.
    """
    frame = Frame(html)
    if not frame.is_frame:
        return html
    names, types, *rows = frame.rows
    quoted = [kind in TEXT for kind in types]
    rows = [[_words(*each) for each in zip(row, quoted, strict=True)] for row in rows]
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    sides = ["number" if all(map(QUANTITY.match, column)) else "words" for column in columns]
    body = "".join(_row("td", row, sides) for row in rows)
    return (
        f'<table class="dataframe"><thead>{_row("th", names, sides)}</thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _words(cell: str, quoted: bool) -> str:
    """A cell without its quotes; what is cut off has no second one, and null has none."""
    if not quoted or not cell.startswith('"'):
        return cell
    return cell[1:].removesuffix('"')


def _row(kind: str, cells: list[str], sides: list[str]) -> str:
    pairs = zip(cells, sides, strict=True)
    inner = "".join(f'<{kind} class="{side}">{escape(cell)}</{kind}>' for cell, side in pairs)
    return f"<tr>{inner}</tr>"

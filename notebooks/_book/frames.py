"""Frames as tables for readers: without Polars' notes on shape and types, strings unquoted."""

import re

FRAME = re.compile(
    r"<div><style>.*?</style>\s*<small>.*?</small>"
    r'<table border="1" class="dataframe"><thead>(?P<head>.*?)</thead>'
    r"<tbody>(?P<body>.*?)</tbody></table></div>",
    re.DOTALL,
)
ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<t[hd]>(.*?)</t[hd]>", re.DOTALL)
QUOTED = re.compile(r"^&quot;(.*?)(?:&quot;)?$", re.DOTALL)  # what is cut off has no second quote
NUMBER = re.compile(r"[-+±]?\d|null$|$")  # a quantity, too, and what has none


def as_table(html: str) -> str:
    """The HTML of a frame with its words to the left and its numbers to the right.

    HTML that is not of a frame stays as it is.
    """
    return FRAME.sub(_table, html)


def _table(frame: re.Match[str]) -> str:
    names, _types = map(CELL.findall, ROW.findall(frame["head"]))
    rows = [
        [QUOTED.sub(r"\1", cell) for cell in cells]
        for cells in map(CELL.findall, ROW.findall(frame["body"]))
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    aligned = [
        "number" if all(NUMBER.match(cell) for cell in column) else "words" for column in columns
    ]

    def line(kind: str, cells: list[str]) -> str:
        pairs = zip(cells, aligned, strict=True)
        return "".join(f'<{kind} class="{side}">{cell}</{kind}>' for cell, side in pairs)

    head = f"<thead><tr>{line('th', names)}</tr></thead>"
    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f'<table class="dataframe">{head}<tbody>{body}</tbody></table>'

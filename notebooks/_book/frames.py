"""Frames as tables for readers: without Polars' notes on shape and types, and without quotes."""

import re

FRAME = re.compile(
    r"<div><style>.*?</style>\s*<small>.*?</small>"
    r'<table border="1" class="dataframe"><thead>(?P<head>.*?)</thead>'
    r"<tbody>(?P<body>.*?)</tbody></table></div>",
    re.DOTALL,
)
ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<t[hd]>(.*?)</t[hd]>", re.DOTALL)
QUOTED = re.compile(r"^&quot;(.*?)(?:&quot;)?$", re.DOTALL)  # if cut off, without the second quote
NUMBER = re.compile(r"[-+±]?\d|null$|$")  # also with a unit, or missing


def as_table(html: str) -> str:
    """Turn the HTML of a frame into a table with words flush left and numbers flush right.

    Any other HTML stays as it is.
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

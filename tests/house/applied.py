"""Pages that say how to add something to the package: applied to a copy of it, and tried there.

A page has its edits in blocks

    ```diff
    --- rfcsim/model/layout/rule.py
     a line that stays
    -a line that goes
    +a line that comes
    ```

with "@@" between two edits of one file. What stays and goes stands in the file once. A file that
is not there is made, and of `data/costs/*.toml` all are edited. A block of TOML that begins with a
comment of its name is a file as well. The commands of the page are the lines "rfcsim ...".

All runs are in plain Python, without Numba: to compile a changed model takes longer than to run it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.house.project import ROOT
from tests.notebooks.prose import complaints

_EDITS = re.compile(r"^```diff\n--- (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILES = re.compile(r"^```toml\n# (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMANDS = re.compile(r"^rfcsim (.*)$", re.MULTILINE)
_TOLD = re.compile(r"^\| `([^`]+)` in `([^`]+)` \| `([^`]+)` \| ([^|]+) \|$", re.MULTILINE)

Done = subprocess.CompletedProcess[str]


class Edit(NamedTuple):
    """Lines of a file that become others."""

    file: str
    before: str
    after: str
    added: list[str]


class Forgotten(NamedTuple):
    """What a page says happens to those who leave an edit out."""

    word: str  # in the edit; of several that have it, the shortest is meant
    file: str
    teller: str  # a command, a call in Python, or a file of tests
    message: str

    def __str__(self) -> str:
        return f"{self.word} in {self.file}"


class Page:
    """A page of notebooks/reference/, taken apart."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / "notebooks" / "reference" / f"{name}.md").read_text()
        self.edits = [
            _edit(file, hunk)
            for file, hunks in _EDITS.findall(self.text)
            for hunk in hunks.split("@@\n")
        ]
        self.files: dict[str, str] = dict(_FILES.findall(self.text))
        self.commands: list[str] = _COMMANDS.findall(self.text)
        self.forgotten = [Forgotten(*row) for row in _TOLD.findall(self.text)]

    @property
    def lines_added(self) -> int:
        """How many lines one has to write."""
        return sum(len(edit.added) for edit in self.edits)

    def complaints(self, figures: Mapping[str, str]) -> list[str]:
        """What is wrong with the numbers in its prose; [] if nothing is."""
        output = new_output("execute_result", {"text/plain": repr(dict(figures))})
        cells = [
            new_code_cell("computed()", outputs=[output], metadata={"tags": ["figures"]}),
            new_markdown_cell(self.text),
        ]
        return complaints(new_notebook(cells=cells))


def _edit(file: str, hunk: str) -> Edit:
    lines = hunk.splitlines(keepends=True)
    before, after = ("".join(line[1:] for line in lines if line[0] in f" {s}") for s in "-+")
    return Edit(file, before, after, [line[1:] for line in lines if line[0] == "+"])


class Copy:
    """A copy of the project in a folder, edited as a page says."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.folder = folder
        self.page = page
        for name in ("rfcsim", "data", "tests", "notebooks/reference"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, folder)
        for edit in page.edits:
            self._replace(edit.file, edit.before, edit.after)
        for name, text in page.files.items():
            (folder / name).write_text(text)

    def _replace(self, file: str, before: str, after: str) -> None:
        paths = sorted(self.folder.glob(file)) or [self.folder / file]
        for path in paths:
            text = path.read_text() if path.exists() else ""
            found = text.count(before) if before or text else 1
            assert found == 1, f"{path.name} has {found} times:\n{before}"
            path.write_text(text.replace(before, after) if before else after)

    @contextmanager
    def without(self, forgotten: Iterable[Forgotten]) -> Iterator[None]:
        """Leave edits out."""
        edits = [
            min(
                (e for e in self.page.edits if e.file == one.file and one.word in e.after),
                key=lambda edit: len("".join(edit.added)),
            )
            for one in forgotten
        ]
        for edit in edits:
            self._replace(edit.file, edit.after, edit.before)
        try:
            yield
        finally:
            for edit in edits:
                self._replace(edit.file, edit.before, edit.after)

    def python(self, *arguments: str) -> Done:
        # COLUMNS would say how wide a table may be.
        here = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=here | {"PYTHONPATH": str(self.folder), "NUMBA_DISABLE_JIT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, line: str, *more: str) -> Done:
        """A command of the page, without its "rfcsim"."""
        return self.python("-m", "rfcsim", *line.split(), *more)

    def results(self, line: str) -> dict[str, Any]:
        """What `rfcsim run` prints with --json."""
        done = self.command(line, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def tests(self, *files: str, select: str) -> Done:
        options = ["-q", "-p", "no:cacheprovider", "-k", select]
        return self.python("-m", "pytest", *options, *files)

    def passed(self, *files: str, select: str) -> int:
        """How many tests pass, which all must."""
        done = self.tests(*files, select=select)
        assert done.returncode == 0, done.stdout + done.stderr
        counted = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
        assert counted is not None, done.stdout
        return int(counted[1])

    def complaints_of_style(self) -> str:
        """What ruff says of the files that were edited; "" if nothing."""
        files = sorted({edit.file for edit in self.page.edits if ".py" in edit.file})
        checks = (["check"], ["format", "--diff"])
        several = [self.python("-m", "ruff", *check, "--quiet", *files) for check in checks]
        return "".join(done.stdout + done.stderr for done in several)

    def _ask(self, teller: str, select: str) -> Done:
        if teller.endswith(".py"):
            return self.tests(teller, select=select)
        if teller.startswith("rfcsim "):
            return self.command(teller.removeprefix("rfcsim "))
        return self.python("-c", f"import rfcsim; {teller}")

    def untold(self, *, select: str) -> list[Forgotten]:
        """The edits of the page's table that can be left out without the message it promises."""
        untold = []
        for teller, together in groupby(self.page.forgotten, key=lambda one: one.teller):
            rows = list(together)
            # What stops the import hides everything else; what only fails a test does not.
            for several in [rows] if teller.endswith(".py") else [[row] for row in rows]:
                with self.without(several):
                    done = self._ask(teller, select)
                told = re.sub(r"\s+", " ", done.stdout + done.stderr)
                untold += [one for one in several if not done.returncode or one.message not in told]
        return untold


def row_of(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The one row that has these values; "class" is spelled "group"."""
    wanted = {"class" if key == "group" else key: value for key, value in wanted.items()}
    (row,) = (row for row in rows if wanted.items() <= row.items())
    return row

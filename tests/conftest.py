"""What all tests share: examples of property tests that never change, the command, the book."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from rfcsim import cli
from tests.house.project import ROOT

settings.register_profile("rfcsim", derandomize=True, deadline=None, database=None)
settings.load_profile("rfcsim")


@pytest.fixture
def rfcsim(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process: status, standard output, standard error."""
    monkeypatch.delenv("COLUMNS", raising=False)  # how wide a table may be

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rfcsim", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book's pages, made from the stored notebooks: none is executed, no warning is allowed."""
    pages = tmp_path_factory.mktemp("book") / "site"
    build = [sys.executable, "notebooks/_book/build.py", "--strict", "notebooks", str(pages)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert str(pages / "index.html") in built.stdout
    return pages

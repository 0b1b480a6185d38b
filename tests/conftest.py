"""What all tests share: examples of property tests that never change, and the command."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from rfcsim import cli

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

"""What all tests share: examples of property tests that never change, the command, the book.

No test may fail because the machine is busy, or because of how the tests were started.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rfcsim import cli
from tests.house.project import ROOT

settings.register_profile(
    "rfcsim",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # by the clock
)
settings.load_profile("rfcsim")

for number in (signal.SIGTERM, signal.SIGCHLD):  # ignored, no child would end, or tell how
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if hasattr(item, "output_timeout"):  # a cell of a notebook: nbval has no option for this
            item.output_timeout = 3600  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT interrupts, here and in what is started from here.

    Whoever started the tests may have ignored or blocked it, as a shell does for what runs in the
    background. Without this, a test that sends one would wait for ever.
    """
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGINT, handler)


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

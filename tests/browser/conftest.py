"""The book in a real browser: Chromium without a window, driven by Playwright."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.chromium import launch
from tests.browser.reader import Reader


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Only for a module: while Playwright is at work, no other event loop can run.
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a history."""
    context = browser.new_context(offline=True)
    context.set_default_timeout(0)  # however busy the machine is
    yield context
    context.close()


@pytest.fixture
def reader(context: BrowserContext, book: Path) -> Iterator[Reader]:
    """A reader of the book; at the end, nothing has gone wrong that a console would show."""
    reader = Reader(context.new_page(), book)
    yield reader
    assert reader.troubles == []

"""The explorer in a real JupyterLab: it is drawn, follows, and works by keyboard alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.lab import control, laboratory, picture, settle

PICTURES = Path(__file__).parents[2] / "build" / "browser"
CONTROLS = ("backing", "design", "lock policy", "batch pages", "threads")


@pytest.fixture(scope="module")
def lab() -> Iterator[tuple[Page, list[str]]]:
    with laboratory("import rfcsim\nrfcsim.explorer()") as (page, complaints):
        picture(page)
        settle(page)
        yield page, complaints


def words(page: Page) -> str:
    return page.locator("[role=status]").inner_text()


def marks(page: Page) -> list[int]:
    """How many bars, points of lines, and parts of waits are drawn."""
    kinds = (".mark-rect path", ".mark-line path", ".mark-rule line")
    return [picture(page).locator(kind).count() for kind in kinds]


def press(page: Page, name: str, key: str) -> None:
    before = settle(page)
    control(page, name).focus()
    page.keyboard.press(key)
    page.locator(f"[data-shown]:not([data-shown='{before}'])").wait_for()
    settle(page)


def test_it_draws_timeline_tail_and_blame(lab: tuple[Page, list[str]]) -> None:
    page, complaints = lab
    bars, lines, parts = marks(page)
    assert bars > 20 and lines == 4 and parts >= 8
    assert "mlock() takes" in words(page)
    told = picture(page).locator("[role=figure]").get_attribute("aria-label") or ""
    assert "what the waits are due to" in told
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "explorer-lab.png")
    assert complaints == []


def test_every_control_is_reached_by_the_keyboard_and_the_picture_follows(
    lab: tuple[Page, list[str]],
) -> None:
    page, complaints = lab
    control(page, CONTROLS[0]).focus()
    for name in CONTROLS[1:]:
        tabs = 0
        while not control(page, name).evaluate("element => element === document.activeElement"):
            assert tabs < 3, name  # the number of a slider may also be a stop
            page.keyboard.press("Tab")
            tabs += 1
    seen = {words(page)}
    for name in reversed(CONTROLS):
        press(page, name, "ArrowRight")
        seen.add(words(page))
    assert len(seen) >= 5  # a policy may change nothing if nobody steals
    assert complaints == []


def test_a_burst_of_steps_ends_at_the_last(lab: tuple[Page, list[str]]) -> None:
    page, complaints = lab
    control(page, "threads").focus()
    for _ in range(30):  # beyond the end, at which it stays
        page.keyboard.press("ArrowRight")
    settle(page)
    box = page.locator(".widget-inline-hbox", has=page.locator("label", has_text="threads"))
    assert box.locator(".widget-readout").inner_text() == "16"
    many = words(page)
    control(page, "threads").press("ArrowLeft")
    settle(page)
    control(page, "threads").press("ArrowRight")
    settle(page)
    assert words(page) == many
    assert complaints == []

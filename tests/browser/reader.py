"""A reader of the book in a browser, who notes what goes wrong."""

from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import ConsoleMessage, Page, Request

Theme = Literal["light", "dark"]
HEIGHT = 900
LOCAL = ("file:", "data:", "blob:")


class Reader:
    """A page of the browser, and the folder of the book.

    Attributes
    ----------
    page : playwright.sync_api.Page
    troubles : list of str
        Errors and warnings of the console, errors of scripts, requests to other machines, and
        requests that failed.
    """

    def __init__(self, page: Page, book: Path) -> None:
        self.page = page
        self.troubles: list[str] = []
        self._book = book
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(LOCAL):
            self.troubles.append(f"leaves the machine: {request.url}")

    def open(
        self, name: str, *, theme: Theme = "light", width: int = 1400, query: str = ""
    ) -> None:
        """Open a page of the book from its file, and wait until its charts are drawn."""
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.goto((self._book / f"{name}.html").as_uri() + query)
        self.wait(theme, width)

    def turn(self, theme: Theme, width: int) -> None:
        """Change the theme and width of the open page."""
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.wait(theme, width)

    def wait(self, theme: Theme, width: int) -> None:
        self.page.wait_for_selector(f'html[data-drawn="{theme} {width}"]')

    def settle(self) -> None:
        """Wait until what the keyboard has done is drawn: at the latest with the next frame."""
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def charts(self) -> list[dict[str, Any]]:
        """How many marks each chart has, and which of them lie outside it."""
        return self.page.evaluate(CHARTS)

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


CHARTS = """() => [...document.querySelectorAll(".vega-lite")].map((place) => {
  const view = place.querySelector("svg")?.getBoundingClientRect();
  const marks = [...place.querySelectorAll("svg .role-mark :is(path, line, text)")];
  const boxes = marks.map((mark) => mark.getBoundingClientRect());
  const drawn = boxes.filter((box) => box.width > 0 || box.height > 0);
  const inside = (box) => box.right >= view.left && box.left <= view.right
    && box.bottom >= view.top && box.top <= view.bottom;
  return {
    marks: drawn.length,
    outside: drawn.filter((box) => !inside(box)).length,
    ground: getComputedStyle(place.querySelector("svg")).backgroundColor,
    name: place.querySelector("svg")?.getAttribute("aria-label") ?? "",
    width: view?.width ?? 0,
    room: place.clientWidth,
  };
})"""

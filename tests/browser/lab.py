"""A separate JupyterLab in a headless Chromium, with the explorer in a notebook.

`python -m tests.browser.lab` measures how long the explorer takes to follow a slider.
"""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page, sync_playwright

from tests.browser.chromium import launch

STEPS = 40

# Before that, JupyterLab would ask which kernel to take, although it says that it is idle.
CONNECTED = """
() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus
      === "connected"
"""
# Comes back when the kernel has done, and the page has seen, all that was asked of it before. What
# is asked of a widget while it is at work, waits for that: so twice. Then it is drawn.
ROUND_TRIP = """
async () => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  for (let time = 0; time < 2; time += 1) {
    await kernel.requestExecute({ code: "", silent: true, store_history: false }).done;
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}
"""
WATCH = """
(picture) => {
  window.times = [];
  window.asked = null;
  document.addEventListener("keydown", () => { window.asked = performance.now(); }, true);
  new MutationObserver(() => requestAnimationFrame(() => {
    window.times.push(performance.now() - window.asked);
  })).observe(picture, { attributes: true, attributeFilter: ["data-shown"] });
}
"""


@contextlib.contextmanager
def laboratory(*cells: str) -> Iterator[tuple[Page, list[str]]]:
    """JupyterLab with a notebook of these cells, run from top to bottom.

    Yields
    ------
    page : playwright Page
    complaints : list of str
        Errors on its console, and requests to other machines, all of which are blocked.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, Path(folder) / "explorer.ipynb")
        address = stack.enter_context(_server(folder))
        playwright = stack.enter_context(sync_playwright())
        browser = launch(playwright)
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1400, "height": 1400})
        page.set_default_timeout(0)  # the first run compiles the simulator
        complaints = _watched(page, urlsplit(address).netloc)
        page.goto(address.replace("/lab", "/lab/tree/explorer.ipynb"))
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        page.wait_for_function(CONNECTED)
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        yield page, complaints


@contextlib.contextmanager
def _server(folder: str) -> Iterator[str]:
    """A Jupyter server without this user's settings; yields its address, with the token."""
    own = {name: f"{folder}/.{name}" for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0"]
    options = [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None", "--allow-root"]
    options += ["--expose-app-in-browser", "--MappingKernelManager.kernel_info_timeout=3600"]
    server = subprocess.Popen(
        [*command, *options],
        cwd=folder,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = []
        for line in server.stdout or ():
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", line):
                break
        else:
            raise RuntimeError("JupyterLab did not start:\n" + "".join(said[-5:]))
        yield found[0]
    finally:
        server.terminate()
        server.communicate()


def _watched(page: Page, host: str) -> list[str]:
    complaints: list[str] = []

    def judge(route) -> None:
        if urlsplit(route.request.url).netloc == host:
            route.continue_()
        else:
            complaints.append(f"asks {route.request.url}")
            route.abort()

    page.route(re.compile("^https?:"), judge)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    return complaints


def picture(page: Page) -> Locator:
    """The explorer's picture, once it is drawn."""
    found = page.locator("[data-shown]")
    found.wait_for()
    return found


def control(page: Page, name: str) -> Locator:
    """The part of a control that the keyboard moves: the handle of its slider."""
    box = page.locator(".widget-inline-hbox", has=page.locator("label", has_text=name))
    return box.locator(".noUi-handle")


def settle(page: Page) -> int:
    """Wait until the picture no longer changes, and say how many runs it has shown."""
    shown = -1
    while shown != (now := int(picture(page).get_attribute("data-shown") or 0)):
        shown = now
        page.evaluate(ROUND_TRIP)
    return shown


def measure() -> list[float]:
    """Milliseconds from a key press on the batch slider to the first frame with the new run."""
    with laboratory("import rfcsim\nrfcsim.explorer(batch_pages=64)") as (page, _):
        picture(page).evaluate(WATCH)
        handle = control(page, "batch")
        handle.focus()
        settle(page)
        for step in range(STEPS):
            before = picture(page).get_attribute("data-shown")
            page.keyboard.press("ArrowRight" if step % 8 < 4 else "ArrowLeft")
            page.locator(f"[data-shown]:not([data-shown='{before}'])").wait_for()
            settle(page)
        return page.evaluate("window.times")


if __name__ == "__main__":
    times = sorted(measure())
    print(
        f"{len(times)} steps of the slider, 64 to 1024 pages: median {statistics.median(times):.0f}"
        f" ms, nine in ten {times[int(0.9 * len(times))]:.0f} ms, slowest {times[-1]:.0f} ms;"
        " aim: below 150 ms"
    )

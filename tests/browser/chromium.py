"""Chromium without a window, as Playwright starts it."""

import shutil

from playwright.sync_api import Browser, Playwright

CHROMIUM = shutil.which("chromium")  # ensure-chromium.sh installs it
# What Chromium would do by itself: report, update, look for a GPU; and its sandbox, which needs
# rights that a container has not.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-sandbox",
)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, timeout=0)

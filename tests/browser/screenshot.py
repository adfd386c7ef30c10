"""Take the README's picture of a running studio: `python -m tests.browser.screenshot ADDRESS FILE`."""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS

if __name__ == "__main__":
    address, file = sys.argv[1:3]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_selector("#speech-text textarea")
        page.click("#speech-generate")
        page.wait_for_function("() => document.querySelector('#speech-status').innerText.includes('of speech')")
        page.wait_for_function("() => document.querySelector('#speech-player audio').currentTime > 2")
        page.screenshot(path=file, full_page=True)
        browser.close()

"""Take the README's pictures of a running studio: `python -m tests.browser.screenshot ADDRESS docs`."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS

WIDTH = 1440
HEIGHTS = {"speech": 1480, "music": 1240, "models": 1180}  # what is below says nothing new
PLAYED = "() => (document.querySelector('#{}-player audio')?.currentTime ?? 0) > {}"


def take(page: Any, file: Path, height: int) -> None:
    """Write the top of the page with 256 colours, which is a third of the size."""
    whole = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    whole.crop((0, 0, WIDTH, min(height, whole.height))).quantize(256).save(file, optimize=True)


def main(address: str, folder: Path) -> None:
    """Let the first sentence be spoken and the first piece be composed, and take each tab."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.click("#speech-generate")
        page.wait_for_function("() => document.querySelector('#speech-status').innerText.includes('of speech')")
        page.wait_for_function(PLAYED.format("speech", 2))
        take(page, folder / "speech.png", HEIGHTS["speech"])
        page.get_by_role("tab", name="Music", exact=True).click()
        page.click("#music-compose")
        page.wait_for_function("() => document.querySelector('#music-status').innerText.includes('of music')")
        page.wait_for_function(PLAYED.format("music", 8))
        take(page, folder / "music.png", HEIGHTS["music"])
        page.get_by_role("tab", name="Models", exact=True).click()
        page.wait_for_selector("#shelf-model")
        take(page, folder / "models.png", HEIGHTS["models"])
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

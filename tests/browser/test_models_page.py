"""A person at the Models tab: puts a Hub repository on the shelf, works with it in its tab, deletes it."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import open_tab
from tests.hub_server import HubServer
from tests.tiny_models import tiny

KEY = "speech/tiny--voice"
CARD = f"#shelf-overview [data-key='{KEY}']"


def _said(page: Any, where: str, text: str) -> None:
    page.wait_for_function(f"() => document.querySelector('#{where}').innerText.includes({text!r})")


def test_from_the_id_of_a_repository_to_speech_and_back(page: Any, hub: HubServer) -> None:
    hub.add_repo("tiny/voice", tiny("vits"))
    open_tab(page, "Models")
    page.fill("#shelf-repository input, #shelf-repository textarea", "https://huggingface.co/tiny/voice")
    page.click("#shelf-add")
    _said(page, "shelf-status", "tiny/voice is on the shelf of Speech")
    page.wait_for_selector(f"{CARD}[data-state=absent]")

    open_tab(page, "Speech")
    page.click("#speech-model input")
    page.get_by_role("option", name="tiny/voice").click()
    _said(page, "speech-shelf", "to download first")
    page.fill("#speech-text textarea", "Hello the sea.")
    hub.gate.clear()
    try:
        page.click("#speech-generate")
        _said(page, "speech-status", "Downloading")
        page.wait_for_selector("#speech-status .bar")
    finally:
        hub.gate.set()
    _said(page, "speech-status", "of speech")
    page.wait_for_selector(".alignment-picture")

    open_tab(page, "Models")
    chosen, title = "document.querySelector('#shelf-model input').value", "Speech · tiny/voice"
    page.locator("#shelf-overview .model button").first.click()  # a card chooses its model
    page.wait_for_function(f"() => {chosen} !== {title!r}")
    page.locator(f"{CARD} button").click()
    page.wait_for_function(f"() => {chosen} === {title!r}")
    page.click("#shelf-verify:enabled")
    _said(page, "shelf-status", "complete and undamaged")
    page.wait_for_selector(f"{CARD}[data-state=ready]")
    page.click("#shelf-free:enabled")
    page.wait_for_selector(f"{CARD}[data-state=here]")
    page.click("#shelf-delete:enabled")
    _said(page, "shelf-status", "is deleted")
    page.wait_for_selector(f"{CARD}[data-state=absent]")
    page.click("#shelf-off:enabled")
    page.wait_for_function(f"() => document.querySelector({CARD!r}) === null")

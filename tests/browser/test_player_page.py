"""A person before the first press: plays an example by the keyboard, takes its settings, goes through the tabs."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import settle

EXAMPLE = ".example:nth-of-type(2)"
TAKEN = "() => document.querySelector('#speech-text textarea')?.value.startsWith('The night train')"
HEARD = f"document.querySelector('{EXAMPLE} audio')"


def test_an_example_is_played_and_its_settings_are_taken_by_keyboard_alone(page: Any) -> None:
    page.focus(f"{EXAMPLE} .start")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => {HEARD}.currentTime > 0.2")
    assert page.get_attribute(f"{EXAMPLE} .start", "aria-label") == "Pause The night train"
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => {HEARD}.paused")
    page.keyboard.press("Tab")  # the position
    page.keyboard.press("End")
    page.wait_for_function(f"() => {HEARD}.currentTime > {HEARD}.duration - 0.2")
    assert page.get_attribute(f"{EXAMPLE} .seek", "aria-valuetext") == "0:04 of 0:04"
    page.wait_for_function("() => window.auralumeDrafts")
    page.focus(f"{EXAMPLE} .example-settings")
    page.keyboard.press("Enter")
    page.wait_for_function(TAKEN)
    settle(page)
    page.reload()
    page.wait_for_function(TAKEN)  # what was clicked is a draft, too
    page.wait_for_function("() => window.auralumeDrafts")
    settle(page)

    page.locator(".more > button", has_text="Dictionary").click()
    page.wait_for_selector("#speech-dictionary textarea")
    page.focus("#speech-dictionary textarea")
    page.keyboard.press("Escape")
    page.wait_for_selector("#speech-dictionary textarea", state="hidden")
    assert page.evaluate("() => document.activeElement.textContent").strip().startswith("Dictionary")

    bar = page.locator(".tab-wrapper").first
    bar.get_by_role("tab", name="Speech", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#music-compose")
    page.keyboard.press("End")
    page.wait_for_selector("#shelf-model")
    assert page.evaluate("() => document.activeElement.textContent") == "Models"
    outline = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"

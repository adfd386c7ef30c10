"""Every control of every tab can be reached: nothing lies over its middle, axe-core finds nothing serious.

One page load serves all. With their results the tabs are looked at where their tests make some.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.conftest import open_page, open_tab, pick, settle
from tests.browser.reach import COVERED, TALL, WIDTHS, list_problems, prepare

INNER = {
    "Video": "Check and fix sync",
    "Style Transfer": "Audio",
}
TABS = ("Speech", "Music", "Video", "Music Video", "Style Transfer", "Live", "Library", "Models")


def speak(page: Any) -> None:
    """Make a result in the Speech tab, with its settings open beside it."""
    pick(page, "#speech-model", "Debug quick")
    for fold in ("Dictionary", "More settings"):
        page.locator("#speech-model").locator("xpath=ancestor::*[contains(@class, 'card')][1]").get_by_role(
            "button", name=fold
        ).click()
    page.click("#speech-generate")
    page.wait_for_selector("#speech-generate:enabled")
    page.wait_for_selector("#library-shelf-root .result-card")
    settle(page)


def test_no_control_is_covered_and_nothing_serious_is_in_the_way(chromium: Any, address: str) -> None:
    problems: list[str] = []
    more: dict[str, Callable[[Any], None]] = {"Speech": speak}
    for page in open_page(chromium, address, viewport={"width": WIDTHS[-1], "height": TALL}):
        prepare(page)
        for tab in TABS:
            if tab != TABS[0]:
                open_tab(page, tab)
            problems += list_problems(page, tab)
            if tab in more:
                more[tab](page)
                problems += list_problems(page, f"{tab} with a result")
            if tab in INNER:
                page.get_by_role("tab", name=INNER[tab], exact=True).click()
                settle(page)
                problems += list_problems(page, f"{tab}, {INNER[tab]}")
        page.evaluate("() => document.body.append(Object.assign(document.createElement('div'), { id: 'lid' }))")
        page.add_style_tag(content="#lid { position: fixed; inset: 0; z-index: 9999; }")
        assert page.evaluate(COVERED), "a lid over the whole page must be found"
    assert "\n".join(problems) == ""

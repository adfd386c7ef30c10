"""Every control of every tab and state can be reached: nothing lies over its middle, axe-core finds nothing serious.

One page load serves all. A window as tall as the page needs no scrolling; what is covered does not depend on the theme,
what can be read does: in the dark axe-core looks at contrast alone.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import open_page, open_tab, pick, settle

WIDTHS, TALL = (390, 768, 1440), 4200
INNER = {
    "Video": "Check and fix sync",
    "Style Transfer": "Audio",
}
TABS = ("Speech", "Music", "Video", "Music Video", "Style Transfer", "Live", "Library", "Models")
# Controls whose middle another element covers. Gradio measures its bar of tabs on a copy that nobody sees.
COVERED = """() => {
  const found = [];
  const all = document.querySelectorAll("button, input, textarea, select, summary, a[href], [role=button]");
  scrollTo(0, 0);
  for (const each of all) {
    if (each.offsetParent === null || each.disabled) continue;
    if (each.closest(".unseen, .visually-hidden, [aria-hidden=true]")) continue;
    const style = getComputedStyle(each), middle = { block: "center", inline: "center", behavior: "instant" };
    if (style.visibility === "hidden" || style.opacity === "0") continue;
    const seen = () => {
      const box = each.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2, box];
    };
    let [x, y, box] = seen();
    const inside = () => x >= 0 && y >= 0 && x <= innerWidth && y <= innerHeight;
    const top = () => document.elementFromPoint(x, y);
    const reached = (other) => other && (each.contains(other) || other.contains(each));
    if (box.width < 4 || box.height < 4) continue;
    if (!inside() || !reached(top())) { each.scrollIntoView(middle); [x, y, box] = seen(); }
    if (inside() && top() && !reached(top())) {
      const named = each.id || each.ariaLabel || each.textContent.trim().slice(0, 30);
      found.push(`${named} under ${top().id || top().className}`);
    }
  }
  return found;
}"""
SERIOUS = """async (isDark) => {
  const rules = isDark ? { runOnly: { type: "rule", values: ["color-contrast"] } } : {};
  const found = (await axe.run(document, { resultTypes: ["violations"], ...rules })).violations;
  return found.filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
}"""
DARK = "(isDark) => { document.body.classList.toggle('dark', isDark); }"


def find_axe() -> str:
    """Return the script of axe-core; skips where it is not installed."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-core is not here; it comes with axe-playwright-python of requirements-dev.txt")
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")


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
    axe = find_axe()
    problems: list[str] = []

    def check(page: Any, state: str) -> None:
        for is_dark in (False, True):
            page.evaluate(DARK, is_dark)
            theme = "dark" if is_dark else "light"
            problems.extend(f"{state}, {theme}: {each}" for each in page.evaluate(SERIOUS, is_dark))
        page.evaluate(DARK, False)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": TALL})
            page.wait_for_timeout(60)
            problems.extend(f"{state}, {width} px: {each}" for each in page.evaluate(COVERED))

    more: dict[str, Callable[[Any], None]] = {"Speech": speak}
    for page in open_page(chromium, address, viewport={"width": WIDTHS[-1], "height": TALL}):
        page.evaluate(axe)
        page.add_style_tag(content="* { transition: none !important; }")  # a colour on its way is none to judge
        for tab in TABS:
            if tab != TABS[0]:
                open_tab(page, tab)
            check(page, tab)
            if tab in more:
                more[tab](page)
                check(page, f"{tab} with a result")
            if tab in INNER:
                page.get_by_role("tab", name=INNER[tab], exact=True).click()
                settle(page)
                check(page, f"{tab}, {INNER[tab]}")
        page.evaluate("() => document.body.append(Object.assign(document.createElement('div'), { id: 'lid' }))")
        page.add_style_tag(content="#lid { position: fixed; inset: 0; z-index: 9999; }")
        assert page.evaluate(COVERED), "a lid over the whole page must be found"
    assert "\n".join(problems) == ""

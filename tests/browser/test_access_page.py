"""Every control of every tab can be reached: nothing lies over its middle, and axe-core finds nothing serious."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import open_page, open_tab, settle

TABS = ("Speech", "Music", "Video", "Music Video", "Style Transfer", "Live", "Library", "Models")
WIDTHS = (390, 768, 1440)
# Controls whose middle another element covers. Gradio measures its bar of tabs on a copy that nobody sees.
COVERED = """() => {
  const found = [];
  const all = document.querySelectorAll("button, input, textarea, select, summary, a[href], [role=button]");
  for (const each of all) {
    const style = getComputedStyle(each);
    if (each.offsetParent === null || each.disabled || style.visibility === "hidden" || style.opacity === "0") continue;
    if (each.closest(".unseen, .visually-hidden, [aria-hidden=true]")) continue;
    each.scrollIntoView({ block: "center", behavior: "instant" });
    const box = each.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
    if (box.width < 4 || box.height < 4 || x < 0 || y < 0 || x > innerWidth || y > innerHeight) continue;
    const top = document.elementFromPoint(x, y);
    if (top && !each.contains(top) && !top.contains(each)) {
      const named = each.id || each.ariaLabel || each.textContent.trim().slice(0, 30);
      found.push(`${named} under ${top.id || top.className}`);
    }
  }
  return found;
}"""
SERIOUS = """async () => {
  const found = (await axe.run(document, { resultTypes: ["violations"] })).violations;
  return found.filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
}"""


def find_axe() -> str:
    """Return the script of axe-core; skips where it is not installed."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-core is not here; it comes with axe-playwright-python of requirements-dev.txt")
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def test_no_control_is_covered_and_nothing_serious_is_in_the_way(chromium: Any, address: str) -> None:
    axe, problems = find_axe(), []
    for page in open_page(chromium, address):
        settle(page)
        for number, tab in enumerate(TABS):
            page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
            open_tab(page, tab)
            if not number:
                page.evaluate(axe)
            problems += [f"{tab}: {each}" for each in page.evaluate(SERIOUS)]
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_timeout(100)
                problems += [f"{tab}, {width} px: {each}" for each in page.evaluate(COVERED)]
        page.evaluate("() => document.body.append(Object.assign(document.createElement('div'), { id: 'lid' }))")
        page.add_style_tag(content="#lid { position: fixed; inset: 0; z-index: 9999; }")
        assert page.evaluate(COVERED), "a lid over the whole page must be found"
    assert problems == []

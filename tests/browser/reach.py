"""What keeps a person from a control: what lies over its middle, and what axe-core finds serious.

A window as tall as the page needs no scrolling; what is covered does not depend on the theme, what can be read does: in
the dark axe-core looks at contrast alone.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

WIDTHS, TALL = (390, 768, 1440), 4200
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
STEADY = "* { transition: none !important; }"  # a colour on its way is none to judge


def find_axe() -> str:
    """Return the script of axe-core; skips where it is not installed."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-core is not here; it comes with axe-playwright-python of requirements-dev.txt")
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def prepare(page: Any) -> None:
    """Bring what `list_problems` needs into a page."""
    page.evaluate(find_axe())
    page.add_style_tag(content=STEADY)


def list_problems(page: Any, state: str) -> list[str]:
    """Return what keeps a person from a control of the page as it is, light and dark, at each width."""
    problems, size = list[str](), page.viewport_size
    for is_dark in (False, True):
        page.evaluate(DARK, is_dark)
        theme = "dark" if is_dark else "light"
        problems += [f"{state}, {theme}: {each}" for each in page.evaluate(SERIOUS, is_dark)]
    page.evaluate(DARK, False)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": TALL})
        page.wait_for_timeout(60)
        problems += [f"{state}, {width} px: {each}" for each in page.evaluate(COVERED)]
    page.set_viewport_size(size)
    return problems

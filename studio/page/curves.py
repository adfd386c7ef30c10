"""The statistics plot of the Style Transfer tab: what was moved from where to where, as curves."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import chain

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
INKS = {"content": "#8fa3bd", "style": "#ffb066", "result": "#5fd3c0"}
WIDTH, HEIGHT = 600, 150


def curves(title: str, said: str, lines: Mapping[str, FloatArray], labels: tuple[str, str]) -> str:
    """Draw curves over one axis by name ("content", "style", "result"); `labels` name the axis' ends."""
    values = [np.nan_to_num(np.asarray(line, dtype=np.float64)) for line in lines.values()]
    if not values or not values[0].size:
        return ""
    everything = list(chain.from_iterable(values))
    low, high = float(min(everything)), float(max(everything))
    paths = []
    for name, line in zip(lines, values, strict=True):
        x = np.linspace(0, WIDTH, len(line))
        y = HEIGHT * (0.97 - 0.94 * (line - low) / max(high - low, 1e-6))
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        paths.append(
            f'<polyline points="{points}" fill="none" stroke="{INKS.get(name, "#fff")}" stroke-width="2" '
            'vector-effect="non-scaling-stroke"/>'
        )
    legend = " · ".join(f'<b style="color:{INKS.get(name, "#fff")}">{escape(name)}</b>' for name in lines)
    return (
        f'<figure class="plot"><figcaption><b>{escape(title)}</b><span>{escape(said)}</span></figcaption>'
        f'<div class="frame" style="padding:12px 14px 34px"><svg viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'preserveAspectRatio="none" style="width:100%;height:{HEIGHT}px;display:block" role="img" '
        f'aria-label="{escape(title)}">{"".join(paths)}</svg><div class="axis-x" style="left:14px">'
        f"<span>{escape(labels[0])}</span><span>{legend}</span><span>{escape(labels[1])}</span></div></div></figure>"
    )


def two_players(elem_id: str) -> str:
    """Show original and result of a sound: both run, one is heard; the page's script gives them their files."""
    takes = "".join(
        f'<div class="take"><b>{title}</b><audio controls preload="auto" data-of="{elem_id}-{name}"></audio></div>'
        for name, title in (("original", "Original"), ("result", "Result"))
    )
    switch = '<button type="button" class="switch" title="Hear the other one, at the same place">Switch</button>'
    return f'<div class="takes" data-empty>{takes}{switch}</div>'

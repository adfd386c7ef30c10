"""The beat plot of the Music Video tab: waveform, activation, beats, downbeats and sections over time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

SENTENCE = "orange: downbeats; green: how likely the model finds a beat; click a line to choose it"
SECTION_INKS = ("#17324d", "#1d3f3b", "#3a2a45", "#463318", "#203a20", "#452330")
HEIGHT = 100
WAVE_MIDDLE, WAVE_HALF = 34.0, 30.0
CURVE_BOTTOM, CURVE_HEIGHT = 98.0, 30.0
PIXELS_A_SECOND = 26
NARROWEST_PX, WIDEST_PX = 640, 16_000
CURVE_POINTS_A_SECOND = 25
MARK_EVERY_S = (1, 2, 5, 10, 15, 30, 60)


def beat_plot(
    duration_s: float,
    wave: NDArray[np.float32],
    activation: NDArray[np.float32],
    activation_rate: float,
    times_s: NDArray[np.float64],
    places: NDArray[np.int64],
    sections: Sequence[Any],
    chosen: int = 0,
) -> str:
    """Draw the plot as HTML; longer songs are wider than the page and scroll within their frame.

    Args:
        wave: float32 (n,), levels in equal parts of the song; activation: float32 (frames,) in [0, 1].
        times_s, places: of the beats; a place of 1 is a downbeat.
        sections: with start_s, end_s and label.
        chosen: number of the beat that is marked, from 1; 0 for none.
    """
    width = min(WIDEST_PX, max(NARROWEST_PX, round(duration_s * PIXELS_A_SECOND)))

    def share(time_s: float) -> float:
        return 100.0 * min(1.0, max(0.0, time_s / max(duration_s, 1e-6)))

    beats = "".join(
        f'<i class="beat{" down" if place == 1 else ""}{" chosen" if number == chosen else ""}" '
        f'data-beat="{number}" style="left:{share(float(time)):.4f}%" '
        f'title="beat {number}, {time:.2f} s, {place} in its bar"></i>'
        for number, (time, place) in enumerate(zip(times_s, places, strict=True), 1)
    )
    bands = "".join(_band(each.label, share(each.start_s), share(each.end_s)) for each in sections)
    return (
        f'<figure class="plot beats"><figcaption><b>Beats</b><span>{escape(SENTENCE)}</span></figcaption>'
        '<div class="frame"><div class="scroll" tabindex="0" role="group" aria-label="Beats, to scroll">'
        f'<div class="ink" style="width:{width}px">{bands}'
        f'<svg viewBox="0 0 1000 {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{len(times_s)} beats in {duration_s:.1f} seconds">{_wave(wave)}'
        f"{_curve(activation, activation_rate, duration_s)}</svg>{beats}"
        f'<i class="playhead" data-start="0" data-end="{duration_s:.3f}"></i></div>'
        f"{_marks(duration_s, width)}</div></div></figure>"
    )


def _band(label: str, left: float, right: float) -> str:
    """Draw a section's stretch, in percent of the song."""
    ink = SECTION_INKS[(ord(label[0]) - ord("A")) % len(SECTION_INKS)]
    place = f"left:{left:.3f}%;width:{right - left:.3f}%;background:{ink}"
    return f'<span class="part" style="{place}"><b>{escape(label)}</b></span>'


def _wave(wave: NDArray[np.float32]) -> str:
    levels = np.nan_to_num(wave.astype(np.float64))
    levels = levels / max(1e-6, float(levels.max(initial=0.0)))
    x = np.linspace(0, 1000, max(2, len(levels)))
    above = " ".join(f"{a:.1f},{WAVE_MIDDLE - WAVE_HALF * b:.1f}" for a, b in zip(x, levels, strict=False))
    below = " ".join(f"{a:.1f},{WAVE_MIDDLE + WAVE_HALF * b:.1f}" for a, b in zip(x[::-1], levels[::-1], strict=False))
    return f'<polygon class="wave" points="{above} {below}"/>' if len(levels) else ""


def _curve(activation: NDArray[np.float32], rate: float, duration_s: float) -> str:
    step = max(1, round(rate / CURVE_POINTS_A_SECOND))
    starts = np.arange(0, len(activation), step)
    if not len(starts) or duration_s <= 0:
        return ""
    highest = np.maximum.reduceat(np.nan_to_num(activation.astype(np.float64)), starts)
    x = 1000 * starts / rate / duration_s
    points = " ".join(f"{a:.1f},{CURVE_BOTTOM - CURVE_HEIGHT * b:.1f}" for a, b in zip(x, highest, strict=True))
    return f'<polyline class="activation" points="{points}" vector-effect="non-scaling-stroke"/>'


def _marks(duration_s: float, width: int) -> str:
    """Draw seconds under the plot, about every 90 pixels."""
    wanted = duration_s * 90 / width
    step = next((each for each in MARK_EVERY_S if each >= wanted), MARK_EVERY_S[-1])
    marks = "".join(
        f'<span style="left:{100 * at / max(duration_s, 1e-6):.2f}%">{at // 60}:{at % 60:02d}</span>'
        for at in range(0, int(duration_s) + 1, step)
    )
    return f'<div class="seconds" style="width:{width}px">{marks}</div>'

"""Pictures of a clip that is being made: its moving preview, the film strip out of the noise, how the steps settle."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.video.shapes import resize_frames
from studio.page import curves, plots

Pixels = NDArray[np.uint8]
STRIP_COLUMNS = 8
SHOWN_FRAMES = 16  # of a contact sheet
NIGHT = np.array((0x0E, 0x14, 0x20), np.uint8)  # of the plots' ground
MOVING_FRAMES = 48  # of a preview that moves; longer ones leave frames out
MOVING_SIDE, SHEET_SIDE = 320, 160  # the longest sides of its frames, and of those side by side


def thin_out(frames: Pixels, frames_per_second: float) -> tuple[Pixels, float]:
    """Return so few frames, and so small ones, as `moving` shows, and their rate."""
    stride = max(1, -(-len(frames) // MOVING_FRAMES))
    return shrink(frames[::stride], MOVING_SIDE), frames_per_second / stride


def shrink(frames: Pixels, side: int) -> Pixels:
    """Bring frames uint8 (F, R, S, 3) down until the longer side has `side` pixels; smaller ones stay as they are."""
    longer = max(frames.shape[1:3])
    if longer <= side or not len(frames):
        return frames
    rows, columns = (max(1, round(each * side / longer)) for each in frames.shape[1:3])
    return resize_frames(frames, rows, columns)


def moving(frames: Pixels, frames_per_second: float, title: str, said: str) -> str:
    """Draw frames uint8 (F, R, S, 3), thinned out, as a picture that moves."""
    if not len(frames):
        return ""
    source = _webp(frames, 1000 / frames_per_second)
    picture = f'<img class="moving" alt="{escape(title)}" src="{source}">'
    return _figure(title, said, picture, "moving-frame")


def noise_strip(middles: Sequence[Pixels], steps: int, title: str = "Out of the noise") -> str:
    """Draw one frame of the clip as the model saw it after each step of the sampler, uint8 (R, S, 3) each."""
    if not middles:
        return ""
    chosen = np.linspace(0, len(middles) - 1, min(len(middles), SHOWN_FRAMES)).round().astype(int)
    said = f"what the model makes of the same frame, from the first step to step {len(middles)} of {steps}"
    shown = np.stack([middles[index] for index in chosen])
    empty = np.zeros((max(0, min(steps, SHOWN_FRAMES) - len(shown)), *shown.shape[1:]), np.uint8) + NIGHT
    return _figure(title, said, _sheet_image(np.concatenate([shown, empty]), title), "strip-frame")


def contact_sheet(frames: Pixels) -> str:
    """Draw frames of the finished clip, evenly chosen."""
    if not len(frames):
        return ""
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), SHOWN_FRAMES)).round().astype(int)
    said = f"{len(chosen)} of {len(frames)} frames" if len(chosen) < len(frames) else "every frame"
    return _figure("Contact sheet", said, _sheet_image(frames[chosen], "Contact sheet"), "strip-frame")


def settling(changes: Sequence[float]) -> str:
    """Draw how much each step still changed the picture, of 255."""
    if len(changes) < 2:
        return ""
    said = "how far each step still moved the picture; a curve that ends low has settled"
    return curves.curves("Denoising", said, {"change": np.asarray(changes, np.float32)}, ("noise", "finished"))


def attention(weights: NDArray[np.float32], duration_s: float) -> str:
    """Draw the attention of the picture's moments (rows) to the sound's (columns), float32 (video, audio)."""
    if not weights.size:
        return ""
    shown = weights / max(float(weights.max()), 1e-9)
    source = plots.data_uri(plots.alignment_png(shown.astype(np.float32)))
    picture = (
        '<div class="ink" style="height:220px">'
        f'<img alt="Attention of picture and sound" src="{source}" style="image-rendering:pixelated"></div>'
        '<div class="axis-y"><span style="bottom:94%">sound, end</span></div>'
        f'<div class="axis-x"><span>picture, 0 s</span><span>{duration_s:.1f} s</span></div>'
    )
    said = "which moments of the sound belong to which of the picture; a line on the diagonal means both run together"
    return _figure("Attention", said, picture, "").replace("<figure ", '<figure style="margin-top:1rem" ', 1)


def likelihood(probabilities: NDArray[np.float32], labels: tuple[str, str]) -> str:
    """Draw how likely each offset of the sound is."""
    said = "how likely each offset of the sound is; one sharp peak is a sure answer"
    return curves.curves("Offset", said, {"likelihood": probabilities}, labels)


def change(before: Pixels, after: Pixels) -> float:
    """Return the mean difference of two previews, of 255."""
    return float(np.abs(after.astype(np.float32) - before.astype(np.float32)).mean())


def _figure(title: str, said: str, inside: str, kind: str) -> str:
    return (
        f'<figure class="plot film"><figcaption><b>{escape(title)}</b><span>{escape(said)}</span></figcaption>'
        f'<div class="frame {kind}">{inside}</div></figure>'
    )


def _sheet_image(frames: Pixels, title: str) -> str:
    from models.video.cutout import build_sprite_sheet

    image = build_sprite_sheet(shrink(frames, SHEET_SIDE), STRIP_COLUMNS)
    return f'<img alt="{escape(title)}" src="{jpeg(image)}">'


def jpeg(pixels: Pixels) -> str:
    """Return a picture uint8 (R, S, 3) as an address that holds it."""
    return "data:image/jpeg;base64," + _encoded(pixels, format="JPEG", quality=82)


def _webp(frames: Pixels, milliseconds: float) -> str:
    from PIL import Image

    images = [Image.fromarray(frame) for frame in frames]
    times = [round(milliseconds * (index + 1)) - round(milliseconds * index) for index in range(len(images))]
    options: dict[str, Any] = {"save_all": True, "append_images": images[1:], "duration": times, "loop": 0}
    return "data:image/webp;base64," + _encoded(frames[0], format="WEBP", quality=75, method=0, **options)


def _encoded(pixels: Pixels, **options: Any) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options)
    return base64.b64encode(buffer.getvalue()).decode("ascii")

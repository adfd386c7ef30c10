"""Photographs and paintings with a camera that moves over them: what a clip that begins with a given picture does.

The folder holds pictures; a name begins with what the picture shows, up to the first underscore.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.video.scene_spec import CAMERAS

Pixels = NDArray[np.uint8]
ENDINGS = {".jpg", ".png", ".webp"}
LEAST_CROP = 0.62  # of the picture's shorter side


@dataclass(frozen=True)
class PhotoSpec:
    """A picture and the camera's way over it."""

    subject: str
    camera: str

    def write_caption(self, rng: np.random.Generator) -> str:
        """Word what a person might type for it."""
        return ("a photo of {}", "{}", "a picture of {}")[int(rng.integers(3))].format(self.subject)


@lru_cache(maxsize=4)
def list_photos(folder: Path) -> tuple[Path, ...]:
    """List the pictures of a folder.

    Raises:
        ValueError: there is none.
    """
    found = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS))
    if not found:
        raise ValueError(f"{folder} holds no pictures.")
    return found


@lru_cache(maxsize=4000)
def load_photo(path: Path) -> Pixels:
    """Load a picture, uint8 (R, S, 3)."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def render_photo(folder: Path, rng: np.random.Generator, frames: int = 16, size: int = 64) -> tuple[Pixels, PhotoSpec]:
    """Render a slow move over a picture drawn from the folder: frames uint8 (F, S, S, 3), and what they show."""
    import cv2

    files = list_photos(folder)
    path = files[int(rng.integers(len(files)))]
    picture = load_photo(path)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    rows, columns = picture.shape[:2]
    camera = str(rng.choice(CAMERAS))
    whole = min(rows, columns)
    share, spare = float(rng.uniform(LEAST_CROP, 0.85)), float(rng.uniform(0.06, 0.14))
    along = np.linspace(0, 1, frames) if camera != "still" else np.zeros(frames)
    zoom = {"zoom in": 1 - spare * 1.6 * along, "zoom out": 1 - spare * 1.6 * (1 - along)}.get(camera, 1 + 0 * along)
    sides = share * whole * zoom
    push = {"pan left": 1 - along, "pan right": along}.get(camera, 0.5 + 0 * along) * spare * whole
    left = float(rng.uniform(0, columns - sides.max() - spare * whole)) + push + (sides.max() - sides) / 2
    top = float(rng.uniform(0, rows - sides.max())) + (sides.max() - sides) / 2
    made = np.empty((frames, size, size, 3), np.uint8)
    picture = np.ascontiguousarray(picture)
    for at in range(frames):
        scale = 2 * size / sides[at]
        turn = np.array([[scale, 0, -left[at] * scale], [0, scale, -top[at] * scale]])
        twice = cv2.warpAffine(picture, turn, (2 * size, 2 * size), borderMode=cv2.BORDER_REFLECT)
        made[at] = cv2.resize(twice, (size, size), interpolation=cv2.INTER_AREA)
    return made, PhotoSpec(path.stem.split("_")[0], camera)

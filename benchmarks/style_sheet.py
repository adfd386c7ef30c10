"""A sheet of photographs in all styles of the gallery, to look at.

    python -m benchmarks.style_sheet --out docs/style.jpg PHOTOGRAPH...

A row a photograph, a column a style; the style pictures stand above. Photographs are painted as large as they are, up
to 1920 pixels, at strength 1 or another, and then made smaller for the sheet.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.style import MODEL, render_frames
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.style.video_contracts import MOST_SIZE, VideoStyleRequest
from models.threads import limit_spinning
from studio.page.style_gallery import PICTURES

Pixels = NDArray[np.uint8]
GAP = 6


def fit_cell(pixels: Pixels, width: int, height: int) -> Image.Image:
    """Return the middle of a picture at the size of a cell."""
    picture = Image.fromarray(pixels)
    scale = max(width / picture.width, height / picture.height)
    size = (max(width, round(picture.width * scale)), max(height, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return picture.crop((left, top, left + width, top + height))


def draw_sheet(cells: list[list[Pixels]], width: int, height: int, head: int) -> Image.Image:
    """Lay cells out in rows; the first row, of `head` pixels, holds the styles."""
    heights = [head] + [height] * (len(cells) - 1)
    columns = max(map(len, cells))
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, sum(heights) + GAP * (len(cells) - 1)), "white")
    top = 0
    for row, tall in zip(cells, heights, strict=True):
        for column, pixels in enumerate(row):
            sheet.paste(fit_cell(pixels, width, tall), (column * (width + GAP), top))
        top += tall + GAP
    return sheet


def main() -> None:
    """Paint and write."""
    limit_spinning()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--width", type=int, default=320)
    options = parser.parse_args()
    model = Registry(CATALOG).load(MODEL)
    blank = np.full((9, 16, 3), 255, np.uint8)
    cells: list[list[Pixels]] = [[blank, *(np.asarray(Image.open(each.path).convert("RGB")) for each in PICTURES)]]
    for photograph in options.photographs:
        row: list[Pixels] = []
        for each in PICTURES:
            request = VideoStyleRequest(
                str(photograph), str(each.path), strength=options.strength, size=MOST_SIZE, frames=1
            )
            made, source = render_frames(model, request)
            row = row or [source[0]]
            row.append(made[0])
        cells.append(row)
        print(photograph.name, flush=True)
    draw_sheet(cells, options.width, round(options.width * 0.66), options.width // 2).save(options.out, quality=84)


if __name__ == "__main__":
    main()

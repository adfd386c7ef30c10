"""Pictures for the training of picture style transfer, on the device, and batches of random crops of them."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from training.style_picture.patterns import PATTERNS, draw_pattern

Pixels = NDArray[np.uint8]
SUFFIXES = {".webp", ".jpg", ".jpeg", ".png"}
HOLD_OUT_EVERY = 8  # of the paintings and flowers in the order of their names, from the fourth on; never trained on
HELD_OUT_SCENES = ("lake-sherburne", "oakland-zoo-otters", "roman-colosseum", "singaporean-cityscape", "friends",
                   "canyon-wren")  # fmt: skip
HELD_OUT_GALLERY = ("wheat_field",)  # it is among the paintings that are held out
SIDES = {"paintings": 320, "photos": 192, "scenes": 512, "gallery": 320, "patterns": 256}
MOST_SQUARES = 3  # of one picture
PATTERN_PICTURES = 160
CONTENT_SHARES = {"photos": 0.45, "scenes": 0.35, "paintings": 0.2}
STYLE_SHARES = {"paintings": 0.5, "gallery": 0.12, "patterns": 0.26, "scenes": 0.06, "photos": 0.06}
LEAST_SIDE = {"paintings": 0.5, "photos": 0.8, "scenes": 0.45, "gallery": 0.5, "patterns": 0.5}  # of a crop


@dataclass(frozen=True)
class SquareShelf:
    """Squares of pictures by kind, uint8 (N, 3, S, S)."""

    squares: dict[str, Tensor]

    def draw(self, shares: dict[str, float], count: int, side: int, generator: torch.Generator) -> Tensor:
        """Draw crops at random places, scaled by a size that is drawn for each kind: (count, 3, side, side) in [0, 1].

        Kinds come by their shares, in a random order.
        """
        there = {name: share for name, share in shares.items() if len(self.squares[name])}
        total, parts, left = sum(there.values()), [], count
        for at, (name, share) in enumerate(there.items()):
            exact = count * share / total
            number = int(exact) + (float(torch.rand((), generator=generator)) < exact % 1)
            number = left if at == len(there) - 1 else min(left, number)
            if number:
                parts.append(self._draw_crops(name, number, side, generator))
            left -= number
        batch = torch.cat(parts)
        return batch[torch.randperm(len(batch), generator=generator).to(batch.device)]

    def _draw_crops(self, name: str, count: int, side: int, generator: torch.Generator) -> Tensor:
        squares = self.squares[name]
        whole = squares.shape[2]
        share = LEAST_SIDE[name] + (1 - LEAST_SIDE[name]) * float(torch.rand((), generator=generator))
        cut = max(min(whole, 16), round(whole * share))
        rows, columns = (
            (torch.randint(whole - cut + 1, (count, 1), generator=generator) + torch.arange(cut)).to(squares.device)
            for _ in range(2)
        )
        if float(torch.rand((), generator=generator)) < 0.5:
            columns = columns.flip(1)
        chosen = torch.randint(len(squares), (count,), generator=generator).to(squares.device)
        crops = squares[chosen[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).float()
        return (F.interpolate(crops, size=(side, side), mode="bicubic", antialias=True) / 255.0).clamp(0, 1)


def list_held_out(files: list[Path]) -> set[Path]:
    """List the paintings, or flowers, that are kept for measuring."""
    return set(sorted(files)[3::HOLD_OUT_EVERY])


def is_held_out_scene(file: Path) -> bool:
    """Tell whether a scene or picture of the gallery is kept for measuring."""
    return any(name in file.stem for name in HELD_OUT_SCENES + HELD_OUT_GALLERY)


def sort_files(folder: Path) -> dict[str, list[Path]]:
    """Sort files by the name of their folder: `art_*` paintings, `flowers_*` photos, `styles` gallery, the rest scenes.

    Raises:
        ValueError: it holds no pictures.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    if not files:
        raise ValueError(f"{folder} holds no pictures.")
    kinds = {"art": "paintings", "flowers": "photos", "styles": "gallery"}
    groups: dict[str, list[Path]] = {"paintings": [], "photos": [], "scenes": [], "gallery": []}
    for path in files:
        groups[kinds.get(path.parent.name.split("_")[0], "scenes")].append(path)
    return groups


def list_trained(folder: Path, holds_out: bool = True) -> dict[str, list[Path]]:
    """List the files to train on by kind; `holds_out` is False for a folder from which the others were left out."""
    groups = sort_files(folder)
    if not holds_out:
        return groups
    for name in ("paintings", "photos"):
        unseen = list_held_out(groups[name])
        groups[name] = [path for path in groups[name] if path not in unseen]
    for name in ("scenes", "gallery"):
        groups[name] = [path for path in groups[name] if not is_held_out_scene(path)]
    return groups


def load_shelf(
    files: dict[str, list[Path]], device: str = "cpu", patterns: int = PATTERN_PICTURES, workers: int = 1
) -> SquareShelf:
    """Read the pictures and draw the patterns, with so many processes."""
    jobs = [(path, SIDES[name]) for name, paths in files.items() for path in paths]
    kinds = list(PATTERNS)
    drawn = [(kinds[at % len(kinds)], 1000 + at, SIDES["patterns"]) for at in range(patterns)]
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            read = list(pool.map(_read_squares, jobs, chunksize=8))
            patterned = list(pool.map(_draw, drawn, chunksize=4))
    else:
        read, patterned = list(map(_read_squares, jobs)), list(map(_draw, drawn))
    squares, at = {}, 0
    for name, paths in files.items():
        squares[name] = [square for each in read[at : at + len(paths)] for square in each]
        at += len(paths)
    squares["patterns"] = patterned
    return SquareShelf({name: _stack(each, SIDES[name], device) for name, each in squares.items()})


def _read_squares(job: tuple[Path, int]) -> list[Pixels]:
    """Read a picture as squares of a side beside one another, that cover its longer side."""
    path, side = job
    with Image.open(path) as image:
        picture = image.convert("RGB")
        scale = side / min(picture.size)
        size = (max(side, round(picture.width * scale)), max(side, round(picture.height * scale)))
        pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    height, width = pixels.shape[:2]
    longest = max(height, width)
    count = min(MOST_SQUARES, -(-longest // side) if longest > 1.2 * side else 1)
    starts = np.linspace(0, longest - side, count).astype(int) if count > 1 else [(longest - side) // 2]
    return [pixels[s : s + side] if height > width else pixels[:, s : s + side] for s in starts]


def _draw(pattern: tuple[str, int, int]) -> Pixels:
    return draw_pattern(*pattern)


def _stack(squares: list[Pixels], side: int, device: str) -> Tensor:
    if not squares:
        return torch.zeros(0, 3, side, side, dtype=torch.uint8, device=device)
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).contiguous().to(device)

"""The contact sheet of the documentation: clips as the studio finishes them, three frames of each.

    python -m benchmarks.video_sheet                      # writes docs/video.jpg
    python -m benchmarks.video_sheet --plain --out docs/video_plain.jpg    # without things by name, as before them
    python -m benchmarks.video_sheet --drawn --out docs/video_drawn.jpg    # by the renderer of "Drawn scenes"
    python -m benchmarks.video_sheet --checkpoint .runs/video/checkpoint.pt --out sheet.jpg

The seeds are those of the list, one a prompt: nothing is picked among several tries.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from benchmarks.video import load_generator
from models.contracts import VideoRequest
from models.registry.catalog import CATALOG, DRAWN_SCENES
from models.registry.registry import WEIGHTS_DIR, Registry
from models.video.drawn_scenes import SceneDrawer
from models.video.generator import VideoGenerator
from models.video.prompt_reader import PromptReader
from models.video.scene_spec import FRAMES_PER_SECOND
from models.video.upscaler import UPSCALER_WEIGHTS, load_upscaler

OUT = Path(__file__).parent.parent / "docs" / "video.jpg"
PROMPTS = (
    "a cat walking on the beach at sunset",
    "a red sports car driving through the desert",
    "an astronaut riding a horse",
    "two robots dancing in the snow",
    "a rocket flying into space",
    "an astronaut on the moon",
    "a unicorn under a rainbow",
    "a bear playing the guitar in the forest",
    "a yellow taxi in the city at night",
    "blue ocean waves at sunset",
    "a green aurora over the mountains at night",
    "a woman in a red dress dancing",
    "a fox jumping in the forest",
    "two children playing in the rain",
    "a wolf and the moon over a lake",
    "a man riding a bicycle in the mountains",
    "three penguins on the ice",
    "a chef in the kitchen",
    "a pirate ship in a storm",
    "a shark chasing a fish",
    "santa flying over the city at night",
    "a cat sleeping on a sofa",
    "a campfire in the forest at night",
    "a purple elefant with a yellow hat",
)
COLUMNS, SHOWN, SIDE, GAP, LINE = 4, 2, 144, 12, 22


def make_clip(generator: VideoGenerator, prompt: str, seed: int) -> np.ndarray:
    """Make uint8 (SHOWN, R, S, 3) of a clip at the default settings, enlarged, its named things laid over."""
    request = VideoRequest(prompt, seed=seed)
    frames = np.concatenate([chunk.frames for chunk in generator.stream(request)])
    upscaler = generator.upscaler or load_upscaler(WEIGHTS_DIR / UPSCALER_WEIGHTS)
    chosen = np.linspace(1, len(frames) - 2, SHOWN).astype(int)
    large = np.repeat(upscaler.enlarge(np.ascontiguousarray(frames[chosen])), [len(frames) // SHOWN] * SHOWN, axis=0)
    laid = generator.compose(request, large, FRAMES_PER_SECOND * len(large) / len(frames))
    return laid[len(frames) // SHOWN // 2 :: len(frames) // SHOWN]


def draw_clip(drawer: SceneDrawer, prompt: str, seed: int) -> np.ndarray:
    """Draw uint8 (SHOWN, R, S, 3) of a clip of the renderer, its named things laid over."""
    request = VideoRequest(prompt, seed=seed)
    frames = np.concatenate([chunk.frames for chunk in drawer.stream(request)])
    laid = drawer.compose(request, frames, FRAMES_PER_SECOND * len(frames) / request.frames)
    return laid[len(laid) // SHOWN // 2 :: len(laid) // SHOWN]


def draw_sheet(generator: VideoGenerator | SceneDrawer, prompts: tuple[str, ...] = PROMPTS) -> Image.Image:
    """Draw a picture of all prompts."""
    make = partial(draw_clip, generator) if isinstance(generator, SceneDrawer) else partial(make_clip, generator)
    wide, high = SHOWN * (SIDE + 2) + GAP, LINE + SIDE + GAP
    rows = -(-len(prompts) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * wide + GAP, rows * high + GAP), "#101418")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    for number, prompt in enumerate(prompts):
        left, top = GAP + number % COLUMNS * wide, GAP + number // COLUMNS * high
        pen.text((left, top), prompt, fill="#e8eef2", font=font)
        for at, frame in enumerate(make(prompt, number)):
            small = Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            page.paste(small, (left + at * (SIDE + 2), top + LINE))
    return page


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, help="of a training, in the place of the shipped weights")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--drawn", action="store_true", help="let the renderer draw the scenes")
    parser.add_argument("--plain", action="store_true", help="let the model draw alone, with no cut-outs at hand")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.drawn:
        with Registry(CATALOG).load(DRAWN_SCENES).hold() as drawer:
            draw_sheet(drawer).save(options.out, quality=82, optimize=True)
        return
    generator = load_generator(options.checkpoint)
    if options.plain:
        generator.reader = PromptReader(generator.parser, None, generator.draws_things)
    draw_sheet(generator).save(options.out, quality=88, optimize=True)
    print(options.out, f"{options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

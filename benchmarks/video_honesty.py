"""How honest the reading of prompts is: what is outside the model's world is said to be, and what is inside is not.

    python -m benchmarks.video_honesty

Outside are the prompts of `video_outside.txt`, typed as people type them. Inside are captions of scenes, in wordings
that no training used, and the prompts of `video_things_inside.txt`, which name things that are laid over scenes. A
prompt counts as told when the page says that it, or a word of it, cannot be drawn.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.video_judge import draw_held_out_prompts
from models.registry.registry import WEIGHTS_DIR
from models.video.prompt_reader import PromptReader, load_reader

OUTSIDE = Path(__file__).with_name("video_outside.txt")
THINGS_INSIDE = Path(__file__).with_name("video_things_inside.txt")
INSIDE = 200


def is_told(reader: PromptReader, prompt: str) -> bool:
    """Tell whether the page says that something of a prompt cannot be drawn."""
    reading = reader.read(prompt)
    return reading is not None and bool(reading.to_sentence())


def list_missed(reader: PromptReader) -> tuple[list[str], list[str], list[str]]:
    """List the outside prompts that are drawn in silence, and the scenes and the things of which some is refused."""
    outside, things = (path.read_text(encoding="utf-8").splitlines() for path in (OUTSIDE, THINGS_INSIDE))
    scenes = [prompt.text for prompt in draw_held_out_prompts(INSIDE)]
    silent = [text for text in outside if not is_told(reader, text)]
    refused = [[text for text in each if is_told(reader, text)] for each in (scenes, things)]
    return silent, refused[0], refused[1]


def measure_honesty(reader: PromptReader) -> dict[str, float]:
    """Measure honest_outside, false_alarm and false_alarm_things, shares of the prompts."""
    silent, scenes, things = list_missed(reader)
    outside, inside = (len(path.read_text(encoding="utf-8").splitlines()) for path in (OUTSIDE, THINGS_INSIDE))
    return {
        "honest_outside": 1 - len(silent) / outside,
        "false_alarm": len(scenes) / INSIDE,
        "false_alarm_things": len(things) / inside,
    }


def main() -> None:
    """Print the figures and what is wrong."""
    reader = load_reader(frozenset(WEIGHTS_DIR.iterdir()))
    print(measure_honesty(reader))
    for title, prompts in zip(
        ("drawn in silence", "scenes refused", "things refused"), list_missed(reader), strict=True
    ):
        print(f"{title}:")
        for text in prompts:
            reading = reader.read(text)
            print(" ", text, "" if reading is None else (reading.chips, reading.unread))


if __name__ == "__main__":
    main()

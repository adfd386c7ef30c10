"""How honest the reading of prompts is: what is outside the model's world is said to be, and what is inside is not.

    python -m benchmarks.video_honesty

Outside are the prompts of `video_outside.txt`, typed as people type them; inside are captions in wordings that no
training used. A prompt counts as told when the page says that it, or a word of it, cannot be drawn.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.video_judge import draw_held_out_prompts
from models.registry.registry import WEIGHTS_DIR
from models.video.prompt_parsing import PARSER_WEIGHTS, PromptParser, load_prompt_parser
from models.video.prompt_reading import read_prompt
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table

OUTSIDE = Path(__file__).with_name("video_outside.txt")
INSIDE = 200


def list_missed(parser: PromptParser, things: bool) -> tuple[list[str], list[str]]:
    """List the outside prompts that are drawn in silence, and the inside ones of which something is refused."""
    outside = OUTSIDE.read_text(encoding="utf-8").splitlines()
    inside = [prompt.text for prompt in draw_held_out_prompts(INSIDE)]
    silent = [text for text in outside if not read_prompt(parser, text, things).to_sentence()]
    refused = [text for text in inside if read_prompt(parser, text, things).to_sentence()]
    return silent, refused


def measure_honesty(parser: PromptParser, things: bool) -> dict[str, float]:
    """Measure honest_outside and false_alarm, shares of the prompts."""
    silent, refused = list_missed(parser, things)
    outside = len(OUTSIDE.read_text(encoding="utf-8").splitlines())
    return {"honest_outside": 1 - len(silent) / outside, "false_alarm": len(refused) / INSIDE}


def main() -> None:
    """Print the figures and what is wrong."""
    parser = load_prompt_parser(WEIGHTS_DIR / PARSER_WEIGHTS, load_text_table(WEIGHTS_DIR / TEXT_WEIGHTS))
    print(measure_honesty(parser, things=False))
    silent, refused = list_missed(parser, things=False)
    print("drawn in silence:", *silent, sep="\n  ")
    for text in refused:
        reading = read_prompt(parser, text, things=False)
        print("refused:", text, reading.chips, reading.unread)


if __name__ == "__main__":
    main()

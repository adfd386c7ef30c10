"""The frozen prompts that the honesty of the reading is measured with."""

from __future__ import annotations

import pytest

from benchmarks.video_honesty import OUTSIDE, list_missed, measure_honesty
from models.registry.registry import WEIGHTS_DIR
from models.video.prompt_parsing import PARSER_WEIGHTS, PromptParser, load_prompt_parser
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table


@pytest.fixture(scope="module")
def parser() -> PromptParser:
    return load_prompt_parser(WEIGHTS_DIR / PARSER_WEIGHTS, load_text_table(WEIGHTS_DIR / TEXT_WEIGHTS))


def test_what_cannot_be_drawn_is_said_and_little_else(parser: PromptParser) -> None:
    figures = measure_honesty(parser, things=False)
    assert figures["honest_outside"] >= 0.9 and figures["false_alarm"] <= 0.1
    silent, refused = list_missed(parser, things=False)
    prompts = OUTSIDE.read_text(encoding="utf-8").splitlines()
    assert len(prompts) == len(set(prompts)) >= 100 and set(silent) <= set(prompts)
    assert len(refused) == round(200 * figures["false_alarm"])

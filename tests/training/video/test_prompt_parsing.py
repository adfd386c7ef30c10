"""The recipe of the prompt parser."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.video.prompt_parsing import (
    FIELDS,
    PromptParser,
    PromptParserNetwork,
    list_known_words,
    load_prompt_parser,
)
from models.video.scene_vocabulary import SCENE_VOCABULARY
from models.video.scenes import KINDS, draw_spec, write_caption
from models.video.text_embedding import TEXT_WEIGHTS, TextTable, load_text_table, split_words
from models.weights_io import save_safetensors
from training.video import prompt_parsing as recipe
from training.video import thesaurus

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table() -> TextTable:
    """Load the shipped table, not a few words of it."""
    return load_text_table(recipe.WEIGHTS_FOLDER / TEXT_WEIGHTS)


def test_no_held_out_word_is_in_the_thesaurus_or_among_the_exchanged(table: TextTable) -> None:
    held_out = list_known_words(held_out=True) - list_known_words()
    lists = [", ".join(names) for names in (*thesaurus.SCENES.values(), *thesaurus.ATTRIBUTES.values())]
    assert len(lists) > 50 and all(lists)
    assert not held_out & {word for text in lists for word in split_words(text)}
    names = list(table.index)
    assert not held_out & {names[piece] for text in lists for piece in table.tokenize(text)}
    near, _ = recipe.find_near_words(table, held_out)
    known = {piece for word in list_known_words() for piece in table.tokenize(word)}
    assert not held_out & {names[piece] for row in near.values() for piece in row if piece not in known}


def test_drawn_captions_say_what_their_numbers_say() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        text, numbers = recipe.draw_caption(rng)
        assert text.strip() and len(numbers) == len(FIELDS)
        assert all(0 <= number < len(values) for number, values in zip(numbers, FIELDS.values(), strict=True))


def test_the_recipe_learns_and_its_file_loads(table: TextTable, tmp_path: Path) -> None:
    network = recipe.train(table, steps=150, batch=24)
    parser = PromptParser(network, table)
    rng, right = np.random.default_rng(3), 0
    for _ in range(40):
        spec = draw_spec(rng)
        right += parser.parse(write_caption(spec, rng)).kind == spec.kind
    assert right > 3  # one in 38 by chance
    path = tmp_path / "r.safetensors"
    save_safetensors(
        path, network.state_dict(), {"config": json.dumps({"text_width": 160, "channels": network.channels})}
    )
    assert load_prompt_parser(path, table).parse("a blue ocean").kind == parser.parse("a blue ocean").kind
    rows = PromptParserNetwork(8, 4)(torch.zeros(2, 1, 8), torch.zeros(2, 1, dtype=torch.bool))
    assert rows["kind"].shape == (2, len(KINDS) + 1)


def test_the_reading_knows_the_words_that_the_parser_learned() -> None:
    lists = {"": [text for texts in thesaurus.ATTRIBUTES.values() for text in texts], **thesaurus.SCENES}
    assert set(SCENE_VOCABULARY) == set(lists)
    for kind, texts in lists.items():
        words = {word for text in texts for word in split_words(text)}
        learned = {word for word in words if word.isascii() and word.isalpha() and len(word) > 1}
        assert learned - list_known_words() == SCENE_VOCABULARY[kind]

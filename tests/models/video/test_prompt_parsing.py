"""The reader of prompts: the shipped network on wordings that no training used, what it leaves alone, its recipe."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.contracts import VideoRequest
from models.video import prompt_parsing
from models.video.generator import TEXT_WEIGHTS, VideoGenerator
from models.video.prompt_parsing import (
    ParsedPrompt,
    PromptParser,
    load_prompt_parser,
)
from models.video.prompt_reading import read_prompt
from models.video.scene_spec import COLOURS
from models.video.scenes import KINDS, draw_spec
from models.video.text_embedding import TextTable, load_text_table, split_words
from models.video.thing_parsing import ThingPrompt
from models.video.unet3d import UNet3D, UNet3DConfig
from training.video import prompt_parsing as recipe

FOLDER = recipe.WEIGHTS_FOLDER


@pytest.fixture(scope="module")
def table() -> TextTable:
    return load_text_table(FOLDER / TEXT_WEIGHTS)


@pytest.fixture(scope="module")
def parser(table: TextTable) -> PromptParser:
    return load_prompt_parser(FOLDER / prompt_parsing.PARSER_WEIGHTS, table)


@pytest.mark.slow
def test_training_wordings_are_read_and_held_out_ones_mostly(parser: PromptParser) -> None:
    assert min(recipe.measure(parser, 80, held_out=False).values()) > 0.95
    assert min(recipe.measure(parser, 150).values()) > 0.85


def test_new_words_give_way_to_known_ones_and_known_ones_stay(parser: PromptParser) -> None:
    told, read = parser.understand("footage of a red yacht at sea leftwards")
    assert told == "a boat with red sails moving left"
    assert isinstance(read, ParsedPrompt) and (read.kind, read.colour, read.direction) == ("boat", "red", "left")
    told, read = parser.understand("a blue waterfall")
    assert told == "a blue waterfall" and read is not None and read.colour == "blue"


@pytest.mark.parametrize(
    "prompt", ["a cat on a sofa", "hello world", "xyzzy", "a lady with red hair strolls leftwards", "1234 !!"]
)
def test_what_is_no_scene_is_left_alone(parser: PromptParser, prompt: str) -> None:
    assert parser.understand(prompt) == (prompt, None)


@pytest.mark.parametrize("kind", KINDS)
def test_own_words_of_every_scene_are_known_words_and_read_back(parser: PromptParser, kind: str) -> None:
    spec = draw_spec(np.random.default_rng(1), kind)
    direction = "" if spec.direction == "none" else spec.direction
    text = ParsedPrompt(kind, spec.colour, direction, "fast", spec.time_of_day, "zoom in").to_caption()
    assert {word for word in split_words(text) if word.isalpha()} <= parser.known
    again = parser.parse(text)
    assert (again.kind, again.colour, again.speed, again.camera) == (kind, spec.colour, "fast", "zoom in")


def test_what_was_read_becomes_attributes_unless_said_otherwise(parser: PromptParser) -> None:
    config = UNet3DConfig.debug(text_width=parser.table.width)
    generator = VideoGenerator(UNet3D(config), parser.table, parser=parser)
    wanted, unwanted = generator.build_conditions(VideoRequest("a blue yacht at sea swiftly, to the left, zooming in"))
    boat = 1 + list(KINDS).index("boat")
    assert wanted.attributes.tolist() == [[0, 3, 4, 6, 1, 0, boat, 0, 0, 0, 0, 0]] and not unwanted.attributes.any()
    assert generator.build_conditions(VideoRequest("a blue yacht at sea", colour=2))[0].attributes[0, 3] == 2
    told = generator.build_conditions(VideoRequest("a blue yacht at sea to the left", direction=2))[0]
    assert told.attributes[0, 4] == 2
    clip = VideoRequest("a blue yacht at sea", frames=2, size=32, steps=1)
    assert 'told "a boat with blue sails"' in next(generator.stream(clip)).notes[-1]


def test_things_are_read_before_scenes_by_models_that_draw_them(parser: PromptParser) -> None:
    told, read = parser.understand("two cats on the beach", things=True)
    assert isinstance(read, ThingPrompt) and told == "two cats walking left on the beach by day"
    assert not isinstance(parser.understand("two cats on the beach")[1], ThingPrompt)
    birds = parser.understand("birds fly over, the sky is blue", things=True)[1]
    assert isinstance(birds, ParsedPrompt) and birds.kind == "birds"  # all of these are words of the scene


def test_scenes_have_the_colour_of_nature_where_none_is_said(parser: PromptParser) -> None:
    config = UNet3DConfig.debug(text_width=parser.table.width)
    generator = VideoGenerator(UNet3D(config), parser.table, parser=parser)
    colours = {
        prompt: int(generator.build_conditions(VideoRequest(prompt))[0].attributes[0, 3])
        for prompt in ("a camp fire in the dark", "a blue camp fire in the dark", "a ball bouncing")
    }
    assert list(colours.values()) == [1 + list(COLOURS).index("orange"), 1 + list(COLOURS).index("blue"), 0]


@pytest.mark.parametrize(
    ("prompt", "chips", "unread"),
    [
        ("a cat walking on the beach at sunset", ("cat", "walking left", "beach", "dusk"), ()),
        ("a red sports car in the desert", ("red car", "driving left", "desert", "day"), ("sports",)),
        ("lava", ("lava", "orange"), ()),
        ("a woman with red hair walks", ("woman", "walking"), ()),
        ("my grandmother knitting", (), ("grandmother", "knitting")),
        ("asdfgh", (), ()),
    ],
)
def test_a_reading_says_what_is_drawn_and_what_cannot_be(
    parser: PromptParser, prompt: str, chips: tuple[str, ...], unread: tuple[str, ...]
) -> None:
    reading = read_prompt(parser, prompt, things=True)
    assert reading.chips == chips and reading.is_known == bool(chips)
    assert set(unread) <= set(reading.unread)
    assert bool(reading.to_sentence()) == (not chips or bool(reading.unread))


@given(st.text(max_size=60))
def test_any_text_has_a_reading(parser: PromptParser, text: str) -> None:
    reading = read_prompt(parser, text, things=True)
    assert all(reading.chips) and isinstance(reading.to_sentence(), str)


def test_the_noise_moves_where_the_prompt_or_the_knob_says(parser: PromptParser) -> None:
    generator = VideoGenerator(UNet3D(UNet3DConfig.debug(text_width=parser.table.width)), parser.table, parser=parser)

    def drift(request: VideoRequest) -> str:
        noise = generator.draw_noise(request, request.frames, torch.Generator().manual_seed(1))[0]
        still, following = noise[:, :-1], noise[:, 1:]
        ways = {"none": (0, 0), "left": (0, -2), "right": (0, 2), "up": (-2, 0), "down": (2, 0)}
        likeness = {way: float((still.roll(by, (2, 3)) * following).mean()) for way, by in ways.items()}
        best = max(likeness, key=lambda way: likeness[way])
        return best if likeness[best] > 0.15 else "none"

    assert drift(VideoRequest("a red ball")) == "none"
    assert drift(VideoRequest("a red ball moving left")) == "left"
    assert drift(VideoRequest("a red ball moving left", direction=2)) == "right"
    assert drift(VideoRequest("hello world", direction=3)) == "up"
    assert drift(VideoRequest("blue mountains, camera pans left")) == "right"
    given = np.zeros((64, 64, 3), np.uint8)
    assert drift(VideoRequest("a red ball moving left", image=given)) == "none"
    assert drift(VideoRequest("a red ball moving left", frames=32, loop=True)) == "left"

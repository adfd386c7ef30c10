"""Named things in scenes of the model: which, where, and what is said of the words that nothing is drawn for."""

from __future__ import annotations

import json

import pytest

from models.registry.registry import WEIGHTS_DIR
from models.video.cutouts import CUTOUT_NAMES, CUTOUT_PICTURES, CutoutPack, load_cutouts
from models.video.prompt_parsing import PARSER_WEIGHTS, PromptParser, load_prompt_parser
from models.video.prompt_reader import PromptReader
from models.video.scene_words import KIND_NAMES
from models.video.staging import PLACE_SETTINGS, direct, list_staged_parts, stage_prompt
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table
from models.video.thing_words import ACTS, PLACES


@pytest.fixture(scope="module")
def parser() -> PromptParser:
    return load_prompt_parser(WEIGHTS_DIR / PARSER_WEIGHTS, load_text_table(WEIGHTS_DIR / TEXT_WEIGHTS))


@pytest.fixture(scope="module")
def pack() -> CutoutPack:
    return load_cutouts(WEIGHTS_DIR / CUTOUT_PICTURES, WEIGHTS_DIR / CUTOUT_NAMES)


@pytest.mark.parametrize(
    ("prompt", "thing", "act", "told"),
    [
        ("a cat walking on the beach at sunset", "cat", "walk", "a blue ocean with rolling waves at dusk"),
        ("a red sports car in the desert", "car", "drive", "a golden desert by day"),
        ("two robots dancing in the snow", "robot", "dance", "snow falls on a white cabin by day"),
        ("a rocket flying into space", "rocket", "fly", "flying through blue stars"),
        ("a goldfish swimming under water", "fish", "swim", "fish under water"),
        ("an apple falling", "apple", "fall", "green flowers in a meadow by day"),
        ("a kitten on a purple planet", "cat", "fly", "a purple planet with rings"),
    ],
)
def test_the_scene_is_told_without_its_things(
    parser: PromptParser, pack: CutoutPack, prompt: str, thing: str, act: str, told: str
) -> None:
    staging = stage_prompt(parser, prompt, pack.lexicon)
    assert staging is not None
    assert (staging.things.thing, staging.things.act, staging.told, staging.unread) == (thing, act, told, ())


@pytest.mark.parametrize(
    ("prompt", "chips", "unread"),
    [
        ("a yellow school bus in the rain in the city", ("gold bus", "driving left", "city", "raining"), ("school",)),
        ("a truck going down a street", ("truck", "driving left", "street", "day"), ()),
        ("a school of sharks", ("five sharks", "swimming left", "underwater"), ()),
        ("a pirate ship", ("ship", "swimming left", "sea", "day"), ("pirate",)),
        ("a baby elephant walking up the road", ("elephant", "walking left", "street", "day"), ()),
        ("a feather floating down", ("feather", "falling", "sky", "day"), ()),
        ("a cat in the rain", ("cat", "walking left", "meadow", "day", "raining"), ()),
        ("the moon over a lake", ("moon", "sea", "night"), ()),
        ("a wolf looking at the moon", ("wolf", "moon", "walking left", "forest", "night"), ()),
        ("an astronaut on the moon", ("astronaut", "walking left", "on the moon"), ()),
        ("an astronaut walking on mars", ("astronaut", "walking left", "mars"), ()),
        ("a red balloon floating in the sky", ("red balloon", "flying left", "sky", "day"), ()),
        ("five birds flying at dusk", ("five birds", "flying left", "sky", "dusk"), ()),
        ("a chef in the kitchen", ("chef", "walking left", "room", "day"), ()),
        ("a cat sleeping on a sofa", ("cat", "on sofa", "standing", "room", "day"), ()),
        (
            "a dragon breathing fire over a castle",
            ("dragon", "castle", "flying left", "mountains", "day"),
            ("breathing", "fire"),
        ),
        ("a dog by the lake", ("dog", "walking left", "beach", "day"), ()),
        ("two flamingos standing in a lake", ("two flamingos", "standing", "sea", "day"), ()),
        ("a cowboy on a horse in the desert", ("cowboy", "on horse", "walking left", "desert", "day"), ()),
        ("strawberries falling from the sky", ("three strawberries", "falling", "sky", "day"), ()),
        ("grapes on a meadow", ("grapes", "standing", "meadow", "day"), ()),
        ("a bouquet of roses", ("bouquet", "standing", "meadow", "day"), ()),
        ("two children dancing", ("two children", "dancing", "meadow", "day"), ()),
        ("an airplane taking off", ("airplane", "rising", "sky", "day"), ()),
        ("a girl with a red dress in the snow", ("girl in red", "walking left", "snow", "day"), ()),
        ("a police car chasing a taxi", ("police car", "chasing taxi", "driving left", "street", "day"), ()),
    ],
)
def test_the_last_of_two_names_is_the_thing_and_a_way_is_no_fall(
    parser: PromptParser, pack: CutoutPack, prompt: str, chips: tuple[str, ...], unread: tuple[str, ...]
) -> None:
    staging = stage_prompt(parser, prompt, pack.lexicon)
    assert staging is not None
    assert (tuple(part.words for part in list_staged_parts(staging)), staging.unread) == (chips, unread)


@pytest.mark.parametrize(
    "prompt", ["blue ocean waves at sunset", "birds flying left at dusk", "fish and corals in blue water",
               "a woman with pink hair in a blue shirt walks left", "a red ball bouncing to the right", "asdfgh"]
)  # fmt: skip
def test_scenes_stay_the_models_own(parser: PromptParser, pack: CutoutPack, prompt: str) -> None:
    assert stage_prompt(parser, prompt, pack.lexicon) is None


def test_two_things_have_colours_numbers_and_a_relation(parser: PromptParser, pack: CutoutPack) -> None:
    staging = stage_prompt(parser, "a tiny astronaut riding a huge pink horse", pack.lexicon)
    assert staging is not None
    read = staging.things
    assert (read.thing, read.other, read.relation) == ("astronaut", "horse", "riding")
    assert (read.colour, read.other_colour, read.size, read.other_size) == ("", "pink", "small", "large")
    assert "pink" not in staging.told
    three = stage_prompt(parser, "three black dogs under the stars", pack.lexicon)
    assert three is not None and (three.things.count, three.things.colour, three.scene.time) == (3, "black", "night")


def test_controls_go_before_the_prompt(parser: PromptParser, pack: CutoutPack) -> None:
    staging = stage_prompt(parser, "a dog walking left", pack.lexicon)
    assert staging is not None
    assert direct(staging, "right", 3, 2).things.direction == "right"
    assert direct(staging, "up", 0, 0).things.act == "rise"
    assert direct(staging, "none", 0, 0) == staging


def test_the_reading_credits_what_is_drawn_by_rule(parser: PromptParser, pack: CutoutPack) -> None:
    reading = PromptReader(parser, pack, draws_things=False).read("a dog knitting in the snow")
    assert reading is not None
    assert reading.chips[0] == "dog" and reading.unread == ("knitting",)
    assert reading.to_credit() == "The dog is drawn by rule from Fluent emoji; the scene is the model's."
    scene = PromptReader(parser, pack, draws_things=False).read("blue ocean waves at sunset")
    assert scene is not None and scene.to_credit() == ""


def test_the_pack_is_whole(pack: CutoutPack) -> None:
    assert len(pack.things) > 500
    words = [word for thing in pack.things.values() for word in thing.words]
    assert len(words) == len(set(words))
    for thing in pack.things.values():
        assert thing.act in ACTS and thing.home in PLACE_SETTINGS and 0.2 <= thing.size <= 1
    assert {place for place in PLACES if place != "room"} <= set(PLACE_SETTINGS)
    assert all(setting.kind in KIND_NAMES for setting in PLACE_SETTINGS.values())
    rows = json.loads((WEIGHTS_DIR / CUTOUT_NAMES).read_text(encoding="utf-8"))
    assert len(rows) == len(pack.things)
    assert all((WEIGHTS_DIR / name).stat().st_size < 10e6 for name in (CUTOUT_NAMES, CUTOUT_PICTURES))

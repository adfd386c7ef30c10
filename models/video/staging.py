"""Which scene of the model named things are shown in, and where in it they stand.

The model draws the scene, told of nothing else; the things are laid over it by rule (`models.video.composition`). A
prompt that is all in the model's own words stays the model's alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.video.colour_names import find_colour
from models.video.prompt_parsing import SURE, ParsedPrompt, PromptParser
from models.video.prompt_reading import PEOPLE_WORDS, find_unread, list_scene_chips, list_thing_chips
from models.video.scene_spec import CAMERAS, SPEEDS
from models.video.scene_vocabulary import SCENE_VOCABULARY
from models.video.scene_words import KIND_NAMES
from models.video.text_embedding import split_words
from models.video.thing_parsing import (
    Lexicon,
    ThingPrompt,
    find_things,
    list_singulars,
    parse_things,
    to_plural,
)
from models.video.thing_tables import TIME_WORDS
from models.video.thing_words import LEADING, PLACES

SCENE_SURE = 0.5  # chance from which the network is believed about the scene around things
SCENERY = frozenset({"star", "comet", "leaf", "window", "snowflake"})  # what scenes have without being asked
STRICT = 0.62  # cosine from which a word beside a thing is taken for one that is known
COVERED = 0.6  # chance from which a word of the captions is part of the scene and no thing, among other words


@dataclass(frozen=True)
class Setting:
    """Where things are: a scene of the model, and what is laid under their feet.

    Attributes:
        kind, colour: what the model draws; no time of day is told where `timeless`.
        medium: ground, air, water, depth or space.
        feet: height of the ground, from -1 (bottom) to 1 (top).
        floor: what is laid by rule in front of the scene: sand, road, dust or "".
    """

    kind: str
    colour: str = ""
    medium: str = "ground"
    feet: float = -0.68
    floor: str = ""
    timeless: bool = False


PLACE_SETTINGS = {
    "meadow": Setting("flowers", "green"),
    "beach": Setting("ocean", "blue", floor="sand", feet=-0.66),
    "desert": Setting("desert", "gold"),
    "snow": Setting("snow", "white"),
    "forest": Setting("forest", "green", feet=-0.78),
    "city": Setting("city", "", floor="road", feet=-0.74, timeless=True),
    "sea": Setting("ocean", "blue", "water", -0.42),
    "sky": Setting("clouds", "white", "air"),
    "space": Setting("starfield", "", "space", timeless=True),
    "moon": Setting("starfield", "", floor="dust", feet=-0.66, timeless=True),
    "mountains": Setting("mountains", "", feet=-0.78),
    "street": Setting("mountains", "", floor="road", feet=-0.70),
    "underwater": Setting("underwater", "", "depth", timeless=True),
}
_TIMELESS = frozenset(
    split_words(
        "plasma kaleidoscope tunnel ball orbit tiles bubbles fire lava aurora starfield galaxy planet fireworks "
        "lightning fireflies meteors underwater ripples rain ink"
    )
)
_MEDIA = {
    **dict.fromkeys(("clouds", "birds", "balloons"), "air"),
    **dict.fromkeys(
        ("starfield", "galaxy", "planet", "plasma", "kaleidoscope", "tunnel", "orbit", "tiles", "ink"), "space"
    ),
    **dict.fromkeys(("underwater", "bubbles"), "depth"),
    **dict.fromkeys(("ocean", "boat"), "water"),
}  # fmt: skip
UNDRAWN = frozenset(PLACES["room"])  # places that no scene shows
WEATHER = frozenset({"rain", "lightning"})  # scenes of their own, which are not drawn where another place is said


@dataclass(frozen=True)
class Staging:
    """Things in a scene.

    Attributes:
        things: what is laid over the scene, and how it moves.
        scene: what the model draws; told: the same in the words that it is told.
        setting: where in it the things are.
        unread: the words of the prompt that nothing is drawn for.
    """

    things: ThingPrompt
    scene: ParsedPrompt
    told: str
    setting: Setting
    unread: tuple[str, ...]


def stage_prompt(parser: PromptParser, prompt: str, lexicon: Lexicon) -> Staging | None:
    """Put the things of a prompt into a scene of the model; None where the prompt names none, or a scene alone."""
    things = parse_things(prompt, lexicon)
    if things is None or is_scene_alone(parser, prompt, lexicon):
        return None
    scene, setting = find_setting(parser, things, lexicon)
    things = settle(things, setting)
    return Staging(things, scene, scene.to_caption(), setting, _find_unread(parser, things, scene))


def is_scene_alone(parser: PromptParser, prompt: str, lexicon: Lexicon) -> bool:
    """Tell whether a prompt asks for a scene whose own parts the named things are, or for the model's characters."""
    words = split_words(prompt)
    spoken = [word for word in words if word.isalpha()]
    parsed = parser.parse(prompt)
    found = find_things(words, lexicon)
    first = {words[at] for _, start, end in found[:1] for at in range(start, end)}
    named = {words[at] for _, start, end in found for at in range(start, end)}
    own = parser.known | SCENE_VOCABULARY.get(parsed.kind, frozenset())
    sure = parsed.sure >= (SURE if parser.known.issuperset(spoken) else COVERED)
    if parsed.kind and sure and first <= parser.known and all(own.intersection(list_singulars(word)) for word in named):
        return True
    named_first = {name for name, _, _ in found[:1]}
    if parsed.kind and parsed.sure >= COVERED and (named_first & SCENERY or _is_part(words, found[0][1])):
        return True
    placed = any(word in each for word in spoken for each in PLACES.values())
    return first <= PEOPLE_WORDS.keys() and named <= PEOPLE_WORDS.keys() | parser.known and not placed


def _is_part(words: list[str], start: int) -> bool:
    """Tell whether a thing is only something that a scene has, as in "a town with lit windows"."""
    return "with" in words[max(start - 3, 1) : start]


def find_setting(parser: PromptParser, things: ThingPrompt, lexicon: Lexicon) -> tuple[ParsedPrompt, Setting]:
    """Find the scene around things: one by its name, a place, what the network reads of the rest, or their home."""
    words = split_words(things.scene)
    read = parser.parse(things.scene) if words else ParsedPrompt("", "", "", "", "", "", 0.0)
    times = {word for own in TIME_WORDS.values() for word in own}
    named = next(
        (name for word in words for name in (word, f"{word}s") if name in KIND_NAMES and word not in times), ""
    )
    place = next((name for word in words for name, own in PLACES.items() if word in own), "")
    if place and named in WEATHER:
        named = ""
    mover = things.other if things.relation == "riding" else things.thing
    home = "sea" if things.act == "swim" and lexicon.homes[mover] != "underwater" else lexicon.homes[mover]
    if named and named not in {"snow", "flowers", "forest", "desert", "city", "ocean", "mountains", "clouds"}:
        setting = _describe_kind(named)
    elif place and place != "room":
        setting = PLACE_SETTINGS[place]
        if place == "sea" and (home == "underwater" or "underwater" in words):
            setting = PLACE_SETTINGS["underwater"]
    elif read.kind and read.sure >= SCENE_SURE:
        setting = _describe_kind(read.kind)
    else:
        setting = PLACE_SETTINGS[home]
    said = not times.isdisjoint(words)
    time = things.time if said and things.time else read.time or "day"
    colour = find_colour(things.scene) or setting.colour
    if setting.kind == "sunrise":
        way = read.direction if read.direction in {"up", "down"} else "down" if time == "dusk" else "up"
        return replace(read, kind="sunrise", direction=way, time="", camera=things.camera, sure=1.0), setting
    shown = ParsedPrompt(
        setting.kind, colour, "", "", time if said or not setting.timeless else "", things.camera if
        things.camera != "still" else "",
    )  # fmt: skip
    return shown, setting


def _describe_kind(kind: str) -> Setting:
    """Describe where things are in a scene of a kind."""
    return next(
        (each for each in PLACE_SETTINGS.values() if each.kind == kind and each.floor == ""),
        Setting(kind, "", _MEDIA.get(kind, "ground"), timeless=kind in _TIMELESS),
    )


def settle(things: ThingPrompt, setting: Setting) -> ThingPrompt:
    """Make what things do possible where they are: nothing walks on water, and in space all floats."""
    act = things.act
    if setting.medium in {"air", "space", "depth"} and act in {"walk", "hop", "drive", "roll", "stand"}:
        act = "swim" if setting.medium == "depth" else "fly"
    elif setting.medium == "water" and act in {"walk", "hop", "roll", "stand"}:
        act = "swim"
    if act == "fly" and things.act == "stand":
        return replace(things, act=act, direction="")
    return replace(things, act=act)


def direct(staging: Staging, direction: str, speed: int, camera: int) -> Staging:
    """Let things move as controls say: a direction ("none" for as the prompt says), numbers from 1, 0 for the same."""
    things = staging.things
    if direction in {"left", "right"} and things.act in LEADING:
        things = replace(things, direction=direction)
    elif direction in {"up", "down"}:
        things = replace(things, act="rise" if direction == "up" else "fall", direction="")
    elif direction in {"clockwise", "counterclockwise"}:
        things = replace(things, act="spin", direction=direction)
    if speed:
        things = replace(things, speed=list(SPEEDS)[speed - 1])
    if camera:
        things = replace(things, camera=CAMERAS[camera - 1])
    return replace(staging, things=things)


def list_laid(things: ThingPrompt) -> tuple[str, ...]:
    """List the things that are laid over a scene, each with its number."""
    first = things.thing if things.count == 1 else to_plural(things.thing)
    second = things.other if things.other_count == 1 else to_plural(things.other)
    return tuple(name for name in (first, second if things.other else "") if name)


def list_staged_chips(staging: Staging) -> tuple[str, ...]:
    """List what is laid over a scene and how it moves, then what the scene shows."""
    things = staging.things
    own = list_thing_chips(replace(things, place="", time="", camera="still"))
    place = things.place if PLACE_SETTINGS.get(things.place) == staging.setting else ""
    scene = list_scene_chips(replace(staging.scene, colour=find_colour(things.scene)), natural=False)
    return tuple(dict.fromkeys((*own, *((place, *scene[1:]) if place else scene))))


def _find_unread(parser: PromptParser, things: ThingPrompt, scene: ParsedPrompt) -> tuple[str, ...]:
    """Find the words of the prompt that nothing is drawn for."""
    undrawn = (UNDRAWN | WEATHER - {scene.kind}).intersection(split_words(things.scene))
    unread = undrawn.union(find_unread(parser, " ".join(things.unread), scene.kind, STRICT))
    return tuple(word for word in dict.fromkeys(split_words(things.scene)) if word in unread)

"""Which scene of the model named things are shown in, and where in it they stand.

The model draws the scene, told of nothing else; the things are laid over it by rule (`models.video.composition`). A
prompt that is all in the model's own words stays the model's alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from models.video.clothes import dress_people
from models.video.colour_names import find_colour
from models.video.plurals import list_singulars, to_plural
from models.video.prompt_parsing import SURE, ParsedPrompt, PromptParser
from models.video.prompt_reading import PEOPLE_WORDS, PromptPart, find_unread, list_scene_parts, list_thing_parts
from models.video.scene_names import FILLING, MOVING, SKY_SHOWS, find_kind_name, find_scene_name, is_name_alone
from models.video.scene_spec import CAMERAS, SPEEDS
from models.video.scene_vocabulary import SCENE_VOCABULARY
from models.video.text_embedding import split_words
from models.video.thing_parsing import (
    HANGING,
    MOON,
    Lexicon,
    ThingPrompt,
    find_things,
    parse_things,
)
from models.video.thing_tables import ALL_TIMES, GROUPS, NUMBERS, STOP_WORDS, WEATHERS
from models.video.thing_words import LEADING, PLACES

SCENE_SURE = 0.5  # chance from which the network is believed about the scene around things
SCENERY = frozenset({"star", "comet", "leaf", "window", "snowflake"})  # what scenes have without being asked
AIRSHIP = frozenset({"hot", "air", "flight", "ride", "basket"})  # words of balloons that carry people
FULL, CERTAIN = frozenset({"fireworks", "flowers"}), 0.9  # scenes with many things, and when they are meant
COVERED = 0.6  # chance from which a word of the captions is part of the scene and no thing, among other words


@dataclass(frozen=True)
class Setting:
    """Where things are: a scene of the model, and what is laid under their feet.

    Attributes:
        kind, colour: what the model draws; no time of day is told where `timeless`.
        medium: ground, air, water, depth or space.
        feet: height of the ground, from -1 (bottom) to 1 (top).
        floor: what is laid by rule in front of the scene: sand, road, dust, room or "".
        title: what the place is called where it is not the scene's own name.
    """

    kind: str
    colour: str = ""
    medium: str = "ground"
    feet: float = -0.68
    floor: str = ""
    timeless: bool = False
    title: str = ""


PLACE_SETTINGS = {
    "meadow": Setting("flowers", "green"),
    "beach": Setting("ocean", "blue", floor="sand", feet=-0.66),
    "desert": Setting("desert", "gold"),
    "snow": Setting("snow", "white"),
    "forest": Setting("forest", "green", feet=-0.78),
    "city": Setting("city", "", floor="road", feet=-0.74, timeless=True),
    "sea": Setting("ocean", "blue", "water", -0.42),
    "sky": Setting("clouds", "white", "air"),
    "space": Setting("starfield", "blue", "space", timeless=True),
    "moon": Setting("starfield", "blue", floor="dust", feet=-0.66, timeless=True, title="on the moon"),
    "mountains": Setting("mountains", "", feet=-0.78),
    "street": Setting("mountains", "", floor="road", feet=-0.70),
    "underwater": Setting("underwater", "", "depth", timeless=True, title="underwater"),
    "room": Setting("flowers", "green", floor="room", feet=-0.72, title="room"),
}
OTHER_PLACES = {"mars": Setting("desert", "red", timeless=True, title="mars")}
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
WEATHER = frozenset({"rain", "snow"})  # scenes of their own, which fall by rule where things are
AFLOAT = frozenset({"in", "on", "into", "under", "through", "across", "of", ","})  # before water that one is in
SPEWING = frozenset({"breathing", "breathes", "spitting", "spits"})  # what comes after is no scene


WEATHER_TITLES = {"rain": "raining", "snow": "snowing"}


@dataclass(frozen=True)
class Staging:
    """Things in a scene.

    Attributes:
        things: what is laid over the scene, and how it moves.
        scene: what the model draws; told: the same in the words that it is told.
        setting: where in it the things are.
        unread: the words of the prompt that nothing is drawn for.
        weather: what falls by rule: rain, snow or "".
        is_dressed: whether the colour of the first thing is that of its clothes.
    """

    things: ThingPrompt
    scene: ParsedPrompt
    told: str
    setting: Setting
    unread: tuple[str, ...]
    weather: str = ""
    is_dressed: bool = False


def stage_prompt(parser: PromptParser, prompt: str, lexicon: Lexicon, draws_people: bool = True) -> Staging | None:
    """Put the things of a prompt into a scene; None where it names none, a scene alone, or the model's people."""
    if not find_things(split_words(prompt), lexicon) or is_scene_alone(parser, prompt, lexicon, draws_people):
        return None
    dressed, is_dressed = dress_people(prompt, lexicon)
    things = parse_things(dressed, lexicon)
    if things is None:
        return None
    scene, setting = find_setting(parser, things, lexicon)
    things = settle(things, setting)
    weather = next((WEATHERS[word] for word in split_words(things.scene) if word in WEATHERS), "")
    if weather == "snow" and setting.kind == "snow":
        weather = ""
    unread = _find_unread(parser, things, scene, setting)
    if weather and setting.floor == "room":  # nothing falls in a room
        weather, unread = "", (*unread, *(word for word in split_words(things.scene) if word in WEATHERS))
    return Staging(things, scene, scene.to_caption(), setting, unread, weather, is_dressed)


def is_scene_alone(parser: PromptParser, prompt: str, lexicon: Lexicon, draws_people: bool = True) -> bool:
    """Tell whether a prompt asks for a scene whose own parts the named things are, or for the model's characters."""
    words = split_words(prompt)
    spoken = [word for word in words if word.isalpha()]
    parsed = parser.parse(prompt)
    found = find_things(words, lexicon)
    first = {words[at] for _, start, end in found[:1] for at in range(start, end)}
    named = {words[at] for _, start, end in found for at in range(start, end)}
    if is_name_alone(words):
        return True
    if found and _is_apart(words, *found[0][1:]):
        return False
    own = parser.known | SCENE_VOCABULARY.get(parsed.kind, frozenset())
    sure = parsed.sure >= (SURE if parser.known.issuperset(spoken) else COVERED)
    is_person = first <= PEOPLE_WORDS.keys()
    if (
        parsed.kind
        and sure
        and first <= parser.known
        and not is_person
        and all(own.intersection(list_singulars(word)) for word in named)
    ):
        return True
    drawn = SCENE_VOCABULARY.get(parsed.kind, frozenset()) if parsed.kind in FULL else frozenset()
    if parsed.sure >= CERTAIN and all(drawn.intersection(list_singulars(word)) for word in named):
        return True
    named_first = {name for name, _, _ in found[:1]}
    if parsed.kind and parsed.sure >= COVERED and (named_first & SCENERY or _is_part(words, found[0][1])):
        return True
    placed = any(word in each for word in spoken for each in PLACES.values())
    return draws_people and is_person and parser.known.issuperset(spoken) and not placed


def _is_apart(words: list[str], start: int, end: int) -> bool:
    """Tell whether what scenes have, too, is a thing of its own: a toy balloon, the moon, so many birds."""
    if start and words[start - 1] in NUMBERS and words[start - 1] not in GROUPS and not words[start - 1].isdigit():
        return True
    at = end - 1
    return (words[at] == "balloon" and AIRSHIP.isdisjoint(words)) or (words[at] == MOON and "under" not in words)


def _is_part(words: list[str], start: int) -> bool:
    """Tell whether a thing is only something that a scene has, as in "a town with lit windows"."""
    return "with" in words[max(start - 3, 1) : start]


def find_setting(parser: PromptParser, things: ThingPrompt, lexicon: Lexicon) -> tuple[ParsedPrompt, Setting]:
    """Find the scene around things: one by its name, a place, what the network reads of the rest, or their home."""
    words = _drop_spewed(split_words(things.scene))
    read = parser.parse(" ".join(words)) if words else ParsedPrompt("", "", "", "", "", "", 0.0)
    named = find_kind_name([word for word in words if word not in ALL_TIMES])
    place = things.place if things.is_placed else ""
    if not WEATHERS.keys().isdisjoint(words):
        named, read = "" if named in WEATHER | {"lightning"} else named, replace(read, kind="")
    mover = things.other if things.relation == "riding" else things.thing
    show = find_scene_name(words, SKY_SHOWS)
    away = next((OTHER_PLACES[word] for word in words if word in OTHER_PLACES), None)
    home = "sea" if things.act == "swim" and lexicon.homes[mover] != "underwater" else lexicon.homes[mover]
    if not place and things.other and things.relation != "holding" and lexicon.homes[things.other] == "room":
        place = "room"
    if away is not None:
        setting = away
    elif show is not None:
        setting = _describe_kind(show.kind)
    elif named and named not in {"snow", "flowers", "forest", "desert", "city", "ocean", "mountains", "clouds"}:
        setting = _describe_kind(named)
    elif place:
        setting = PLACE_SETTINGS["beach" if place == "sea" and _is_ashore(words, things) else place]
        if place == "sea" and (home == "underwater" or "underwater" in words):
            setting = PLACE_SETTINGS["underwater"]
    elif read.kind and read.sure >= SCENE_SURE:
        setting = _describe_kind(read.kind)
    else:
        setting = PLACE_SETTINGS[home]
    said = not ALL_TIMES.isdisjoint(words)
    usual = "night" if MOON in (things.thing, things.other) else read.time or "day"
    time = things.time if said and things.time else usual
    colour = find_colour(things.scene) or setting.colour
    if setting.kind == "sunrise":
        way = read.direction if read.direction in {"up", "down"} else "down" if time == "dusk" else "up"
        return replace(read, kind="sunrise", direction=way, time="", camera=things.camera, sure=1.0), setting
    shown = ParsedPrompt(
        setting.kind, colour, "", "", time if said or not setting.timeless else "", things.camera if
        things.camera != "still" else "",
    )  # fmt: skip
    return shown, setting


def _is_ashore(words: list[str], things: ThingPrompt) -> bool:
    """Tell whether what walks or stands is beside the water that is named, not in it."""
    at = next((number for number, word in enumerate(words) if word in PLACES["sea"]), 0)
    within = not AFLOAT.isdisjoint(words[max(at - 2, 0) : at]) or "underwater" in words
    return things.act in {"walk", "hop", "stand", "dance"} and things.thing not in HANGING and not within


def _drop_spewed(words: list[str]) -> list[str]:
    """Drop what something breathes: in "a dragon breathing fire" there is no campfire."""
    return [word for before, word in zip(["", *words], words, strict=False) if not {before, word} & SPEWING]


def _describe_kind(kind: str) -> Setting:
    """Describe where things are in a scene of a kind."""
    return next(
        (each for each in PLACE_SETTINGS.values() if each.kind == kind and each.floor == ""),
        Setting(kind, "", _MEDIA.get(kind, "ground"), timeless=kind in _TIMELESS),
    )


def settle(things: ThingPrompt, setting: Setting) -> ThingPrompt:
    """Make what things do possible where they are: nothing walks on water, and in space all floats."""
    act = things.act
    if things.thing in HANGING and setting.medium != "space":
        return replace(things, act="stand", direction="")
    if setting.medium in {"air", "space", "depth"} and act in {"walk", "hop", "drive", "roll", "stand"}:
        act = "swim" if setting.medium == "depth" else "fly"
    elif setting.medium == "water" and act in {"walk", "roll"}:
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


def list_staged_parts(staging: Staging) -> tuple[PromptPart, ...]:
    """List what is laid over a scene and how it moves, then what the scene shows."""
    things, setting = staging.things, staging.setting
    own = list_thing_parts(replace(things, place="", time="", camera="still"))
    if staging.is_dressed:
        bare = own[0].words.replace(f"{things.colour} ", "", 1)
        own = (PromptPart("thing", f"{bare} in {things.colour}"), *own[1:])
    if things.thing in HANGING and things.act == "stand":
        own = tuple(part for part in own if part.kind != "act")
    usual = next((name for name, each in PLACE_SETTINGS.items() if each == setting), "")
    place = setting.title or (things.place if PLACE_SETTINGS.get(things.place) == setting else usual)
    scene = list_scene_parts(replace(staging.scene, colour=find_colour(things.scene)), natural=False)
    shown = (PromptPart("place", place), *scene[1:]) if place else (PromptPart("place", scene[0].words), *scene[1:])
    falls = (PromptPart("weather", WEATHER_TITLES[staging.weather]),) if staging.weather else ()
    return tuple(dict.fromkeys((*own, *shown, *falls)))


def _find_unread(parser: PromptParser, things: ThingPrompt, scene: ParsedPrompt, setting: Setting) -> tuple[str, ...]:
    """Find the words of the prompt that nothing is drawn for."""
    words = [word for word in split_words(things.scene) if word not in WEATHERS and word != setting.title]
    undrawn = {after for before, after in pairwise(words) if before in SPEWING}
    unread = undrawn.union(find_unread(parser, " ".join(things.unread), scene.kind, beside=True))
    unread |= {word for word in things.unread if _is_deed(parser, word)}
    return tuple(word for word in dict.fromkeys(words) if word in unread)


def _is_deed(parser: PromptParser, word: str) -> bool:
    """Tell whether a word says what a thing does, in a way that nothing moves in: no other deed stands for it."""
    known = parser.known | SCENE_VOCABULARY[""] | FILLING | MOVING | STOP_WORDS | WEATHERS.keys()
    return word.endswith("ing") and len(word) > 5 and word not in known

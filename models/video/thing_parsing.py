"""Reading of prompts about named things: which things, how many, where, what they do, and which words say none of it.

Names are looked up, word by word, the longest first; what a prompt does not say is filled in as is usual for the thing
(a car drives on a street). The model is told the same in its own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from models.video.colour_names import find_colour
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS, SPEEDS, TIMES
from models.video.scene_words import COLOUR_WORDS, tidy
from models.video.text_embedding import split_words
from models.video.thing_words import (
    ACT_NAMES,
    ACTS,
    COUNTS,
    PLACE_NAMES,
    PLACE_WORDS,
    PLACES,
    THING_NAMES,
    THINGS,
    find_home,
)

PLURALS = {"mice": "mouse", "geese": "goose", "wolves": "wolf", "oxen": "ox"}
SAME_PLURAL = frozenset({"sheep", "deer", "fish", "broccoli", "sushi", "corn", "grapes", "french fries", "goldfish"})
NUMBERS = {"two": "two", "2": "two", "pair": "two", "couple": "two", "both": "two", "three": "two", "several": "two"}
TIME_WORDS = {
    "dawn": ("dawn", "morning", "sunrise", "daybreak"),
    "day": ("day", "daylight", "noon", "afternoon", "sunny", "sunshine", "daytime"),
    "dusk": ("dusk", "sunset", "evening", "twilight", "nightfall"),
    "night": ("night", "midnight", "moonlight", "nighttime", "dark"),
}
SPEED_WORDS = {
    "slow": ("slowly", "slow", "gently", "calmly", "lazily"),
    "fast": (
        "fast", "quickly", "quick", "rapidly", "swiftly", "speeding", "running", "runs", "run", "racing", "sprinting",
    ),
}  # fmt: skip
DIRECTION_WORDS = {
    "left": ("left", "leftwards"),
    "right": ("right", "rightwards"),
    "up": ("up", "upwards"),
    "down": ("down", "downwards"),
    "clockwise": ("clockwise",),
    "counterclockwise": ("counterclockwise", "anticlockwise"),
}
CAMERA_PHRASES = {
    "pan left": ("pans left", "panning left", "pan left"),
    "pan right": ("pans right", "panning right", "pan right"),
    "zoom in": ("zooms in", "zooming in", "zoom in"),
    "zoom out": ("zooms out", "zooming out", "zoom out"),
}
STOP_WORDS = frozenset(
    split_words(
        "a an the of in on at to from with and or by over under through into near beside behind before across along is "
        "are was it its his her their some video animation clip footage picture film movie scene showing shows camera "
        "static this that as very little small big large cute happy beautiful nice one who which while him them there "
        "around above below"
    )
)
LEADING = ("walk", "hop", "fly", "drive", "swim", "roll")


@dataclass(frozen=True)
class ThingPrompt:
    """What a clip of things shows; a colour, a direction or a time of day that is not said is "".

    Attributes:
        thing, other: names of THINGS; `other` "" where there is no second kind of thing.
        count: of `thing`, a value of COUNTS.
        act, place: keys of ACTS and PLACES.
        unread: the words of the prompt that say none of this.
    """

    thing: str
    other: str = ""
    count: str = "one"
    colour: str = ""
    act: str = "stand"
    direction: str = ""
    speed: str = "normal"
    place: str = "room"
    time: str = ""
    camera: str = "still"
    unread: tuple[str, ...] = ()

    def to_caption(self) -> str:
        """Word it as the training captions do."""
        colour = COLOUR_WORDS[self.colour][0][0] if self.colour else ""
        subject = f"two {colour} {to_plural(self.thing)}" if self.count == "two" else f"a {colour} {self.thing}"
        if self.other:
            subject += f" and a {self.other}"
        speed = {"slow": "slowly", "fast": "fast"}.get(self.speed, "")
        time = {"dawn": "at dawn", "day": "by day", "dusk": "at dusk", "night": "at night"}.get(self.time, "")
        camera = f", camera {self.camera.replace('pan', 'pans').replace('zoom', 'zooms')}"
        return tidy(
            " ".join(
                [subject, ACTS[self.act][0], self.direction, speed, PLACE_WORDS[self.place], time]
                + ([camera] if self.camera != "still" else [])
            )
        )

    def number_attributes(self) -> tuple[int, ...]:
        """Return the numbers of speed, camera, colour, direction, time, kind, thing, other, place, act and count."""

        def number(names: tuple[str, ...], value: str) -> int:
            return 1 + names.index(value) if value else 0

        return (
            number(tuple(SPEEDS), self.speed),
            number(CAMERAS, self.camera),
            number(tuple(COLOURS), self.colour),
            number(tuple(name for name in DIRECTIONS if name != "none"), self.direction),
            number(TIMES, self.time),
            0,
            number(THING_NAMES, self.thing),
            number(THING_NAMES, self.other),
            number(PLACE_NAMES, self.place),
            number(ACT_NAMES, self.act),
            number(COUNTS, self.count),
        )


def to_plural(name: str) -> str:
    """Return the plural of a thing's name."""
    if name in SAME_PLURAL:
        return name
    irregular = next((plural for plural, singular in PLURALS.items() if singular == name), "")
    if irregular or name.endswith(("s", "sh", "ch", "x")):
        return irregular or f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2] not in "aeiou" else f"{name}s"


def list_singulars(word: str) -> tuple[str, ...]:
    """List what a word may be the plural of, itself first."""
    found = [word, PLURALS.get(word, word)]
    if word.endswith("ies"):
        found.append(f"{word[:-3]}y")
    if word.endswith("es"):
        found.append(word[:-2])
    if word.endswith("s") and len(word) > 3:
        found.append(word[:-1])
    return tuple(found)


@lru_cache(maxsize=1)
def _list_names() -> dict[tuple[str, ...], str]:
    return {tuple(word.split()): name for name, (_, words) in THINGS.items() for word in words}


@lru_cache(maxsize=1)
def _list_acts() -> dict[str, str]:
    """List all forms of the verbs: "walk", "walks", "walking", "walked"."""
    found = {}
    for act, (first, *stems) in ACTS.items():
        found[first] = act
        for stem in stems:
            root = stem[:-1] if stem.endswith("e") else stem
            doubled = stem + stem[-1]
            for form in (stem, f"{stem}s", f"{stem}es", f"{root}ing", f"{root}ed", f"{doubled}ing", f"{doubled}ed"):
                found.setdefault(form, act)
    return found | {"flies": "fly", "flew": "fly", "swam": "swim", "ran": "walk", "rose": "rise", "rides": "drive"}


def find_things(words: list[str]) -> list[tuple[str, int, int]]:
    """Find the things that are named, in their order: name, first word, word after the last."""
    names, found, at = _list_names(), [], 0
    while at < len(words):
        for length in (3, 2, 1):
            part = words[at : at + length]
            if len(part) < length:
                continue
            match = next((names.get((*part[:-1], last)) for last in list_singulars(part[-1])
                          if (*part[:-1], last) in names), None)  # fmt: skip
            if match is not None:
                found.append((match, at, at + length))
                at += length
                break
        else:
            at += 1
    return found


def parse_things(prompt: str) -> ThingPrompt | None:
    """Read a prompt that names things; None where it names none."""
    words = split_words(prompt)
    things = find_things(words)
    if not things:
        return None
    unread = dict.fromkeys(range(len(words)))
    for _, start, end in things:
        for at in range(start, end):
            unread.pop(at, None)
    rest = " ".join(words[at] if at in unread else "," for at in range(len(words)))

    def take(table: dict[str, tuple[str, ...]]) -> str:
        """Take the first word of the prompt that a table has."""
        for at in list(unread):
            for value, names in table.items():
                if words[at] in names:
                    unread.pop(at)
                    return value
        return ""

    camera = "still"
    for way, phrases in CAMERA_PHRASES.items():
        for phrase in phrases:
            if phrase in " ".join(words):
                camera = way
                unread = {at: None for at in unread if words[at] not in phrase.split()}
                break
    name, start, end = things[0]
    other = next((found for found, _, _ in things[1:] if found != name), "")
    doubled = words[end - 1] not in {last for each in THINGS[name][1] for last in each.split()[-1:]}
    counted = take({"two": tuple(NUMBERS)})
    count = "two" if (doubled or counted) and not other else "one"
    speed = next((value for value, names in SPEED_WORDS.items() for word in words if word in names), "normal")
    verbs = _list_acts()
    act = next((verbs[words[at]] for at in unread if words[at] in verbs), "")
    unread = {at: None for at in unread if words[at] not in verbs and words[at] not in SPEED_WORDS.get(speed, ())}
    if "under the moon" in rest:
        words = [word if word != "moon" else "moonlight" for word in words]
    place = _find_place(words, unread)
    time, direction = take(TIME_WORDS), take(DIRECTION_WORDS)
    colour = find_colour(rest)
    if colour:
        spelled = {word for names in COLOUR_WORDS[colour] for each in names for word in each.split()}
        unread = {at: None for at in unread if words[at] not in spelled | {colour, "yellow", "light", "bright"}}
    return _fill_in(
        ThingPrompt(
            name, other, count, colour, act, direction, speed, place, time, camera,
            tuple(words[at] for at in unread if words[at].isalpha() and words[at] not in STOP_WORDS),
        )
    )  # fmt: skip


def _find_place(words: list[str], unread: dict[int, None]) -> str:
    """Find the place that is said and take its words."""
    for at in list(unread):
        for place, names in PLACES.items():
            if words[at] not in names:
                continue
            for same in list(unread):
                if words[same] in names:
                    unread.pop(same)
            return place
    return ""


def _fill_in(read: ThingPrompt) -> ThingPrompt:
    """Fill in what is usual where the prompt does not say."""
    act = read.act or THINGS[read.thing][0]
    place = read.place or ("sea" if act == "swim" else find_home(read.thing))
    direction = read.direction
    if act == "spin" and direction not in {"clockwise", "counterclockwise"}:
        direction = "clockwise"
    elif act in LEADING and direction not in {"left", "right"}:
        act = "rise" if direction == "up" else "fall" if direction == "down" else act
        direction = "left" if act in LEADING else ""
    elif act not in {"spin", *LEADING}:
        direction = ""
    timeless = place in {"space", "moon", "room"}
    time = "" if timeless else read.time or "day"
    return ThingPrompt(
        read.thing, read.other, read.count, read.colour, act, direction, read.speed, place, time, read.camera,
        read.unread,
    )  # fmt: skip

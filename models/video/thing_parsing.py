"""Reading of prompts about named things: which things, how many, where, what they do, and which words say none of it.

Names are looked up, word by word, the longest first; what a prompt does not say is filled in as is usual for the thing
(a car drives on a street). The model is told the same in its own words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest

from models.video.colour_names import find_colour, load_colour_names
from models.video.plurals import list_singulars, to_plural
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS, SPEEDS, TIMES
from models.video.scene_words import COLOUR_WORDS, tidy
from models.video.text_embedding import split_words
from models.video.thing_tables import (
    CAMERA_PHRASES,
    DIRECTION_WORDS,
    GROUPS,
    NO_THINGS,
    NUMBERS,
    PHRASES,
    PLACING,
    PLAIN_TINTS,
    RELATIONS,
    SAME_PLURAL,
    SIZE_WORDS,
    SPEED_WORDS,
    STILL_RELATIONS,
    STOP_WORDS,
    TIME_WORDS,
)
from models.video.thing_words import (
    ACT_NAMES,
    ACTS,
    COUNTS,
    LEADING,
    PLACE_NAMES,
    PLACE_WORDS,
    PLACES,
    THING_NAMES,
    THINGS,
    TIMELESS,
    find_home,
)


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The things that can be named.

    Attributes:
        names: of each thing by the words that it is called; longest: most words of a name.
        habits, homes: what a thing does, and the place where it is, when nothing is said; people: which wear clothes.
    """

    names: Mapping[tuple[str, ...], str]
    longest: int
    habits: Mapping[str, str]
    homes: Mapping[str, str]
    people: frozenset[str] = frozenset()

    @classmethod
    def of(cls, words: Mapping[str, Iterable[str]], habits: Mapping[str, str], homes: Mapping[str, str]) -> Lexicon:
        """Make a lexicon of all words for each thing."""
        names = {tuple(split_words(word)): name for name, own in words.items() for word in own}
        return cls(names, max(map(len, names)), habits, homes)


LEARNED = Lexicon.of(
    {name: own for name, (_, own) in THINGS.items()},
    {name: habit for name, (habit, _) in THINGS.items()},
    {name: find_home(name) for name in THINGS},
)


@dataclass(frozen=True)
class ThingPrompt:
    """What a clip of things shows; a colour, a direction or a time of day that is not said is "".

    Attributes:
        thing, other: names of a lexicon's things; `other` "" where there is no second kind of thing.
        count: how many of `thing`.
        colour, other_colour: of each, a key of COLOURS or a value of PLAIN_TINTS; size, other_size: keys of SIZE_WORDS.
        relation: of `thing` to `other`: a key of RELATIONS, "and" for doing the same, or "".
        act, place: keys of ACTS and PLACES.
        is_placed: whether the place was said.
        unread: the words of the prompt that say none of this.
        scene: what is left of the prompt without all that is said of the things.
    """

    thing: str
    other: str = ""
    count: int = 1
    colour: str = ""
    act: str = "stand"
    direction: str = ""
    speed: str = "normal"
    place: str = "room"
    time: str = ""
    camera: str = "still"
    unread: tuple[str, ...] = ()
    other_colour: str = ""
    size: str = ""
    other_size: str = ""
    other_count: int = 1
    relation: str = ""
    scene: str = ""
    is_placed: bool = False

    def to_caption(self) -> str:
        """Word it as the training captions do."""
        colour = COLOUR_WORDS[self.colour][0][0] if self.colour in COLOURS else self.colour
        subject = f"two {colour} {to_plural(self.thing)}" if self.count > 1 else f"a {colour} {self.thing}"
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
            number(tuple(COLOURS), self.colour if self.colour in COLOURS else ""),
            number(tuple(name for name in DIRECTIONS if name != "none"), self.direction),
            number(TIMES, self.time),
            0,
            number(THING_NAMES, self.thing),
            number(THING_NAMES, self.other),
            number(PLACE_NAMES, self.place),
            number(ACT_NAMES, self.act),
            number(COUNTS, COUNTS[min(self.count, len(COUNTS)) - 1]),
        )


@lru_cache(maxsize=1)
def list_verbs() -> dict[str, str]:
    """List all forms of the verbs: "walk", "walks", "walking", "walked"."""
    found = {}
    for act, (first, *stems) in ACTS.items():
        found[first] = act
        for stem in stems:
            root = stem[:-1] if stem.endswith("e") else stem
            doubled = stem + stem[-1]
            for form in (stem, f"{stem}s", f"{stem}es", f"{root}ing", f"{root}ed", f"{doubled}ing", f"{doubled}ed"):
                found.setdefault(form, act)
    for noun in ("land", "lands", "drop", "drops"):  # "a land of ice"
        found.pop(noun)
    return found | {"flies": "fly", "flew": "fly", "swam": "swim", "ran": "walk", "rose": "rise", "rides": "drive",
                    "lying": "stand", "asleep": "stand"}  # fmt: skip


def find_things(words: list[str], lexicon: Lexicon = LEARNED) -> list[tuple[str, int, int]]:
    """Find the things that are named, in their order: name, first word, word after the last."""
    names, found, at = lexicon.names, list[tuple[str, int, int]](), 0
    while at < len(words):
        for length in range(min(lexicon.longest, len(words) - at), 0, -1):
            part = words[at : at + length]
            match = next(
                (names[(*part[:-1], last)] for last in list_singulars(part[-1]) if (*part[:-1], last) in names), None
            )
            if match is not None:
                found.append((match, at, at + length))
                at += length
                break
        else:
            at += 1
    found = [each for each in found if not _is_other(words, each)]
    heads = [each for each, after in zip_longest(found, found[1:]) if not _describes(words, each, after)]
    whole = [each for before, each in zip([None, *heads], heads, strict=False) if not _is_of(words, before, each)]
    return _drop_scenery(words, whole)


def _is_other(words: list[str], found: tuple[str, int, int]) -> bool:
    """Tell whether what was found is part of a colour, of a scene's name, or of how the picture is taken."""
    _, start, end = found
    after = words[end] if end < len(words) else ""
    if (start and any((words[start - 1], last) in NO_THINGS for last in list_singulars(words[start]))) or (
        words[start] == "camera" and (not start or words[start - 1] not in {"a", "an", "old", *NUMBERS})
    ):
        return True
    if (words[start] in GROUPS or words[start] == "couple") and after == "of":
        return True
    colours = load_colour_names()
    if (words[end - 1], after) in colours:
        return True
    names = (words[start],) in colours and end == start + 1
    return names and after.isalpha() and after not in STOP_WORDS and after not in list_verbs()


def _describes(words: list[str], found: tuple[str, int, int], after: tuple[str, int, int] | None) -> bool:
    """Tell whether a name says of which kind the thing right after it is, as in "baby elephant" or "school bus"."""
    return after is not None and found[2] == after[1] and words[found[2] - 1] == found[0].split()[-1]


def _is_of(words: list[str], before: tuple[str, int, int] | None, found: tuple[str, int, int]) -> bool:
    """Tell whether a name says what the thing before it is of, as in "a bouquet of roses"."""
    return before is not None and words[before[2] : found[1]] == ["of"]


def _drop_scenery(words: list[str], found: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Drop what says where the first thing is, as in "a cat under the stars"."""
    places = {word for own in PLACES.values() for word in own}
    kept = []
    for number, each in enumerate(found):
        before = words[max(each[1] - 2, 0) : each[1]]
        if words[each[2] - 1] == "moon":
            stays = not UPON.intersection(before)
        else:
            stays = not number or words[each[2] - 1] not in places or not PLACING.intersection(before)
        if stays:
            kept.append(each)
    return kept


HANGING = frozenset({"moon", "rainbow"})  # what is in the sky, wherever the sky is
MOON, UPON = "moon", frozenset({"on", "onto", "to"})  # a place for what is upon it, else a thing in the sky


@dataclass(frozen=True)
class _Mention:
    """How a thing is spoken of: its colour, size and number, and the words that say so."""

    colour: str
    size: str
    count: int
    words: frozenset[int]


def _read_mention(words: list[str], start: int, end: int, before: int, names: Collection[str]) -> _Mention:
    """Read the words right before a thing; `before` is where the thing before it ends."""
    first = start
    while first > before and (words[first - 1] not in STOP_WORDS or words[first - 1] in _SIZES):
        first -= 1
    own = range(first, start)
    tints = [at for at in own if words[at] in PLAIN_TINTS]
    colour = find_colour(" ".join(words[at] for at in own)) or (PLAIN_TINTS[words[tints[-1]]] if tints else "")
    said = {each for way in COLOUR_WORDS.get(colour, ((), ())) for name in way for each in name.split()}
    size = next((_SIZES[words[at]] for at in own if words[at] in _SIZES), "")
    last = words[end - 1]
    doubled = last not in names or (
        last not in SAME_PLURAL and any(one != last and one in names for one in list_singulars(last))
    )
    numbers = [at for at in own if words[at] in NUMBERS and (doubled or words[at] not in GROUPS)]
    if not numbers and start - 2 >= before and words[start - 1] == "of" and words[start - 2] in NUMBERS:
        numbers = [start - 2]
    count = NUMBERS[words[numbers[0]]] if numbers else 3 if doubled else 1
    taken = {*tints, *numbers, *(at for at in own if words[at] in _SIZES)}
    if colour:
        taken |= {at for at in own if words[at] in said | {colour, "yellow", "light", "bright", "dark", "deep"}}
        taken |= {at for at in own if find_colour(words[at]) == colour}
    return _Mention(colour, size, count, frozenset(taken))


SEATING = frozenset(
    split_words(
        "on a an the , top of is his her sitting sits standing stands sleeping sleeps asleep lying lies resting"
    )
)
ALONG, ARTICLES = frozenset(("up", "down")), (["a"], ["an"], ["the"])  # "down the street" is no fall
_SIZES = {word: size for size, own in SIZE_WORDS.items() for word in own}


def _join_phrases(words: list[str]) -> list[str]:
    """Put one verb for two words that are one, as "takes off" is."""
    joined, at = list[str](), 0
    while at < len(words):
        verb = PHRASES.get((words[at], words[at + 1] if at + 1 < len(words) else ""))
        joined.append(verb or words[at])
        at += 2 if verb else 1
    return joined


def _find_relation(words: list[str], between: range) -> tuple[str, frozenset[int]]:
    """Find how a thing is to the next, by the words between them, and which words say so."""
    for relation, own in RELATIONS.items():
        said = frozenset(at for at in between if words[at] in own)
        if said:
            return relation, said
    spoken = {words[at] for at in between}
    if "on" in spoken and spoken <= SEATING:
        return "riding", frozenset(at for at in between if words[at] in {"on", "top"})
    return "and" if "and" in spoken else "", frozenset()


def parse_things(prompt: str, lexicon: Lexicon = LEARNED) -> ThingPrompt | None:
    """Read a prompt that names things; None where it names none."""
    words = _join_phrases(split_words(prompt))
    things = find_things(words, lexicon)
    if not things:
        return None
    name, _, end = things[0]
    second = next((each for each in things[1:] if each[0] != name), None)
    things = things[:1] if second is None else [things[0], second]
    last_words = {own[-1] for own in lexicon.names}
    ends = [0, *(each[2] for each in things)]
    mentions = [
        _read_mention(words, each[1], each[2], before, last_words) for each, before in zip(things, ends, strict=False)
    ]
    taken = {at for each in things for at in range(each[1], each[2])} | {at for each in mentions for at in each.words}
    relation, stays = "", False
    if second is not None:
        relation, said = _find_relation(words, range(end, second[1]))
        taken |= said
        stays = relation == "holding" and any(words[at] in STILL_RELATIONS for at in said)
        stays = stays and lexicon.habits[second[0]] != "roll"
    unread = {at: None for at in range(len(words)) if at not in taken}

    def take(table: Mapping[str, tuple[str, ...]]) -> str:
        """Take the first word of the prompt that a table has."""
        for at in list(unread):
            for value, own in table.items():
                if words[at] in own:
                    unread.pop(at)
                    return value
        return ""

    camera, spoken = "still", " ".join(words)
    for way, phrases in CAMERA_PHRASES.items():
        for phrase in phrases:
            if phrase in spoken:
                camera = way
                unread = {at: None for at in unread if words[at] not in phrase.split()}
                break
    speed = next((value for value, own in SPEED_WORDS.items() for word in words if word in own), "normal")
    verbs = list_verbs()
    act = next((verbs[words[at]] for at in unread if words[at] in verbs), "stand" if stays else "")
    unread = {at: None for at in unread if words[at] not in verbs and words[at] not in SPEED_WORDS.get(speed, ())}
    if "under the stars" in spoken or "under the moon" in spoken:
        words = [word if word not in {"stars", MOON} else "moonlight" for word in words]
    unread = {at: None for at in unread if words[at] not in ALONG or words[at + 1 : at + 2] not in ARTICLES}
    scene = dict(unread)
    place = _find_place(words, unread)
    time, direction = take(TIME_WORDS), take(DIRECTION_WORDS)
    left = [at for at in scene if at in unread or not any(words[at] in own for own in DIRECTION_WORDS.values())]
    first, other = mentions[0], mentions[-1] if second is not None else _Mention("", "", 1, frozenset())
    return _fill_in(
        ThingPrompt(
            name, second[0] if second is not None else "", first.count, first.colour, act, direction, speed, place,
            time, camera,
            tuple(words[at] for at in unread if words[at].isalpha() and words[at] not in STOP_WORDS | _SIZES.keys()),
            other.colour, first.size, other.size, other.count, relation, " ".join(words[at] for at in left),
        ),
        lexicon,
    )  # fmt: skip


def _find_place(words: list[str], unread: dict[int, None]) -> str:
    """Find the place that is said and take its words."""
    for at in list(unread):
        for place, names in PLACES.items():
            if words[at] not in names:
                continue
            if words[at] == MOON and not UPON.intersection(words[max(at - 2, 0) : at]):
                continue
            for same in list(unread):
                if words[same] in names:
                    unread.pop(same)
            return place
    return ""


def _fill_in(read: ThingPrompt, lexicon: Lexicon) -> ThingPrompt:
    """Fill in what is usual where the prompt does not say."""
    mover = read.other if read.relation == "riding" else read.thing
    habit = lexicon.habits[mover]
    act = habit if not read.act or (read.act == "walk" and habit in {"drive", "swim"}) else read.act
    place = read.place or ("sea" if act == "swim" else lexicon.homes[mover])
    direction = read.direction
    if act == "spin" and direction not in {"clockwise", "counterclockwise"}:
        direction = "clockwise"
    elif act in LEADING and direction not in {"left", "right"}:
        act = "rise" if direction == "up" else "fall" if direction == "down" else act
        direction = "left" if act in LEADING else ""
    elif act not in {"spin", *LEADING}:
        direction = ""
    usual = "night" if MOON in (read.thing, read.other) else "day"
    time = "" if place in TIMELESS else read.time or usual
    return replace(read, act=act, place=place, direction=direction, time=time, is_placed=bool(read.place))

"""What the video model understood of a prompt, to be told to the person: what it will draw, and which words it cannot.

A word is read when the training had it, when it is part of a named thing, a colour, a number or a way of speaking, or
when its vector is near that of such a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from models.video import scene_words as wordings
from models.video.colour_names import find_colour, load_colour_names
from models.video.plurals import to_plural
from models.video.prompt_parsing import ParsedPrompt, PromptParser
from models.video.scene_names import DRAWN, FILLING, MOVING, NAMES, UNDRAWN
from models.video.scene_vocabulary import SCENE_VOCABULARY
from models.video.scene_words import tidy
from models.video.text_embedding import TextTable, split_words
from models.video.thing_parsing import LEARNED, ThingPrompt, find_things
from models.video.thing_tables import ALL_TIMES, DIRECTION_WORDS, SAME_PLURAL, SPEED_WORDS, STOP_WORDS
from models.video.thing_words import ACTS, THING_NAMES

# Cosines of a word, and of a thing's, with one that is known from which it is that one; no thing's name may be nearer.
# With each word of the thesaurus taken away in turn, 72 % of them are read so, and 21 % of the words for other things.
NEAR, NEAR_NOTHING, NEAR_THING = 0.3, 0.47, 0.7  # the second where no scene is read
BESIDE = 0.62  # the same of a word beside a thing, where names may be nearer
# A word that is not read is told where such words are this share of the prompt, where the scene is less sure than this,
# or where it names a thing; else it is one word of many, and the scene is what was meant.
TOLD_SHARE, TOLD_SURE = 0.3, 0.4
FRAMING = frozenset(
    split_words(
        "side view first pace back pull pulls slide slides closer fixed surface full end among open lit old range away "
        "after ahead appears move moves moving pass passes passing towards forwards rate leisurely world snowflakes"
    )
)
SAID_ANYWHERE = (MOVING | ALL_TIMES).union(*SPEED_WORDS.values(), *DIRECTION_WORDS.values())
ALL_BY_RULE = "The scene is drawn by rule; no network drew it."
PEOPLE_WORDS = {word: sex for sex, both in wordings.PEOPLE.items() for words in both for word in words}


class PromptPart(NamedTuple):
    """A few words for something that will be seen, and what kind of part of a prompt they are.

    `kind` is thing, act, place, scene, colour, time, speed, camera, way or weather.
    """

    kind: str
    words: str


@dataclass(frozen=True)
class PromptReading:
    """What is drawn for a prompt.

    Attributes:
        parts: what will be seen; none where nothing of the prompt is in the model's world.
        unread: the words that say nothing to the model.
        things: how many named things can be drawn.
        laid: what is laid over the scene by rule.
        embodied: of these, whose body is drawn by rule below the head.
        by_rule: whether the scene is drawn by rule as well.
    """

    parts: tuple[PromptPart, ...]
    unread: tuple[str, ...] = ()
    things: int = 0
    laid: tuple[str, ...] = ()
    embodied: tuple[str, ...] = ()
    by_rule: bool = False

    @property
    def chips(self) -> tuple[str, ...]:
        """Return the words of the parts."""
        return tuple(part.words for part in self.parts)

    @property
    def is_known(self) -> bool:
        """Tell whether anything of the prompt can be drawn."""
        return bool(self.chips)

    def to_sentence(self) -> str:
        """Say what cannot be drawn, "" where all can."""
        if not self.chips:
            things = f" {self.things} things from airplane to zombie," if self.things else ""
            others = "" if self.by_rule else " and people who walk or cast spells"
            return (
                "Nothing of this is in this model's world, so the clip shows something else. It draws scenes of nature "
                f"and the sky,{things.rstrip(',') if self.by_rule else things}{others}. "
                "For anything else choose a model of the Hub as Model."
            )
        if not self.unread:
            return ""
        words = ", ".join(f"“{word}”" for word in self.unread)
        return f"This model cannot draw {words}. A model of the Hub may: choose one as Model."

    def to_credit(self) -> str:
        """Say what is drawn by rule and what by the model, "" where all is the model's."""
        if not self.laid:
            return ALL_BY_RULE if self.by_rule else ""
        many = len(self.laid) > 1 or self.laid[0] in SAME_PLURAL or self.laid[0].endswith("s")
        names = " and ".join(f"the {name}" for name in self.laid)
        verb = "are" if many else "is"
        parts = f" ({' and '.join(self.embodied)}: the head; the rest is drawn)" if self.embodied else ""
        scene = "so is the scene" if self.by_rule else "the scene is the model's"
        return f"{names[0].upper()}{names[1:]} {verb} drawn by rule from Fluent emoji{parts}; {scene}."


def read_prompt(parser: PromptParser, prompt: str, things: bool, laid: int = 0) -> PromptReading:
    """Read a prompt as `PromptParser.understand` does, and say what of it is drawn.

    Args:
        things: whether the model draws named things.
        laid: how many others are laid over its scenes.
    """
    parsed = parser.understand(prompt, things)[1]
    if isinstance(parsed, ThingPrompt):
        return PromptReading(list_thing_parts(parsed), parsed.unread)
    words = split_words(prompt)
    person = next((PEOPLE_WORDS[word] for word in words if word in PEOPLE_WORDS), "")
    if parsed is None and not person:
        return PromptReading((), find_unread(parser, prompt, ""), len(THING_NAMES) if things else laid)
    if parsed is None:
        verbs = {text.split()[0]: move for move, both in wordings.MOVE_WORDS.items() for text in both[0]}
        move = next((verbs[word] for word in words if word in verbs and word != "is"), "")
        sex = PromptPart("thing", "man" if person == "male" else "woman")
        acts = (PromptPart("act", ACT_TITLES[move]),) if move else ()
        return PromptReading((sex, *acts), find_unread(parser, prompt, ""))
    return PromptReading(list_scene_parts(parsed), _find_told(parser, prompt, parsed))


def _find_told(parser: PromptParser, prompt: str, parsed: ParsedPrompt) -> tuple[str, ...]:
    """Find the words that are not read, of a prompt that asks for a scene, if they are worth a word."""
    words = split_words(prompt)
    unread = find_unread(parser, prompt, parsed.kind)
    content = {word for word in words if word.isalpha() and len(word) > 1} - STOP_WORDS - FRAMING - FILLING
    named = {word for _, start, end in find_things(words) for word in words[start:end]}
    told = len(unread) >= TOLD_SHARE * len(content) or parsed.sure < TOLD_SURE
    undrawn = UNDRAWN.get(parsed.kind, frozenset())
    return tuple(word for word in unread if told or word in named or word in undrawn)


ACT_TITLES = {
    "walk": "walking", "spellcast": "casting a spell", "thrust": "thrusting", "slash": "slashing", "shoot": "shooting",
}  # fmt: skip


RELATION_TITLES = {"": "", "and": "and", "riding": "on", "holding": "with", "chasing": "chasing"}
SPEED_TITLES = {"slow": "slowly", "fast": "fast"}
COUNT_TITLES = ("", "", "two", "three", "four", "five", "six")


def list_thing_parts(parsed: ThingPrompt) -> tuple[PromptPart, ...]:
    """List what a clip of things will show, what was filled in with it."""
    count = COUNT_TITLES[parsed.count]
    name = tidy(f"{count} {parsed.colour} {to_plural(parsed.thing) if parsed.count > 1 else parsed.thing}")
    parts = (
        ("thing", name),
        (
            "thing",
            tidy(f"{RELATION_TITLES[parsed.relation]} {parsed.other_colour} {parsed.other}") if parsed.other else "",
        ),
        ("act", f"{ACTS[parsed.act][0]} {parsed.direction}".strip()),
        ("speed", SPEED_TITLES.get(parsed.speed, "")),
        ("place", parsed.place),
        ("time", parsed.time),
        ("camera", parsed.camera if parsed.camera != "still" else ""),
    )
    return tuple(PromptPart(kind, words) for kind, words in parts if words)


def list_scene_parts(parsed: ParsedPrompt, natural: bool = True) -> tuple[PromptPart, ...]:
    """List what a scene will show, with its natural colour where that is wanted."""
    usual = wordings.NATURAL_COLOURS.get(parsed.kind, "") if natural else ""
    parts = (
        ("scene", wordings.KIND_TITLES.get(parsed.kind, parsed.kind)),
        ("colour", parsed.colour or usual),
        ("way", "" if parsed.kind == "sunrise" else parsed.direction),
        ("speed", SPEED_TITLES.get(parsed.speed, "")),
        ("time", parsed.time),
        ("camera", parsed.camera if parsed.camera != "still" else ""),
    )
    return tuple(PromptPart(kind, words) for kind, words in parts if words)


def find_unread(parser: PromptParser, prompt: str, kind: str, beside: bool = False) -> tuple[str, ...]:
    """Find the words of a prompt about a scene, "" for none, that say nothing to the model, in their order.

    `beside` tells that they stand beside a thing.
    """
    table, spoken = parser.table, split_words(prompt)
    things = frozenset(word for _, start, end in find_things(spoken) for word in spoken[start:end]) - parser.known
    undrawn = UNDRAWN.get(kind, frozenset())
    vocabulary = (parser.known | SCENE_VOCABULARY[""] | SCENE_VOCABULARY.get(kind, frozenset())) - undrawn
    by_name = (words for words, scene in NAMES.items() if scene.kind == kind)
    said = STOP_WORDS | FRAMING | FILLING | SAID_ANYWHERE | _list_colour_words(spoken)
    read = (vocabulary - things).union(said, DRAWN.get(kind, frozenset()), *by_name) - undrawn
    words = dict.fromkeys(word for word in spoken if word.isalpha() and len(word) > 1)
    strange = [word for word in words if word not in read and not find_colour(word)]
    if not strange:
        return ()
    drawn, others = _embed_words(table, vocabulary - things), _embed_words(table, _list_rivals(vocabulary))
    usual, unread = BESIDE if beside else NEAR if kind else NEAR_NOTHING, []
    for word in strange:
        vector = F.normalize(table.vectors[table.tokenize(word)].sum(dim=0), dim=0)
        cosine = float((drawn @ vector).max())
        is_rival = word not in things and not beside and float((others @ vector).max()) > cosine
        least = NEAR_THING if word in things else usual
        if cosine < least or is_rival or word in undrawn:
            unread.append(word)
    return tuple(unread)


@lru_cache(maxsize=64)
def _list_rivals(vocabulary: frozenset[str]) -> frozenset[str]:
    """List words of things that are not in a scene: what is nearer to one of them is not, either."""
    return frozenset(word for name in LEARNED.names for word in name).union(*UNDRAWN.values()) - vocabulary


def _list_colour_words(words: list[str]) -> frozenset[str]:
    """List the words that make colours together, as "lemon yellow" does."""
    names = load_colour_names()
    pairs = [pair for pair in pairwise(words) if pair in names]
    return frozenset(word for pair in pairs for word in pair)


@lru_cache(maxsize=64)
def _embed_words(table: TextTable, words: frozenset[str]) -> Tensor:
    """Embed words as unit vectors (N, E)."""
    pieces = [found for word in sorted(words) if (found := table.tokenize(word))]
    return F.normalize(torch.stack([table.vectors[each].sum(dim=0) for each in pieces]), dim=1)

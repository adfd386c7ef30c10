"""What one sentence is made into: the words that are spoken, the settings of the song, and the looks of its video."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from models.music.description import measure_bar_s, read_description
from models.music.instrument_names import name_program
from studio.library.naming import stem_of
from studio.page.instruments import MOODS, OPEN

SONG_S = 28.0
FEWEST_BARS, MOST_BARS = 8, 24
MAX_SUBJECT_CHARACTERS = 200
LIKELY_MOODS = 4  # of the list, from its beginning: those with a melody over chords
LATER = ("at dusk", "at night")  # how a scene is seen again where its words say no time of day
EMPTY = "Type what it is about first."


@dataclass(frozen=True)
class Undertaking:
    """What is to be made of a sentence.

    Attributes:
        subject: what it is about, on one line, without what is said of the music; stem: the same for file names.
        introduction: the words that are spoken; music: values of the Music tab; looks: prompts of the video.
        chosen: a sentence about what the words left open, "" where they left nothing.
    """

    subject: str
    stem: str
    introduction: str
    music: Mapping[str, Any]
    looks: tuple[str, ...]
    seed: int
    chosen: str = ""


def plan_undertaking(about: str, seed: int) -> Undertaking:
    """Plan what is made of a sentence.

    Raises:
        ValueError: it is empty, or too long.
    """
    sentence = " ".join(about.split()).strip(" .")
    if not sentence:
        raise ValueError(EMPTY)
    if len(sentence) > MAX_SUBJECT_CHARACTERS:
        raise ValueError(f"The sentence has {len(sentence)} characters; at most {MAX_SUBJECT_CHARACTERS} work here.")
    music, chosen = _choose_music(sentence, seed)
    subject = _find_subject(sentence)
    return Undertaking(
        subject,
        stem_of(subject),
        _introduce(subject, music),
        music | {"seed": seed},
        _find_looks(subject),
        seed,
        chosen,
    )


def _find_subject(sentence: str) -> str:
    """Return what a sentence is about: what follows "about", without the clauses that speak of the music alone."""
    about = re.search(r"\babout\s+(.+)", sentence, re.IGNORECASE)
    clauses = re.split(r"\s*[,;]\s*|\s+(?=with\b)", about[1] if about else sentence)
    kept = [each for each in clauses if each and not _is_musical(each)] or clauses[:1]
    return ", ".join(kept).replace(", with ", " with ").strip(" .,;") or sentence


def _is_musical(clause: str) -> bool:
    """Tell whether a clause speaks of the music alone."""
    found = read_description(clause)
    return bool(found.settings) and not found.unknown


def _choose_music(subject: str, seed: int) -> tuple[dict[str, Any], str]:
    """Return what the words say of the music; a mood of the list where they name neither instruments nor a key."""
    said = read_description(subject).settings
    settings, chosen = {**OPEN, **said}, ""
    if not {"instruments", "key", "style"} & set(said):
        name, mood = MOODS[Random(seed).randrange(LIKELY_MOODS)]
        settings, chosen = {**OPEN, **mood, **said}, f"The words name no music, so the mood is “{name}”."
    if "bars" not in said:
        bar_s = measure_bar_s(settings["meter"] or "4/4", settings["tempo"])
        settings["bars"] = max(FEWEST_BARS, min(MOST_BARS, 4 * round(SONG_S / bar_s / 4)))
    return settings, chosen


def _introduce(subject: str, music: Mapping[str, Any]) -> str:
    """Return two sentences to be spoken: what it is about, and what will be heard."""
    opening = subject if re.search(r"[!?…]$", subject) else f"{subject}."
    key = re.sub(r"^([A-G])b", r"\1 flat", music["key"])
    parts = [f"in {key}" if key else "", f"at {music['tempo']:g} beats a minute"]
    players = list(dict.fromkeys(name_program(each) for each in music["instruments"]))
    players += ["drums"] if music["drums"] == "yes" else []
    if players:
        parts.append("for " + (f"{', '.join(players[:-1])} and {players[-1]}" if len(players) > 1 else players[0]))
    return f"{opening[0].upper()}{opening[1:]} A short piece {', '.join(filter(None, parts))}."


def _find_looks(subject: str) -> tuple[str, ...]:
    """Return the scene as it is said, and twice later in the day where no time of day is said."""
    from models.video.scene_words import TIME_WORDS

    times = (phrase for wordings in TIME_WORDS.values() for group in wordings for phrase in group if phrase)
    if any(phrase in subject.lower() for phrase in times):
        return (subject,)
    return (subject, *(f"{subject} {time}" for time in LATER))

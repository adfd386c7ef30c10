"""From normalised English to phonemes, on gruut's lexicon, part-of-speech tagger and guesser for unknown words.

gruut looks each word up in a database without an index, 8 ms a word. Here the lexicon is read into memory once (0.4 s,
20 MB) and one processor serves all threads, so that a sentence takes about 10 ms instead of 150.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.speech.homographs import choose_sound
from models.speech.symbols import BOS, EOS, PUNCTUATION, SYMBOL_IDS, VOWELS, WORD_BREAK

# A later symbol outranks an earlier one where a word is followed by several.
PUNCTUATION_BY_RANK = (",", ";", ":", ".", "!", "?")
BRACKETS = "()[]{}"
DASHES = re.compile(r"\s*(?:[—–―‒−]|-{2,}|\s-+\s)\s*")
QUOTES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
STRESS_MARKS = "ˈˌ"
SYLLABIC_MARK = "\u0329"
NOT_IN_WORDS = re.compile(r"\W+")

# The names of the letters, A to Z, and the sounds of those and of a few words that gruut's lexicon lacks.
LETTER_NAMES = (
    *(
        "ey",
        "bee",
        "see",
        "dee",
        "ee",
        "eff",
        "gee",
        "aitch",
        "eye",
        "jay",
        "kay",
        "el",
        "em",
        "en",
        "oh",
        "pee",
        "cue",
    ),
    *("ar", "ess", "tee", "you", "vee", "double-you", "ex", "why", "zee"),
)
ADDED_WORDS = {"ey": "ˈeɪ", "eff": "ˈɛ f", "aitch": "ˈeɪ t͡ʃ", "miz": "m ˈɪ z", "fye": "f ˈaɪ"}

# Parts of speech that the tagger tells apart and the lexicon does not.
NEAR_ROLES = {"VBP": "VB", "VBZ": "VB", "VBN": "VBD", "NNS": "NN", "NNP": "NN", "NNPS": "NN"}
WRONG_IN_LEXICON = {"houses"}  # the noun, with the s of "house"

# Sounds of other alphabets that a lexicon or a guess may hold, as the nearest ones of the inventory.
NEAREST_SOUNDS: dict[str, tuple[str, ...]] = {
    **{"ɝ": ("ɚ",), "ɜ": ("ɚ",), "ɜ˞": ("ɚ",), "ø": ("ɚ",), "œ": ("ɚ",), "ɘ": ("ə",), "ɨ": ("ɪ",), "ɐ": ("ʌ",)},
    **{"a": ("ɑ",), "ɒ": ("ɑ",), "e": ("eɪ",), "o": ("oʊ",), "y": ("u",), "ʏ": ("u",)},
    **{"ɾ": ("t",), "ʔ": ("t",), "ɫ": ("l",), "ɬ": ("l",), "r": ("ɹ",), "g": ("ɡ",), "x": ("k",), "ç": ("h",)},
    **{"ʍ": ("w",), "ɲ": ("n", "j"), "tʃ": ("t͡ʃ",), "dʒ": ("d͡ʒ",)},
    **{consonant + SYLLABIC_MARK: ("ə", consonant) for consonant in "mnl"},
}


_UNSTRESSED = (
    "a an the and or nor but of to in on at for from with by as than that into onto upon is are was were am be been"
    " has have had do does can could will would shall should must he she it we they you i me him her us them his my"
    " your our their its so if there because"
)
UNSTRESSED_WORDS = frozenset(_UNSTRESSED.split())
"""Words that English does not stress within a phrase; before a pause they are ("What is it for?")."""


def is_unstressed(word: str, mark: str) -> bool:
    """Whether a word in small letters has no stress, where `mark` is the punctuation after it or ""."""
    return word in UNSTRESSED_WORDS and not mark


def remove_stress(phonemes: list[str]) -> list[str]:
    """Phonemes without their stress marks."""
    return [phoneme.lstrip(STRESS_MARKS) for phoneme in phonemes]


def phonemize(text: str, function_word_stress: bool = True) -> tuple[str, ...]:
    """Return the symbols of one normalised sentence: BOS, words parted by WORD_BREAK, punctuation after its word, EOS.

    Several sentences are joined in one sequence. The last symbol before EOS is always punctuation.

    Args:
        text: normalised English.
        function_word_stress: whether "and", "in", "the" keep the stress of the lexicon, as the shipped weights learned
            them; a model's metadata says which it was trained with.

    Raises:
        ValueError: the text holds no word that can be spoken.
    """
    words: list[tuple[list[str], str]] = []  # (phonemes, punctuation after the word or "")
    letters: list[str] = []
    for token, phonemes in spoken_tokens(plain(text)):
        if phonemes:
            words.append((phonemes, ""))
            letters.append(token.lower())
        elif words:
            words[-1] = (words[-1][0], stronger(words[-1][1], token))
    if not words:
        raise ValueError("There is no word in the text that can be spoken.")
    if not function_word_stress:
        for index, (phonemes, mark) in enumerate(words[:-1]):
            words[index] = (remove_stress(phonemes) if is_unstressed(letters[index], mark) else phonemes, mark)
    return sequence(words)[0]


def sequence(words: list[tuple[list[str], str]]) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    """(symbols of the utterance, [start, end) of each word in them) from (phonemes, punctuation or "") of each word."""
    symbols = [BOS]
    spans = []
    for index, (phonemes, punctuation) in enumerate(words):
        following = words[index + 1][0] if index + 1 < len(words) and not punctuation else None
        symbols += [WORD_BREAK] if index else []
        start = len(symbols)
        symbols += _before_vowel(phonemes, following)
        spans.append((start, len(symbols)))
        symbols += [punctuation] if punctuation else []
    if symbols[-1] not in PUNCTUATION:
        symbols.append(".")
    return (*symbols, EOS), spans


def spoken_tokens(text: str, near_roles: bool = False) -> list[tuple[str, list[str]]]:
    """(token, its phonemes or [] for punctuation) in order, over all the sentences that gruut finds.

    Args:
        text: normalised English.
        near_roles: gruut knows "record" as noun (NN) and verb (VB), but takes the noun for a verb in the present
            tense (VBP) as well; with this, the nearest part of speech decides.
    """
    with _lock:
        processor = _processor()
        graph, root = processor(text, lang="en-us")
        return [token for sentence in processor.sentences(graph, root) for token in _tokens(list(sentence), near_roles)]


def _tokens(words: list[Any], near_roles: bool) -> Iterator[tuple[str, list[str]]]:
    """(token, its phonemes or []) of gruut's words of a sentence; the caller holds the lock."""
    tagged = [(word.text.lower(), word.pos or word.text) for word in words]
    for index, word in enumerate(words):
        phonemes = word.phonemes if word.is_spoken and word.phonemes else []
        meant = choose_sound(tagged, index) if near_roles and phonemes else None
        if (
            meant is None
            and near_roles
            and phonemes
            and word.pos in NEAR_ROLES
            and tagged[index][0] not in WRONG_IN_LEXICON
        ):
            roles = _roles(tagged[index][0])
            near = roles.get(f"gruut:{NEAR_ROLES[word.pos]}")
            phonemes = near.split() if near and f"gruut:{word.pos}" not in roles else phonemes
        yield word.text, inventory_sounds(meant or phonemes)


def plain(text: str) -> str:
    """Text with one form for each quote and dash, and Latin letters without their accents."""
    text = unicodedata.normalize("NFKC", text.translate(QUOTES))
    text = DASHES.sub(", ", text)
    letters = (char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return " ".join("".join(letters).split())


def inventory_sounds(phonemes: list[str]) -> list[str]:
    """Phonemes with each one that the inventory lacks replaced by the nearest, or left out."""
    return [sound for phoneme in phonemes for sound in _nearest(phoneme)]


def stronger(punctuation: str, token: str) -> str:
    """Return the strongest mark among one mark (or "") and those in a token; a bracket counts as a comma."""
    marks = {"," if char in BRACKETS else char for char in token + punctuation}
    return max(marks & set(PUNCTUATION_BY_RANK), key=PUNCTUATION_BY_RANK.index, default="")


def in_lexicon(word: str) -> bool:
    """Whether the lexicon holds a word, written in small letters."""
    with _lock:
        _processor()
        return word in _lexicon


def _before_vowel(phonemes: list[str], following: list[str] | None) -> list[str]:
    """Say "the" as "thee" before a vowel."""
    if phonemes == ["ð", "ə"] and following and following[0].lstrip(STRESS_MARKS) in VOWELS:
        return ["ð", "i"]
    return phonemes


def _nearest(phoneme: str) -> tuple[str, ...]:
    if phoneme in SYMBOL_IDS:
        return (phoneme,)
    stress = phoneme[:1] if phoneme[:1] in STRESS_MARKS else ""
    bare = phoneme.lstrip(STRESS_MARKS)
    for candidate in (bare, bare.replace("ː", ""), _without_marks(bare)):
        sounds = (candidate,) if candidate in SYMBOL_IDS else NEAREST_SOUNDS.get(candidate)
        if sounds:
            return tuple(stress + s if s in VOWELS else s for s in sounds)
    return tuple(s for char in _without_marks(bare) for s in _nearest(char)) if len(bare) > 1 else ()


def _without_marks(phoneme: str) -> str:
    """Remove length, nasal and other marks from a phoneme."""
    letters = unicodedata.normalize("NFD", phoneme)
    return "".join(c for c in letters if unicodedata.category(c) not in {"Mn", "Lm", "Sk"})


_lock = threading.RLock()  # gruut's taggers must not be used by two threads at once
# Word -> lines of a role, a tab and phonemes parted by spaces, the usual one first: a dictionary a word took 50 MB.
_lexicon: dict[str, bytes] = {}
_processors: list[Any] = []  # the one text processor, once it is loaded


def _processor() -> Any:
    """Return gruut's text processor for American English, loaded at the first call; the caller holds the lock."""
    if not _processors:
        import gruut_lang_en
        from gruut.lang import get_settings
        from gruut.text_processor import TextProcessor

        _load_lexicon(Path(gruut_lang_en.__file__).parent / "lexicon.db")
        settings = get_settings("en-us", lookup_phonemes=_look_up)
        _processors.append(TextProcessor(default_lang="en-us", settings={"en-us": settings}))
    return _processors[0]


def _load_lexicon(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT word, role, phonemes FROM word_phonemes ORDER BY pron_order")
        for word, role, phonemes in rows:
            if word not in _lexicon:
                _lexicon[word] = _line(role, phonemes)
            elif role not in _roles(word):
                _lexicon[word] += b"\n" + _line(role, phonemes)
    finally:
        connection.close()
    _lexicon.update({word: _line("", phonemes) for word, phonemes in ADDED_WORDS.items()})
    for name in LETTER_NAMES:  # "CDs", "the FBI's"
        word = name.rpartition("-")[2]
        phonemes = next(iter(_roles(word).values()))
        ending = "ɪ z" if phonemes.endswith((" s", "t͡ʃ")) else "s" if phonemes.endswith("f") else "z"
        _lexicon[f"{word}'s"] = _line("", f"{phonemes} {ending}")


def _line(role: str, phonemes: str) -> bytes:
    return f"{role}\t{phonemes}".encode()


def _roles(word: str) -> dict[str, str]:
    """Return the phonemes of a word by its role, the usual one first; none where the lexicon lacks it."""
    lines = _lexicon.get(word)
    if lines is None:
        return {}
    return {role: phonemes for role, _, phonemes in (line.partition("\t") for line in lines.decode().split("\n"))}


def _look_up(word: str, role: str | None = None, do_transforms: bool = True) -> list[str] | None:
    """Phonemes of a word in its role (its part of speech), as gruut asks for them; None where the lexicon lacks it."""
    forms = (word, word.lower(), NOT_IN_WORDS.sub("", word), NOT_IN_WORDS.sub("", word.lower()))
    for form in forms if do_transforms else forms[:1]:
        roles = _roles(form) if form else None
        if roles:
            return (roles.get(role or "") or roles.get("") or next(iter(roles.values()))).split()
    return None

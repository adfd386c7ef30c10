"""Words written alike and said differently: which sound is meant, from the parts of speech and the words around.

gruut's tagger tells noun from verb well enough for its lexicon to choose between "a record" and "to record". What it
cannot tell, the table below does: pairs of one part of speech ("a tear", "a bow"), and words whose tag is often wrong.
Each rule is a pattern over the words around with their tags ("the/DT lead/NN pipe/NN"); the first that fits decides.
"""

from __future__ import annotations

from models.speech.homograph_table import TABLE


def choose_sound(words: list[tuple[str, str]], index: int) -> list[str] | None:
    """Return the phonemes of a homograph in its sentence; None where the word is none, or its part of speech decides.

    Args:
        words: (word in small letters, its tag) of the sentence; punctuation is a word of its own.
        index: of the word in question.
    """
    choices = TABLE.get(words[index][0])
    if choices is None:
        return None
    before = "".join(f"{word}/{tag} " for word, tag in words[:index])
    after = "".join(f"{word}/{tag} " for word, tag in words[index + 1 :])
    for choice in choices:
        if choice.fits(before, after, words[index][1]):
            return choice.sound.split()
    return None

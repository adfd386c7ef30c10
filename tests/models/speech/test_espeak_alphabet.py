"""Tests of how Piper's letters spell the studio's symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.espeak_alphabet import spell_espeak
from models.speech.symbols import BOS, EOS, SYMBOLS

ESPEAK = frozenset(";:,.!? abdefhijklmnoprstuvwzæðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒθˈˌː")
"""Letters that Piper's English voices learned."""


def spell_words(*symbols: str, british: bool = False) -> str:
    return "".join(spell_espeak((BOS, *symbols, ".", EOS), british))


@pytest.mark.parametrize(
    ("symbols", "american", "british"),
    [
        ("t͡ʃ ˈeɪ n d͡ʒ", "tʃˈeɪndʒ.", "tʃˈeɪndʒ."),
        ("b ˈɛ t ɚ", "bˈɛɾɚ.", "bˈɛtə."),
        ("n ˈɚ s", "nˈɜːs.", "nˈɜːs."),
        ("ɡ ˈoʊ", "ɡˈoʊ.", "ɡˈəʊ."),
        ("l ˈɑ t", "lˈɑːt.", "lˈɒt."),
        ("k ˈɑ ɹ", "kˈɑːɹ.", "kˈɑː."),
        ("s ˈi", "sˈiː.", "sˈiː."),
        ("h ˈæ p i", "hˈæpi.", "hˈæpi."),
        ("f ˈu d", "fˈuːd.", "fˈuːd."),
    ],
)
def test_words_are_spelled_as_the_voices_learned_them(symbols: str, american: str, british: str) -> None:
    assert spell_words(*symbols.split()) == american
    assert spell_words(*symbols.split(), british=True) == british


@given(st.lists(st.sampled_from(SYMBOLS[3:]), min_size=1, max_size=30), st.booleans())
def test_every_symbol_has_letters_that_the_voices_know(inside: list[str], british: bool) -> None:
    spelled = spell_espeak((BOS, *inside, EOS), british)
    assert len(spelled) == len(inside) + 2 and spelled[0] == spelled[-1] == ""
    assert all(spelled[1:-1])
    assert set("".join(spelled)) <= ESPEAK

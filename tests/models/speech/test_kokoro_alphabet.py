"""Tests of how Kokoro's alphabet spells our symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.kokoro_alphabet import spell
from models.speech.symbols import BOS, EOS, SYMBOLS

KOKORO = frozenset(";:,.!? AIOQTWYbdfhijklmnpstuvwzaɑɐɒæðʤəɛɜɡɪŋɔɹʃʧθʊʌʒˈˌːᵊ")
"""Letters of Kokoro's vocabulary that stand for English."""


def spell_words(*symbols: str, british: bool = False) -> str:
    return spell((BOS, *symbols, ".", EOS), british)[0]


def test_double_sounds_are_one_letter() -> None:
    assert spell_words("t͡ʃ", "ˈeɪ", "n", "d͡ʒ") == "ʧˈAnʤ."


def test_americans_flap_between_vowels() -> None:
    assert spell_words("b", "ˈɛ", "t", "ɚ") == "bˈɛTəɹ."
    assert spell_words("p", "ˈɑ", "ɹ", "t", "i") == "pˈɑɹTi."


def test_no_flap_before_stress_nor_before_n() -> None:
    assert spell_words("ə", "t", "ˈæ", "k") == "ətˈæk."
    assert spell_words("b", "ˈʌ", "t", "ə", "n") == "bˈʌtᵊn."


def test_no_flap_across_words() -> None:
    assert spell_words("ˈɪ", "t", " ", "ɪ", "z") == "ˈɪt ɪz."


def test_the_article_is_a_letter_of_its_own() -> None:
    assert spell_words("ə", " ", "k", "ˈʌ", "p") == "ɐ kˈʌp."


def test_the_british_say_r_only_before_vowels() -> None:
    assert spell_words("k", "ˈɑ", "ɹ", british=True) == "kˈɑː."
    assert spell_words("k", "ˈɑ", "ɹ", " ", "ˈɪ", "n", british=True) == "kˈɑːɹ ˈɪn."
    assert spell_words("n", "ˈɪ", "ɹ", british=True) == "nˈɪə."
    assert spell_words("b", "ˈɛ", "t", "ɚ", british=True) == "bˈɛtə."


def test_british_vowels() -> None:
    assert spell_words("ɡ", "ˈoʊ", british=True) == "ɡˈQ."
    assert spell_words("l", "ˈɑ", "t", british=True) == "lˈɒt."
    assert spell_words("l", "ˈɔ", "ŋ", british=True) == "lˈɒŋ."
    assert spell_words("k", "ˈɔ", "t", british=True) == "kˈɔːt."


@given(st.lists(st.sampled_from(SYMBOLS[3:]), min_size=1, max_size=30), st.booleans())
def test_every_symbol_has_letters_of_the_vocabulary(inside: list[str], british: bool) -> None:
    letters, counts = spell((BOS, *inside, EOS), british)
    assert set(letters) <= KOKORO
    assert len(counts) == len(inside) + 2
    assert sum(counts) == len(letters)
    assert counts[0] == counts[-1] == 0
    assert min(counts[1:-1]) >= 1


@pytest.mark.parametrize("british", [False, True])
def test_stress_stands_before_its_vowel(british: bool) -> None:
    letters, counts = spell((BOS, "s", "ˈi", ".", EOS), british)
    start = counts[0] + counts[1]
    assert letters[start : start + counts[2]].startswith("ˈi")

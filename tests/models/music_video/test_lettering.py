"""Letters in the picture: every script that the machine has a font for, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import features

from models.music_video import fonts, lettering
from models.music_video.fonts import find_missing, split_runs, usual_font
from models.music_video.lettering import find_note, lay_over, opacity, text_layer

KANA = "こんにちは"
ARABIC = "مرحبا"
HEBREW = "שלום"
SCRIPT_A = "\U0001d5a0"  # a letter that DejaVu Sans has and DejaVu Sans Bold has not


@pytest.fixture
def only_dejavu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a machine whose fonts are those that matplotlib brings."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    monkeypatch.setattr(fonts, "list_fonts", lambda: (str(folder / "DejaVuSans.ttf"),))
    fonts.find_font.cache_clear()
    text_layer.cache_clear()
    yield
    fonts.find_font.cache_clear()
    text_layer.cache_clear()


def test_letters_are_drawn_within_the_frame() -> None:
    for words in ("Hello", "A long line of lyrics that must be broken into several lines to fit", "W" * 80):
        layer = text_layer(words, 360, 40.0)
        assert layer[0].shape[1] <= 360
        frame = np.full((200, 360, 3), 90, np.uint8)
        lay_over(frame, layer, (180.0, 190.0), 1.0)
        assert frame.max() > 240 and frame.min() < 60
    untouched = np.full((200, 360, 3), 90, np.uint8)
    lay_over(untouched, text_layer("Hello", 360, 40.0), (180.0, 100.0), 0.0)
    assert (untouched == 90).all()


def test_texts_fade_at_their_ends() -> None:
    assert opacity(0.9, 1, 3) == 0 and opacity(3.0, 1, 3) == 0
    assert opacity(2.0, 1, 3) == 1
    assert 0 < opacity(1.1, 1, 3) < 1 and 0 < opacity(2.95, 1, 3) < 1


def test_letters_without_a_font_are_named_and_left_out(only_dejavu: None) -> None:
    assert find_missing(["Hello", KANA + " \u2764\ufe0f"]) == "".join(sorted(set(KANA)))
    (note,) = find_note((f"Hello {KANA}",))
    assert all(letter in note for letter in KANA) and "Noto" in note
    assert find_note(("Gr\u00fc\u00dfe", ARABIC, HEBREW, "\u041f\u0440\u0438\u0432\u0435\u0442", "")) == ()
    assert (text_layer(KANA, 360, 40.0)[1] == 0).all()
    drawn, alone = text_layer(f"Hello {KANA}", 360, 40.0)[1], text_layer("Hello", 360, 40.0)[1]
    assert drawn.sum() == pytest.approx(alone.sum(), rel=0.05)


def test_another_font_draws_what_the_usual_one_has_not(only_dejavu: None) -> None:
    (first, second, third) = split_runs(f"ab{SCRIPT_A}cd")
    assert first.font == third.font == usual_font() and second.font != usual_font() and second.font is not None
    assert find_note((SCRIPT_A,)) == ()
    wide, narrow = text_layer(f"ab{SCRIPT_A}cd", 360, 40.0)[1], text_layer("abcd", 360, 40.0)[1]
    assert wide.sum() > 1.1 * narrow.sum()


def test_words_from_the_right_stand_on_the_right(only_dejavu: None) -> None:
    assert [run.text.strip() for run in split_runs(f"{HEBREW} abc")] == ["abc", HEBREW]
    assert [run.text.strip() for run in split_runs(f"abc {HEBREW}")] == ["abc", HEBREW]
    assert [run.text.strip() for run in split_runs(f"{HEBREW} 123 {ARABIC}") if run.text.strip()] == [
        ARABIC,
        "123",
        HEBREW,
    ]
    assert [run.from_right for run in split_runs(ARABIC)] == [True]


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow has no library that joins letters")
def test_arabic_letters_are_joined(only_dejavu: None) -> None:
    apart = "\u200c".join(ARABIC)
    assert np.shape(text_layer(ARABIC, 360, 40.0)[1])[1] < 0.85 * np.shape(text_layer(apart, 360, 40.0)[1])[1]


def test_words_of_wide_letters_are_broken_anywhere(only_dejavu: None) -> None:
    lines = lettering._wrap("\u4e16\u754c" * 3 + " abc", lettering._Measure(20), 60.0)
    assert "".join(lines).replace(" ", "") == "\u4e16\u754c" * 3 + "abc"
    assert lettering._split_wide("ab\u4e16\u754ccd") == ["ab", "\u4e16", "\u754c", "cd"]

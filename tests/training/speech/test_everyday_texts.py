"""Tests of the writer of everyday sentences."""

import itertools
import re

from training.speech.everyday_texts import KINDS, RULES, EverydayTexts


def test_a_seed_fixes_the_texts() -> None:
    assert list(EverydayTexts(3).iter_texts(50)) == list(EverydayTexts(3).iter_texts(50))
    assert list(EverydayTexts(3).iter_texts(50)) != list(EverydayTexts(4).iter_texts(50))


def test_texts_differ_and_have_no_open_slots() -> None:
    texts = list(EverydayTexts(1, ["thimble", "gracious", "ox"]).iter_texts(2000))
    assert len(set(texts)) == 2000
    assert not any(re.search(r"[{}|]|\.\.", text) for text in texts)
    assert all(text[0] == text[0].upper() for text in texts)


def test_questions_calls_and_statements_are_among_them() -> None:
    endings = [text[-1] for text in EverydayTexts(1).iter_texts(500)]
    assert all(endings.count(mark) > 20 for mark in ".?!")


def test_a_becomes_an_before_a_vowel() -> None:
    texts = " ".join(EverydayTexts(2).iter_texts(3000))
    assert not re.search(r"\b[Aa] [aio]", texts)
    assert re.search(r"\ban (old|easy|important)\b", texts)


def test_rare_words_are_said() -> None:
    texts = " ".join(EverydayTexts(5, ["zymurgy"]).iter_texts(400))
    assert "zymurgy" in texts.lower()


def test_every_slot_has_a_rule() -> None:
    writer = EverydayTexts(0)
    slots = itertools.chain.from_iterable(re.findall(r"\{(\w+)\}", rule) for rule in RULES.values())
    assert all(slot.lower() in RULES or slot in writer.makers for slot in slots)
    assert all(kind in RULES or kind in writer.makers for kind, _ in KINDS)

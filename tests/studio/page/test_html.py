"""What the page says in HTML."""

from __future__ import annotations

import re

from studio.page import html


def read(sentences: list[str]) -> list[str]:
    return [re.sub("<[^b][^>]*>|</?b>|</div>", "", line) for line in html.verdicts(sentences).split("<br>")]


def test_sentences_that_are_alike_have_one_verdict_and_the_others_are_named() -> None:
    good, doubtful, bad = "Every word was spoken.", "A word may be missing.", "It stopped early."
    assert html.verdicts(["", ""]) == ""
    assert read([good]) == read([good] * 30) == [good]
    assert read([good, doubtful, good, good, bad, doubtful]) == [
        f"3 sentences: {good}",
        f"Sentences 2, 6: {doubtful}",
        f"Sentence 5: {bad}",
    ]
    assert "and more" in read([good] * 40 + [doubtful] * 20)[1]

"""The frozen prompts that the honesty of the reading is measured with."""

from __future__ import annotations

from benchmarks.video_honesty import OUTSIDE, THINGS_INSIDE, list_missed, measure_honesty
from models.registry.registry import WEIGHTS_DIR
from models.video.prompt_reader import load_reader


def test_what_cannot_be_drawn_is_said_and_little_else() -> None:
    reader = load_reader(frozenset(WEIGHTS_DIR.iterdir()))
    figures = measure_honesty(reader)
    assert figures["honest_outside"] >= 0.9
    assert figures["false_alarm"] <= 0.1 and figures["false_alarm_things"] <= 0.1
    silent, refused, _ = list_missed(reader)
    for path, own in ((OUTSIDE, silent), (THINGS_INSIDE, [])):
        prompts = path.read_text(encoding="utf-8").splitlines()
        assert len(prompts) == len(set(prompts)) >= 100 and set(own) <= set(prompts)
    assert len(refused) == round(200 * figures["false_alarm"])
    staged = [reader.stage(text) is not None for text in THINGS_INSIDE.read_text(encoding="utf-8").splitlines()]
    assert sum(staged) >= 0.9 * len(staged)

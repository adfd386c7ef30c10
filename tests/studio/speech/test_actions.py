"""What the Speech tab does, without a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from studio.io import recipes
from studio.page import jobs
from studio.speech.actions import SpeechActions, build_request
from studio.speech.take import file_stem
from tests.studio.debug_speech import debug_registry, debug_spec
from tests.studio.events import flatten

MODEL = "speech/debug"
FIELDS: dict[str, Any] = {"text": "Hello there, world. And again!", "voice": "low", "seed": 7}
BAD: dict[str, dict[str, Any]] = {
    "empty": {"text": ""},
    "blank": {"text": " \n\t "},
    "none": {"text": None},
    "50,000 characters": {"text": "word " * 10_000},
    "emoji": {"text": "🎉🚀💥"},
    "Chinese": {"text": "你好世界，今天天气很好。"},
    "control characters": {"text": "\0\x01\x02\x1b\x7f"},
    "negative seed": {"seed": -1},
    "large seed": {"seed": 2**32},
    "huge seed": {"seed": 1e30},
    "broken seed": {"seed": 1.5},
    "no seed": {"seed": None},
    "seed that is no number": {"seed": float("nan")},
    "speed": {"speed": 99},
    "pitch": {"pitch": float("inf")},
    "energy": {"energy": -99},
    "vocoder": {"vocoder": "magic"},
}


@pytest.fixture
def actions(tmp_path: Path) -> SpeechActions:
    specs = (debug_spec(), debug_spec("broken", "load_corrupt"))
    return SpeechActions(debug_registry(tmp_path, *specs))


def _run(actions: SpeechActions, model: str = MODEL, **changes: Any) -> dict[str, Any]:
    """All values that the page would hold in the end; sound pieces are joined, files are read."""
    page: dict[str, Any] = {"pieces": []}
    for update in map(flatten, actions.run("session", model, FIELDS | changes)):
        if "sound" in update:
            page["pieces"].append(update.pop("sound"))
        page |= update
        for name in ("wav", "mp3", "srt", "vtt"):
            if update.get(name):
                page[name + "_bytes"] = Path(update[name]).read_bytes()
    return page


def test_a_take_has_everything(actions: SpeechActions) -> None:
    page = _run(actions)
    assert "s of speech" in page["status"] and "seed 7" in page["status"]
    assert page["words"].count("data-start") == 5
    assert page["alignment"].count("alignment-picture") == 2  # one a sentence
    assert "clear diagonal" in page["verdict"]
    assert "Mel spectrogram" in page["mel"]
    assert page["srt_bytes"].startswith(b"1\n00:00:00,0")
    assert page["vtt_bytes"].startswith(b"WEBVTT")
    assert page["wav_bytes"][:4] == b"RIFF" and len(page["mp3_bytes"]) > 1000


def test_the_pieces_are_the_whole(actions: SpeechActions, tmp_path: Path) -> None:
    page = _run(actions)
    (tmp_path / "whole.wav").write_bytes(page["wav_bytes"])
    whole, _ = soundfile.read(tmp_path / "whole.wav", dtype="int16")
    pieces = []
    for number, piece in enumerate(page["pieces"]):
        (tmp_path / f"{number}.wav").write_bytes(piece)
        pieces.append(soundfile.read(tmp_path / f"{number}.wav", dtype="int16")[0])
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_same_seed_same_file(actions: SpeechActions) -> None:
    assert _run(actions)["wav_bytes"] == _run(actions)["wav_bytes"]
    assert _run(actions)["wav_bytes"] != _run(actions, seed=8)["wav_bytes"]


@pytest.mark.parametrize("name", ["wav", "mp3"])
def test_a_result_puts_the_controls_back(actions: SpeechActions, tmp_path: Path, name: str) -> None:
    page = _run(actions, speed=1.25, pitch=-2.5, energy=3.0, vocoder="griffin-lim", voice="high", seed=123)
    path = tmp_path / f"result.{name}"
    path.write_bytes(page[name + "_bytes"])
    values, sentence = actions.load_settings(str(path))
    assert values == {
        "text": FIELDS["text"], "speed": 1.25, "pitch": -2.5, "energy": 3.0, "vocoder": "griffin-lim",
        "seed": 123, "model": MODEL, "voice": "high", "second_voice": "",
    }  # fmt: skip
    assert "same sound" in sentence


def test_a_mixed_voice_is_kept_and_put_back(tmp_path: Path) -> None:
    actions = SpeechActions(debug_registry(tmp_path, debug_spec(mixes_voices=True)))
    page = _run(actions, second_voice="high", blend=0.3)
    path = tmp_path / "result.wav"
    path.write_bytes(page["wav_bytes"])
    assert recipes.read_recipe(path).settings["blend"] == 0.3
    values, _ = actions.load_settings(str(path))
    assert (values["voice"], values["second_voice"], values["blend"]) == ("low", "high", 0.3)


def test_the_page_drops_a_second_voice_that_its_model_cannot_mix(actions: SpeechActions, tmp_path: Path) -> None:
    path = tmp_path / "result.wav"
    path.write_bytes(_run(actions, second_voice="high")["wav_bytes"])
    assert not {"second_voice", "blend"} & set(recipes.read_recipe(path).settings)


def test_a_program_is_told_that_a_model_cannot_mix(actions: SpeechActions, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Second voice: Debug debug cannot mix two voices"):
        list(actions.run_program(MODEL, FIELDS | {"second_voice": "high"}, str(tmp_path)))


def test_settings_of_an_unknown_model_and_of_another_task(actions: SpeechActions, tmp_path: Path) -> None:
    path = tmp_path / "result.wav"
    path.write_bytes(_run(actions)["wav_bytes"])
    recipes.write_recipe(path, recipes.Recipe("speech", "speech/gone", "r", 1, {"text": "hi"}))
    values, sentence = actions.load_settings(str(path))
    assert "model" not in values and "not on this shelf" in sentence
    recipes.write_recipe(path, recipes.Recipe("music", "music/m", "r", 1, {"text": "hi"}))
    with pytest.raises(ValueError, match="music"):
        actions.load_settings(str(path))
    recipes.write_recipe(path, recipes.Recipe("speech", MODEL, "r", 1, {"text": "hi", "speed": 77.0}))
    with pytest.raises(ValueError, match="Speed is 77"):
        actions.load_settings(str(path))


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_sentence(actions: SpeechActions, name: str, caplog: pytest.LogCaptureFixture) -> None:
    page = _run(actions, **BAD[name])
    assert 'role="alert"' in page["status"]
    assert "Traceback" not in page["status"] and jobs.UNEXPECTED not in page["status"]
    assert not page["pieces"] and not caplog.records


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE words; --", "<script>alert(1)</script> hello", "hello\0world\x07 again"]
)
def test_strange_text_is_spoken_or_left_out(actions: SpeechActions, text: str) -> None:
    page = _run(actions, text=text)
    assert "s of speech" in page["status"]
    assert "<script" not in "".join(str(page[name]) for name in ("status", "words", "verdict", "alignment", "notes"))


def test_a_corrupt_weight_file_is_a_sentence_and_the_studio_goes_on(actions: SpeechActions) -> None:
    assert "is damaged" in _run(actions, "speech/broken")["status"]
    assert "There is no model" in _run(actions, "speech/nothing")["status"]
    assert "s of speech" in _run(actions)["status"]


def test_an_unforeseen_failure_is_logged_and_a_sentence(
    actions: SpeechActions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr("studio.speech.actions.save_take", fail)
    page = _run(actions)
    assert jobs.UNEXPECTED in page["status"].replace("&#x27;", "'") and "secret" not in page["status"]
    assert "secret detail" in caplog.text


def test_stop_keeps_what_was_spoken(actions: SpeechActions) -> None:
    page: dict[str, Any] = {}
    steps = actions.run("me", MODEL, FIELDS | {"text": "word " * 400})
    for update in map(flatten, steps):
        page |= update
        if "sound" in update:
            actions.stops.ask("me")
        if update.get("wav"):
            page["duration_s"] = soundfile.info(update["wav"]).duration
    assert "stopped early" in page["status"]
    assert 0 < page["duration_s"] < 100
    assert not actions.stops.ask("me")


def test_closing_the_page_ends_the_work(actions: SpeechActions) -> None:
    model = actions.registry.load(MODEL).model
    steps = actions.run("me", MODEL, FIELDS | {"text": "word " * 400})
    next(update for update in map(flatten, steps) if "sound" in update)
    assert model.open_streams == 1
    steps.close()
    assert model.open_streams == 0
    assert not actions.stops.ask("me")


def test_whole_numbers_may_come_as_floats() -> None:
    assert build_request({"text": "hi", "seed": 7.0}).seed == 7


def test_file_names_are_plain() -> None:
    assert file_stem("The quick, brown fox jumps over", 7) == "the-quick-brown-fox-jumps-7"
    assert file_stem("../../etc/passwd", 1) == "etc-passwd-1"
    assert file_stem("你好", 1) == "speech-1"

"""The speech generator's contract, with tiny random models and with the shipped weights."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.audio import MelConfig, rms_db
from models.contracts import SpeechChunk, SpeechRequest
from models.errors import ModelError
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.speech.symbols import SYMBOLS
from models.speech.synthesizer import (
    NO_MIXING,
    MelScale,
    SpeechSynthesizer,
    load_acoustic,
    load_vocoder,
    read_function_word_stress,
)
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from models.speech.vocoder import SourceFilterVocoder, VocoderConfig
from models.speech.vocoder_streams import SourceFilterStream
from models.weights_io import save_safetensors

WEIGHTS = Path(__file__).resolve().parents[3] / "models" / "weights"
TWO_SENTENCES = "Good morning, dear listener. How are you?"


@pytest.fixture(scope="module")
def tiny() -> SpeechSynthesizer:
    """Random weights: babble, but through every stage."""
    torch.manual_seed(0)
    config = Tacotron2Config.debug(
        n_symbols=len(SYMBOLS),
        n_mels=80,
        frames_per_step=3,
        voices=("a", "b"),
        attributes=("speed", "pitch", "energy"),
    )
    vocoder = SourceFilterVocoder(VocoderConfig.debug()).eval()
    return SpeechSynthesizer(
        Tacotron2(config).eval(),
        lambda seed: SourceFilterStream(vocoder, seed),
        MelConfig(),
        MelScale(-5.0, 2.0),
        ("a", "b"),
    )


def sound(chunks: list[SpeechChunk]) -> np.ndarray:
    """All samples."""
    return np.concatenate([chunk.samples for chunk in chunks])


def test_chunks_keep_the_contract(tiny: SpeechSynthesizer) -> None:
    chunks = list(tiny.stream(SpeechRequest(TWO_SENTENCES, seed=3)))
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    done = [chunk.done for chunk in chunks]
    assert done == sorted(done)
    assert done[-1] == chunks[-1].total == len(TWO_SENTENCES)
    for chunk in chunks:
        assert chunk.samples.dtype == np.float32
        assert np.abs(chunk.samples).max(initial=0.0) <= 1.0
        assert chunk.alignment.size == 0 or chunk.alignment.shape[1] == len(chunk.symbols)
        assert chunk.mel.shape[1] == 80
    spoken = [chunk.sentence for chunk in chunks if chunk.verdict]
    assert spoken == sorted(set(spoken)) and len(spoken) >= 2


def test_alignment_grows_within_a_sentence(tiny: SpeechSynthesizer) -> None:
    sizes: dict[int, list[int]] = {}
    for chunk in tiny.stream(SpeechRequest(TWO_SENTENCES)):
        if chunk.alignment.size:
            sizes.setdefault(chunk.sentence, []).append(len(chunk.alignment))
    assert all(lengths == sorted(lengths) for lengths in sizes.values())
    assert max(map(len, sizes.values())) > 1


def test_words_are_timed_in_order_and_within_the_sound(tiny: SpeechSynthesizer) -> None:
    chunks = list(tiny.stream(SpeechRequest(TWO_SENTENCES)))
    words = chunks[-1].words
    assert [word.text.strip(",.?") for word in words] == ["Good", "morning", "dear", "listener", "How", "are", "you"]
    assert all(word.start_s <= word.end_s for word in words)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(words))
    assert words[-1].end_s <= len(sound(chunks)) / chunks[0].sample_rate + 0.1


@pytest.mark.slow
def test_equal_requests_give_equal_bytes(tiny: SpeechSynthesizer) -> None:
    first, again, other = (sound(list(tiny.stream(SpeechRequest(TWO_SENTENCES, seed=s)))) for s in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_a_closed_stream_leaves_nothing_behind(tiny: SpeechSynthesizer) -> None:
    whole = sound(list(tiny.stream(SpeechRequest(TWO_SENTENCES))))
    stream: Any = tiny.stream(SpeechRequest("This one is stopped at once, long before its end."))
    next(stream)
    stream.close()
    assert torch.is_grad_enabled()
    assert np.array_equal(sound(list(tiny.stream(SpeechRequest(TWO_SENTENCES)))), whole)


def test_grad_mode_does_not_leak_between_chunks(tiny: SpeechSynthesizer) -> None:
    for _ in tiny.stream(SpeechRequest("Hello.")):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"voice": "b"}, {"speed": 1.7}, {"pitch_semitones": 5.0}, {"energy_db": 8.0}, {"vocoder": "griffin-lim"}],
)
def test_every_setting_changes_the_sound(tiny: SpeechSynthesizer, changes: dict[str, object]) -> None:
    plain = sound(list(tiny.stream(SpeechRequest("Hello there."))))
    changed = sound(list(tiny.stream(SpeechRequest("Hello there.", **changes))))  # type: ignore[arg-type]
    assert len(changed) and (plain.shape != changed.shape or not np.array_equal(plain, changed))


def test_a_second_voice_is_said_to_be_left_out(tiny: SpeechSynthesizer) -> None:
    chunks = list(tiny.stream(SpeechRequest("Yes.", voice="a", second_voice="b")))
    assert chunks[-1].notes == (NO_MIXING,)
    with pytest.raises(ValueError, match="voice is 'c'"):
        next(tiny.stream(SpeechRequest("Yes.", second_voice="c")))


def test_a_break_is_that_much_silence(tiny: SpeechSynthesizer) -> None:
    def silences(text: str) -> list[int]:
        return [len(c.samples) for c in tiny.stream(SpeechRequest(text)) if len(c.samples) and not c.samples.any()]

    rate = tiny.mel.sample_rate
    assert silences("<speak>Hello <break time='500ms'/> world.</speak>") == [rate // 2]
    assert silences("<break time='1s'/>Hello. Bye.<break time='2s'/>") == [rate, int(0.35 * rate), 2 * rate]
    assert silences("Hello.") == []


@pytest.mark.slow
def test_prosody_changes_the_sound_of_its_stretch(tiny: SpeechSynthesizer) -> None:
    plain = sound(list(tiny.stream(SpeechRequest("Hello there dear friend."))))
    for tag in ("<emphasis>{}</emphasis>", "<prosody pitch='+4st'>{}</prosody>", "<prosody rate='slow'>{}</prosody>"):
        text = f"Hello there {tag.format('dear')} friend."
        turned = sound(list(tiny.stream(SpeechRequest(text))))
        assert plain.shape != turned.shape or not np.array_equal(plain, turned), tag
    whole = SpeechRequest("<prosody rate='80%'>Hello there dear friend.</prosody>")
    assert len(list(tiny.stream(whole))[-1].words) == 4


def test_the_dictionary_reaches_the_model(tiny: SpeechSynthesizer) -> None:
    plain, respell = (
        sound(list(tiny.stream(SpeechRequest("Run nginx now.", dictionary=entries))))
        for entries in ((), (("nginx", "engine ex"),))
    )
    assert plain.shape != respell.shape or not np.array_equal(plain, respell)


def test_metadata_tells_how_function_words_were_learned(tmp_path: Path) -> None:
    save_safetensors(tmp_path / "new.safetensors", {"x": torch.zeros(1)}, {"function_word_stress": "false"})
    save_safetensors(tmp_path / "old.safetensors", {"x": torch.zeros(1)})
    assert read_function_word_stress(tmp_path / "old.safetensors")
    assert not read_function_word_stress(tmp_path / "new.safetensors")
    assert not read_function_word_stress(WEIGHTS / "speech_tacotron2.safetensors")


def test_a_model_without_controls_says_so(tiny: SpeechSynthesizer) -> None:
    torch.manual_seed(0)
    plain = Tacotron2(Tacotron2Config.debug(n_symbols=len(SYMBOLS), n_mels=80, frames_per_step=3)).eval()
    other = SpeechSynthesizer(plain, tiny.neural, tiny.mel, tiny.scale, ("a",))
    assert any("no control" in note for note in list(other.stream(SpeechRequest("Hi.", speed=1.5)))[-1].notes)
    assert not list(other.stream(SpeechRequest("Hi.")))[-1].notes
    assert any("no control" in note for note in list(other.stream(SpeechRequest("<emphasis>Hi.</emphasis>")))[-1].notes)


def test_an_unknown_voice_is_named(tiny: SpeechSynthesizer) -> None:
    with pytest.raises(ValueError, match=r"nobody.*a, b"):
        next(tiny.stream(SpeechRequest("Hello.", voice="nobody")))


@pytest.mark.parametrize("text", ["😀🎉", "你好，世界", "\u200b\u200b.", "\x00\x07", "!!! ... ???"])
def test_text_without_words_is_refused_with_a_sentence(tiny: SpeechSynthesizer, text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z].*\."):
        next(tiny.stream(SpeechRequest(text)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE users; -- and so on",
        "<script>alert('hi')</script> <b>bold</b>",
        "A\x00null and a \x1b[31mcolour\x1b[0m code",
        "Hello 你好 world 😀",
        "a" * 300,
    ],
)
def test_odd_text_is_spoken(tiny: SpeechSynthesizer, text: str) -> None:
    assert len(sound(list(tiny.stream(SpeechRequest(text))))) >= 256


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", "   \n"),
        ("text", "x" * 50_000),
        ("seed", -1),
        ("seed", 2**32),
        ("seed", 1.5),
        ("seed", True),
        ("speed", 0.4),
        ("speed", float("nan")),
        ("pitch_semitones", 6.1),
        ("energy_db", -11),
        ("vocoder", "magic"),
    ],
)
def test_a_request_checks_itself(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field.split("_", maxsplit=1)[0]):
        SpeechRequest(**{"text": "Hello.", field: value})  # type: ignore[arg-type]


# The shipped weights


@pytest.fixture(scope="module")
def shipped() -> Iterator[Registry]:
    """Yield a registry over the shipped files."""
    yield Registry([spec for spec in CATALOG if spec.key == "speech/tacotron2"])


def test_shipped_files_are_small() -> None:
    for path in WEIGHTS.iterdir():
        assert path.stat().st_size < 10_000_000, path.name


@pytest.mark.slow
def test_shipped_voices_speak(shipped: Registry) -> None:
    model = shipped.load("speech/tacotron2")
    for voice in model.spec.voices:
        chunks = list(model.stream(SpeechRequest("The boat came in with the tide.", voice=voice.key, seed=1)))
        seconds = len(sound(chunks)) / chunks[0].sample_rate
        assert 1.0 < seconds < 4.0, voice.key
        assert -40 < rms_db(sound(chunks)) < -10, voice.key
        assert any("every word" in chunk.verdict.lower() for chunk in chunks), voice.key


@pytest.mark.slow
def test_shipped_controls_turn_the_right_way(shipped: Registry) -> None:
    model = shipped.load("speech/tacotron2")

    def speak(**changes: Any) -> np.ndarray:
        return sound(list(model.stream(SpeechRequest("She opened the window and listened to the rain.", **changes))))

    assert len(speak(speed=1.6)) < 0.8 * len(speak()) < 0.8 * 0.8 * len(speak(speed=0.65))
    assert rms_db(speak(energy_db=8)) > rms_db(speak(energy_db=-8)) + 6


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "missing"])
@pytest.mark.parametrize("name", ["speech_tacotron2.safetensors", "speech_vocoder.safetensors"])
def test_a_damaged_weight_file_gives_a_sentence(tmp_path: Path, name: str, damage: str) -> None:
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    path = tmp_path / "weights" / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"cut": content[:100_000], "noise": b"\xff" * 5_000, "empty": b""}[damage])
    load = load_acoustic if "tacotron2" in name else load_vocoder
    with pytest.raises(ModelError, match=r"\."):
        load(path)
    spec = next(spec for spec in CATALOG if spec.key == "speech/tacotron2")
    registry = Registry([spec], weights_dir=tmp_path / "weights")
    with pytest.raises(ModelError):
        registry.load(spec.key)

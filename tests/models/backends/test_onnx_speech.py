"""ONNX voices speak through the studio's contract, from true files over the true download."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.backends.onnx_folder import describe_onnx_folder
from models.backends.onnx_session import OnnxModel, import_runtime
from models.backends.onnx_speakers import SpokenUtterance, read_vocabulary, share_durations, spell_known
from models.backends.onnx_speech import LEAD_S, TAIL_S, trim_silence
from models.contracts import SpeechChunk, SpeechRequest
from models.errors import ModelError
from models.hub.describe import describe
from models.registry.registry import Registry
from tests.hub_server import HubServer
from tests.tiny_models import tiny, write_tiny

Load = Callable[..., Any]
TEXT = "Hello the boat. Good morning, captain!"
WORDS = ["Hello", "the", "boat", "Good", "morning", "captain"]
KINDS = ("kokoro", "hibari", "piper", "piper-speakers")


def hear(model: Any, **asked: Any) -> tuple[list[SpeechChunk], np.ndarray]:
    chunks = list(model.stream(SpeechRequest(asked.pop("text", TEXT), **({"seed": 3} | asked))))
    return chunks, np.concatenate([chunk.samples for chunk in chunks])


def find_pitch(samples: np.ndarray, rate: int) -> float:
    """Return the strongest frequency in Hz."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


@pytest.mark.parametrize("kind", KINDS)
def test_a_voice_streams_utterances_with_its_words_and_an_alignment(load: Load, kind: str) -> None:
    chunks, sound = hear(load(kind))
    spoken = [chunk for chunk in chunks if chunk.alignment.size]
    rate = chunks[0].sample_rate
    assert [chunk.sentence for chunk in spoken] == [0, 1]
    assert chunks[-1].last and chunks[-1].done == chunks[-1].total == len(TEXT)
    assert [chunk.last for chunk in chunks].count(True) == 1
    assert sum(chunk.mel.shape[0] for chunk in chunks) > 50
    assert np.abs(sound).max() > 0.01
    for chunk in spoken:
        assert chunk.alignment.shape[1] == len(chunk.symbols) and np.allclose(chunk.alignment.sum(axis=1), 1)
        assert (np.diff(chunk.alignment.argmax(axis=1)) >= 0).all()
        assert chunk.verdict.startswith("Every word has its time")
    words = chunks[-1].words
    assert [word.text for word in words] == WORDS
    assert all(word.start_s < word.end_s for word in words)
    assert all(before.end_s <= after.start_s + 1e-9 for before, after in pairwise(words))
    assert words[-1].end_s <= len(sound) / rate
    at = [int(words[3].start_s * rate), int(words[3].end_s * rate)]
    assert np.abs(sound[at[0] : at[1]]).max() > 0.5 * np.abs(sound).max(), "a word's time holds its sound"


@pytest.mark.parametrize("kind", KINDS)
def test_equal_requests_give_equal_sound_and_speed_is_followed(load: Load, kind: str) -> None:
    model = load(kind)
    sound = hear(model)[1]
    assert np.array_equal(sound, hear(model)[1])
    quick = hear(model, text="hello the boat and the captain", speed=2.0)[1]
    slow = hear(model, text="hello the boat and the captain", speed=0.5)[1]
    assert 2.5 < len(slow) / len(quick) < 5.0
    louder = hear(model, energy_db=-6.0)[1]
    assert np.abs(louder).max() == pytest.approx(np.abs(sound).max() / 2, rel=0.02)


@pytest.mark.parametrize("kind", ["hibari", "piper"])
def test_another_seed_is_another_noise(load: Load, kind: str) -> None:
    model = load(kind)
    mine, other = hear(model)[1], hear(model, seed=4)[1]
    assert len(mine) == len(other) and not np.array_equal(mine, other)


def test_kokoro_offers_its_english_voices_and_mixes_two(load: Load, registry: Registry) -> None:
    model = load("kokoro")
    key = "speech/tiny--kokoro"
    assert [voice.key for voice in registry.voices(key)] == ["af_heart", "am_adam", "bm_george"]
    heart = registry.voices(key)[0]
    assert heart.title == "Heart, American English, a woman" and "Apache-2.0" in heart.licence
    assert "largely on synthetic speech" in heart.credit
    assert registry.get(key).mixes_voices
    one, other = (find_pitch(hear(model, voice=key)[1], 24_000) for key in ("af_heart", "bm_george"))
    assert one == pytest.approx(2 * other, rel=0.02)
    between = hear(model, voice="af_heart", second_voice="bm_george", blend=0.25)
    assert find_pitch(between[1], 24_000) == pytest.approx(0.75 * one + 0.25 * other, rel=0.02)
    assert not between[0][-1].notes
    alone = hear(model, voice="af_heart", second_voice="bm_george", blend=0.0)[1]
    assert np.array_equal(alone, hear(model, voice="af_heart")[1])


def test_hibari_has_a_graph_a_voice(load: Load) -> None:
    model = load("hibari")
    assert [voice.key for voice in model.voices] == ["heart", "emma"]
    assert "Maureese Williams" in model.voices[0].credit
    assert hear(model, voice="emma", text="the boat")[1].size
    notes = hear(model, second_voice="emma", text="the boat", pitch_semitones=2.0, vocoder="griffin-lim")[0][-1].notes
    assert any("cannot mix two voices" in note for note in notes) and any("pitch" in note for note in notes)
    assert any("vocoder" in note for note in notes)


def test_piper_speaks_as_each_of_its_speakers(load: Load) -> None:
    model = load("piper-speakers")
    assert [voice.key for voice in model.voices] == ["anna", "ben"]
    anna, ben = (find_pitch(hear(model, voice=key)[1], 22_050) for key in ("anna", "ben"))
    assert ben == pytest.approx(2 * anna, rel=0.05)


@pytest.mark.parametrize("kind", ["kokoro", "piper"])
def test_a_voice_that_is_not_there_is_named_with_those_that_are(load: Load, kind: str) -> None:
    with pytest.raises(ValueError, match="voice is 'nobody'; this model has"):
        hear(load(kind), voice="nobody")


def test_the_texts_markup_pauses_and_dictionary_are_heeded(load: Load) -> None:
    model = load("kokoro")
    plain = hear(model, text="the boat. the boat.")[1]
    marked = '<speak>the boat. <break time="900ms"/> the boat.</speak>'
    paused = hear(model, text=marked)[1]
    assert len(paused) > len(plain)
    longer = hear(model, text="the boat.", dictionary=(("boat", "extraordinarily"),))[1]
    assert len(longer) > len(hear(model, text="the boat.")[1])
    turned = hear(model, text='<speak><prosody rate="slow">the boat</prosody> is here.</speak>')[0][-1].notes
    assert any("one way" in note for note in turned)
    with pytest.raises(ValueError, match="no word"):
        hear(model, text="...")


def test_a_stream_that_is_closed_ends_and_others_take_turns(load: Load) -> None:
    model = load("piper")
    first = model.stream(SpeechRequest(TEXT))
    next(chunk for chunk in first if chunk.samples.size)
    assert hear(model)[1].size, "another stream speaks meanwhile"
    first.close()
    assert hear(model)[1].size


def test_a_graph_that_tells_no_durations_times_the_whole_utterance(monkeypatch: pytest.MonkeyPatch, load: Load) -> None:
    monkeypatch.setattr("models.backends.onnx_speakers.KOKORO_DURATIONS", ("Clip", "Nothing"))
    chunks, sound = hear(load("kokoro"))
    assert [word.text for word in chunks[-1].words] == ["Hello the boat.", "Good morning, captain!"]
    assert sound.size and not any(chunk.alignment.size for chunk in chunks)


def test_a_folder_of_ones_own_is_a_voice(tmp_path: Path) -> None:
    spec = describe_onnx_folder(write_tiny("kokoro", tmp_path / "My Kokoro"))
    assert spec is not None and spec.key == "speech/own--my-kokoro" and spec.mixes_voices and spec.added
    assert [voice.key for voice in spec.voices] == ["af_heart", "am_adam", "bm_george"]
    registry = Registry((spec,), memory_budget_mb=4_000)
    assert registry.state(spec.key) == "here" and hear(registry.load(spec.key))[1].size
    assert describe_onnx_folder(tmp_path) is None


def replace_graph(files: dict[str, bytes], change: Callable[[Any], None]) -> dict[str, bytes]:
    import onnx

    made = dict(files)
    for path in [path for path in files if path.endswith(".onnx")]:
        model = onnx.load_from_string(files[path])
        change(model)
        made[path] = model.SerializeToString()
    return made


def test_graphs_that_are_not_safe_are_refused_before_they_run(hub: HubServer, registry: Registry) -> None:
    import onnx

    def keep_outside(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")

    def be_foreign(model: Any) -> None:
        model.graph.node[-1].domain = "my.operators"
        model.opset_import.append(onnx.helper.make_opsetid("my.operators", 1))

    for number, (change, says) in enumerate(((keep_outside, "outside its ONNX graph"), (be_foreign, "my.operators"))):
        hub.add_repo(f"bad/voice{number}", replace_graph(tiny("kokoro"), change))
        spec = describe(f"bad/voice{number}", cache_dir=registry.cache_dir, endpoint=hub.url)
        registry.add(spec)
        with pytest.raises(ModelError, match=says) as caught:
            registry.load(spec.key)
        assert caught.value.kind == "unsafe"


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        ("onnx/model_quantized.onnx", b"\x08\x09\x3a\xff", "damaged"),
        ("voices/af_heart.bin", b"odd", "voice af_heart .* is damaged"),
        ("tokenizer.json", b'{"model": {}}', "numbers its letters"),
        ("tokenizer.json", b"{", "damaged"),
    ],
)
def test_damaged_files_are_a_sentence(hub: HubServer, registry: Registry, path: str, content: bytes, says: str) -> None:
    hub.add_repo("bad/voice", tiny("kokoro") | {path: content})
    spec = describe("bad/voice", cache_dir=registry.cache_dir, endpoint=hub.url)
    registry.add(spec)
    with pytest.raises(ModelError, match=says):
        hear(registry.load(spec.key))


def test_a_missing_onnxruntime_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r'onnxruntime\. .* `pip install "onnxruntime>=1\.20,<2"`') as caught:
        import_runtime()
    assert caught.value.kind == "loader"


def test_a_graph_of_another_kind_is_told(tmp_path: Path) -> None:
    files = tiny("piper")
    path = tmp_path / "hibari.onnx"
    path.write_bytes(files["en_US-tom-medium.onnx"])
    (tmp_path / "vocab.json").write_text(json.dumps({"a": 1}))
    spec = describe_onnx_folder(tmp_path)
    assert spec is not None
    with pytest.raises(ModelError, match="no input ids"):
        Registry((spec,)).load(spec.key)
    model = OnnxModel(path, "Tom", ("Ceil", ""))
    assert model.tells_durations and model.is_noisy and model.inputs == ["input", "input_lengths", "scales"]


def test_durations_are_shared_among_symbols() -> None:
    shares = share_durations(np.array([4, 1, 2, 3, 2]), [0, 2, 1, 0], 1_200)
    assert shares is not None and shares.tolist() == [400, 300, 300, 200]
    assert share_durations(None, [0, 1, 0], 10) is None
    assert share_durations(np.array([1, 2]), [0, 1, 0], 10) is None
    assert share_durations(np.zeros(3), [0, 1, 0], 10) is None


def test_silence_is_cut_at_both_ends_and_letters_are_not() -> None:
    rate = 1_000
    sound = np.concatenate([np.zeros(500), np.ones(1_000), np.zeros(700)]).astype(np.float32)
    cut = trim_silence(SpokenUtterance(sound, np.array([500.0, 1_000.0, 700.0])), rate)
    assert cut.durations is not None and cut.durations.sum() == len(cut.samples)
    assert len(cut.samples) == pytest.approx(1_000 + (LEAD_S + TAIL_S) * rate, abs=2)
    quiet_letter = trim_silence(SpokenUtterance(sound, np.array([100.0, 2_000.0, 100.0])), rate)
    assert len(quiet_letter.samples) >= 2_000, "what belongs to a letter stays, however quiet it is"
    silent = SpokenUtterance(np.zeros(50, np.float32), None)
    assert trim_silence(silent, rate) is silent


def test_letters_that_a_vocabulary_lacks_are_left_out() -> None:
    assert spell_known("abcd", [0, 2, 2, 0], {"a": 1, "d": 2}) == ("ad", [0, 1, 1, 0])
    letters, counts = spell_known("a" * 600, [0, 600, 0], {"a": 1})
    assert len(letters) == counts[1] == 510


def test_a_vocabulary_is_read_from_any_of_its_forms(tmp_path: Path) -> None:
    for name, content in (
        ("tokenizer.json", {"model": {"vocab": {"a": 3}}}),
        ("vocab.json", {"a": 3}),
        ("config.json", {"vocab": {"a": 3}}),
    ):
        (tmp_path / name).write_text(json.dumps(content))
        assert read_vocabulary([tmp_path / name]) == {"a": 3}

"""What a repository of ONNX voices holds, from the names of its files."""

from __future__ import annotations

from typing import Any

import pytest

from models.errors import ModelError
from models.hub.detect import DetectedModel, detect_model
from models.hub.download import HubFile
from models.hub.listing import Repository
from models.hub.onnx_layout import find_english, find_layout, name_piper_voices
from models.hub.voice_names import KOKORO_ENGLISH, make_kokoro_voices, name_voice
from models.registry.hub_catalog import HUB_CATALOG

STYLE = {"model_type": "style_text_to_speech_2"}
PIPER: dict[str, Any] = {"espeak": {"voice": "en-us"}, "phoneme_type": "espeak", "phoneme_id_map": {"_": [0]}}
VOICES = "voices/af_heart.bin voices/bm_george.bin voices/jf_alpha.bin"


def detect(files: str, content: dict[str, Any]) -> DetectedModel:
    listed = tuple(HubFile(path, 1_000_000) for path in files.split())
    return detect_model(Repository("owner/name", "0" * 40, listed), lambda _path: content)


def names(found: DetectedModel) -> set[str]:
    return {file.path for file in found.files}


def refuse(files: str, content: dict[str, Any], kind: str, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        detect(files, content)
    assert caught.value.kind == kind and "owner/name" in str(caught.value)


def test_kokoro_takes_one_graph_and_its_english_voices() -> None:
    graphs = "onnx/model.onnx onnx/model_quantized.onnx onnx/model_q4.onnx onnx/model_fp16.onnx"
    found = detect(f"README.md config.json tokenizer.json tokenizer_config.json {graphs} {VOICES}", STYLE)
    assert found.format.name == "style_text_to_speech_2" and found.format.library == "onnx"
    assert names(found) == {
        *("config.json", "tokenizer.json", "onnx/model_quantized.onnx", "voices/af_heart.bin", "voices/bm_george.bin")
    }
    assert found.weights_mb == 1.0 and [voice.key for voice in found.voices] == ["af_heart", "bm_george"]
    assert "onnx/model.onnx" in names(detect(f"config.json tokenizer.json onnx/model.onnx {VOICES}", STYLE))
    flat = detect("kokoro-v1.0.int8.onnx vocab.json af_heart.bin", {})
    assert names(flat) == {"kokoro-v1.0.int8.onnx", "vocab.json", "af_heart.bin"}


def test_hibari_takes_a_graph_a_voice() -> None:
    found = detect("hibari.onnx voices/bf_emma.int8.onnx voices/am_fenrir_v2.int8.onnx oov.onnx vocab.json", {})
    assert found.format.name == "hibari"
    assert [voice.key for voice in found.voices] == ["heart", "emma", "fenrir"]
    assert "oov.onnx" not in names(found) and found.weights_mb == 3.0
    twice = detect("voices/bf_emma.fp32.onnx voices/bf_emma.int8.onnx vocab.json", {})
    assert names(twice) == {"voices/bf_emma.int8.onnx", "vocab.json"} and [each.key for each in twice.voices] == [
        "emma"
    ]


def test_piper_takes_a_graph_and_its_configuration() -> None:
    found = detect("en_US-joe-medium.onnx en_US-joe-medium.onnx.json MODEL_CARD", PIPER | {"dataset": "joe"})
    assert found.format.name == "piper" and [voice.title for voice in found.voices] == ["Joe, American English"]
    assert names(found) == {"en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json"}
    assert names(detect("config.json model.onnx", PIPER)) == {"config.json", "model.onnx"}


@pytest.mark.parametrize(
    ("files", "content", "kind", "says"),
    [
        (f"config.json onnx/model.onnx {VOICES}", STYLE, "not-found", "tokenizer.json or vocab.json"),
        ("config.json tokenizer.json onnx/model.onnx", STYLE, "not-found", "af_heart.bin"),
        ("config.json tokenizer.json onnx/model.onnx voices/jf_alpha.bin", STYLE, "not-found", "English voices"),
        (f"config.json tokenizer.json onnx/model.onnx onnx/model.onnx_data {VOICES}", STYLE, "unsafe", "outside"),
        ("hibari.onnx", {}, "not-found", "vocab.json"),
        ("a.onnx a.onnx.json b.onnx b.onnx.json", PIPER, "format", "holds 2 voices of Piper"),
        ("a.onnx a.onnx.json a.onnx.data", PIPER, "unsafe", "outside"),
        ("a.onnx a.onnx.json", PIPER | {"espeak": {"voice": "de"}}, "format", "speaks de"),
        ("a.onnx a.onnx.json", PIPER | {"phoneme_type": "text"}, "format", "reads text"),
        ("a.onnx a.onnx.json", {"espeak": {"voice": "en-us"}}, "format", "the English ones"),
        ("a.onnx", {}, "format", r"neither config\.json"),
        ("config.json kokoro-v1_0.pth voices/af_heart.pt", {"vocab": {}}, "unsafe", "Kokoro, 82M.* in the Model menu"),
        ("config.json model.onnx", {"model_type": "vits"}, "unsafe", "pickle"),
        ("config.json model.onnx", {"model_type": "vits", "auto_map": {}}, "unsafe", "program code"),
    ],
)
def test_what_is_refused_says_why(files: str, content: dict[str, Any], kind: str, says: str) -> None:
    refuse(files, content, kind, says)


def test_a_repository_without_graphs_is_not_asked_for_more() -> None:
    def read(_path: str) -> dict[str, Any]:
        raise AssertionError

    assert find_layout(["config.json", "model.safetensors"], read) is None


def test_pipers_english_is_told_apart() -> None:
    assert find_english(PIPER, "Tom") == "american"
    assert find_english({**PIPER, "espeak": {"voice": "en-gb-x-rp"}}, "Tom") == "british"
    assert find_english({**PIPER, "phoneme_type": "PhonemeType.ESPEAK"}, "Tom") == "american"
    speakers = name_piper_voices({**PIPER, "speaker_id_map": {"p1": 0, "p_2": 1}}, "x.onnx")
    assert [(voice.key, voice.title) for voice in speakers] == [("p1", "p1"), ("p_2", "p 2")]
    assert name_piper_voices(PIPER, "en_US-kristin-medium.onnx")[0].key == "kristin"


def test_voices_are_named_for_people() -> None:
    assert name_voice("bm_george") == "George, British English, a man" and name_voice("lj") == "lj"
    voices = make_kokoro_voices(KOKORO_ENGLISH)
    assert len(voices) == len(KOKORO_ENGLISH) == 28 and voices[0].key == "af_heart"
    assert {voice.key for voice in voices} == set(KOKORO_ENGLISH)


def test_the_catalogues_files_are_a_layout_that_is_known() -> None:
    joe = next(spec for spec in HUB_CATALOG if spec.key == "speech/piper-joe")
    found = find_layout([file.path for file in joe.hubs[0].files], lambda _path: PIPER)
    assert found is not None and found.kind == "piper"
    kokoro = next(spec for spec in HUB_CATALOG if spec.key == "speech/kokoro-82m")
    assert kokoro.mixes_voices and len(kokoro.voices) == 28 and kokoro.licence == "Apache-2.0"
    assert all("synthetic speech of other systems" in voice.credit for voice in kokoro.voices)

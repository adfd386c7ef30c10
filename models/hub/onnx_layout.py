"""What a repository or a folder of ONNX voices holds, from the names of its files and its small configuration.

| kind | graph | beside it |
|---|---|---|
| Kokoro | `onnx/model_quantized.onnx`, `onnx/model.onnx`, `kokoro*.onnx` | `voices/*.bin`, `tokenizer.json` |
| hibari | `hibari*.onnx`, or one a voice as `bf_emma.int8.onnx` | `vocab.json` |
| Piper | one `*.onnx` | `*.onnx.json` or `config.json` |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from models.contracts import Voice
from models.errors import ModelError
from models.hub.voice_names import KOKORO_CREDIT, is_british, is_english, make_kokoro_voices, name_voice

KOKORO, HIBARI, PIPER = "style_text_to_speech_2", "hibari", "piper"
ReadJson = Callable[[str], dict[str, Any]]
GRAPHS_OF_KOKORO = ("onnx/model_quantized.onnx", "onnx/model.onnx", "onnx/model_fp16.onnx")
"""In the order in which they are taken: eight bits suffice to the ear and are a quarter of the size."""
TABLES = ("tokenizer.json", "vocab.json")
OUTSIDE = ("_data", ".data")  # what names of files end in that hold a graph's weights outside it
PIPER_ENGLISH = {
    "en-us": "american",
    "en": "american",
    "en-gb": "british",
    "en-gb-x-rp": "british",
    "en-029": "british",
}
_VOICE_OF_FILE = re.compile(r"([ab][fm]_[a-z]+)[a-z0-9._-]*\.onnx")


@dataclass(frozen=True)
class OnnxLayout:
    """The files of an ONNX voice, by their paths.

    Attributes:
        kind: KOKORO, HIBARI or PIPER.
        graphs: of Kokoro and Piper one, of hibari one a voice.
        plain: configurations and tables of letters; the first is the one that speaks of the graph.
        voices: files of style vectors, one a voice.
    """

    kind: str
    graphs: tuple[str, ...]
    plain: tuple[str, ...]
    voices: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Return all of them."""
        return (*self.plain, *self.graphs, *self.voices)


def find_layout(paths: Iterable[str], read: ReadJson) -> OnnxLayout | None:
    """Return what lies there; None where it is no ONNX voice of a known kind.

    Raises:
        ModelError: it is one, but lacks a file, keeps weights outside its graph, or holds several voices of Piper.
    """
    known = sorted(paths)
    graphs = [path for path in known if path.endswith(".onnx")]
    if not graphs:
        return None
    config = read("config.json") if "config.json" in known else {}
    found: OnnxLayout | None = None
    names = {path: PurePosixPath(path).name for path in graphs}
    if config.get("model_type") == KOKORO or any(name.startswith("kokoro") for name in names.values()):
        found = _find_kokoro(known, graphs)
    elif "model_type" in config or "auto_map" in config:
        return None
    elif any(f"{path}.json" in known for path in graphs) or "phoneme_id_map" in config:
        found = _find_piper(known, graphs)
    elif voices := [path for path in graphs if _is_hibari(names[path])]:
        chosen = {voice.key: path for voice, path, _ in list_hibari_voices(voices)}
        found = OnnxLayout(HIBARI, tuple(sorted(chosen.values())), _require_table(known))
    if found is not None:
        _refuse_outside_weights(known, found)
    return found


def _find_kokoro(known: list[str], graphs: list[str]) -> OnnxLayout:
    named = [path for path in graphs if PurePosixPath(path).name.startswith("kokoro")]
    order = [path for path in GRAPHS_OF_KOKORO if path in graphs] or named or graphs
    voices = [path for path in known if path.endswith(".bin") and is_english(PurePosixPath(path).stem)]
    if not voices:
        raise ModelError("Its English voices, files such as voices/af_heart.bin, are missing.", "not-found")
    plain = (*_require_table(known), *(path for path in ("config.json",) if path in known))
    return OnnxLayout(KOKORO, (order[0],), plain, tuple(voices))


def _find_piper(known: list[str], graphs: list[str]) -> OnnxLayout:
    pairs = [(path, f"{path}.json") for path in graphs if f"{path}.json" in known]
    pairs = pairs or [(path, "config.json") for path in graphs]
    if len(pairs) != 1:
        raise ModelError(
            f"It holds {len(pairs):,} voices of Piper; the studio takes a repository or a folder of one voice.",
            "format",
        )
    return OnnxLayout(PIPER, (pairs[0][0],), (pairs[0][1],))


def _require_table(known: list[str]) -> tuple[str, ...]:
    tables = [path for name in TABLES for path in known if PurePosixPath(path).name == name]
    if not tables:
        raise ModelError("The table of its letters, tokenizer.json or vocab.json, is missing.", "not-found")
    return (tables[0],)


def _refuse_outside_weights(known: list[str], layout: OnnxLayout) -> None:
    outside = [path for path in known for graph in layout.graphs for end in OUTSIDE if path == graph + end]
    if outside:
        raise ModelError(
            f"It keeps its weights outside the ONNX graph, in {outside[0]}. The studio reads only whole graphs.",
            "unsafe",
        )


def find_english(config: dict[str, Any], title: str) -> str:
    """Return which English a Piper voice speaks, "american" or "british".

    Raises:
        ModelError: it speaks another language, or reads something else than eSpeak's letters.
    """
    spoken = str((config.get("espeak") or {}).get("voice", "")).lower()
    reads = str(config.get("phoneme_type") or "espeak").lower()
    if not reads.endswith("espeak") and not reads.endswith("espeakphonemes"):
        raise ModelError(f"{title} reads {reads} and not sounds; the studio speaks English sounds alone.", "format")
    if spoken not in PIPER_ENGLISH or not isinstance(config.get("phoneme_id_map"), dict):
        raise ModelError(
            f"{title} speaks {spoken or 'a language that it does not name'}; of Piper's voices the studio takes the "
            "English ones.",
            "format",
        )
    return PIPER_ENGLISH[spoken]


def name_piper_voices(config: dict[str, Any], file_name: str) -> tuple[Voice, ...]:
    """Return the voices that the configuration of a Piper voice names: its speakers, or the one of the file's name."""
    credit = str(config.get("dataset") or "")
    said = f"a voice of Piper, trained on {credit}" if credit else "a voice of Piper"
    speakers = config.get("speaker_id_map") or {}
    if isinstance(speakers, dict) and len(speakers) > 1:
        return tuple(Voice(str(key), str(key).replace("_", " "), PIPER_LICENCE, said) for key in speakers)
    accent = "British English" if find_english(config, file_name) == "british" else "American English"
    name = credit or file_name.removesuffix(".onnx").split("-")[1 if "-" in file_name else 0]
    return (Voice(name, f"{name.replace('_', ' ').title()}, {accent}", PIPER_LICENCE, said),)


PIPER_LICENCE = "as the voice's own page says"


def _is_hibari(name: str) -> bool:
    return name.startswith("hibari") or _VOICE_OF_FILE.fullmatch(name) is not None


def list_hibari_voices(graphs: Iterable[str]) -> list[tuple[Voice, str, bool]]:
    """Return (voice, graph, whether it is British) of hibari's files, of two of a voice the one in eight bits.

    "hibari.onnx" is the voice "heart", which comes first.
    """
    found: dict[str, tuple[Voice, str, bool]] = {}
    for path in sorted(graphs, key=lambda path: ("int8" not in path, path)):
        named = _VOICE_OF_FILE.fullmatch(PurePosixPath(path).name)
        key = named[1] if named else "af_heart"
        credit = f"by Maureese Williams, learned from {KOKORO_CREDIT}"
        voice = Voice(key[3:], name_voice(key), "Apache-2.0 (hibari)", credit)
        found.setdefault(voice.key, (voice, path, is_british(key)))
    return sorted(found.values(), key=lambda each: (each[0].key != "heart", each[0].key))


def list_voices(layout: OnnxLayout, read: ReadJson, title: str) -> tuple[Voice, ...]:
    """Return the voices of a layout before anything is loaded.

    Raises:
        ModelError: a Piper voice does not speak English.
    """
    if layout.kind == KOKORO:
        return make_kokoro_voices([PurePosixPath(path).stem for path in layout.voices])
    if layout.kind == HIBARI:
        return tuple(voice for voice, _, _ in list_hibari_voices(layout.graphs))
    config = read(layout.plain[0])
    find_english(config, title)
    return name_piper_voices(config, PurePosixPath(layout.graphs[0]).name)

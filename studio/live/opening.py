"""What a live session is made of: the shared networks from the registry, and what a page wished for."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from models.contracts import Task
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.live.audio_features import MicrophoneFeatureTracker
from models.live.bar_generator import BarGenerator
from models.live.clip_stream import GUIDANCE, ClipGenerator, ClipStream, Load
from models.live.frame_stream import FrameGenerator, FrameStream, check_prompt
from models.live.laid_things import LaidThings
from models.live.messages import Send
from models.live.session import LiveSession
from models.live.voice_session import VoiceSession
from models.music.composer import MusicComposer
from models.registry.catalog import DRAWN_SCENES
from models.registry.registry import WEIGHTS_DIR, Registry
from studio.live.controls import read_controls, read_number
from studio.page import model_card

CAUSAL_BEATS_FILE = "beats_causal.safetensors"

_lock = threading.Lock()
_writers: WeakKeyDictionary[MusicComposer, BarGenerator] = WeakKeyDictionary()


def session(
    registry: Registry, kind: str, wishes: dict[str, Any], folder: Path, send: Send, hold: contextlib.ExitStack
) -> LiveSession | VoiceSession:
    """Return a session that is ready to start; what it holds of the registry is given back when `hold` closes.

    Raises:
        ValueError, ModelError: a wish that is not possible, a model that is missing.
    """
    if kind == "music":
        return _music(registry, wishes, folder, send, hold)
    if kind == "voice":
        return _voice(registry, wishes, folder, send, hold)
    raise ValueError(f"kind is {kind!r}; it must be 'music' or 'voice'.")


def _music(
    registry: Registry, wishes: dict[str, Any], folder: Path, send: Send, hold: contextlib.ExitStack
) -> LiveSession:
    controls = read_controls(wishes.get("controls") or {})
    seed, program = _whole(wishes, "seed", 2**32 - 1), _whole(wishes, "program", 127)
    return LiveSession(writer(registry, hold), controls, seed, frames(registry, wishes, hold), folder, send, program)


def _voice(
    registry: Registry, wishes: dict[str, Any], folder: Path, send: Send, hold: contextlib.ExitStack
) -> VoiceSession:
    styler = None
    style = str(wishes.get("style") or "")
    rate = round(read_number(wishes, "rate", 48_000))
    if style:
        specs = registry.specs(Task.STYLE_AUDIO)
        if not specs:
            raise ValueError("There is no audio style model on the shelf; choose your own sound.")
        styler = hold.enter_context(registry.load(specs[0].key).hold())
    pictures = frames(registry, wishes, hold)
    if pictures is None and styler is None:
        raise ValueError("There is nothing to do: choose a style for your voice, or pictures.")
    features = MicrophoneFeatureTracker(_detector(), rate)
    strength = read_number(wishes, "strength", 0.8)
    return VoiceSession(styler, style, strength, rate, features, pictures, folder, send)


def writer(registry: Registry, hold: contextlib.ExitStack) -> BarGenerator:
    """Return the composer's writer, one for all who play; the composer is held until `hold` closes."""
    composer = hold.enter_context(registry.load(registry.require_default(Task.MUSIC).key).hold())
    with _lock:
        if composer not in _writers:
            _writers[composer] = BarGenerator(composer)
        return _writers[composer]


def frames(registry: Registry, wishes: dict[str, Any], hold: contextlib.ExitStack) -> FrameStream | None:
    """Return the pictures that are wished for; None where none are, or no video model fits this machine.

    Raises:
        ValueError, ModelError: the `model` that is wished for cannot be had here; said before anything is downloaded.
    """
    specs = shipped(registry)
    wished = registry.get(str(wishes["model"])) if wishes.get("model") else None
    if wished is not None and wished.task != Task.VIDEO:
        raise ValueError(f"{wished.title} makes no pictures; choose a video model.")
    films = wished is not None and not draws_frames(wished)
    if not wishes.get("pictures") or not (specs or films):
        return None
    prompt, seed = check_prompt(str(wishes.get("prompt") or "")), _whole(wishes, "seed", 2**32 - 1)
    clip_generator = None
    if wished is not None and films:
        _, guidance = model_card.usual(registry, wished.key, (0, GUIDANCE))
        clip_generator = ClipGenerator(_loader(registry, wished), wished.title, prompt, seed, guidance)
    elif wished is not None:
        specs = [wished]
    frame_generator, enlarge, things = None, None, None
    if specs:
        generator = hold.enter_context(registry.load(specs[0].key).hold())
        enlarge = generator.light_upscaler.enlarge if generator.light_upscaler is not None else None
        frame_generator = FrameGenerator(generator, prompt, seed)
        things = LaidThings(generator.reader, prompt, seed)
    return (
        ClipStream(clip_generator, frame_generator, enlarge)
        if clip_generator is not None
        else FrameStream(frame_generator, enlarge, things)
    )


def shipped(registry: Registry) -> list[ModelSpec]:
    """List the video models that draw live pictures themselves, the shipped one first."""
    here = [each for each in registry.specs(Task.VIDEO) if not (each.needs_gpu or each.is_remote)]
    return [each for each in here if draws_frames(each)]


def draws_frames(spec: ModelSpec) -> bool:
    """Tell whether a model draws frame by frame, led by the music; others film clips that are shown in turn."""
    return spec.is_native and spec.key != DRAWN_SCENES


def _loader(registry: Registry, spec: ModelSpec) -> Load:
    """Return what loads a model that films; its library is imported here, before there is sound to disturb.

    Raises:
        ModelError: it is too big for this machine, or its library is missing.
        ValueError: it needs a picture to begin from.
    """
    from models.backends.library import import_backend
    from models.hub.formats import BY_NAME, needs_picture

    reason = registry.find_obstacle(spec.key)
    if reason:
        raise ModelError(reason, "memory")
    if needs_picture(spec.backend):
        raise ValueError(f"{spec.title} sets a picture in motion; here choose a model that draws from words alone.")
    import_backend(BY_NAME[spec.backend])
    return lambda on_progress: registry.load(spec.key, on_progress)


def _whole(wishes: dict[str, Any], name: str, most: int) -> int:
    value = read_number(wishes, name, 0)
    if value != int(value) or not 0 <= value <= most:
        raise ValueError(f"{name} is {value:g}; it must be a whole number from 0 to {most}.")
    return int(value)


def _detector() -> Any:
    path = WEIGHTS_DIR / CAUSAL_BEATS_FILE
    if not path.is_file():
        return None
    from models.beats.detector import OnlineBeatDetector, load_beat_network

    return OnlineBeatDetector(load_beat_network(path))

"""The soundtrack of a clip: a texture that fits the words, and a sound for every event in the picture.

The words choose the scene (nearest wording by the video model's own text table), the scene chooses layers of sound and
what an event sounds like, and the frames say when and where events are. With a `SyncChecker` events are found by its
video encoder, and the finished sound is checked against the picture and moved where it is late.

Letters: F frames, R x S pixels, N samples.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from models.music.mastering import measure_loudness
from models.video.scene_words import (
    CAMERA_WORDS,
    COLOUR_WORDS,
    DIRECTION_WORDS,
    OPENINGS,
    SPEED_WORDS,
    SUBJECTS,
    SUN_SUBJECTS,
    TIME_WORDS,
)
from models.video.sound_synthesis import EVENT_SOUNDS, RATE, Sound, add_sound, mix_texture
from models.video.text_embedding import TEXT_WEIGHTS, TextTable, load_text_table
from models.video.upscaler import check_frames
from models.video.visual_onsets import Onset, find_light, find_low_points, find_period, measure_motion

if TYPE_CHECKING:
    from models.video.sync import SyncChecker

Frames = NDArray[np.uint8]
Layers = tuple[tuple[str, float], ...]

TARGET_LUFS = -20.0
CEILING = 10 ** (-1.0 / 20)
LEAST_SIMILARITY = 0.47  # below it no scene of the world is meant
LEAST_MOVE_S = 0.02  # what the sync network finds below this is left alone
CERTAIN = 0.5
MAX_CLIP_S = 120.0
MAX_PIECES = 60  # of a prompt, that are read


@dataclass(frozen=True)
class SceneSound:
    """The sound of a scene.

    Attributes:
        layers: names of `sounds.LAYERS`, each with its gain.
        event: a name of `sounds.EVENT_SOUNDS`, or "" where nothing single is heard.
        manner: how its events are found without a network: light, low or period.
    """

    layers: Layers
    event: str = ""
    manner: str = "light"


SCENES: dict[str, SceneSound] = {
    "ocean": SceneSound((("waves", 1.0),)),
    "boat": SceneSound((("waves", 0.7), ("wind", 0.5), ("creak", 1.0))),
    "lighthouse": SceneSound((("waves", 0.8), ("wind", 0.4)), "bell"),
    "waterfall": SceneSound((("stream", 1.2), ("deep", 0.3))),
    "underwater": SceneSound((("deep", 0.8), ("bubbles", 1.2))),
    "ripples": SceneSound((("stream", 0.12), ("birds", 0.35)), "drop"),
    "rain": SceneSound((("rain", 1.0), ("traffic", 0.25))),
    "ink": SceneSound((("deep", 0.5), ("pad", 0.8))),
    "clouds": SceneSound((("wind", 0.7), ("birds", 0.3))),
    "snow": SceneSound((("wind", 0.6), ("bells", 0.25))),
    "mountains": SceneSound((("wind", 1.0),)),
    "forest": SceneSound((("leaves", 0.7), ("birds", 1.4), ("wind", 0.25))),
    "flowers": SceneSound((("leaves", 0.4), ("birds", 1.1), ("wind", 0.3))),
    "desert": SceneSound((("wind", 1.0), ("leaves", 0.35))),
    "sunrise": SceneSound((("birds", 1.3), ("wind", 0.3), ("pad", 0.35))),
    "leaves": SceneSound((("leaves", 1.0), ("wind", 0.5))),
    "birds": SceneSound((("wind", 0.5), ("birds", 1.6))),
    "balloons": SceneSound((("wind", 0.6), ("burner", 1.0), ("birds", 0.3))),
    "windmill": SceneSound((("wind", 0.7), ("creak", 1.6))),
    "fire": SceneSound((("crackle", 1.0),)),
    "lava": SceneSound((("lava", 1.0), ("crackle", 0.2))),
    "aurora": SceneSound((("pad", 0.9), ("wind", 0.3))),
    "starfield": SceneSound((("drone", 1.0),)),
    "galaxy": SceneSound((("pad", 0.8), ("drone", 0.4))),
    "planet": SceneSound((("drone", 0.8), ("bells", 0.5))),
    "city": SceneSound((("hum", 0.7), ("traffic", 1.1))),
    "fireworks": SceneSound((("crickets", 0.25), ("waves", 0.2)), "burst"),
    "lightning": SceneSound((("rain", 0.5), ("wind", 0.6)), "flash"),
    "fireflies": SceneSound((("crickets", 1.2), ("leaves", 0.15))),
    "meteors": SceneSound((("crickets", 0.6), ("pad", 0.4)), "streak"),
    "plasma": SceneSound((("pad", 1.0),)),
    "kaleidoscope": SceneSound((("bells", 1.5), ("pad", 0.5))),
    "tunnel": SceneSound((("drone", 1.0), ("wind", 0.3))),
    "ball": SceneSound((("hum", 0.10),), "impact", "low"),
    "orbit": SceneSound((("pad", 0.8), ("bells", 0.8))),
    "tiles": SceneSound((("pad", 0.4),), "beat"),
    "bubbles": SceneSound((("bubbles", 0.9), ("bells", 0.6))),
    "person": SceneSound((("leaves", 0.12), ("birds", 0.35)), "step", "period"),
    "unknown": SceneSound((("pad", 0.7), ("wind", 0.25))),
}
# beside the wordings of the world's own scenes: everyday words for them, and people
MORE_WORDS: dict[str, tuple[str, ...]] = {
    "person": (
        "a man walks",
        "a woman walks",
        "a girl with hair in a shirt",
        "a person walking",
        "a gentleman strolls",
    ),
    "lightning": ("a thunderstorm", "thunder"),
    "city": ("a busy street with cars",),
    "ocean": ("a beach with waves",),
    "waterfall": ("a river", "a brook"),
    "starfield": ("a spaceship in space",),
    "forest": ("a jungle",),
    "fire": ("a candle", "a fireplace"),
}


def make_soundtrack(
    prompt: str,
    frames: Frames,
    frames_per_second: float,
    seed: int = 0,
    *,
    loop: bool = False,
    checker: SyncChecker | None = None,
    table: TextTable | None = None,
) -> Sound:
    """Make the sound of a clip.

    Args:
        prompt: the words that the clip was made from.
        frames: uint8 (F, R, S, 3).
        seed: fixes every random choice.
        loop: event sounds that go beyond the end are heard at the beginning; textures always fit their own end.
        checker: finds events and moves the finished sound, if given.
        table: the video model's words; the shipped one if None.

    Returns:
        float32 (N, 2) at 44,100 Hz, exactly as long as the picture, at about TARGET_LUFS and never over CEILING.

    Raises:
        ValueError: no frames, more than MAX_CLIP_S, or a frame rate that cannot be.
        ModelError: the word table is missing or damaged.
    """
    check_frames(frames)
    if not np.isfinite(frames_per_second) or not 1 <= frames_per_second <= 240:
        raise ValueError(f"frames_per_second is {frames_per_second}; it must be from 1 to 240.")
    if not 0 < len(frames) / frames_per_second <= MAX_CLIP_S:
        raise ValueError(f"the clip has {len(frames):,} frames; it may last up to {MAX_CLIP_S:g} s.")
    scene = SCENES[find_scene(prompt, table or load_text_table(_find_table()))]
    n = round(len(frames) / frames_per_second * RATE)
    rng = np.random.default_rng([seed, 44])
    bed = mix_texture(scene.layers, n, rng) * follow_motion(frames, n)[:, None]
    single = np.zeros((n, 2), np.float32)
    if scene.event:
        moments = find_events(frames, frames_per_second, scene.manner, checker)
        place_events(single, scene.event, moments, rng, loop)
        single = align_events(single, moments, frames, frames_per_second, checker, loop)
    return level_loudness(bed + single)


def _find_table() -> Path:
    return Path(__file__).parent.parent / "weights" / TEXT_WEIGHTS


@dataclass(frozen=True)
class ScenePhrases:
    """The wordings of all scenes: their scene, their pieces and the weight of each piece."""

    scenes: tuple[str, ...]
    pieces: tuple[list[int], ...]
    weights: tuple[torch.Tensor, ...]
    ignored: frozenset[int]


@lru_cache(maxsize=2)
def _collect_phrases(table: TextTable) -> ScenePhrases:
    """Collect the wordings of all scenes; words that many scenes share tell little (inverse document frequency).

    Those of colours, directions, times of day, speeds and cameras tell nothing of the scene.
    """
    texts = [(kind, text) for kind, both in SUBJECTS.items() for text in (*both[0], *both[1])]
    texts += [("sunrise", text) for both in SUN_SUBJECTS.values() for text in (*both[0], *both[1])]
    texts += [(kind, text) for kind, more in MORE_WORDS.items() for text in more]
    split = [(kind, table.tokenize(text.replace("{c}", ""))) for kind, text in texts]
    split = [(kind, pieces) for kind, pieces in split if pieces]
    shared = Counter(piece for kind in SCENES for piece in {p for k, pieces in split if k == kind for p in pieces})
    weights = [torch.tensor([math.log((1 + len(SCENES)) / (1 + shared[p])) + 0.02 for p in ps]) for _, ps in split]
    attributes = (COLOUR_WORDS, DIRECTION_WORDS, TIME_WORDS, SPEED_WORDS, CAMERA_WORDS)
    said = [text for words in attributes for training, _ in words.values() for text in training]
    ignored = frozenset(piece for text in (*said, *OPENINGS[0]) for piece in table.tokenize(text))
    return ScenePhrases(tuple(k for k, _ in split), tuple(ps for _, ps in split), tuple(weights), ignored)


def find_scene(prompt: str, table: TextTable) -> str:
    """Find the scene whose wordings are nearest to a prompt: a key of SCENES, "unknown" where none is near.

    Each piece of a wording looks for its nearest in the prompt, and the other way round (the late interaction of
    Khattab and Zaharia 2020, "ColBERT").
    """
    phrases = _collect_phrases(table)
    said = table.tokenize(prompt)[:MAX_PIECES]
    asked = [piece for piece in said if piece not in phrases.ignored] or said
    if not asked:
        return "unknown"
    vectors = F.normalize(table.vectors[asked], dim=1, eps=1e-6)
    best, found = LEAST_SIMILARITY, "unknown"
    for scene, pieces, weights in zip(phrases.scenes, phrases.pieces, phrases.weights, strict=True):
        near = (F.normalize(table.vectors[pieces], dim=1, eps=1e-6) @ vectors.T).clamp(min=0)
        there = float((near.amax(dim=1) * weights).sum() / weights.sum())
        back = float(near.amax(dim=0).mean())
        if 0.5 * (there + back) > best:
            best, found = 0.5 * (there + back), scene
    return found


def follow_motion(frames: Frames, n: int) -> NDArray[np.float32]:
    """Compute a gain for each sample, (N,), between 0.75 and 1.25: a little louder where more moves."""
    energy = measure_motion(frames)
    if len(energy) < 3 or energy.std() < 1e-6:
        return np.ones(n, np.float32)
    smooth = np.convolve(np.pad(energy, 2, mode="wrap"), np.ones(5) / 5, mode="valid")
    share = np.clip((smooth - smooth.mean()) / (2 * smooth.std() + 1e-9), -1, 1)
    places = np.linspace(0, len(share), n, endpoint=False)
    wrapped = np.append(share, share[0])
    return (1 + 0.25 * np.interp(places, np.arange(len(wrapped)), wrapped)).astype(np.float32)


def find_events(
    frames: Frames, frames_per_second: float, manner: str, checker: SyncChecker | None = None
) -> list[Onset]:
    """Find what happens in the picture; with the network where there is one and the clip is long enough for it."""
    if manner == "period":
        period = find_period(frames, frames_per_second) or 1.0
        return [Onset(at, 0.8, 0.0) for at in np.arange(0, len(frames) / frames_per_second, period / 2)]
    if checker is not None and len(frames) / frames_per_second >= 1.0:
        times, strengths, places = checker.detect_events(frames, frames_per_second)
        return [Onset(float(t), float(s), float(x)) for t, s, x in zip(times, strengths, places, strict=True)]
    find = find_low_points if manner == "low" else find_light
    return find(frames, frames_per_second)


def place_events(track: Sound, kind: str, moments: list[Onset], rng: np.random.Generator, loop: bool) -> None:
    """Add a sound at each moment, from where it is seen."""
    for moment in moments:
        gain = 0.35 + 0.65 * moment.strength
        add_sound(track, round(moment.time_s * RATE), EVENT_SOUNDS[kind](rng), 0.8 * moment.x, gain, wrap=loop)


def align_events(
    track: Sound,
    moments: list[Onset],
    frames: Frames,
    frames_per_second: float,
    checker: SyncChecker | None,
    loop: bool,
) -> Sound:
    """Check the event sounds against the picture and move them where the network is certain that they miss it."""
    if checker is None or not moments or len(frames) / frames_per_second < 1.0:
        return track
    moved, report = checker.align(frames, frames_per_second, track, RATE, warp=not loop, least_confidence=CERTAIN)
    if abs(report.offset_s) < LEAST_MOVE_S or report.confidence < CERTAIN:
        return track
    return np.roll(track, -round(report.offset_s * RATE), axis=0) if loop else moved


def level_loudness(sound: Sound) -> Sound:
    """Bring a sound to TARGET_LUFS (BS.1770), its peaks held under CEILING by a gain that moves within 5 ms."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    loudness = measure_loudness(np.ascontiguousarray(sound.T), RATE)
    if loudness <= -70:
        return sound
    loud = sound * np.float32(10 ** (min(TARGET_LUFS - loudness, 30.0) / 20))
    peaks = np.abs(loud).max(axis=1)
    if peaks.max() > CEILING:
        window = round(0.005 * RATE) | 1
        held = maximum_filter1d(peaks, 2 * window + 1, mode="wrap")
        gain = np.minimum(1, CEILING / np.maximum(held, CEILING))
        loud = loud * uniform_filter1d(gain, window, mode="wrap")[:, None]
    return np.ascontiguousarray(np.clip(loud, -CEILING, CEILING), dtype=np.float32)

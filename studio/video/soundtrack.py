"""Sound for a clip that was made: the scene's own textures, or music in its mood whose beats fall on what happens."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from models.contracts import Task
from models.music.contracts import MusicRequest
from models.registry.registry import WEIGHTS_DIR, Registry
from studio.page import jobs
from studio.page.instruments import MOODS

FloatArray = NDArray[np.float32]
Pixels = NDArray[np.uint8]
SCENE, MUSIC, OFF = "scene", "music", "off"
KINDS = (SCENE, MUSIC, OFF)
SAMPLE_RATE = 44_100
JOIN_S = 0.25  # at the seam of a loop, what would come after the end fades into the beginning
FADE_S = 0.4
PEAK = 0.7
TEMPO_CHANGE = 0.15  # of a mood's tempo, for the sake of the picture
# What each mood of the Music tab is like, in words that a prompt may be near to.
MOOD_WORDS: tuple[tuple[str, str], ...] = (
    ("Bright morning", "bright happy morning sunshine flowers meadow balloons walking birds"),
    ("Night drive", "night city lights neon fast cars space stars planet"),
    ("Calm piano", "calm quiet slow gentle snow sea lake clouds evening"),
    ("Melancholy strings", "sad rain autumn leaves mist grey lonely"),
    ("Chorale", "majestic solemn aurora mountains galaxy sunrise light"),
    ("Drummer alone", "fire lava explosion fireworks fight slash shapes bouncing"),
)


def scene_sound(
    registry: Registry, prompt: str, frames: Pixels, frames_per_second: float, seed: int, loop: bool
) -> Generator[None, None, FloatArray]:
    """Return the scene's own sound (2, n), as long as the picture; yields None on the way.

    Where the synchronisation network is on this machine, it finds what happens in the picture, and the sound is checked
    against it.
    """
    from models.video.soundtrack import make_soundtrack

    checker = None
    here = [spec.key for spec in registry.specs(Task.SYNC) if registry.state(spec.key) != "absent"]
    if here:
        model = yield from jobs.load_quietly(registry, here[0])
        checker = model.model.checker
    sound = make_soundtrack(prompt, frames, frames_per_second, seed, loop=loop, checker=checker)
    return np.ascontiguousarray(sound.T)


def own_sound(sound: FloatArray, rate: int, length_s: float) -> FloatArray:
    """Return what a model made to be heard with its frames, (2, n) at SAMPLE_RATE, as long as the picture."""
    count = round(length_s * SAMPLE_RATE)
    made = resampled(sound, rate)[:, :count]
    return np.pad(made, ((0, 0), (0, count - made.shape[1])))


def music_sound(
    registry: Registry, prompt: str, frames: Pixels, frames_per_second: float, seed: int, loop: bool
) -> Generator[None, None, FloatArray]:
    """Return music in the prompt's mood (2, n), as long as the picture; yields None while it is composed."""
    composer_spec = registry.default(Task.MUSIC)
    assert composer_spec is not None, "music is offered where there is a model for it"
    mood = mood_of(prompt)
    length_s = len(frames) / frames_per_second
    settings = dict(dict(MOODS)[mood])
    tempo, phase_s = tempo_for(movement(frames), frames_per_second, settings.pop("tempo"), length_s if loop else 0.0)
    beats = length_s * tempo / 60 + 6
    request = MusicRequest(
        tempo=tempo,
        bars=max(2, int(np.ceil(beats / 3))),
        programs=tuple(settings.pop("instruments", ())),
        drums={"yes": True, "no": False}[settings.pop("drums")],
        seed=seed,
        ends=False,  # it is cut to the picture's length, or loops with it
        **settings,
    )
    composer = yield from jobs.load_quietly(registry, composer_spec.key)
    skip_s = (60 / tempo - phase_s) % (60 / tempo)
    count = round(length_s * SAMPLE_RATE)
    pieces: list[FloatArray] = []
    rate, made_s = SAMPLE_RATE, 0.0
    with closing(composer.stream(request)) as chunks:
        for chunk in chunks:
            pieces.append(chunk.samples)
            rate, made_s = chunk.sample_rate, made_s + chunk.samples.shape[1] / chunk.sample_rate
            if made_s > skip_s + length_s + JOIN_S:
                break
            yield None
    sound = np.concatenate(pieces, axis=1)[:, round(skip_s * rate) :]
    sound = resampled(sound, rate)
    needed = count + round(JOIN_S * SAMPLE_RATE)
    sound = np.pad(sound, ((0, 0), (0, max(0, needed - sound.shape[1]))))
    sound = joined_ends(sound, count) if loop else faded(sound[:, :count])
    return sound * np.float32(min(1.0, PEAK / max(float(np.abs(sound).max()), 1e-6)))


def mood_of(prompt: str) -> str:
    """Return the mood whose words are nearest to the prompt."""
    from models.video.text_embedding import TEXT_WEIGHTS, load_text_table

    table = load_text_table(WEIGHTS_DIR / TEXT_WEIGHTS)
    return max(MOOD_WORDS, key=lambda mood: table.measure_similarity(prompt, mood[1]))[0]


def movement(frames: Pixels) -> NDArray[np.float64]:
    """Measure how suddenly the picture changes at each frame, 0 to 1 (F,): rises of the change between frames."""
    small = frames[:, ::2, ::2].astype(np.float32)
    changes = np.abs(np.diff(small, axis=0, prepend=small[:1])).mean(axis=(1, 2, 3))
    rises: NDArray[np.float64] = np.clip(np.diff(changes, prepend=changes[:1]), 0, None).astype(np.float64)
    return np.asarray(rises / max(float(rises.max()), 1e-9))


def tempo_for(
    accents: NDArray[np.float64], frames_per_second: float, tempo: float, loop_s: float = 0.0
) -> tuple[float, float]:
    """Return a tempo near the given one and its first beat's time, so that beats fall where `accents` are large.

    Args:
        loop_s: where not 0, a whole number of beats fits into it.
    """
    times = np.arange(len(accents)) / frames_per_second
    low, high = tempo * (1 - TEMPO_CHANGE), tempo * (1 + TEMPO_CHANGE)
    tempi = np.linspace(low, high, 31)
    if loop_s:
        beats = np.arange(1, 400)
        fitting = 60 * beats / loop_s
        inside = fitting[(fitting >= low) & (fitting <= high)]
        tempi = inside if len(inside) else fitting[[np.abs(fitting - tempo).argmin()]]
    best = (-1.0, tempo, 0.0)
    for each in tempi:
        beat_s = 60 / each
        for phase in np.linspace(0, beat_s, 16, endpoint=False):
            away = np.abs((times - phase + beat_s / 2) % beat_s - beat_s / 2)
            score = float((accents * np.exp(-((away / 0.06) ** 2))).sum()) - 0.02 * abs(each - tempo) / tempo
            best = max(best, (score, float(each), float(phase)))
    return best[1], best[2]


def joined_ends(sound: FloatArray, count: int) -> FloatArray:
    """Return the first `count` samples of (2, n); what follows fades out over the beginning, which fades in."""
    made = sound[:, :count].copy()
    length = min(round(JOIN_S * SAMPLE_RATE), sound.shape[1] - count, count)
    if length > 0:
        turn = np.linspace(0, np.pi / 2, length, dtype=np.float32)
        made[:, :length] = np.sin(turn) * made[:, :length] + np.cos(turn) * sound[:, count : count + length]
    return made


def faded(sound: FloatArray) -> FloatArray:
    """Fade the end out."""
    made = sound.copy()
    length = min(round(FADE_S * SAMPLE_RATE), made.shape[1])
    made[:, made.shape[1] - length :] *= np.linspace(1, 0, length, dtype=np.float32)
    return made


def resampled(sound: FloatArray, rate: int) -> FloatArray:
    """Return (2, n) at SAMPLE_RATE."""
    if rate == SAMPLE_RATE:
        return sound
    from models.audio import resample

    return resample(sound, rate, SAMPLE_RATE)


def offered(registry: Registry) -> tuple[str, ...]:
    """List the kinds of sound that this studio can make."""
    return KINDS if registry.specs(Task.MUSIC) else (SCENE, OFF)

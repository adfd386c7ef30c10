"""Style transfer of sound: speed, words kept, how far the style is taken over, beside an equaliser.

    python -m benchmarks.style_audio --json --asr FOLDER --speech FOLDER --voice FOLDER --sounds FOLDER

`--speech` holds LJ Speech (metadata.csv and flac/), of which only LJ050 is heard; `--voice` holds flac/ of a voice that
the recipe never saw; `--sounds` holds `instruments` and `ambience`, of which only those that the recipe holds out are
heard. `--asr` is the recogniser's folder (see `benchmarks.recogniser`).

How far a sound is from a style is told in two ways. Timbre: distance of the means and deviations over time of its mel
bands, which is what the model moves too, but in another analysis (16 kHz, 64 bands, all sounds equally loud). Voice:
one minus the cosine of Resemblyzer's embeddings (Wan et al. 2018), also equally loud, for voices alone. `moved` is the
share of the way gone, 1 being the very sound given as style; the figure `..._limit` is what another recording of the
same voice reaches. The plain baseline in the same run is an equaliser that gives the content the style's mean level in
every third of an octave. Two torch threads. Needs what `benchmarks.speech` needs, and `resemblyzer`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from benchmarks.results import add_json_option, report_figures
from models.audio import MelConfig, log_mel, resample
from models.contracts import AudioStyleRequest
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.threads import limit_spinning

FloatArray = NDArray[np.float32]
Gap = Callable[[FloatArray, FloatArray], float]
MODEL = "style_audio/adain"
RATE = 22_050
MEASURE = MelConfig(sample_rate=16_000, n_fft=1024, hop_length=320, n_mels=64, f_max=8_000.0)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
LEVEL_DB, ACTIVE_DB = -23.0, 50.0
HELD_OUT_SPEECH = "LJ050"
INSTRUMENTS, AMBIENCE = ("clarinet", "trumpet"), ("waves", "train")
WORD_STYLES = ("rms", "cello", "rain")  # presets that the words are tried in
VOICE_PRESETS = ("rms", "awb")


def read_sound(path: Path) -> FloatArray:
    """Read a file as mono at the model's rate."""
    samples, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    return resample(np.ascontiguousarray(samples.mean(axis=1)), rate, RATE)


def join_sounds(paths: list[Path], longest_s: float) -> FloatArray:
    """Join files one after the other."""
    return np.concatenate([read_sound(path) for path in paths])[: int(longest_s * RATE)]


def level_sound(samples: FloatArray) -> FloatArray:
    """Bring a sound to LEVEL_DB where it is not silent."""
    hop = 320
    power = np.mean(samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2, axis=1)
    active = power[power > power.max() * 10 ** (-ACTIVE_DB / 10)]
    return samples * np.float32(10 ** (LEVEL_DB / 20) / np.sqrt(active.mean()))


def measure_timbre(samples: FloatArray) -> FloatArray:
    """Measure means and deviations over time of log mel bands in nepers, (2, M), without frames of silence."""
    mel = log_mel(torch.from_numpy(level_sound(resample(samples, RATE, MEASURE.sample_rate))), MEASURE).numpy()
    level = mel.max(axis=1)
    heard = mel[level > level.max() - ACTIVE_DB / 8.686]
    return np.stack([heard.mean(axis=0), heard.std(axis=0)])


def compare_timbres(a: FloatArray, b: FloatArray) -> float:
    """Compute the root mean square distance of means plus that of deviations."""
    return float(np.sqrt(((measure_timbre(a) - measure_timbre(b)) ** 2).mean(axis=1)).sum())


def equalise(content: FloatArray, style: FloatArray) -> FloatArray:
    """Give the content the style's mean level in every third of an octave by one filter of linear phase."""
    size, hop = 2048, 512
    window = torch.hann_window(size)

    def compute_spectra(samples: FloatArray) -> torch.Tensor:
        return torch.stft(torch.from_numpy(level_sound(samples)), size, hop, window=window, return_complex=True)

    def compute_power(spectra: torch.Tensor) -> NDArray[np.float32]:
        loud = spectra.abs().amax(dim=0)
        return (spectra.abs() ** 2)[:, loud > loud.max() * 10 ** (-ACTIVE_DB / 20)].mean(dim=1).numpy()

    own = compute_spectra(content)
    mine, wanted = compute_power(own), compute_power(compute_spectra(style))
    hz = np.arange(size // 2 + 1) * RATE / size
    centres = 50 * 2 ** (np.arange(23) / 3)
    bands = [(hz >= c * 2 ** (-1 / 6) - RATE / size) & (hz <= c * 2 ** (1 / 6) + RATE / size) for c in centres]
    gain_db = [10 * np.log10((wanted[b].mean() + 1e-9) / (mine[b].mean() + 1e-9)) for b in bands]
    curve = 10 ** (np.interp(np.log(np.maximum(hz, 1)), np.log(centres), np.clip(gain_db, -60, 60)) / 20)
    shaped = own * torch.from_numpy(curve.astype(np.float32))[:, None]
    return torch.istft(shaped, size, hop, window=window, length=len(content)).numpy()


def restyle(model: Any, content: FloatArray, style: FloatArray | str, strength: float, **more: Any) -> FloatArray:
    """Return the whole result; `style` is a sound or a preset's key."""
    chosen = {"preset": style} if isinstance(style, str) else {"style": style}
    request = AudioStyleRequest(content, content_rate=RATE, style_rate=RATE, strength=strength, **chosen, **more)
    return np.concatenate([chunk.samples for chunk in model.stream(request)])


def measure_speed(model: Any, content: FloatArray) -> Iterator[tuple[str, float]]:
    """Yield audio_rtf, audio_rtf_again, audio_rtf_low_latency and audio_first_sound_ms: medians of five."""
    figures: dict[str, list[float]] = {"audio_rtf": [], "audio_rtf_again": [], "audio_rtf_low_latency": []}
    lasts_s, first_ms = len(content) / RATE, []
    for number in range(6):
        fresh = content + np.float32(1e-6 * number)  # another sound, so that nothing is remembered
        for name, strength, more in (
            ("audio_rtf", 1.0, {}),
            ("audio_rtf_again", 0.5, {}),
            ("audio_rtf_low_latency", 0.6, {"low_latency": True}),
        ):
            started = time.perf_counter()
            restyle(model, fresh, "rms", strength, **more)
            figures[name].append((time.perf_counter() - started) / lasts_s)
        started = time.perf_counter()
        stream = model.stream(AudioStyleRequest(fresh[: 5 * RATE] + np.float32(1e-6), preset="rms"))
        next(chunk for chunk in stream if chunk.samples.size)
        first_ms.append(1000 * (time.perf_counter() - started))
        stream.close()
    for name, values in figures.items():
        yield name, statistics.median(values[1:])
    yield "audio_first_sound_ms", statistics.median(first_ms[1:])


def measure_words(model: Any, asr: Path | None, speech: Path, count: int) -> Iterator[tuple[str, float]]:
    """Yield wer_original, wer_vocoded, wer_styled_STYLE, wer_increase_points and the worst: held-out sentences."""
    from benchmarks.recogniser import Recogniser, measure_word_error_rate

    recogniser = Recogniser(asr)
    rows = [line.split("|") for line in (speech / "metadata.csv").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row[0].startswith(HELD_OUT_SPEECH)]
    rows = [rows[int(i)] for i in np.linspace(0, len(rows) - 1, min(count, len(rows)))]
    said = [row[-1] for row in rows]
    sounds = [read_sound(speech / "flac" / f"{row[0]}.flac") for row in rows]

    def measure_rate(change: Callable[[FloatArray], FloatArray]) -> float:
        return measure_word_error_rate(said, [recogniser.transcribe(change(sound), RATE) for sound in sounds])

    yield "wer_original", measure_rate(lambda sound: sound)
    vocoded = measure_rate(lambda sound: restyle(model, sound, WORD_STYLES[0], 0.0))
    yield "wer_vocoded", vocoded
    each = {}
    for style in WORD_STYLES:
        each[style] = measure_rate(partial(restyle, model, style=style, strength=0.5))
        yield f"wer_styled_{style}", each[style]
    yield "wer_increase_points", 100 * (statistics.mean(each.values()) - vocoded)
    yield "wer_increase_points_worst", 100 * (max(each.values()) - vocoded)


def measure_share(gap: Gap, start: FloatArray, end: FloatArray, at: FloatArray) -> float:
    """Measure how much of the way from start to end was gone."""
    return 1 - gap(at, end) / gap(start, end)


def measure_moves(
    model: Any,
    pairs: dict[str, tuple[FloatArray, FloatArray]],
    gap: Callable[[FloatArray, FloatArray], float],
    key: str,
) -> Iterator[tuple[str, float]]:
    """Yield KEY, KEY_equaliser, KEY_monotone and KEY at every strength: medians over pairs of content and style."""
    table, plain, steady = [], [], []
    for name, (content, style) in pairs.items():
        shares = [measure_share(gap, content, style, restyle(model, content, style, s)) for s in STRENGTHS]
        table.append(shares)
        plain.append(measure_share(gap, content, style, equalise(content, style)))
        steady.append(all(a < b for a, b in itertools.pairwise(shares)))
        shown = " ".join(f"{share:5.2f}" for share in shares)
        print(f"  {key} {name:22} {shown}  equaliser {plain[-1]:5.2f}", file=sys.stderr, flush=True)
    for strength, column in zip(STRENGTHS, np.asarray(table).T, strict=True):
        yield f"{key}_at_{strength:g}", float(np.median(column))
    yield key, float(np.median([row[-1] for row in table]))
    yield f"{key}_worst", min(row[-1] for row in table)
    yield f"{key}_monotone", statistics.mean(steady)
    yield f"{key}_equaliser", float(np.median(plain))


def measure_style_moved(model: Any, speech: Path, voice: Path, sounds: Path) -> Iterator[tuple[str, float]]:
    """Yield audio_style_moved and voice_moved, and what belongs to them."""
    clips = sorted((speech / "flac").glob(f"{HELD_OUT_SPEECH}-*.flac"))
    ours, ours_again = join_sounds(clips[:4], 20), join_sounds(clips[20:26], 30)
    strange = sorted(voice.glob("flac/*.flac"))
    longest = sorted(strange, key=lambda path: path.stat().st_size)[-24:]
    theirs, theirs_again = join_sounds(longest[::2], 30), join_sounds(longest[1::2], 30)
    tunes = {name: join_sounds(sorted((sounds / "instruments" / name).glob("*.ogg")), 20) for name in INSTRUMENTS}
    airs = {name: join_sounds([sounds / "ambience" / f"{name}.ogg"], 20) for name in AMBIENCE}
    pairs = {f"speech to {name}": (ours, style) for name, style in (tunes | airs).items()}
    pairs |= {
        "speech to a new voice": (ours, theirs),
        "a new voice to speech": (theirs_again[: 20 * RATE], ours_again),
        "trumpet to clarinet": (tunes["trumpet"], tunes["clarinet"]),
        "clarinet to waves": (tunes["clarinet"], airs["waves"]),
    }
    yield from measure_moves(model, pairs, compare_timbres, "audio_style_moved")

    with contextlib.redirect_stdout(sys.stderr):
        from resemblyzer import VoiceEncoder, preprocess_wav

        judge = VoiceEncoder("cpu", verbose=False)

    def compute_embedding(samples: FloatArray) -> FloatArray:
        return np.asarray(judge.embed_utterance(preprocess_wav(level_sound(samples), source_sr=RATE)), dtype=np.float32)

    def compare_voices(a: FloatArray, b: FloatArray) -> float:
        return float(1 - compute_embedding(a) @ compute_embedding(b))

    voices = {"speech to a new voice": (ours, theirs), "a new voice to speech": (theirs_again[: 20 * RATE], ours_again)}
    yield from measure_moves(model, voices, compare_voices, "voice_moved")
    limits = [
        measure_share(compare_voices, ours, theirs, theirs_again),
        measure_share(compare_voices, theirs, ours_again, ours),
    ]
    yield "voice_moved_limit", statistics.mean(limits)


def main() -> None:
    """Measure and print."""
    limit_spinning()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "style_audio")
    parser.add_argument("--asr", type=Path, help="folder of the recogniser")
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--count", type=int, default=44, help="sentences whose words are heard")
    parser.add_argument("--voice", type=Path, required=True)
    parser.add_argument("--sounds", type=Path, required=True)
    parser.add_argument("--only", action="append", choices=["speed", "words", "style"])
    parser.add_argument("--weights", type=Path, help="another weight file than the shipped one")
    arguments = parser.parse_args()

    torch.set_num_threads(2)
    if arguments.weights:
        from models.style.audio_weights import load_styler

        model: Any = load_styler(arguments.weights)
    else:
        model = Registry(CATALOG).load(MODEL)
    clips = sorted((arguments.speech / "flac").glob(f"{HELD_OUT_SPEECH}-*.flac"))
    groups: dict[str, Callable[[], Iterator[tuple[str, float]]]] = {
        "speed": lambda: measure_speed(model, join_sounds(clips, 30)),
        "style": lambda: measure_style_moved(model, arguments.speech, arguments.voice, arguments.sounds),
        "words": lambda: measure_words(model, arguments.asr, arguments.speech, arguments.count),
    }
    figures: dict[str, float] = {}
    for name in arguments.only or groups:
        for key, value in groups[name]():
            figures[key] = round(value, 3)
            if not arguments.json:
                print(f"{key:30} {figures[key]}", flush=True)
    if arguments.json:
        report_figures("style_audio", figures, arguments.json)


if __name__ == "__main__":
    main()

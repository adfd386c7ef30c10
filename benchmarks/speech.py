"""Speech: words understood, naturalness, speed, memory, control.

    python -m benchmarks.speech --json --asr FOLDER --texts metadata.csv

`--texts` takes lines of id|...|text, of which 60 are drawn evenly; without it the sentences beside this file are
spoken, of which 36 are everyday ones. `--asr` is the recogniser's folder (see `benchmarks.recogniser`);
without it the weights come from the Hub. `--only` names groups: words, naturalness, voices, tacotron2, speed, control,
page, peers.
`--model` and `--voice` choose who speaks. `--hibari`, `--piper` and `--kokoro` are folders with voices of others, which
speak beside it (`benchmarks.speech_peers`). Figures are medians on two torch threads.
Needs what requirements-dev.txt installs, the extra `measure` (`pip install .[measure]`), and `useful-moonshine-onnx`,
installed with --no-deps.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import add_json_option, report_figures
from benchmarks.speaking import hear_words, judge_voice, measure_first_sound_s, speak
from models.audio import resample, rms_db
from models.contracts import Task
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.torchaudio_import import import_torchaudio

SENTENCES = Path(__file__).with_name("speech_sentences.txt")
TACOTRON = "speech/tacotron2"
PARAGRAPH = (
    "The harbour was quiet in the early morning. A single boat came in with the tide, and the man who steered it "
    "raised his hand to nobody in particular. Later, when the market opened, people would ask where he had been."
)
SWEEP_SENTENCES = (
    "The morning train was late again, and nobody on the platform seemed to mind.",
    "She opened the window and listened to the rain on the garden.",
    "Every spring the river carries away a little more of the old road.",
)


def read_sentences(path: Path | None, count: int) -> list[str]:
    """Read what is spoken: `count` lines drawn evenly."""
    lines = [line for line in (path or SENTENCES).read_text(encoding="utf-8").splitlines() if line.strip()]
    texts = [line.split("|")[-1] for line in lines]
    return [texts[int(i)] for i in np.linspace(0, len(texts) - 1, min(count, len(texts)))]


def measure_words(model: Any, voice: str, asr: Path | None, texts: list[str]) -> Iterator[tuple[str, float]]:
    """Yield wer."""
    from benchmarks.recogniser import Recogniser

    yield "wer", hear_words(Recogniser(asr), [speak(model, text, voice=voice) for text in texts], texts)


def make_opinion() -> Callable[[np.ndarray, int], float]:
    """Make what gives sound at a rate a mean opinion, as DistillMOS (Stahl and Gamper 2025) predicts it."""
    import_torchaudio()
    import distillmos
    import torch

    with contextlib.redirect_stdout(sys.stderr):  # it tells where its weights are; standard output is for the figures
        judge = distillmos.ConvTransformerSQAModel().eval()

    def give_opinion(samples: np.ndarray, rate: int) -> float:
        with torch.inference_mode():
            return float(judge(torch.from_numpy(resample(samples, rate, 16_000))[None]))

    return give_opinion


def measure_naturalness(model: Any, voice: str, texts: list[str]) -> Iterator[tuple[str, float]]:
    """Yield distillmos and distillmos_griffin_lim."""
    give_opinion = make_opinion()
    for key, vocoder, step in (("distillmos", "neural", 1), ("distillmos_griffin_lim", "griffin-lim", 4)):
        sounds = (speak(model, text, voice=voice, vocoder=vocoder) for text in texts[::step])
        yield key, statistics.mean(give_opinion(*sound) for sound in sounds)


def measure_voices(
    model: Any, keys: Sequence[str], asr: Path | None, texts: list[str], of: str = ""
) -> Iterator[tuple[str, float]]:
    """Yield wer_KEY and distillmos_KEY of voices; `of` comes before each key."""
    from benchmarks.recogniser import Recogniser

    listener = (Recogniser(asr), make_opinion())
    for key in keys:
        wrong, opinion = judge_voice(model, key, texts, listener)
        yield f"wer_{of}{key}", wrong
        yield f"distillmos_{of}{key}", opinion


def measure_speed(model: Any, repeats: int = 7) -> Iterator[tuple[str, float]]:
    """Yield rtf, first_audio_ms, speedup_vs_vits and rss_mb: medians, the rivals in turn."""
    say_as_vits = make_vits()
    ours, theirs, first = [], [], []
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for _ in range(repeats + 1):
        took, (samples, rate) = measure_time(lambda: speak(model, PARAGRAPH))
        ours.append(took / (len(samples) / rate))
        took, spoken_s = measure_time(say_as_vits)
        theirs.append(took / spoken_s)
        first.append(1000 * measure_first_sound_s(model, PARAGRAPH)[0])
    yield "rtf", statistics.median(ours[1:])
    yield "first_audio_ms", statistics.median(first[1:])
    yield "vits_rtf", statistics.median(theirs[1:])
    yield "speedup_vs_vits", statistics.median(t / o for t, o in zip(theirs[1:], ours[1:], strict=True))
    yield "rss_mb", rss_mb


def make_vits() -> Callable[[], float]:
    """Make what says the paragraph as transformers' VITS and returns the seconds of its sound.

    It has the size of facebook/mms-tts-eng, with random weights of trained-like durations.
    """
    import_torchaudio()
    import torch
    from transformers import VitsConfig, VitsModel

    vits = VitsModel(VitsConfig(vocab_size=38, sampling_rate=16_000)).eval()
    inputs = torch.randint(1, 37, (1, 2 * len(PARAGRAPH) + 1))  # MMS puts a blank between characters

    def say_paragraph() -> float:
        with torch.inference_mode():
            return float(vits(inputs).waveform.shape[-1]) / 16_000

    return say_paragraph


def measure_time(action: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that an action took, and what it gave."""
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def measure_control(model: Any) -> Iterator[tuple[str, float]]:
    """Yield control_speed, control_pitch and control_energy: Spearman correlation of asked and measured over sweeps."""
    from scipy.stats import spearmanr

    from models.audio import MelConfig
    from training.speech.corpus import measure_f0

    rate = speak(model, SWEEP_SENTENCES[0])[1]

    def measure_rate(samples: np.ndarray, text: str) -> float:
        return len(text) / len(samples)

    def measure_mean_f0(samples: np.ndarray, _: str) -> float:
        f0 = measure_f0(samples, MelConfig(sample_rate=rate), 1 + len(samples) // 256)
        return float(np.exp(np.log(f0[f0 > 0]).mean())) if (f0 > 0).any() else 0.0

    def level(samples: np.ndarray, _: str) -> float:
        return rms_db(samples)

    sweeps: tuple[tuple[str, str, np.ndarray, Callable[[np.ndarray, str], float]], ...] = (
        ("control_speed", "speed", 2 ** np.linspace(-0.8, 0.8, 9), measure_rate),
        ("control_pitch", "pitch_semitones", np.linspace(-6, 6, 9), measure_mean_f0),
        ("control_energy", "energy_db", np.linspace(-10, 10, 9), level),
    )
    for key, setting, values, measure in sweeps:
        correlations = []
        for text in SWEEP_SENTENCES:
            measured = [measure(speak(model, text, **{setting: float(v)})[0], text) for v in values]
            correlations.append(float(spearmanr(values, measured).statistic))
        yield key, statistics.mean(correlations)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "speech")
    parser.add_argument("--asr", type=Path, help="folder of the recogniser")
    parser.add_argument("--texts", type=Path, help="lines of id|...|text to speak")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--model", help="key of the model; the studio's default without it")
    parser.add_argument("--voice", default="", help="key of the voice; the model's first one without it")
    parser.add_argument("--hibari", type=Path, help="folder with hibari.onnx and vocab.json")
    parser.add_argument("--kokoro", type=Path, help="folder with kokoro*.onnx, vocab.json and the voices, *.bin")
    parser.add_argument("--piper", type=Path, help="folder with a voice of Piper, *.onnx and *.onnx.json")
    groups_known = ["words", "naturalness", "voices", "tacotron2", "speed", "control", "page", "peers"]
    parser.add_argument("--only", action="append", choices=groups_known)
    arguments = parser.parse_args()

    import torch

    torch.set_num_threads(2)
    chosen = arguments.only or ["speed", "words", "naturalness", "voices", "tacotron2", "control", "page"]
    peers = {name: getattr(arguments, name) for name in ("hibari", "piper", "kokoro") if getattr(arguments, name)}
    chosen += ["peers"] if peers and not arguments.only else []
    figures: dict[str, float] = {}
    registry, voice = Registry(CATALOG), arguments.voice
    key = arguments.model or registry.require_default(Task.SPEECH).key
    model, others = registry.load(key), [each.key for each in registry.voices(key)[1:]]
    texts = read_sentences(arguments.texts, arguments.count)
    groups: dict[str, Callable[[], Iterator[tuple[str, float]]]] = {
        "speed": lambda: measure_speed(model),
        "words": lambda: measure_words(model, voice, arguments.asr, texts),
        "naturalness": lambda: measure_naturalness(model, voice, texts),
        "voices": lambda: measure_voices(model, others, arguments.asr, texts),
        "tacotron2": lambda: measure_tacotron(registry, arguments.asr, texts),
        "control": lambda: measure_control(model),
        "page": measure_page,
        "peers": lambda: measure_peers(model, voice, peers, arguments.asr, texts),
    }
    for name in chosen:
        for figure, value in groups[name]():
            figures[figure] = round(value, 4)
            if not arguments.json:
                print(f"{figure:24} {figures[figure]}", flush=True)
    if arguments.json:
        report_figures("speech", figures, arguments.json)


def measure_tacotron(registry: Registry, asr: Path | None, texts: list[str]) -> Iterator[tuple[str, float]]:
    """Yield wer_tacotron2_KEY and distillmos_tacotron2_KEY of its voices, and how it obeys its controls."""
    model, voices = registry.load(TACOTRON), [each.key for each in registry.voices(TACOTRON)]
    yield from measure_voices(model, voices, asr, texts, of="tacotron2_")
    for key, value in measure_control(model):
        yield key.replace("control_", "control_tacotron2_"), value


def measure_peers(
    model: Any, voice: str, folders: dict[str, Path], asr: Path | None, texts: list[str]
) -> Iterator[tuple[str, float]]:
    """Yield what `benchmarks.speech_peers` measures of the model and of the voices in folders."""
    from benchmarks import speech_peers
    from benchmarks.recogniser import Recogniser

    performers = {speech_peers.OURS: (model, voice), **speech_peers.open_peers(folders)}
    listener = (Recogniser(asr), make_opinion())
    yield from speech_peers.measure_peers(performers, make_vits(), listener, texts, PARAGRAPH)


def measure_page() -> Iterator[tuple[str, float]]:
    """Yield startup_ratio and browser_first_sound_s."""
    from benchmarks.page import measure_first_sound_s, measure_startup_ratio

    yield "startup_ratio", measure_startup_ratio()
    yield "browser_first_sound_s", measure_first_sound_s()


if __name__ == "__main__":
    main()

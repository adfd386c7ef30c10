"""Voices of others beside the studio's own, all through the studio: words heard, naturalness, cost, first sound."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.speaking import Listener, judge_voice, measure_first_sound_s, speak
from models.backends.onnx_folder import describe_onnx_folder
from models.registry.registry import Registry

KOKORO_VOICES = ("af_heart", "am_michael", "bf_emma", "bm_george")
OURS, VITS = "ours", "vits"
Performer = tuple[Any, str]


def open_peers(folders: Mapping[str, Path]) -> dict[str, Performer]:
    """Open the voices in folders, by the name of their kind: (model, voice) by name, four of Kokoro.

    Raises:
        SystemExit: a folder holds no voice.
    """
    found: dict[str, Performer] = {}
    for name, folder in folders.items():
        spec = describe_onnx_folder(folder)
        if spec is None:
            raise SystemExit(f"{folder} holds no voice as an ONNX graph.")
        model = Registry((spec,), memory_budget_mb=8_000).load(spec.key)
        known = [voice.key for voice in spec.voices]
        chosen = [key for key in KOKORO_VOICES if key in known] if name == "kokoro" else known[:1]
        found |= {f"{name}_{key}" if len(chosen) > 1 else name: (model, key) for key in chosen}
    return found


def measure_peers(
    performers: Mapping[str, Performer],
    vits: Callable[[], float],
    listener: Listener,
    texts: Sequence[str],
    paragraph: str,
    repeats: int = 5,
) -> Iterator[tuple[str, float]]:
    """Yield peers.NAME.wer, distillmos, cpu_s_per_s, first_sound_ms and first_sound_cpu_ms of each voice.

    Costs are medians of texts to sound, the voices in turn; the first round, which warms up, does not count.

    Args:
        vits: says the paragraph with random weights of transformers' VITS and returns the seconds of its sound; its
            cost alone is measured.
    """
    for name, (model, voice) in performers.items():
        wrong, opinion = judge_voice(model, voice, texts, listener)
        yield f"peers.{name}.wer", wrong
        yield f"peers.{name}.distillmos", opinion

    def say(model: Any, voice: str) -> float:
        samples, rate = speak(model, paragraph, voice=voice)
        return len(samples) / rate

    actions: dict[str, Callable[[], float]] = {name: partial(say, *each) for name, each in performers.items()}
    actions[VITS] = vits
    costs: dict[str, list[float]] = {name: [] for name in actions}
    firsts: dict[str, list[tuple[float, float]]] = {name: [] for name in performers}
    for _ in range(repeats + 1):
        for name, action in actions.items():
            started = time.process_time()
            spoken_s = action()
            costs[name].append((time.process_time() - started) / spoken_s)
        for name, (model, voice) in performers.items():
            firsts[name].append(measure_first_sound_s(model, paragraph, voice))
    medians = {name: statistics.median(spent[1:]) for name, spent in costs.items()}
    for name, spent_s in medians.items():
        yield f"peers.{name}.cpu_s_per_s", spent_s
    for name, times in firsts.items():
        yield f"peers.{name}.first_sound_ms", 1000 * statistics.median(waited for waited, _ in times[1:])
        yield f"peers.{name}.first_sound_cpu_ms", 1000 * statistics.median(spent for _, spent in times[1:])
    if "hibari" in medians:
        yield "cpu_ratio_vs_hibari", medians[OURS] / medians["hibari"]

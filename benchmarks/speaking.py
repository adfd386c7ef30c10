"""What the speech benchmarks ask of any voice: its sound, the words heard in it, how natural it is, its first sound."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.contracts import SpeechRequest

Sound = tuple[np.ndarray, int]
Listener = tuple[Any, Callable[[np.ndarray, int], float]]
"""A recogniser, and what gives a mean opinion."""


def speak(model: Any, text: str, **settings: Any) -> Sound:
    """Return the whole sound of a request, and its rate."""
    chunks = list(model.stream(SpeechRequest(text, **settings)))
    return np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate


def hear_words(recogniser: Any, sounds: Sequence[Sound], texts: Sequence[str]) -> float:
    """Return the word error rate of texts in their sounds."""
    from benchmarks.recogniser import measure_word_error_rate

    return measure_word_error_rate(list(texts), [recogniser.transcribe(*sound) for sound in sounds])


def judge_voice(model: Any, voice: str, texts: Sequence[str], listener: Listener) -> tuple[float, float]:
    """Return the word error rate and the mean opinion of texts as a voice says them."""
    recogniser, give_opinion = listener
    sounds = [speak(model, text, voice=voice) for text in texts]
    return hear_words(recogniser, sounds, texts), statistics.mean(give_opinion(*sound) for sound in sounds)


def measure_first_sound_s(model: Any, text: str, voice: str = "") -> tuple[float, float]:
    """Return the seconds on the clock, and of the processor, from the request to the first chunk with sound in it."""
    clock, processor = time.perf_counter(), time.process_time()
    stream = model.stream(SpeechRequest(text, voice=voice))
    next(chunk for chunk in stream if chunk.samples.size)
    waited = time.perf_counter() - clock, time.process_time() - processor
    stream.close()
    return waited

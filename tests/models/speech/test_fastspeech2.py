"""Tests of the parallel acoustic model and of the generator over it."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from models.audio import MelConfig
from models.contracts import SpeechChunk, SpeechRequest
from models.speech.fastspeech2 import FastSpeech2, FastSpeech2Config, Variances
from models.speech.parallel_synthesizer import ParallelSpeechSynthesizer, judge_plan, plan_durations
from models.speech.streaming_inference import StreamingInference
from models.speech.symbols import SYMBOLS
from models.speech.synthesizer import MelScale
from models.speech.tacotron2_config import make_length_mask
from models.speech.text import to_utterances
from models.speech.vocoder import SourceFilterVocoder, VocoderConfig
from models.speech.vocoder_streams import SourceFilterStream

MEL = MelConfig(sample_rate=24_000, n_fft=1_200, hop_length=300, n_mels=20, f_max=12_000.0)
TEXT = "The boat came in with the tide. Who was on it?"


@pytest.fixture(scope="module")
def model() -> FastSpeech2:
    torch.manual_seed(0)
    network = FastSpeech2(FastSpeech2Config.debug(n_symbols=len(SYMBOLS), n_mels=MEL.n_mels)).eval()
    with torch.no_grad():
        network.duration_output.bias.fill_(math.log(6.0))  # about five frames a symbol
        network.variance_output.bias[1] = 1.0
    return network


@pytest.fixture(scope="module")
def voice(model: FastSpeech2) -> ParallelSpeechSynthesizer:
    torch.manual_seed(1)
    vocoder = SourceFilterVocoder(replace(VocoderConfig.debug(), mel=MEL, free_phase=True)).eval()
    scale = MelScale(-5.0, 2.0)
    return ParallelSpeechSynthesizer(model, lambda seed: SourceFilterStream(vocoder, seed), MEL, scale, ("a", "b"))


@pytest.fixture
def speak(voice: ParallelSpeechSynthesizer) -> Callable[..., list[SpeechChunk]]:
    return lambda text=TEXT, **settings: list(voice.stream(SpeechRequest(text, **settings)))


def join(chunks: list[SpeechChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])


def test_a_mix_lies_between_its_voices(voice: ParallelSpeechSynthesizer) -> None:
    def speak_mel(**settings: Any) -> np.ndarray:
        return np.concatenate([chunk.mel for chunk in voice.stream(SpeechRequest("Yes.", **settings))])

    first, second = speak_mel(voice="a"), speak_mel(voice="b")
    assert np.array_equal(speak_mel(voice="a", second_voice="b", blend=0.0), first)
    assert np.array_equal(speak_mel(voice="a", second_voice="a", blend=0.7), first)
    assert np.allclose(speak_mel(voice="a", second_voice="b", blend=1.0), second, atol=1e-4)
    half, mirrored = (speak_mel(voice=one, second_voice=other, blend=0.5) for one, other in (("a", "b"), ("b", "a")))
    assert np.allclose(half, mirrored, atol=1e-4)
    assert half.shape != first.shape or not np.allclose(half, first, atol=1e-3)
    assert half.shape != second.shape or not np.allclose(half, second, atol=1e-3)


def test_voices_are_mixed_by_their_shares(model: FastSpeech2) -> None:
    symbols, lengths = torch.tensor([[3, 4, 5]]), torch.tensor([3])
    with torch.no_grad():
        alone = [model.encode(symbols, lengths, torch.tensor([number])) for number in (0, 1)]
        mixed = model.encode(symbols, lengths, torch.tensor([[0.25, 0.75]]))
    assert torch.allclose(mixed, 0.25 * alone[0] + 0.75 * alone[1], atol=1e-5)


def test_an_unknown_second_voice_is_named(voice: ParallelSpeechSynthesizer) -> None:
    with pytest.raises(ValueError, match="voice is 'nobody'; this model has a, b"):
        next(voice.stream(SpeechRequest("Yes.", second_voice="nobody")))


def test_symbols_are_stretched_by_their_durations(model: FastSpeech2) -> None:
    with torch.no_grad():
        model_place = model.place(torch.zeros(1, 1, 3))
        encoded = torch.eye(3, 16)[None]
        frames, lengths = model.expand(encoded, torch.tensor([[2, 0, 3]]))
        assert lengths.tolist() == [5]
        owners = (frames - model_place)[0]
        share = torch.tensor([0.5 / 2, 1.5 / 2, 0.5 / 3, 1.5 / 3, 2.5 / 3])
        length = torch.log1p(torch.tensor([2.0, 2, 3, 3, 3]))
        wanted = encoded[0, [0, 0, 2, 2, 2]] + model.place(torch.stack([share, 1 - share, length], dim=1)) - model_place
    assert torch.allclose(owners, wanted[None][0], atol=1e-5)


def test_a_padded_batch_gives_what_each_item_gives_alone(model: FastSpeech2) -> None:
    symbols, lengths = torch.randint(3, len(SYMBOLS), (2, 9)), torch.tensor([9, 5])
    durations = torch.randint(1, 5, (2, 9)) * make_length_mask(lengths, 9)
    with torch.no_grad():
        both = model.encode(symbols, lengths, torch.tensor([0, 1]))
        frames, counts = model.expand(both, durations)
        mask = make_length_mask(counts, frames.shape[1])
        mel = model.decode(frames, model.predict_variances(frames, mask), mask)
        alone = model.encode(symbols[1:, :5], lengths[1:], torch.tensor([1]))
        single, _ = model.expand(alone, durations[1:, :5])
        wanted = model.decode(single, model.predict_variances(single))
    assert torch.allclose(
        model.predict_durations(both, make_length_mask(lengths, 9))[1, :5], model.predict_durations(alone)
    )
    assert torch.allclose(mel[1, : int(counts[1])], wanted[0], atol=1e-5)


def test_decoding_in_pieces_equals_decoding_at_once(model: FastSpeech2) -> None:
    frames = torch.randn(90, 16)

    def decode(x: torch.Tensor) -> torch.Tensor:
        return model.decode(x, model.predict_variances(x))

    with torch.no_grad():
        whole = decode(frames[None])[0]
        stream = StreamingInference(decode, model.context_frames)
        parts = [stream.push(frames[at : at + 17], last=at + 17 >= 90) for at in range(0, 90, 17)]
    assert torch.allclose(torch.cat([part for part in parts if part is not None]), whole, atol=1e-5)


def test_unvoiced_frames_hide_their_pitch(model: FastSpeech2) -> None:
    frames, quiet = torch.randn(1, 6, 16), torch.full((1, 6), -1.0)
    with torch.no_grad():
        low = model.decode(frames, Variances(torch.full((1, 6), -1.0), quiet, torch.zeros(1, 6)))
        high = model.decode(frames, Variances(torch.full((1, 6), 1.0), quiet, torch.zeros(1, 6)))
        voiced = model.decode(frames, Variances(torch.full((1, 6), 1.0), -quiet, torch.zeros(1, 6)))
    assert torch.equal(low, high)
    assert not torch.allclose(high, voiced)


def test_planned_durations_keep_the_sum() -> None:
    log_frames = torch.log1p(torch.full((40,), 3.3))
    plain = plan_durations(log_frames, torch.zeros(40))
    assert abs(int(plain.sum()) - 132) <= 1
    assert set(plain.tolist()) == {3, 4}
    assert abs(int(plan_durations(log_frames, torch.ones(40)).sum()) - 66) <= 1
    assert int(plan_durations(torch.full((5,), -3.0), torch.ones(5)).min()) == 1


def test_the_stream_closes_and_tells_words_and_plan(speak: Callable[..., list[SpeechChunk]]) -> None:
    chunks = speak()
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert " ".join(word.text for word in chunks[-1].words) == TEXT.replace(".", "").replace("?", "")
    assert all(a.end_s <= b.start_s + 1e-9 for a, b in pairwise(chunks[-1].words))
    assert chunks[-1].words[-1].end_s <= len(join(chunks)) / 24_000 + 0.05
    verdicts = [chunk.verdict for chunk in chunks if chunk.verdict]
    assert len(verdicts) == 2
    spoken = [chunk for chunk in chunks if chunk.alignment.size]
    assert all(np.array_equal(chunk.alignment.sum(axis=1), np.ones(len(chunk.alignment))) for chunk in spoken)
    assert sum(len(chunk.mel) for chunk in chunks) > 150


def test_the_same_request_gives_the_same_bytes(speak: Callable[..., list[SpeechChunk]]) -> None:
    assert np.array_equal(join(speak(seed=3)), join(speak(seed=3)))
    assert not np.array_equal(join(speak(seed=3)), join(speak(seed=4)))
    assert not np.array_equal(join(speak(voice="a")), join(speak(voice="b")))


def test_speed_shortens_and_energy_and_pitch_change(speak: Callable[..., list[SpeechChunk]]) -> None:
    plain = speak("The boat came in with the tide")
    fast = speak("The boat came in with the tide", speed=2.0)
    assert len(join(fast)) == pytest.approx(len(join(plain)) / 2, rel=0.1)
    for change in ({"pitch_semitones": 5.0}, {"energy_db": 6.0}):
        changed = speak("The boat came in with the tide", **change)
        assert len(join(changed)) == len(join(plain))
        assert not np.allclose(join(changed), join(plain))


def test_markup_turns_a_part_of_a_sentence(speak: Callable[..., list[SpeechChunk]]) -> None:
    plain = speak("This is slow now.")
    turned = speak("<speak>This is <prosody rate='50%'>slow</prosody> now.</speak>")
    before, after = ({w.text: w.end_s - w.start_s for w in chunks[-1].words} for chunks in (plain, turned))
    assert after["slow"] > 1.6 * before["slow"]
    assert after["This"] == pytest.approx(before["This"], abs=0.03)


def test_the_yardstick_vocoder_speaks_too(speak: Callable[..., list[SpeechChunk]]) -> None:
    assert len(join(speak("Good morning", vocoder="griffin-lim"))) > 2_000


def test_a_hurried_word_is_named() -> None:
    utterance = to_utterances("The boat came in quietly.").utterances[0]
    durations = np.full(len(utterance.symbols), 10)
    boat = next(word for word in utterance.words if word.text == "boat")
    durations[boat.start : boat.end] = 1
    alignment = np.eye(len(durations), dtype=np.float32)[np.repeat(np.arange(len(durations)), durations)]
    assert "boat" in judge_plan(utterance, alignment)
    even = np.eye(len(durations), dtype=np.float32)[np.repeat(np.arange(len(durations)), 10)]
    assert judge_plan(utterance, even).startswith("Every word")

"""Tests of the clips that stay on the training's device."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.audio import log_mel
from tests.training.speech.spoken_clips import make_clips
from training.speech.resident_corpus import (
    LEVEL_DB,
    MEL_MEAN,
    MEL_STD,
    TEACHER_MEL,
    ResidentCorpus,
    bridge_log_pitch,
    centre_f0,
)
from training.speech.tacotron2 import make_acoustic_batch

SHARES = (0.4, 0.2, 0.2, 0.2)


@pytest.fixture(scope="module")
def corpus() -> ResidentCorpus:
    clips = [replace(clip, samples=(clip.samples * 32767).astype(np.int16)) for clip in make_clips()]
    return ResidentCorpus(clips, SHARES, torch.device("cpu"))


def test_mel_frames_are_those_of_the_clips(corpus: ResidentCorpus) -> None:
    clip = make_clips()[5]
    samples = torch.from_numpy(clip.samples * corpus.gains[clip.voice].astype(np.float32))
    alone = log_mel(samples, TEACHER_MEL)[: len(clip.f0)]
    together = corpus.mel[corpus.frame_starts[5] : corpus.frame_ends[5]].float()
    assert (together - alone)[3:-3].abs().mean() < 0.01  # frames at the edges see the neighbours


def test_voices_are_brought_to_one_level(corpus: ResidentCorpus) -> None:
    hop = TEACHER_MEL.hop_length
    for voice in range(4):
        clips = np.flatnonzero(corpus.voice == voice)
        pieces = [corpus.samples[corpus.frame_starts[c] * hop : corpus.frame_ends[c] * hop] for c in clips]
        sound = torch.cat(pieces).float() / 32768 * corpus.gains[voice]
        assert 10 * math.log10(float(sound.square().mean())) == pytest.approx(LEVEL_DB, abs=0.1)


def test_a_batch_holds_the_clips_padded(corpus: ResidentCorpus) -> None:
    clips = np.array([2, 7, 9])
    batch = corpus.collate(clips, np.array([0.0, 6.0, 0.0]), multiple=4)
    assert batch.mel.shape[1] % 4 == 0
    assert batch.durations.sum(dim=1).tolist() == batch.frames.tolist() == corpus.clip_frames[clips].tolist()
    assert batch.symbols[0, : batch.lengths[0]].tolist() == make_clips()[2].symbols.tolist()
    plain = corpus.collate(np.array([7])).mel[0]
    louder = (batch.mel[1, : len(plain)] - plain) * MEL_STD
    loud = plain * MEL_STD + MEL_MEAN > -8
    assert louder[loud].mean() == pytest.approx(6 * math.log(10) / 20, abs=0.01)
    assert not batch.voiced[0, int(batch.frames[0]) :].any()


def test_chosen_clips_are_of_like_length_and_of_all_voices(corpus: ResidentCorpus) -> None:
    chosen = np.concatenate([corpus.choose(2_000, (4, 40)) for _ in range(40)])
    assert set(corpus.voice[chosen]) == {0, 1, 2, 3}
    assert not set(chosen) & set(corpus.held_out)


def test_pieces_lie_on_their_samples(corpus: ResidentCorpus) -> None:
    place, log_pitch, voiced, samples = corpus.draw_pieces(6, 20)
    assert place.shape == log_pitch.shape == voiced.shape == (6, 20)
    assert samples.shape == (6, 19 * 300)
    start = int(place[0, 0]) * 300
    voice = corpus.voice[np.searchsorted(corpus.frame_ends, int(place[0, 0]), side="right")]
    assert torch.allclose(samples[0, :5], corpus.samples[start : start + 5].float() / 32768 * corpus.gains[voice])


def test_pitch_is_bridged_and_centred() -> None:
    f0 = np.array([0, 100, 110, 0, 0, 130, 0], np.float32)
    assert centre_f0(f0).tolist() == [0, 100, 105, 0, 0, 130, 0]
    bridged = np.exp(bridge_log_pitch(f0)) * 180
    assert bridged[0] == pytest.approx(100, rel=1e-4)
    assert 110 < bridged[3] < bridged[4] < 130
    assert bridge_log_pitch(np.zeros(4, np.float32)).tolist() == [0, 0, 0, 0]


def test_durations_become_an_alignment(corpus: ResidentCorpus) -> None:
    batch = make_acoustic_batch(corpus.collate(np.array([1, 4]), None, 2), 2)
    assert batch.attention.shape[:2] == (2, batch.mel.shape[1] // 2)
    assert torch.allclose(batch.attention.sum(dim=-1), torch.ones(()))
    heard = batch.attention[0].sum(dim=0) * 2  # frames of each symbol
    durations = make_clips()[1].durations
    assert heard[: len(durations) - 1].tolist() == durations[:-1].tolist()

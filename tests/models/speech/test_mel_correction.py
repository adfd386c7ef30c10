"""Tests of sound that is brought to its mel frames."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.audio import MelConfig, log_mel
from models.contracts import FloatArray
from models.speech.mel_correction import CorrectedStream
from models.speech.vocoder import SourceFilterVocoder, VocoderConfig
from models.speech.vocoder_streams import SourceFilterStream
from tests.models.speech.test_vocoder_streams import CHUNKINGS, run_all

MEL = MelConfig()


class SoundAtHand:
    """A vocoder that gives a sound it has, a hop for each frame but the last."""

    def __init__(self, sound: FloatArray) -> None:
        self.sound, self.given = sound, 0

    def push(self, mel: torch.Tensor, last: bool = False) -> FloatArray:
        start = self.given * MEL.hop_length
        self.given += len(mel)
        return self.sound[start : (self.given - last) * MEL.hop_length]


def make_noise(frames: int, seed: int = 0) -> FloatArray:
    return (0.1 * np.random.default_rng(seed).standard_normal(frames * MEL.hop_length)).astype(np.float32)


def test_a_wrong_envelope_is_mended() -> None:
    true = make_noise(89)
    wanted = log_mel(torch.from_numpy(true))[:90]
    quieter = np.convolve(true, [0.3, 0.2], mode="same").astype(np.float32)

    def measure(sound: np.ndarray) -> float:
        return float((log_mel(torch.from_numpy(sound))[5:80] - wanted[5:80]).abs().mean())

    once, thrice = (run_all(CorrectedStream(SoundAtHand(quieter), MEL, rounds), wanted, [90]) for rounds in (1, 3))
    assert len(once) == len(thrice) == 89 * MEL.hop_length
    assert measure(quieter) > 0.5
    assert measure(once) < 0.15
    assert measure(thrice) < measure(once)


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_stream_equals_the_whole(rounds: int) -> None:
    torch.manual_seed(0)
    vocoder = SourceFilterVocoder(replace(VocoderConfig.debug(), steady_noise=True)).eval()
    mel = torch.randn(90, 80) - 5
    made = [
        run_all(CorrectedStream(SourceFilterStream(vocoder, 5), vocoder.config.mel, rounds), mel, chunks)
        for chunks in CHUNKINGS
    ]
    assert all(len(sound) == 89 * MEL.hop_length for sound in made)
    assert max(np.abs(sound - made[0]).max() for sound in made) < 1e-4

"""A vocoder's sound brought to the mel frames that it was made from.

Whatever a small vocoder gets wrong in its envelope, the mel frames of its own sound tell: band by band, what is missing
is added and what is too much is taken away, a few times over. No network takes part; all is local in time, so that a
stream equals the whole.

Letters: T frames, M mel bands, F = n_fft / 2 + 1 bins, H samples in a hop.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.audio import LOG_FLOOR, MelConfig, hann_window, mel_filterbank
from models.contracts import FloatArray
from models.speech.streaming_inference import StreamingInference
from models.speech.vocoder import build_mel_interpolation, frame_signal, overlap_add
from models.speech.vocoder_streams import VocoderStream

LIMIT = 2.0  # nats that a band is changed by in one round


class CorrectedStream:
    """A vocoder's stream whose sound is corrected before it goes on; some frames come later for it.

    Args:
        vocoder: the stream that is corrected.
        rounds: how often the sound is compared with the mel frames.
    """

    def __init__(self, vocoder: VocoderStream, config: MelConfig, rounds: int) -> None:
        self.vocoder, self.config, self.rounds = vocoder, config, rounds
        self.envelope = build_mel_interpolation(config)
        reach = -(-config.n_fft // config.hop_length)  # frames: half a window to analyse, half a window to add up
        self.stream = StreamingInference(self._correct, rounds * reach, config.hop_length)
        self.mel: list[Tensor] = []
        self.sound: list[FloatArray] = []

    def push(self, mel: Tensor, last: bool = False) -> FloatArray:
        """Do as `VocoderStream.push` says."""
        self.mel.append(mel)
        self.sound.append(self.vocoder.push(mel, last))
        frames, samples = torch.cat(self.mel), np.concatenate(self.sound)
        hop = self.config.hop_length
        if last:
            samples = np.pad(samples, (0, max(0, len(frames) * hop - len(samples))))
        ready = min(len(frames), len(samples) // hop)
        packed = torch.cat([frames[:ready], torch.from_numpy(samples[: ready * hop]).view(ready, hop)], dim=1)
        self.mel, self.sound = [frames[ready:]], [samples[ready * hop :]]
        made = self.stream.push(packed, last) if ready or last else None
        if made is None:
            return np.zeros(0, np.float32)
        return made[: len(made) - hop if last else None].clamp(-1, 1).numpy()

    def _correct(self, packed: Tensor) -> Tensor:
        """Correct frames of mel and sound (1, T, M + H): (1, T * H)."""
        bands, hop, size = self.config.n_mels, self.config.hop_length, self.config.n_fft
        wanted = torch.cat([packed[..., :bands], packed[:, -1:, :bands]], dim=1)  # (1, T + 1, M)
        sound = packed[..., bands:].flatten(1)
        window, bank = hann_window(size), mel_filterbank(self.config)
        for _ in range(self.rounds):
            padded = torch.nn.functional.pad(sound, (size // 2, size // 2))
            spectra = torch.fft.rfft(frame_signal(padded, size, hop) * window)  # (1, T + 1, F)
            made = (spectra.abs() @ bank).clamp_min(LOG_FLOOR).log()
            gain = (((wanted - made).clamp(-LIMIT, LIMIT)) @ self.envelope).exp()
            frames = torch.fft.irfft(spectra * gain, n=size) * window
            summed, weight = overlap_add(frames, size, hop)
            sound = (summed / weight)[:, size // 2 : size // 2 + sound.shape[1]]
        return sound

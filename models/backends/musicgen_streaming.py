"""Stream MusicGen's sound: the tokens of the library's loop are read step by step, and decoded on the way.

Letters: K codebooks, T tokens, N samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backends.worker_thread import seed_torch

FloatArray = NDArray[np.float32]
FIRST_S, GROWTH = 1.0, 0.25  # of sound before it is decoded first; then again when it has grown by this share
UNSETTLED_FRAMES = 8  # at the end of what is decoded: they change when more comes, for the decoder looks ahead


class MusicGenStreamer:
    """One call of `generate` of a model over EnCodec's codes, K of them delayed against each other.

    Args:
        model: of MusicGen's kind, with `audio_encoder` and `decoder`.
        frames: of EnCodec, how long the sound shall be.
        emit: takes the next samples (2, N) and how many frames are done.
        check: raises when nobody listens any more.
    """

    def __init__(
        self, model: Any, frames: int, emit: Callable[[FloatArray, int], None], check: Callable[[], None]
    ) -> None:
        self.model, self.frames, self.emit, self.check = model, frames, emit, check
        self.rate = int(model.config.audio_encoder.sampling_rate)
        self.frame_rate = float(model.config.audio_encoder.frame_rate)
        self.channels = int(getattr(model.config.decoder, "audio_channels", 1))
        self.sent = 0  # samples
        self.decoded_at = 0  # tokens

    def generate(self, inputs: dict[str, Any], seed: int, **options: Any) -> None:
        """Generate, and emit what is settled; the rest of what the library returns comes last."""
        import torch

        late = int(self.model.decoder.num_codebooks) // self.channels - 1
        length = self.frames + late
        with seed_torch(seed), torch.inference_mode():
            made = self.model.generate(
                **inputs, **options, do_sample=True, max_new_tokens=length, logits_processor=[self.observe_tokens]
            )
        sound = to_stereo(made[0].float().cpu().numpy())
        self.emit(np.ascontiguousarray(sound[:, self.sent :]), self.frames)

    def observe_tokens(self, input_ids: Any, scores: Any) -> Any:
        """Decode the tokens so far, (K, T), when enough are new; the library calls this before each token.

        Returns:
            the scores as they are.
        """
        self.check()
        count = input_ids.shape[1]
        if count - self.decoded_at >= max(FIRST_S * self.frame_rate, GROWTH * count):
            self.decoded_at = count
            self._send(undo_delay(input_ids[:, 1:], self.channels))
        return scores

    def _send(self, codes: Any) -> None:
        """Decode codes (K, T) and send what is new and settled."""
        if codes.shape[1] == 0:
            return
        coder = self.model.audio_encoder
        parts = [codes] if self.channels == 1 else [codes[0::2], codes[1::2]]
        sounds = [coder.decode(part[None, None], audio_scales=[None]).audio_values.reshape(-1) for part in parts]
        samples = to_stereo(np.stack([each.float().cpu().numpy() for each in sounds]))
        settled = samples.shape[1] - UNSETTLED_FRAMES * round(self.rate / self.frame_rate)
        if settled > self.sent:
            self.emit(np.ascontiguousarray(samples[:, self.sent : settled]), min(codes.shape[1], self.frames - 1))
            self.sent = settled


def to_stereo(sound: FloatArray) -> FloatArray:
    """Return sound of one or two channels as (2, N), clipped to [-1, 1]."""
    both = np.repeat(sound, 2, axis=0) if len(sound) == 1 else sound[:2]
    return np.clip(both, -1.0, 1.0).astype(np.float32)


def undo_delay(tokens: Any, channels: int = 1) -> Any:
    """Return codes without their delay pattern: book k comes k steps late, (K, T + K - 1) -> (K, T).

    Args:
        tokens: as they are generated, without the first beginning-of-sequence token.
        channels: of the sound; with 2 the books come in pairs, left and right, equally late.
    """
    import torch

    books = tokens.shape[0]
    late = [book // channels for book in range(books)]
    length = max(0, tokens.shape[1] - max(late))
    return torch.stack([tokens[book, late[book] : late[book] + length] for book in range(books)])

"""Tacotron 2: from symbols to mel frames.

After Shen et al. 2018, "Natural TTS Synthesis by Conditioning WaveNet on Mel Spectrogram Predictions" (section 2.2),
with the location-sensitive attention of Chorowski et al. 2015, "Attention-Based Models for Speech Recognition"
(section 2.1). One class serves the small shipped model and public checkpoints of the paper's size: the sizes, the
number of frames made in one decoder step, the voices and the controllable attributes are configuration.

Letters: B batch, L symbols, S decoder steps, R frames in a step, T = S * R mel frames, M mel bands, E encoder width.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


@dataclass(frozen=True)
class Tacotron2Config:
    """Sizes of a Tacotron 2; the defaults are the paper's."""

    n_symbols: int = 148
    n_mels: int = 80
    symbol_dim: int = 512
    encoder_dim: int = 512
    encoder_layers: int = 3
    encoder_kernel: int = 5
    encoder_dropout: float = 0.5
    attention_rnn_dim: int = 1024
    attention_dim: int = 128
    location_filters: int = 32
    location_kernel: int = 31
    prenet_dim: int = 256
    prenet_dropout: float = 0.5
    decoder_rnn_dim: int = 1024
    rnn_dropout: float = 0.1
    frames_per_step: int = 1
    postnet_dim: int = 512
    postnet_layers: int = 5
    postnet_kernel: int = 5
    postnet_dropout: float = 0.5
    voices: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    attribute_dim: int = 32

    @classmethod
    def small(cls, n_symbols: int, voices: tuple[str, ...], attributes: tuple[str, ...]) -> Tacotron2Config:
        """The shipped size: about five million parameters, three frames in a step."""
        return cls(
            n_symbols=n_symbols,
            symbol_dim=256,
            encoder_dim=256,
            encoder_dropout=0.2,
            attention_rnn_dim=320,
            location_filters=16,
            prenet_dim=128,
            decoder_rnn_dim=320,
            frames_per_step=3,
            postnet_dim=192,
            postnet_dropout=0.2,
            voices=voices,
            attributes=attributes,
        )

    @classmethod
    def debug(cls, **changes: object) -> Tacotron2Config:
        """A tiny network for tests: milliseconds on a CPU."""
        sizes: dict[str, object] = {
            "n_symbols": 20,
            "n_mels": 8,
            "symbol_dim": 16,
            "encoder_dim": 16,
            "attention_rnn_dim": 24,
            "attention_dim": 12,
            "location_filters": 4,
            "location_kernel": 5,
            "prenet_dim": 12,
            "decoder_rnn_dim": 20,
            "postnet_dim": 16,
        }
        return cls(**{**sizes, **changes})  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """As plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Tacotron2Config:
        """The inverse of to_dict; TypeError names an unknown field."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[arg-type]


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """True where an item has content: lengths (B,) -> bool (B, size)."""
    return torch.arange(size, device=lengths.device)[None, :] < lengths[:, None]


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "tanh": torch.tanh, "none": lambda x: x}


class ConvNorm(nn.Module):
    """Convolution over time, batch norm, activation, dropout; padding is kept at zero under the mask."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels_in, channels_out, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm1d(channels_out)
        self.activation = ACTIVATIONS[activation]
        self.dropout = dropout

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """x (B, C, T), mask bool (B, 1, T) or None -> (B, C', T)."""
        x = F.dropout(self.activation(self.norm(self.conv(x))), self.dropout, self.training)
        return x if mask is None else x * mask


class Encoder(nn.Module):
    """Symbols to memory: three convolutions with batch norm, then a bidirectional LSTM (section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        widths = [config.symbol_dim] + [config.encoder_dim] * config.encoder_layers
        self.embedding = nn.Embedding(config.n_symbols, config.symbol_dim)
        self.convolutions = nn.ModuleList(
            ConvNorm(a, b, config.encoder_kernel, "relu", config.encoder_dropout) for a, b in itertools.pairwise(widths)
        )
        self.lstm = nn.LSTM(config.encoder_dim, config.encoder_dim // 2, batch_first=True, bidirectional=True)

    def forward(self, symbols: Tensor, lengths: Tensor) -> Tensor:
        """symbols int64 (B, L), lengths int64 (B,) -> memory float32 (B, L, E), zero where there is padding."""
        mask = length_mask(lengths, symbols.shape[1])[:, None, :]
        x = self.embedding(symbols).transpose(1, 2) * mask  # (B, E, L)
        for convolution in self.convolutions:
            x = convolution(x, mask)
        packed = pack_padded_sequence(x.transpose(1, 2), lengths.cpu(), batch_first=True, enforce_sorted=False)
        memory, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=symbols.shape[1])
        return memory


class Conditioner(nn.Module):
    """Voice and attributes as a vector added to the memory.

    One small encoder an attribute: an attribute's value is how far the asked (in training: measured) value lies from
    the voice's own mean, in the units of `models.speech.attributes`; zero is neutral.
    """

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.voices = nn.Embedding(len(config.voices), config.encoder_dim) if config.voices else None
        self.attributes = nn.ModuleList(
            nn.Sequential(
                nn.Linear(1, config.attribute_dim), nn.Tanh(), nn.Linear(config.attribute_dim, config.encoder_dim)
            )
            for _ in config.attributes
        )

    def forward(self, memory: Tensor, voice: Tensor | None, attributes: Tensor | None) -> Tensor:
        """memory (B, L, E), voice int64 (B,), attributes float32 (B, A) -> (B, L, E)."""
        if self.voices is not None and voice is not None:
            memory = memory + self.voices(voice)[:, None]
        for index, encoder in enumerate(self.attributes):
            if attributes is not None:
                memory = memory + encoder(attributes[:, index : index + 1])[:, None]
        return memory


class LocationSensitiveAttention(nn.Module):
    """Additive attention that also sees where it looked before (Chorowski et al. 2015, equations 8 and 9).

    The location features are convolutions over the previous weights and over their running sum.
    """

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.query = nn.Linear(config.attention_rnn_dim, config.attention_dim, bias=False)
        self.memory = nn.Linear(config.encoder_dim, config.attention_dim, bias=False)
        self.location_conv = nn.Conv1d(
            2, config.location_filters, config.location_kernel, padding=config.location_kernel // 2, bias=False
        )
        self.location = nn.Linear(config.location_filters, config.attention_dim, bias=False)
        self.score = nn.Linear(config.attention_dim, 1, bias=False)

    def forward(self, query: Tensor, processed_memory: Tensor, history: Tensor, hidden: Tensor) -> Tensor:
        """Attention weights of one step.

        Args:
            query: (B, attention_rnn_dim).
            processed_memory: `self.memory(memory)`, (B, L, attention_dim), computed once.
            history: (B, 2, L), the previous weights and their sum so far.
            hidden: bool (B, L), True where it must not look (padding, or outside a window).

        Returns:
            weights (B, L), each row summing to one, exactly zero where hidden.
        """
        location = self.location(self.location_conv(history).transpose(1, 2))  # (B, L, A)
        energies = self.score(torch.tanh(self.query(query)[:, None] + location + processed_memory)).squeeze(-1)
        return F.softmax(energies.masked_fill(hidden, -torch.inf), dim=-1)


class Prenet(nn.Module):
    """Two linear layers with ReLU and dropout, which stays on at inference (section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        widths = [config.n_mels, config.prenet_dim, config.prenet_dim]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(widths))
        self.dropout = config.prenet_dropout

    def forward(self, frame: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """frame (..., M) -> (..., prenet_dim); `generator` decides what is dropped."""
        for layer in self.layers:
            frame = F.relu(layer(frame))
            if self.dropout > 0:
                keep = torch.rand(frame.shape, generator=generator, device=frame.device) >= self.dropout
                frame = frame * keep / (1 - self.dropout)
        return frame


@dataclass
class DecoderState:
    """What a decoder step needs of the past; tensors (B, ...)."""

    attention_hidden: Tensor
    attention_cell: Tensor
    decoder_hidden: Tensor
    decoder_cell: Tensor
    context: Tensor
    weights: Tensor
    weights_sum: Tensor


class Decoder(nn.Module):
    """Mel frames one step after another, each looking at the memory through the attention (section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.config = config
        self.prenet = Prenet(config)
        self.attention = LocationSensitiveAttention(config)
        self.attention_rnn = nn.LSTMCell(config.prenet_dim + config.encoder_dim, config.attention_rnn_dim)
        self.decoder_rnn = nn.LSTM(
            config.attention_rnn_dim + config.encoder_dim, config.decoder_rnn_dim, batch_first=True
        )
        width = config.decoder_rnn_dim + config.encoder_dim
        self.frames = nn.Linear(width, config.n_mels * config.frames_per_step)
        self.stop = nn.Linear(width, 1)

    def initial_state(self, memory: Tensor) -> DecoderState:
        """Zeros for memory (B, L, E)."""
        batch, length, width = memory.shape

        def zeros(size: int) -> Tensor:
            return memory.new_zeros(batch, size)

        c = self.config
        return DecoderState(
            attention_hidden=zeros(c.attention_rnn_dim),
            attention_cell=zeros(c.attention_rnn_dim),
            decoder_hidden=zeros(c.decoder_rnn_dim),
            decoder_cell=zeros(c.decoder_rnn_dim),
            context=zeros(width),
            weights=zeros(length),
            weights_sum=zeros(length),
        )

    def attend(
        self,
        prenet: Tensor,
        state: DecoderState,
        memory: Tensor,
        processed_memory: Tensor,
        hidden: Tensor,
        lesson: Tensor | None = None,
        trust: float = 0.0,
    ) -> Tensor:
        """One turn of attention RNN and attention, written into `state`.

        Args:
            prenet: (B, prenet_dim).
            lesson: weights (B, L) of a teacher, of which a share of `trust` is used in the place of its own.

        Returns:
            its own weights (B, L).
        """
        state.attention_hidden, state.attention_cell = self.attention_rnn(
            torch.cat([prenet, state.context], dim=-1), (state.attention_hidden, state.attention_cell)
        )
        state.attention_hidden = F.dropout(state.attention_hidden, self.config.rnn_dropout, self.training)
        history = torch.stack([state.weights, state.weights_sum], dim=1)
        weights = self.attention(state.attention_hidden, processed_memory, history, hidden)
        state.weights = weights if lesson is None else torch.lerp(weights, lesson, trust)
        state.weights_sum = state.weights_sum + state.weights
        state.context = torch.bmm(state.weights[:, None], memory)[:, 0]
        return weights

    def forward(
        self,
        memory: Tensor,
        lengths: Tensor,
        mel: Tensor,
        generator: torch.Generator | None = None,
        lesson: Tensor | None = None,
        trust: float = 0.0,
        frame_drop: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Teacher forcing: each step is given the true frame before it.

        The second LSTM does not feed the attention back, so it runs over all steps in one fused call.

        Args:
            memory: (B, L, E); lengths: (B,) symbols of each item.
            mel: (B, T, M), the true frames, T a multiple of R.
            lesson: (B, S, L), a teacher's alignment, followed to a share of `trust`.
            frame_drop: (B,), how often an item's last frame is withheld, so that the text must be read instead.

        Returns:
            mel (B, T, M), stop logits (B, S), alignment (B, S, L).
        """
        batch, frames, bands = mel.shape
        last_of_step = mel[:, self.config.frames_per_step - 1 :: self.config.frames_per_step]  # (B, S, M)
        previous = torch.cat([mel.new_zeros(batch, 1, bands), last_of_step[:, :-1]], dim=1)
        if frame_drop is not None:
            previous = previous * (torch.rand(previous.shape[:2]) >= frame_drop[:, None])[..., None]
        prenet = self.prenet(previous, generator).unbind(1)
        hidden = ~length_mask(lengths, memory.shape[1])
        processed_memory = self.attention.memory(memory)
        state = self.initial_state(memory)
        inputs, alignment = [], []
        lessons = [None] * len(prenet) if lesson is None else lesson.unbind(1)
        for step, taught in zip(prenet, lessons, strict=True):
            alignment.append(self.attend(step, state, memory, processed_memory, hidden, taught, trust))
            inputs.append(torch.cat([state.attention_hidden, state.context], dim=-1))
        rnn_input = torch.stack(inputs, dim=1)  # (B, S, attention_rnn_dim + E)
        decoded = F.dropout(self.decoder_rnn(rnn_input)[0], self.config.rnn_dropout, self.training)
        features = torch.cat([decoded, rnn_input[..., self.config.attention_rnn_dim :]], dim=-1)
        return (
            self.frames(features).reshape(batch, frames, bands),
            self.stop(features).squeeze(-1),
            torch.stack(alignment, dim=1),
        )

    def step(
        self,
        frame: Tensor,
        state: DecoderState,
        memory: Tensor,
        processed_memory: Tensor,
        hidden: Tensor,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor]:
        """One inference step, written into `state`.

        Args:
            frame: (B, M), the last frame made (zeros at first).

        Returns:
            frames (B, R, M) and stop logits (B,).
        """
        self.attend(self.prenet(frame, generator), state, memory, processed_memory, hidden)
        rnn_input = torch.cat([state.attention_hidden, state.context], dim=-1)
        hidden_and_cell = (state.decoder_hidden, state.decoder_cell)
        w_ih, w_hh, b_ih, b_hh = self.decoder_rnn.all_weights[0]
        state.decoder_hidden, state.decoder_cell = torch.lstm_cell(rnn_input, hidden_and_cell, w_ih, w_hh, b_ih, b_hh)
        features = torch.cat([state.decoder_hidden, state.context], dim=-1)
        frames = self.frames(features).reshape(-1, self.config.frames_per_step, self.config.n_mels)
        return frames, self.stop(features).squeeze(-1)


class Postnet(nn.Module):
    """Five convolutions that predict what the decoder's frames still lack (section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        widths = [config.n_mels] + [config.postnet_dim] * (config.postnet_layers - 1) + [config.n_mels]
        activations = ["tanh"] * (config.postnet_layers - 1) + ["none"]
        self.convolutions = nn.ModuleList(
            ConvNorm(a, b, config.postnet_kernel, activation, config.postnet_dropout)
            for a, b, activation in zip(widths[:-1], widths[1:], activations, strict=True)
        )
        self.context_frames = config.postnet_layers * (config.postnet_kernel // 2)

    def forward(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """mel (B, T, M), mask bool (B, T) or None -> what to add, (B, T, M)."""
        frame_mask = None if mask is None else mask[:, None]
        x = mel.transpose(1, 2) if frame_mask is None else mel.transpose(1, 2) * frame_mask
        for convolution in self.convolutions:
            x = convolution(x, frame_mask)
        return x.transpose(1, 2)


class Tacotron2(nn.Module):
    """The whole network. `forward` is teacher-forced; inference lives in `models.speech.decoding`."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.conditioner = Conditioner(config)
        self.decoder = Decoder(config)
        self.postnet = Postnet(config)

    def encode(
        self, symbols: Tensor, lengths: Tensor, voice: Tensor | None = None, attributes: Tensor | None = None
    ) -> Tensor:
        """symbols (B, L), lengths (B,), voice (B,), attributes (B, A) -> conditioned memory (B, L, E)."""
        return self.conditioner(self.encoder(symbols, lengths), voice, attributes)

    def forward(
        self,
        symbols: Tensor,
        lengths: Tensor,
        mel: Tensor,
        mel_lengths: Tensor,
        voice: Tensor | None = None,
        attributes: Tensor | None = None,
        generator: torch.Generator | None = None,
        lesson: Tensor | None = None,
        trust: float = 0.0,
        frame_drop: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Teacher-forced pass; see `Decoder.forward`.

        Returns:
            mel before the postnet (B, T, M), mel after it (B, T, M), stop logits (B, S), alignment (B, S, L).
        """
        memory = self.encode(symbols, lengths, voice, attributes)
        coarse, stop, alignment = self.decoder(memory, lengths, mel, generator, lesson, trust, frame_drop)
        fine = coarse + self.postnet(coarse, length_mask(mel_lengths, mel.shape[1]))
        return coarse, fine, stop, alignment

"""The decoder of Tacotron 2: prenet, location-sensitive attention and the two RNNs that draw mel frames.

After Shen et al. 2018 (section 2.2) and Chorowski et al. 2015, "Attention-Based Models for Speech Recognition"
(section 2.1). `forward` is teacher forcing one step after another;
`training.speech.parallel_teacher_forcing` runs all steps at once.

Letters: B batch, L symbols, S decoder steps, R frames in a step, T = S * R mel frames, M mel bands, E encoder width,
A attention width.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.speech.tacotron2_config import Tacotron2Config, make_length_mask


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
        """Compute the attention weights of one step.

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
        """Map frame (..., M) to (..., prenet_dim); `generator` decides what is dropped."""
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


class Tacotron2Decoder(nn.Module):
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

    def make_initial_state(self, memory: Tensor) -> DecoderState:
        """Return a state of zeros for memory (B, L, E)."""
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
        teacher_alignment: Tensor | None = None,
        teacher_ratio: float = 0.0,
    ) -> Tensor:
        """Run attention RNN and attention once; write into `state`.

        Args:
            prenet: (B, prenet_dim).
            teacher_alignment: weights (B, L) of a teacher, used in place of its own to a share of `teacher_ratio`.

        Returns:
            its own weights (B, L).
        """
        state.attention_hidden, state.attention_cell = self.attention_rnn(
            torch.cat([prenet, state.context], dim=-1), (state.attention_hidden, state.attention_cell)
        )
        state.attention_hidden = F.dropout(state.attention_hidden, self.config.rnn_dropout, self.training)
        history = torch.stack([state.weights, state.weights_sum], dim=1)
        weights = self.attention(state.attention_hidden, processed_memory, history, hidden)
        state.weights = weights if teacher_alignment is None else torch.lerp(weights, teacher_alignment, teacher_ratio)
        state.weights_sum = state.weights_sum + state.weights
        state.context = torch.bmm(state.weights[:, None], memory)[:, 0]
        return weights

    def forward(
        self,
        memory: Tensor,
        lengths: Tensor,
        mel: Tensor,
        generator: torch.Generator | None = None,
        teacher_alignment: Tensor | None = None,
        teacher_ratio: float = 0.0,
        frame_drop: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode under teacher forcing: each step is given the true frame before it.

        The second LSTM does not feed the attention back, so it runs over all steps in one fused call.

        Args:
            memory: (B, L, E); lengths: (B,) symbols of each item.
            mel: (B, T, M), the true frames, T a multiple of R.
            teacher_alignment: (B, S, L), followed to a share of `teacher_ratio`.
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
        hidden = ~make_length_mask(lengths, memory.shape[1])
        processed_memory = self.attention.memory(memory)
        state = self.make_initial_state(memory)
        inputs, alignment = [], []
        teacher_rows = [None] * len(prenet) if teacher_alignment is None else teacher_alignment.unbind(1)
        for step, teacher_row in zip(prenet, teacher_rows, strict=True):
            alignment.append(self.attend(step, state, memory, processed_memory, hidden, teacher_row, teacher_ratio))
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
        """Do one step of inference; write into `state`.

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

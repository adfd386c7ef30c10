"""Teacher forcing of all decoder steps at once, for training with a teacher's alignment.

`Tacotron2Decoder.forward` turns attention RNN and attention step by step, because each step needs the weights of the
one before. Where a teacher's weights are followed instead, nothing has to wait: the contexts are one product, the
attention RNN is one fused call, and the energies of all steps come out together. With the teacher's weights everywhere
this equals `Tacotron2Decoder.forward` with `teacher_ratio=1`, as a test shows.

A model that only ever followed the teacher would be lost on its own. Two things bridge that: the second RNN may read
through the model's own weights, and a first pass shows what the model itself would have looked at and drawn, from
which a second pass takes a part of its past (after Duckworth et al. 2019, "Parallel Scheduled Sampling").

Letters: B batch, L symbols, S decoder steps, R frames in a step, T = S * R mel frames, M mel bands, E encoder width,
A attention width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.speech.decoder import Tacotron2Decoder
from models.speech.tacotron2_config import make_length_mask


@dataclass
class DecoderOutput:
    """What a pass over all steps gives: mel (B, T, M), stop logits (B, S), its own alignment (B, S, L)."""

    mel: Tensor
    stop: Tensor
    alignment: Tensor


def shift_frames(mel: Tensor, frames_per_step: int) -> Tensor:
    """Return the last frame before each step, zeros before the first: mel (B, T, M) gives (B, S, M)."""
    last_of_step = mel[:, frames_per_step - 1 :: frames_per_step]
    return torch.cat([torch.zeros_like(last_of_step[:, :1]), last_of_step[:, :-1]], dim=1)


def delay(values: Tensor) -> Tensor:
    """Delay (B, S, ...) by one step, with zeros at first."""
    return torch.cat([torch.zeros_like(values[:, :1]), values[:, :-1]], dim=1)


def decode_all_steps(
    decoder: Tacotron2Decoder,
    memory: Tensor,
    lengths: Tensor,
    previous: Tensor,
    teacher_alignment: Tensor,
    own_ratio: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> DecoderOutput:
    """Decode all steps in one parallel pass.

    Args:
        memory: (B, L, E); lengths: (B,) symbols of each item.
        previous: (B, S, M), the frame that each step is told was the last.
        teacher_alignment: (B, S, L), the weights that count as the attention's past.
        own_ratio: (B,), to which share the second RNN reads through the model's own weights; none by default.
        generator: decides what the prenet drops.
    """
    config = decoder.config
    batch, steps, symbols = teacher_alignment.shape
    context = torch.bmm(teacher_alignment, memory)  # (B, S, E)
    query = run_attention_rnn(decoder, decoder.prenet(previous, generator), delay(context))
    past = delay(teacher_alignment)
    history = torch.stack([past, past.cumsum(dim=1)], dim=2)  # (B, S, 2, L)
    attention = decoder.attention
    location = attention.location_conv(history.flatten(0, 1)).transpose(1, 2)  # (B * S, L, filters)
    features = attention.location(location).view(batch, steps, symbols, -1)  # (B, S, L, A)
    features = features + attention.query(query)[:, :, None] + attention.memory(memory)[:, None]
    energies = attention.score(torch.tanh(features)).squeeze(-1)
    hidden = ~make_length_mask(lengths, symbols)
    alignment = F.softmax(energies.masked_fill(hidden[:, None], -torch.inf), dim=-1)
    if own_ratio is not None:
        context = torch.lerp(context, torch.bmm(alignment, memory), own_ratio[:, None, None])
    rnn_input = torch.cat([query, context], dim=-1)  # (B, S, attention_rnn_dim + E)
    decoded = F.dropout(decoder.decoder_rnn(rnn_input)[0], config.rnn_dropout, decoder.training)
    both = torch.cat([decoded, context], dim=-1)
    mel = decoder.frames(both).reshape(batch, steps * config.frames_per_step, config.n_mels)
    return DecoderOutput(mel, decoder.stop(both).squeeze(-1), alignment)


def run_attention_rnn(decoder: Tacotron2Decoder, prenet: Tensor, contexts: Tensor) -> Tensor:
    """Run the attention RNN over all steps: prenet (B, S, P) and the context before each (B, S, E) give (B, S, H).

    Its cell's weights serve a fused LSTM. Dropout falls on what it gives, not on what it hands on to itself.
    """
    cell = decoder.attention_rnn
    start = prenet.new_zeros(1, len(prenet), cell.hidden_size)
    weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
    inputs = torch.cat([prenet, contexts], dim=-1)
    hidden = torch.lstm(inputs, (start, start), weights, True, 1, 0.0, decoder.training, False, True)[0]
    return F.dropout(hidden, decoder.config.rnn_dropout, decoder.training)

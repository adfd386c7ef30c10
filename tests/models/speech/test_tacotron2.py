"""Tacotron 2: parity with torchaudio's, padding, conditioning, decoding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from models.speech.sentence_decoder import DecodingLimits, SentenceDecoder
from models.speech.tacotron2 import Tacotron2, Tacotron2Config, make_length_mask, run_bidirectional_lstm
from models.torchaudio_import import import_torchaudio
from training.speech.parallel_teacher_forcing import decode_all_steps, shift_frames


def make(seed: int = 0, **changes: object) -> Tacotron2:
    """Return a debug model whose batch norms have lived a little."""
    torch.manual_seed(seed)
    model = Tacotron2(Tacotron2Config.debug(**changes)).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model


def copy_to_torchaudio(ours: Tacotron2) -> nn.Module:
    """Return torchaudio's Tacotron 2 with our weights."""
    c = ours.config
    theirs = (
        import_torchaudio()
        .models.Tacotron2(
            n_mels=c.n_mels,
            n_symbol=c.n_symbols,
            n_frames_per_step=c.frames_per_step,
            symbol_embedding_dim=c.symbol_dim,
            encoder_embedding_dim=c.encoder_dim,
            encoder_n_convolution=c.encoder_layers,
            encoder_kernel_size=c.encoder_kernel,
            decoder_rnn_dim=c.decoder_rnn_dim,
            decoder_max_step=60,
            attention_rnn_dim=c.attention_rnn_dim,
            attention_hidden_dim=c.attention_dim,
            attention_location_n_filter=c.location_filters,
            attention_location_kernel_size=c.location_kernel,
            prenet_dim=c.prenet_dim,
            postnet_n_convolution=c.postnet_layers,
            postnet_kernel_size=c.postnet_kernel,
            postnet_embedding_dim=c.postnet_dim,
        )
        .eval()
    )
    source, target = ours.state_dict(), {}
    renamed = {
        "embedding.weight": "encoder.embedding.weight",
        "decoder.attention_layer.query_layer": "decoder.attention.query",
        "decoder.attention_layer.memory_layer": "decoder.attention.memory",
        "decoder.attention_layer.v": "decoder.attention.score",
        "decoder.attention_layer.location_layer.location_conv": "decoder.attention.location_conv",
        "decoder.attention_layer.location_layer.location_dense": "decoder.attention.location",
        "decoder.linear_projection": "decoder.frames",
        "decoder.gate_layer": "decoder.stop",
    }
    for name, value in theirs.state_dict().items():
        ours_name = name
        for theirs_part, ours_part in renamed.items():
            ours_name = ours_name.replace(theirs_part, ours_part)
        if ours_name.startswith("decoder.decoder_rnn."):
            ours_name += "_l0"
        for group in ("encoder", "postnet"):
            for part, ours_part in ((".0.", ".conv."), (".1.", ".norm.")):
                if ours_name.startswith(f"{group}.convolutions.") and part in ours_name[len(group) + 14 :]:
                    head, tail = ours_name[: len(group) + 15], ours_name[len(group) + 15 :]
                    ours_name = head + tail.replace(part, ours_part, 1)
        assert ours_name in source, f"{name} -> {ours_name}"
        assert source[ours_name].shape == value.shape
        target[name] = source[ours_name]
    theirs.load_state_dict(target)
    return theirs


def without_prenet_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the dropout that torchaudio's prenet always applies."""
    module = import_torchaudio().models.tacotron2
    real = module.F.dropout
    monkeypatch.setattr(module.F, "dropout", lambda x, p=0.5, training=True: real(x, 0.0, False))


def test_equals_torchaudio_under_teacher_forcing(monkeypatch: pytest.MonkeyPatch) -> None:
    without_prenet_dropout(monkeypatch)
    ours = make(prenet_dropout=0.0)
    theirs = copy_to_torchaudio(ours)
    symbols, lengths = torch.randint(0, 20, (3, 9)), torch.tensor([9, 9, 9])
    mel, mel_lengths = torch.randn(3, 12, 8), torch.tensor([12, 12, 12])
    coarse, fine, stop, alignment = ours(symbols, lengths, mel, mel_lengths)
    their_coarse, their_fine, their_stop, their_alignment = theirs(symbols, lengths, mel.transpose(1, 2), mel_lengths)
    assert torch.allclose(coarse, their_coarse.transpose(1, 2), atol=1e-4)
    assert torch.allclose(fine, their_fine.transpose(1, 2), atol=1e-4)
    assert torch.allclose(stop, their_stop, atol=1e-4)
    assert torch.allclose(alignment, their_alignment, atol=1e-4)


def test_inference_equals_torchaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    without_prenet_dropout(monkeypatch)
    ours = make(prenet_dropout=0.0)
    theirs: Any = copy_to_torchaudio(ours)
    theirs.decoder.gate_threshold = 2.0  # never: both are run for the same number of steps
    symbols = torch.randint(0, 20, (1, 9))
    with torch.no_grad():
        mel, _, alignment = theirs.infer(symbols, torch.tensor([9]))
        steps = alignment.shape[1]
        memory = ours.encode(symbols, torch.tensor([9]))
        processed, state = ours.decoder.attention.memory(memory), ours.decoder.make_initial_state(memory)
        frame, frames = torch.zeros(1, 8), []
        for _ in range(steps):
            made, _ = ours.decoder.step(frame, state, memory, processed, torch.zeros(1, 9, dtype=torch.bool), None)
            frames.append(made)
            frame = made[:, -1]
        coarse = torch.cat(frames, dim=1)
        fine = coarse + ours.postnet(coarse)
    assert torch.allclose(fine, mel.transpose(1, 2), atol=1e-4)


def test_attention_never_looks_at_padding_and_a_batch_equals_its_items() -> None:
    model = make(prenet_dropout=0.0, voices=("a", "b"), attributes=("speed", "pitch"))
    lengths, mel_lengths = torch.tensor([9, 5, 7]), torch.tensor([10, 6, 8])
    symbols, mel = torch.randint(1, 20, (3, 9)), torch.randn(3, 10, 8)
    voice, attributes = torch.tensor([0, 1, 0]), torch.randn(3, 2)
    _, fine, stop, alignment = model(symbols, lengths, mel, mel_lengths, voice, attributes)
    assert (alignment[~make_length_mask(lengths, 9)[:, None].expand_as(alignment)] == 0).all()
    assert torch.allclose(alignment.sum(-1), torch.ones(3, 10), atol=1e-5)
    for i in range(3):
        n, t = int(lengths[i]), int(mel_lengths[i])
        _, one, one_stop, one_alignment = model(
            symbols[i : i + 1, :n], lengths[i : i + 1], mel[i : i + 1, :t], mel_lengths[i : i + 1],
            voice[i : i + 1], attributes[i : i + 1],
        )  # fmt: skip
        assert torch.allclose(fine[i, :t], one[0], atol=1e-5)
        assert torch.allclose(stop[i, :t], one_stop[0], atol=1e-5)
        assert torch.allclose(alignment[i, :t, :n], one_alignment[0], atol=1e-5)


@pytest.mark.parametrize("changed", [(1, (0.0, 0.0)), (0, (1.0, 0.0)), (0, (0.0, 1.0))])
def test_voice_and_each_attribute_change_the_memory(changed: tuple[int, tuple[float, float]]) -> None:
    model = make(voices=("a", "b"), attributes=("speed", "pitch"))
    symbols, lengths = torch.randint(1, 20, (1, 6)), torch.tensor([6])
    neutral = model.encode(symbols, lengths, torch.tensor([0]), torch.zeros(1, 2))
    other = model.encode(symbols, lengths, torch.tensor([changed[0]]), torch.tensor([changed[1]]))
    assert (neutral - other).abs().max() > 1e-3


def test_teacher_forcing_is_causal() -> None:
    model = make(prenet_dropout=0.0, frames_per_step=2)
    symbols, lengths, mel_lengths = torch.randint(1, 20, (1, 6)), torch.tensor([6]), torch.tensor([12])
    mel = torch.randn(1, 12, 8, requires_grad=True)
    coarse = model(symbols, lengths, mel, mel_lengths)[0]
    gradient = torch.autograd.grad(coarse[0, 4:6].sum(), mel)[0][0]  # step 2
    assert gradient[:4].abs().max() > 0
    assert gradient[4:].abs().max() == 0


def test_all_steps_at_once_equal_step_after_step() -> None:
    model = make(prenet_dropout=0.0, frames_per_step=2)
    symbols, lengths = torch.randint(1, 20, (3, 9)), torch.tensor([9, 7, 5])
    mel = torch.randn(3, 12, 8)
    teacher_alignment = torch.softmax(3 * torch.randn(3, 6, 9), dim=-1) * make_length_mask(lengths, 9)[:, None]
    memory = model.encode(symbols, lengths)
    frames, stop, alignment = model.decoder(
        memory, lengths, mel, teacher_alignment=teacher_alignment, teacher_ratio=1.0
    )
    parallel = decode_all_steps(model.decoder, memory, lengths, shift_frames(mel, 2), teacher_alignment)
    assert torch.allclose(parallel.mel, frames, atol=1e-4)
    assert torch.allclose(parallel.stop, stop, atol=1e-4)
    assert torch.allclose(parallel.alignment, alignment, atol=1e-4)
    shown = torch.autograd.grad(parallel.mel.square().sum(), model.decoder.attention_rnn.weight_hh, retain_graph=True)[
        0
    ]
    wanted = torch.autograd.grad(frames.square().sum(), model.decoder.attention_rnn.weight_hh)[0]
    assert torch.allclose(shown, wanted, atol=1e-4)


def test_following_its_own_weights_all_at_once_is_inference_step_after_step() -> None:
    """The fixed point of the parallel pass: a model that is shown its own weights looks where it does alone."""
    model = make(prenet_dropout=0.0)
    symbols, lengths, mel = torch.randint(1, 20, (2, 7)), torch.tensor([7, 5]), torch.randn(2, 8, 8)
    memory = model.encode(symbols, lengths)
    frames, stop, alignment = model.decoder(memory, lengths, mel)
    own = decode_all_steps(model.decoder, memory, lengths, shift_frames(mel, 1), alignment, torch.ones(2))
    assert torch.allclose(own.alignment, alignment, atol=1e-4)
    assert torch.allclose(own.mel, frames, atol=1e-4)
    assert torch.allclose(own.stop, stop, atol=1e-4)


def test_the_training_encoder_equals_the_packed_one() -> None:
    encoder = make(encoder_dropout=0.0).encoder
    lengths = torch.tensor([4, 9, 1])
    x = torch.randn(3, 9, 16) * make_length_mask(lengths, 9)[..., None]
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    wanted = nn.utils.rnn.pad_packed_sequence(encoder.lstm(packed)[0], batch_first=True, total_length=9)[0]
    assert torch.allclose(run_bidirectional_lstm(encoder.lstm, x, lengths), wanted, atol=1e-5)


def decode(model: Tacotron2, seed: int, limits: DecodingLimits) -> tuple[torch.Tensor, SentenceDecoder]:
    """All coarse frames of a sentence of ten symbols."""
    decoder = SentenceDecoder(model, list(range(1, 11)), [False] * 10, 0.0116, seed=seed, limits=limits)
    with torch.inference_mode():
        return torch.cat(list(decoder.decode_frames())), decoder


def test_decoding_ends_and_reads_forward_even_with_random_weights() -> None:
    limits = DecodingLimits()
    for seed in range(5):
        frames, decoder = decode(make(seed, frames_per_step=3), seed, limits)
        decoded = decoder.trace
        assert len(frames) == 3 * len(decoded.positions) == 3 * len(decoded.alignment)
        assert (torch.diff(torch.tensor(decoded.positions)) >= 0).all()
        assert decoded.positions[-1] >= 10 - limits.end_symbols
        for row, position in zip(decoded.alignment, decoded.positions, strict=True):
            assert row[: max(0, position - limits.window_ahead - limits.window_back - 1)].sum() == 0


def test_equal_seeds_give_equal_frames_and_others_do_not() -> None:
    model, limits = make(frames_per_step=3), DecodingLimits()
    first, again, other = (decode(model, seed, limits)[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_a_stuck_attention_is_moved_on_and_told() -> None:
    model = make(frames_per_step=3)
    nn.init.zeros_(model.decoder.attention.score.weight)  # every energy equal: the first symbol in the window wins
    _, decoder = decode(model, 0, DecodingLimits())
    trace = decoder.trace
    assert trace.retries == [0, 1, 2, 3, 4, 5, 6], "it reads on at the next symbol each time"
    assert set(trace.positions) == {7}
    assert all(row[:7].sum() == 0 and row.sum() > 0.99 for row in trace.alignment), "and never looks back"


def test_configuration_survives_its_dictionary() -> None:
    config = Tacotron2Config.small(80, ("lj", "slt"), ("speed",))
    assert Tacotron2Config.from_dict(config.to_dict()) == config
    with pytest.raises(TypeError):
        Tacotron2Config.from_dict({"no_such_field": 1})

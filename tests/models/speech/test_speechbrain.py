"""SpeechBrain's checkpoints: a random one of exactly their format, from the Hub to sound, and what is refused.

The modules here have the parameters of SpeechBrain's (`speechbrain.lobes.models.Tacotron2`, `.HifiGAN`) by name and
shape, and a forward pass of their own to compare with.
"""

from __future__ import annotations

import io
import itertools
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from models.contracts import SpeechChunk, SpeechRequest
from models.errors import ModelError
from models.hub.download import Hub, HubFile
from models.hub.spec import ModelSpec
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.speech.hifigan import HifiGanConfig, HifiGanGenerator
from models.speech.speechbrain import (
    PaddedHifiGanStream,
    build_with_state,
    load,
    load_hifigan_state,
    load_tacotron2_state,
    use_reflection_padding,
)
from models.speech.speechbrain_hyperparams import read_hifigan_config, read_hyperparams, read_tacotron2_config
from models.speech.speechbrain_text import SYMBOLS, encode_characters, iter_character_utterances
from models.speech.synthesizer import SpeechSynthesizer
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from tests.hub_server import HubServer

ENTRY = next(spec for spec in CATALOG if spec.key == "speech/tacotron2-speechbrain")
ACOUSTIC_REPO, VOCODER_REPO = (hub.repo_id for hub in ENTRY.hubs)

# Names of the published files' keys; sizes as small as can be.
ACOUSTIC: dict[str, Any] = {
    **{"mask_padding": True, "n_mel_channels": 8, "n_symbols": 148, "symbols_embedding_dim": 16},
    **{"encoder_kernel_size": 5, "encoder_n_convolutions": 3, "encoder_embedding_dim": 16},
    **{"attention_rnn_dim": 24, "attention_dim": 12, "attention_location_n_filters": 4},
    **{"attention_location_kernel_size": 7, "n_frames_per_step": 1, "decoder_rnn_dim": 20, "prenet_dim": 12},
    **{"max_decoder_steps": 1000, "gate_threshold": 0.5, "p_attention_dropout": 0.1, "p_decoder_dropout": 0.1},
    **{"postnet_embedding_dim": 16, "postnet_kernel_size": 5, "postnet_n_convolutions": 5},
    **{"decoder_no_early_stopping": False, "sample_rate": 22050},
}
VOCODER: dict[str, Any] = {
    **{"in_channels": 8, "out_channels": 1, "resblock_type": "1"},
    **{"resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5]], "resblock_kernel_sizes": [3, 7]},
    **{"upsample_kernel_sizes": [16, 16, 8], "upsample_initial_channel": 16, "upsample_factors": [8, 8, 4]},
    **{"inference_padding": 5, "cond_channels": 0, "conv_post_bias": True, "sample_rate": 22050},
}
PAPER_ACOUSTIC = {
    **ACOUSTIC,
    **{"n_mel_channels": 80, "symbols_embedding_dim": 512, "encoder_embedding_dim": 512, "attention_rnn_dim": 1024},
    **{"attention_dim": 128, "attention_location_n_filters": 32, "attention_location_kernel_size": 31},
    **{"decoder_rnn_dim": 1024, "prenet_dim": 256, "postnet_embedding_dim": 512},
}
PAPER_VOCODER = {
    **VOCODER,
    **{"in_channels": 80, "resblock_dilation_sizes": [[1, 3, 5]] * 3, "resblock_kernel_sizes": [3, 7, 11]},
    **{"upsample_kernel_sizes": [16, 16, 4, 4], "upsample_initial_channel": 512, "upsample_factors": [8, 8, 2, 2]},
}


def hyperparams_yaml(values: dict[str, Any], section: str, class_name: str) -> str:
    """As SpeechBrain writes it: values at the top, then the module that is built of them, then what loads its state."""
    references = "".join(f"  {key}: !ref <{key}>\n" for key in values if key != "sample_rate")
    return (
        f"# Sizes\n{yaml.safe_dump(values, sort_keys=False)}\n"
        f"{section}: !new:speechbrain.lobes.models.{class_name}\n{references}\n"
        "text_to_sequence: !name:speechbrain.utils.text_to_sequence.text_to_sequence\n"
        f"modules:\n  {section}: !ref <{section}>\n"
        "pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer\n"
        f"  loadables:\n    {section}: !ref <{section}>\n"
    )


ACOUSTIC_YAML = hyperparams_yaml(ACOUSTIC, "model", "Tacotron2.Tacotron2")
VOCODER_YAML = hyperparams_yaml(VOCODER, "generator", "HifiGAN.HifiganGenerator")


def group(**modules: nn.Module) -> nn.Module:
    """A module of named parts and no more."""
    parent = nn.Module()
    for name, module in modules.items():
        parent.add_module(name, module)
    return parent


def linear(width_in: int, width_out: int, bias: bool = False) -> nn.Module:
    return group(linear_layer=nn.Linear(width_in, width_out, bias=bias))


def normed(channels_in: int, channels_out: int, kernel: int) -> nn.Module:
    conv = nn.Conv1d(channels_in, channels_out, kernel, padding=kernel // 2)
    return nn.Sequential(group(conv=conv), nn.BatchNorm1d(channels_out))


def speechbrain_tacotron2(v: dict[str, Any]) -> nn.Module:
    """SpeechBrain's Tacotron 2 by names and shapes."""
    width, mels, kernel = v["encoder_embedding_dim"], v["n_mel_channels"], v["postnet_kernel_size"]
    query, hidden, prenet, inner = (
        v[key] for key in ("attention_rnn_dim", "decoder_rnn_dim", "prenet_dim", "attention_dim")
    )
    filters, window = v["attention_location_n_filters"], v["attention_location_kernel_size"]
    channels = [mels, *[v["postnet_embedding_dim"]] * (v["postnet_n_convolutions"] - 1), mels]
    location_conv = nn.Conv1d(2, filters, window, padding=window // 2, bias=False)
    return group(
        embedding=nn.Embedding(v["n_symbols"], v["symbols_embedding_dim"]),
        encoder=group(
            convolutions=nn.ModuleList(
                normed(width, width, v["encoder_kernel_size"]) for _ in range(v["encoder_n_convolutions"])
            ),
            lstm=nn.LSTM(width, width // 2, 1, batch_first=True, bidirectional=True),
        ),
        decoder=group(
            prenet=group(layers=nn.ModuleList([linear(mels, prenet), linear(prenet, prenet)])),
            attention_rnn=nn.LSTMCell(prenet + width, query),
            attention_layer=group(
                query_layer=linear(query, inner),
                memory_layer=linear(width, inner),
                v=linear(inner, 1),
                location_layer=group(location_conv=group(conv=location_conv), location_dense=linear(filters, inner)),
            ),
            decoder_rnn=nn.LSTMCell(query + width, hidden),
            linear_projection=linear(hidden + width, mels, bias=True),
            gate_layer=linear(hidden + width, 1, bias=True),
        ),
        postnet=group(convolutions=nn.ModuleList(normed(a, b, kernel) for a, b in itertools.pairwise(channels))),
    )


def speechbrain_hifigan(v: dict[str, Any], weight_norm: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """SpeechBrain's HiFi-GAN generator by names and shapes; padding is done outside the convolutions there."""

    def conv(channels_in: int, channels_out: int, kernel: int, dilation: int = 1) -> nn.Module:
        return group(conv=weight_norm(nn.Conv1d(channels_in, channels_out, kernel, dilation=dilation)))

    channels, ups, blocks = v["upsample_initial_channel"], nn.ModuleList(), nn.ModuleList()
    first = conv(v["in_channels"], channels, 7)
    for factor, kernel in zip(v["upsample_factors"], v["upsample_kernel_sizes"], strict=True):
        padding = (kernel - factor) // 2
        ups.append(
            group(conv=weight_norm(nn.ConvTranspose1d(channels, channels // 2, kernel, factor, padding=padding)))
        )
        channels //= 2
        for block_kernel, dilations in zip(v["resblock_kernel_sizes"], v["resblock_dilation_sizes"], strict=True):
            blocks.append(
                group(
                    convs1=nn.ModuleList(conv(channels, channels, block_kernel, d) for d in dilations),
                    convs2=nn.ModuleList(conv(channels, channels, block_kernel) for _ in dilations),
                )
            )
    return group(conv_pre=first, ups=ups, resblocks=blocks, conv_post=conv(channels, 1, 7))


def old_weight_norm(module: nn.Module) -> nn.Module:
    """The one that SpeechBrain uses: weight_g and weight_v."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return torch.nn.utils.weight_norm(module)


def new_weight_norm(module: nn.Module) -> nn.Module:
    return torch.nn.utils.parametrizations.weight_norm(module)


def no_weight_norm(module: nn.Module) -> nn.Module:
    return module


def lived(module: nn.Module) -> nn.Module:
    """With batch norms and weight norms that are not as at birth."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            assert part.running_mean is not None and part.running_var is not None
            nn.init.normal_(part.running_mean, std=0.2)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
    for name, parameter in module.named_parameters():
        if name.endswith(("weight_g", "original0")):
            nn.init.uniform_(parameter, 0.3, 1.2)
    return module.eval()


def saved(module: nn.Module | dict[str, Any]) -> bytes:
    file = io.BytesIO()
    torch.save(module.state_dict() if isinstance(module, nn.Module) else module, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def theirs() -> SimpleNamespace:
    """Both random modules."""
    torch.manual_seed(0)
    return SimpleNamespace(
        acoustic=lived(speechbrain_tacotron2(ACOUSTIC)),
        vocoder=lived(speechbrain_hifigan(VOCODER, old_weight_norm)),
    )


@pytest.fixture
def files(theirs: SimpleNamespace) -> dict[str, bytes]:
    """The files of both repositories by "repo_id/path"."""
    return {
        f"{ACOUSTIC_REPO}/model.ckpt": saved(theirs.acoustic),
        f"{ACOUSTIC_REPO}/hyperparams.yaml": ACOUSTIC_YAML.encode(),
        f"{VOCODER_REPO}/generator.ckpt": saved(theirs.vocoder),
        f"{VOCODER_REPO}/hyperparams.yaml": VOCODER_YAML.encode(),
    }


def written(files: dict[str, bytes], folder: Path) -> dict[str, Path]:
    """The files on disk, as a loader gets them."""
    paths = {name: folder / name.replace("/", "--") for name in files}
    for name, path in paths.items():
        path.write_bytes(files[name])
    return paths


def loaded(files: dict[str, bytes], folder: Path) -> SpeechSynthesizer:
    return load(written(files, folder), ENTRY)


def refusal(files: dict[str, bytes], folder: Path) -> str:
    """The sentence of the error with which a load ends."""
    with pytest.raises(ModelError) as caught:
        loaded(files, folder)
    assert caught.value.kind == "weights"
    assert str(caught.value).endswith(".")
    return str(caught.value)


# From the Hub to sound


def served_spec(files: dict[str, bytes], server: HubServer) -> ModelSpec:
    """The catalogue's entry, with the commits and the sizes of what the server offers."""
    hubs = []
    for hub in ENTRY.hubs:
        contents = {file.path: files[f"{hub.repo_id}/{file.path}"] for file in hub.files}
        commit = server.add_repo(hub.repo_id, contents)
        hubs.append(Hub(hub.repo_id, commit, tuple(HubFile(path, len(body)) for path, body in contents.items())))
    return replace(ENTRY, sources=tuple(hubs))


def test_from_the_hub_to_sound(files: dict[str, bytes], hub_server: HubServer, tmp_path: Path) -> None:
    spec = served_spec(files, hub_server)
    registry = Registry([spec], tmp_path, 1000, endpoint=hub_server.url)
    assert registry.state(spec.key) == "absent"
    shared = registry.load(spec.key)
    assert registry.state(spec.key) == "ready"
    text = "Dr. Lee paid $3. Oh!"
    chunks: list[SpeechChunk] = list(shared.stream(SpeechRequest(text, seed=5)))
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert {chunk.sample_rate for chunk in chunks} == {22_050}
    assert np.isfinite(samples).all()
    assert 0 < np.abs(samples).max() <= 1
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert [word.text for word in chunks[-1].words] == ["Dr.", "Lee", "paid", "$3", "Oh"]
    assert chunks[-1].words[-1].end_s <= len(samples) / 22_050
    frames = np.concatenate([chunk.mel for chunk in chunks])
    pauses = [chunk for chunk in chunks if len(chunk.samples) and not len(chunk.mel) and not chunk.symbols]
    assert len(samples) == 256 * len(frames) + sum(len(chunk.samples) for chunk in pauses)
    again = np.concatenate([chunk.samples for chunk in shared.stream(SpeechRequest(text, seed=5))])
    assert np.array_equal(samples, again)

    spoken = {}  # what is streamed is what the whole would be
    for sentence in (0, 1):
        of_it = [chunk for chunk in chunks if chunk.sentence == sentence and chunk.symbols]
        spoken[sentence] = (np.concatenate([c.mel for c in of_it]), np.concatenate([c.samples for c in of_it]))
        whole = shared.model.neural(0).push(torch.from_numpy(spoken[sentence][0]), last=True)
        assert np.abs(whole - spoken[sentence][1]).max() < 1e-4
    assert of_it[-1].symbols == tuple("oh!")


def test_griffin_lim_speaks_it_as_well(files: dict[str, bytes], tmp_path: Path) -> None:
    request = SpeechRequest("Hello.", vocoder="griffin-lim")
    samples = np.concatenate([chunk.samples for chunk in loaded(files, tmp_path).stream(request)])
    assert len(samples)
    assert np.isfinite(samples).all()


# The same numbers


def apply_normed(
    convolutions: nn.Module, x: Tensor, activation: Callable[[Tensor], Tensor], last_plain: bool
) -> Tensor:
    *first, last = list(convolutions)  # type: ignore[call-overload]
    for pair in first:
        x = activation(pair[1](pair[0].conv(x)))
    x = last[1](last[0].conv(x))
    return x if last_plain else activation(x)


def speechbrain_mel(model: Any, symbols: Tensor, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """(mel (1, M, T) after the postnet, stop logits (T,), alignment (T, L)) of so many steps; no dropout anywhere."""
    x = apply_normed(model.encoder.convolutions, model.embedding(symbols).transpose(1, 2), F.relu, last_plain=False)
    memory = model.encoder.lstm(x.transpose(1, 2))[0]
    decoder, attention = model.decoder, model.decoder.attention_layer
    keys = attention.memory_layer.linear_layer(memory)
    frame = memory.new_zeros(1, decoder.linear_projection.linear_layer.out_features)
    query = cell = memory.new_zeros(1, decoder.attention_rnn.hidden_size)
    hidden = hidden_cell = memory.new_zeros(1, decoder.decoder_rnn.hidden_size)
    context, weights, summed = memory.new_zeros(1, memory.shape[2]), *(memory.new_zeros(1, memory.shape[1]),) * 2
    frames, stops, alignment = [], [], []
    for _ in range(steps):
        seen = frame
        for layer in decoder.prenet.layers:
            seen = F.relu(layer.linear_layer(seen))
        query, cell = decoder.attention_rnn(torch.cat([seen, context], 1), (query, cell))
        located = attention.location_layer.location_conv.conv(torch.stack([weights, summed], 1)).transpose(1, 2)
        located = attention.location_layer.location_dense.linear_layer(located)
        energies = torch.tanh(attention.query_layer.linear_layer(query)[:, None] + located + keys)
        weights = torch.softmax(attention.v.linear_layer(energies)[..., 0], 1)
        summed = summed + weights
        context = (weights[..., None] * memory).sum(1)
        hidden, hidden_cell = decoder.decoder_rnn(torch.cat([query, context], 1), (hidden, hidden_cell))
        features = torch.cat([hidden, context], 1)
        frame = decoder.linear_projection.linear_layer(features)
        frames.append(frame)
        stops.append(decoder.gate_layer.linear_layer(features)[0, 0])
        alignment.append(weights[0])
    mel = torch.stack(frames, 2)
    fine = mel + apply_normed(model.postnet.convolutions, mel, torch.tanh, last_plain=True)
    return fine, torch.stack(stops), torch.stack(alignment)


def test_acoustic_model_computes_the_same(files: dict[str, bytes], theirs: SimpleNamespace, tmp_path: Path) -> None:
    ours = loaded(files, tmp_path).model
    ours.decoder.prenet.dropout = 0.0
    symbols, steps = torch.tensor([encode_characters(tuple("hello, world."))]), 15
    with torch.no_grad():
        mel, stop, alignment = speechbrain_mel(theirs.acoustic, symbols, steps)
        memory = ours.encode(symbols, torch.tensor([symbols.shape[1]]))
        keys, state = ours.decoder.attention.memory(memory), ours.decoder.make_initial_state(memory)
        nothing, frame = torch.zeros_like(symbols, dtype=torch.bool), torch.zeros(1, 8)
        frames = []
        for step in range(steps):
            made, logit = ours.decoder.step(frame, state, memory, keys, nothing, None)
            frame = made[:, -1]
            frames.append(frame)
            assert torch.allclose(logit[0], stop[step], atol=1e-4)
            assert torch.allclose(state.weights[0], alignment[step], atol=1e-4)
        coarse = torch.stack(frames, 1)
        assert torch.allclose(coarse + ours.postnet(coarse), mel.transpose(1, 2), atol=1e-4)


def reflected(module: nn.Module, x: Tensor) -> Tensor:
    conv: Any = module.conv
    reach = conv.dilation[0] * (conv.kernel_size[0] - 1) // 2
    return conv(F.pad(x, (reach, reach), mode="reflect"))


def speechbrain_sound(generator: Any, mel: Tensor, n_kernels: int, padding: int) -> Tensor:
    """mel (1, M, T) -> sound ((T + 2 * padding) * hop,), as SpeechBrain's `inference` makes it."""
    x = reflected(generator.conv_pre, F.pad(mel, (padding, padding), mode="replicate"))
    for stage, up in enumerate(generator.ups):
        x = up.conv(F.leaky_relu(x, 0.1))
        made = []
        for block in generator.resblocks[stage * n_kernels : (stage + 1) * n_kernels]:
            y = x
            for dilated, plain in zip(block.convs1, block.convs2, strict=True):
                y = y + reflected(plain, F.leaky_relu(reflected(dilated, F.leaky_relu(y, 0.1)), 0.1))
            made.append(y)
        x = sum(made[1:], made[0]) / n_kernels
    return torch.tanh(reflected(generator.conv_post, F.leaky_relu(x)))[0, 0]


@pytest.mark.parametrize("weight_norm", [old_weight_norm, new_weight_norm, no_weight_norm])
def test_vocoder_computes_the_same_however_it_is_fed(
    files: dict[str, bytes], tmp_path: Path, weight_norm: Callable[[nn.Module], nn.Module]
) -> None:
    torch.manual_seed(1)
    theirs = lived(speechbrain_hifigan(VOCODER, weight_norm))
    synthesizer = loaded({**files, f"{VOCODER_REPO}/generator.ckpt": saved(theirs)}, tmp_path)
    mel = torch.randn(50, 8)
    with torch.inference_mode():
        whole = speechbrain_sound(theirs, mel.T[None], 2, 5)[5 * 256 : -5 * 256].numpy()
        assert len(whole) == 50 * 256
        for sizes in ([50], [1, 2, 30, 17], [25, 25, 0], [0, 49, 0, 1], [1] * 50):
            run, place, made = synthesizer.neural(0), 0, []
            for index, size in enumerate(sizes):
                made.append(run.push(mel[place : place + size], last=index == len(sizes) - 1))
                place += size
            assert np.abs(np.concatenate(made) - whole).max() < 1e-4


def test_an_utterance_of_one_frame_and_of_none(
    files: dict[str, bytes], theirs: SimpleNamespace, tmp_path: Path
) -> None:
    synthesizer, frame = loaded(files, tmp_path), torch.randn(1, 8)
    with torch.inference_mode():
        whole = speechbrain_sound(theirs.vocoder, frame.T[None], 2, 5)[5 * 256 : -5 * 256].numpy()
        assert np.abs(synthesizer.neural(0).push(frame, last=True) - whole).max() < 1e-4
        assert len(synthesizer.neural(0).push(frame[:0], last=True)) == 0


def test_a_fused_convolution_equals_the_weight_normed(tmp_path: Path) -> None:
    conv: Any = old_weight_norm(nn.ConvTranspose1d(6, 3, 4, 2))
    nn.init.uniform_(conv.weight_g, 0.3, 1.2)
    path = tmp_path / "generator.ckpt"
    path.write_bytes(saved(group(ups=nn.ModuleList([group(conv=conv)]))))
    state = load_hifigan_state(path, HifiGanConfig())
    assert state.keys() == {"upsamplers.0.weight", "upsamplers.0.bias"}
    x = torch.randn(2, 6, 9)
    fused = F.conv_transpose1d(x, state["upsamplers.0.weight"], state["upsamplers.0.bias"], stride=2)
    assert torch.allclose(fused, conv(x), atol=1e-6)


def test_published_sizes(tmp_path: Path) -> None:
    """At the paper's size every name and shape fits, and the file is as large as the published one."""
    with torch.device("meta"):
        acoustic, vocoder = speechbrain_tacotron2(PAPER_ACOUSTIC), speechbrain_hifigan(PAPER_VOCODER, old_weight_norm)
    published = {file.path: file.size_bytes for hub in ENTRY.hubs for file in hub.files}
    for module, name in ((acoustic, "model.ckpt"), (vocoder, "generator.ckpt")):
        size = 4 * sum(tensor.numel() for tensor in module.state_dict().values())
        assert size == pytest.approx(published[name], rel=0.01)
        zeros = {key: torch.zeros(()).expand(tensor.shape) for key, tensor in module.state_dict().items()}
        (tmp_path / name).write_bytes(saved(zeros))
    with torch.device("meta"):
        ours, our_vocoder = Tacotron2(Tacotron2Config()), HifiGanGenerator(HifiGanConfig())
    assert shapes(load_tacotron2_state(tmp_path / "model.ckpt")) == shapes(ours.state_dict())
    assert shapes(load_hifigan_state(tmp_path / "generator.ckpt", HifiGanConfig())) == shapes(our_vocoder.state_dict())


def shapes(state: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items()}


# What is refused


def change(files: dict[str, bytes], name: str, edit: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """The files with one checkpoint's state edited."""
    full = next(path for path in files if path.endswith(f"/{name}"))
    state = torch.load(io.BytesIO(files[full]), weights_only=True)
    edit(state)
    return {**files, full: saved(dict(state))}


GATE, FIRST_LENGTH = "decoder.gate_layer.linear_layer.weight", "conv_pre.conv.weight_g"


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("model.ckpt", lambda state: state.pop(GATE), "missing: decoder.stop.weight"),
        ("model.ckpt", lambda state: state.update({GATE: torch.zeros(1, 7)}), "(1, 7) instead of (1, 36)"),
        ("model.ckpt", lambda state: state.update({"speaker.weight": torch.zeros(3)}), "unexpected: speaker.weight"),
        ("model.ckpt", lambda state: state.update({GATE: state[GATE] * torch.nan}), "broken"),
        ("model.ckpt", lambda state: state.update({GATE: state[GATE].to_sparse()}), "of another kind"),
        ("model.ckpt", lambda state: state.update({GATE: {"a": 1}}), "of another kind"),
        ("model.ckpt", lambda state: state.clear(), "of another kind"),
        ("generator.ckpt", lambda state: state.pop("conv_pre.conv.weight_v"), "not complete"),
        ("generator.ckpt", lambda state: state.update({FIRST_LENGTH: torch.ones(3)}), "not complete"),
        ("generator.ckpt", lambda state: state.pop(FIRST_LENGTH), "input.weight"),
        ("generator.ckpt", lambda state: state.update({FIRST_LENGTH: torch.ones(())}), "not complete"),
        ("generator.ckpt", lambda state: state.pop("resblocks.3.convs2.0.conv.bias"), "blocks.1.1.plain.0.bias"),
        ("generator.ckpt", lambda state: state.update({"cond_layer.conv.bias": torch.zeros(3)}), "unexpected"),
    ],
)
def test_a_state_that_does_not_fit(
    files: dict[str, bytes], tmp_path: Path, name: str, edit: Callable[[dict[str, Any]], object], said: str
) -> None:
    assert said in refusal(change(files, name, edit), tmp_path)


class Code:
    """A pickle that would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("name", [f"{ACOUSTIC_REPO}/model.ckpt", f"{VOCODER_REPO}/generator.ckpt"])
def test_a_damaged_file_and_one_with_code(files: dict[str, bytes], tmp_path: Path, name: str) -> None:
    trace = tmp_path / "trace"
    refusal({**files, name: saved({"a": Code(trace)})}, tmp_path)
    assert not trace.exists()
    for content in (b"", files[name][:-5000], files[name][2000:], b"<html>no</html>"):
        refusal({**files, name: content}, tmp_path)


def test_a_missing_file(files: dict[str, bytes], tmp_path: Path) -> None:
    for name in files:
        refusal({other: content for other, content in files.items() if other != name}, tmp_path)
        paths = written(files, tmp_path)
        paths[name].unlink()
        with pytest.raises(ModelError) as caught:
            load(paths, ENTRY)
        assert caught.value.kind == "weights"


def test_no_tag_of_the_settings_is_run(files: dict[str, bytes], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    evil = (
        f"evil: !apply:os.system ['touch {trace}']\n"
        f"worse: !new:os.system\n  command: touch {trace}\n"
        f"worst: !!python/object/apply:os.system ['touch {trace}']\n"
        f"copy: !!python/name:os.system\n"
        f"n_other: !include:{trace}\n"
    )
    for name in (f"{ACOUSTIC_REPO}/hyperparams.yaml", f"{VOCODER_REPO}/hyperparams.yaml"):
        files[name] = evil.encode() + files[name]
    synthesizer = loaded(files, tmp_path)
    assert not trace.exists()
    assert synthesizer.model.config.decoder_rnn_dim == 20


BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 30)
)
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 8)}]}}\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"- 1\n- 2\n",
        b"text",
        b"a: [1",
        b"a: \xff\xfe\x00",
        b"? {a: 1}\n: 2\n",
        b"a: !!timestamp x",
        b"a: !!int x",
        b"a: !!bool maybe",
        b"a: 2001-13-45",
        b"[" * 600,
        b"# long\n" * 20_000,
        f"{BOMB}n_symbols: *a29\n".encode(),
        MERGE_BOMB.encode() + b"n_symbols: 147\n",
    ],
)
def test_settings_that_make_no_sense(files: dict[str, bytes], tmp_path: Path, content: bytes) -> None:
    assert "hyperparams.yaml" in refusal({**files, f"{ACOUSTIC_REPO}/hyperparams.yaml": content}, tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("n_symbols", 149),
        ("n_symbols", "148"),
        ("n_mel_channels", 0),
        ("n_mel_channels", True),
        ("n_mel_channels", 8.0),
        ("encoder_embedding_dim", 10**12),
        ("encoder_embedding_dim", 15),
        ("encoder_n_convolutions", 100_000),
        ("encoder_kernel_size", 4),
        ("attention_location_kernel_size", -3),
        ("n_frames_per_step", 2),
        ("gate_threshold", "high"),
        ("gate_threshold", 1.5),
        ("sample_rate", 1),
    ],
)
def test_sizes_of_the_acoustic_model_that_make_no_sense(
    files: dict[str, bytes], tmp_path: Path, key: str, value: object
) -> None:
    text = hyperparams_yaml({**ACOUSTIC, key: value}, "model", "Tacotron2.Tacotron2")
    assert key in refusal({**files, f"{ACOUSTIC_REPO}/hyperparams.yaml": text.encode()}, tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("in_channels", 80),
        ("resblock_type", "2"),
        ("resblock_type", [[[1]]]),
        ("resblock_dilation_sizes", [[1, 3, 5]]),
        ("resblock_dilation_sizes", [1, 3]),
        ("resblock_dilation_sizes", 3),
        ("resblock_kernel_sizes", [3, 8]),
        ("resblock_kernel_sizes", []),
        ("upsample_factors", [8, 8]),
        ("upsample_factors", [64, 64, 64]),
        ("upsample_factors", "8"),
        ("upsample_kernel_sizes", [16, 16, 7]),
        ("upsample_kernel_sizes", [16, 16, 2]),
        ("upsample_initial_channel", 20),
        ("inference_padding", 1),
        ("inference_padding", None),
        ("sample_rate", 16_000),
    ],
)
def test_sizes_of_the_vocoder_that_make_no_sense(
    files: dict[str, bytes], tmp_path: Path, key: str, value: object
) -> None:
    text = hyperparams_yaml({**VOCODER, key: value}, "generator", "HifiGAN.HifiganGenerator")
    changed = {**files, f"{VOCODER_REPO}/hyperparams.yaml": text.encode()}
    if value is None:  # as good as absent
        assert loaded(changed, tmp_path)
    else:
        assert key.split("_", maxsplit=1)[0] in refusal(changed, tmp_path)


def test_huge_sizes_are_refused_before_memory_is_taken(files: dict[str, bytes], tmp_path: Path) -> None:
    huge = {**ACOUSTIC, "encoder_embedding_dim": 8192, "symbols_embedding_dim": 8192, "decoder_rnn_dim": 8192}
    text = hyperparams_yaml(huge, "model", "Tacotron2.Tacotron2")
    assert "another shape" in refusal({**files, f"{ACOUSTIC_REPO}/hyperparams.yaml": text.encode()}, tmp_path)


def test_absent_keys_are_the_papers_sizes(tmp_path: Path) -> None:
    path = tmp_path / "hyperparams.yaml"
    path.write_text("sample_rate: 22050\n")
    assert read_tacotron2_config(read_hyperparams(path, "model")) == Tacotron2Config()
    assert read_hifigan_config(read_hyperparams(path, "generator")) == HifiGanConfig()
    path.write_text("model: !new:a.B\n  prenet_dim: 128\n  attention_dim: !ref <width>\nwidth: 64\nprenet_dim: 12\n")
    expected = Tacotron2Config(prenet_dim=128, attention_dim=64)
    assert read_tacotron2_config(read_hyperparams(path, "model")) == expected


def test_settings_in_full_give_the_papers_sizes(tmp_path: Path) -> None:
    path = tmp_path / "hyperparams.yaml"
    path.write_text(hyperparams_yaml(PAPER_ACOUSTIC, "model", "Tacotron2.Tacotron2"))
    assert read_tacotron2_config(read_hyperparams(path, "model")) == Tacotron2Config()
    path.write_text(hyperparams_yaml(PAPER_VOCODER, "generator", "HifiGAN.HifiganGenerator"))
    assert read_hifigan_config(read_hyperparams(path, "generator")) == HifiGanConfig()


def test_half_precision_weights_are_read(files: dict[str, bytes], tmp_path: Path) -> None:
    def halve(state: dict[str, Any]) -> None:
        state.update({name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()})

    synthesizer = loaded(change(change(files, "model.ckpt", halve), "generator.ckpt", halve), tmp_path)
    assert {p.dtype for p in synthesizer.model.parameters()} == {torch.float32}
    assert list(synthesizer.stream(SpeechRequest("Hi.")))[-1].last


def test_a_module_is_filled_with_just_what_is_given() -> None:
    config = HifiGanConfig.debug()
    torch.manual_seed(0)
    source = HifiGanGenerator(config)
    use_reflection_padding(source)
    copy = build_with_state(lambda: HifiGanGenerator(config), source.state_dict(), "x")
    use_reflection_padding(copy)
    mel = torch.randn(30, config.n_mels)
    with torch.inference_mode():
        run, same = PaddedHifiGanStream(copy, 5), PaddedHifiGanStream(source, 5)
        assert np.array_equal(run.push(mel, last=True), same.push(mel, last=True))


# Text


def test_symbol_inventory() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 148
    places = {"_": 0, "-": 1, "!": 2, "'": 3, ",": 6, ".": 7, "?": 10, " ": 11, "A": 12, "Z": 37, "a": 38, "z": 63}
    arpabet = {"@AA": 64, "@AA0": 65, "@AA1": 66, "@AA2": 67, "@AE": 68, "@B": 88, "@CH": 89, "@ER2": 99, "@ZH": 147}
    assert {symbol: SYMBOLS.index(symbol) for symbol in places} == places
    assert {symbol: SYMBOLS.index(symbol) for symbol in arpabet} == arpabet
    assert encode_characters(tuple("hi, you!")) == [45, 46, 6, 11, 62, 52, 58, 2]


def read(text: str, **options: Any) -> list[str]:
    return ["".join(utterance.symbols) for utterance in iter_character_utterances(text, **options)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Mary had a little lamb", ["mary had a little lamb."]),
        ("Mrs. Jones met Dr. Lee.", ["missus jones met doctor lee."]),
        ("It cost $12.50, really?!", ["it cost twelve dollars and fifty cents, really?"]),
        ("In 1998, 3 cafés; naïve", ["in nineteen ninety-eight, three cafes; naive."]),
        ("“Don’t go,” she said (twice).", ["don't go, she said, twice."]),
        ("One. Two!", ["one.", "two!"]),
        ("{HH AY} there", ["aitch aitch ey why, there."]),
        ("Wait…  What? Yes… or no.", ["wait.", "what?", "yes. or no."]),
    ],
)
def test_how_text_is_said(text: str, said: list[str]) -> None:
    assert read(text) == said


def test_words_as_written_over_what_is_said() -> None:
    (utterance,) = iter_character_utterances("Dr. Lee paid $12.50!")
    said = [("".join(utterance.symbols[word.start : word.end]), word.text) for word in utterance.words]
    assert said == [
        ("doctor", "Dr."),
        ("lee", "Lee"),
        ("paid", "paid"),
        ("twelve dollars and fifty cents", "$12.50"),
    ]
    assert utterance.symbols[-1] == "!"
    assert utterance.text == "Dr. Lee paid $12.50!"


def test_long_text_is_parted_at_good_places() -> None:
    clause = "the quick brown fox jumps over the lazy dog"
    said = read(f"{clause}, and {clause}; {clause} because {clause}, while {clause}.")
    assert all(len(one) <= 160 for one in said)
    assert " ".join(said).replace(",", "").replace(";", "").replace(".", "").split().count("fox") == 5
    assert [one[-1] for one in said] == [";", ",", "."]
    assert all(
        len(one) <= 16 for one in read("Supercalifragilisticexpialidocious antidisestablishment", max_symbols=16)
    )


@pytest.mark.parametrize("text", ["🎉🎉", "你好", "...", "\0\x01", "<br>", " - "])
def test_nothing_to_say(text: str) -> None:
    with pytest.raises(ValueError, match="no word"):
        read(text)


def test_what_is_left_out_is_noted() -> None:
    notes: list[str] = []
    assert read("Hello 🎉 world", notes=notes) == ["hello world."]
    assert notes == ["Left out emoji and signs: 🎉."]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_in_the_inventory(text: str) -> None:
    try:
        utterances = list(iter_character_utterances(text, max_symbols=40))
    except ValueError:
        return
    for utterance in utterances:
        assert len(encode_characters(utterance.symbols)) <= 40
        assert utterance.symbols[-1] in ",.?!;:"
        assert utterance.words
        assert all(a.end < b.start for a, b in itertools.pairwise(utterance.words))
        assert all(utterance.symbols[word.start] != " " for word in utterance.words)

"""SpeechBrain's checkpoints, from the Hub to sound: the same numbers as there, and what is refused."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.contracts import SpeechChunk, SpeechRequest
from models.errors import ModelError
from models.hub.download import Hub, HubFile
from models.hub.spec import ModelSpec
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
from models.speech.speechbrain_text import encode_characters
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from tests.hub_server import HubServer
from tests.models.speech.speechbrain_files import (
    ACOUSTIC_REPO,
    ENTRY,
    PAPER_ACOUSTIC,
    PAPER_VOCODER,
    VOCODER,
    VOCODER_REPO,
    change,
    group,
    lived,
    loaded,
    new_weight_norm,
    no_weight_norm,
    old_weight_norm,
    refusal,
    saved,
    speechbrain_hifigan,
    speechbrain_tacotron2,
    written,
)

# From the Hub to sound


def served_spec(files: dict[str, bytes], server: HubServer) -> ModelSpec:
    """Return the catalogue's entry, with the commits and the sizes of what the server offers."""
    hubs = []
    for hub in ENTRY.hubs:
        contents = {file.path: files[f"{hub.repo_id}/{file.path}"] for file in hub.files}
        commit = server.add_repo(hub.repo_id, contents)
        hubs.append(Hub(hub.repo_id, commit, tuple(HubFile(path, len(body)) for path, body in contents.items())))
    return replace(ENTRY, sources=tuple(hubs))


@pytest.mark.slow
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
    """Turn mel (1, M, T) into sound ((T + 2 * padding) * hop,), as SpeechBrain's `inference` makes it."""
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


@pytest.mark.slow
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

GATE, FIRST_LENGTH = "decoder.gate_layer.linear_layer.weight", "conv_pre.conv.weight_g"


@pytest.mark.slow
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

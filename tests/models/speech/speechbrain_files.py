"""Random checkpoints of exactly SpeechBrain's format, for tests of their loading.

The modules have the parameters of SpeechBrain's (`speechbrain.lobes.models.Tacotron2`, `.HifiGAN`) by name and shape.
"""

import io
import itertools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from models.errors import ModelError
from models.registry.catalog import CATALOG
from models.speech.speechbrain import (
    load,
)
from models.speech.synthesizer import SpeechSynthesizer

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
    """Make a module of named parts and no more."""
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
    """Return the one that SpeechBrain uses: weight_g and weight_v."""
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


def written(files: dict[str, bytes], folder: Path) -> dict[str, Path]:
    """Return the files on disk, as a loader gets them."""
    paths = {name: folder / name.replace("/", "--") for name in files}
    for name, path in paths.items():
        path.write_bytes(files[name])
    return paths


def loaded(files: dict[str, bytes], folder: Path) -> SpeechSynthesizer:
    return load(written(files, folder), ENTRY)


def refusal(files: dict[str, bytes], folder: Path) -> str:
    """Return the sentence of the error with which a load ends."""
    with pytest.raises(ModelError) as caught:
        loaded(files, folder)
    assert caught.value.kind == "weights"
    assert str(caught.value).endswith(".")
    return str(caught.value)


def change(files: dict[str, bytes], name: str, edit: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """Return the files with one checkpoint's state edited."""
    full = next(path for path in files if path.endswith(f"/{name}"))
    state = torch.load(io.BytesIO(files[full]), weights_only=True)
    edit(state)
    return {**files, full: saved(dict(state))}

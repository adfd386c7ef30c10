"""SpeechBrain's public checkpoints in our own networks: Tacotron 2 and HiFi-GAN, trained on LJ Speech.

`speechbrain/tts-tacotron2-ljspeech` and `speechbrain/tts-hifigan-ljspeech` each hold the state of one module, written
by `torch.save`, and `hyperparams.yaml`, which SpeechBrain runs to build that module. Here it is only read: its sizes
are numbers, and everything else in it is left alone. The states are renamed to our modules and weight norms are fused.

Three things that SpeechBrain's HiFi-GAN does are matched, for the same sound up to rounding: its convolutions continue
their input by reflection and not by zeros, each utterance is continued by five copies of its first and of its last
frame, and the last activation has torch's own slope. Unlike there, the sound of the copies is not kept: it is no part
of the speech, and without it the words are where the alignment says.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from models.audio import MelConfig
from models.contracts import FloatArray
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.speech.hifigan import HifiGanConfig, HifiGanGenerator
from models.speech.sentence_decoder import DecodingLimits
from models.speech.speechbrain_hyperparams import (
    HYPERPARAMS,
    Hyperparams,
    read_hifigan_config,
    read_hyperparams,
    read_padding_frames,
    read_tacotron2_config,
)
from models.speech.speechbrain_text import encode_characters, iter_character_utterances
from models.speech.synthesizer import MelScale, SpeechSynthesizer
from models.speech.tacotron2 import Tacotron2
from models.speech.vocoder_streams import HifiGanStream
from models.weights_io import load_into, load_torch

_TACOTRON_NAMES = (
    (r"^embedding\.", "encoder.embedding."),
    (r"\.convolutions\.(\d+)\.0\.conv\.", r".convolutions.\1.conv."),
    (r"\.convolutions\.(\d+)\.1\.", r".convolutions.\1.norm."),
    (r"\.linear_layer\.", "."),
    (r"\.attention_layer\.location_layer\.location_conv\.conv\.", ".attention.location_conv."),
    (r"\.attention_layer\.location_layer\.location_dense\.", ".attention.location."),
    (r"\.attention_layer\.(query|memory)_layer\.", r".attention.\1."),
    (r"\.attention_layer\.v\.", ".attention.score."),
    (r"^decoder\.linear_projection\.", "decoder.frames."),
    (r"^decoder\.gate_layer\.", "decoder.stop."),
    (r"^(decoder\.decoder_rnn\.(?:weight|bias)_[ih]h)$", r"\1_l0"),  # a cell there, a layer here
)
_HIFIGAN_NAMES = (
    (r"^conv_pre\.conv\.", "input."),
    (r"^conv_post\.conv\.", "output."),
    (r"^ups\.(\d+)\.conv\.", r"upsamplers.\1."),
    (r"\.convs1\.(\d+)\.conv\.", r".dilated.\1."),
    (r"\.convs2\.(\d+)\.conv\.", r".plain.\1."),
)
_WEIGHT_NORMS = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def load(files: Mapping[str, Path], spec: ModelSpec) -> SpeechSynthesizer:
    """Load the speaking model out of the two repositories' files.

    Args:
        files: paths by "repo_id/name"; a `model.ckpt` and a `generator.ckpt`, each beside its `hyperparams.yaml`.

    Raises:
        ModelError: a file is missing, damaged, foreign, or of sizes that do not fit together.
    """
    acoustic_path, acoustic = _find_checkpoint(files, "model.ckpt", "model")
    vocoder_path, vocoder = _find_checkpoint(files, "generator.ckpt", "generator")
    acoustic_sizes, vocoder_sizes = read_tacotron2_config(acoustic), read_hifigan_config(vocoder)
    padding_frames = read_padding_frames(vocoder, vocoder_sizes)
    sample_rate = acoustic.read_int("sample_rate", MelConfig.sample_rate, 192_000, least=8_000)
    if vocoder.read_int("sample_rate", sample_rate, 192_000) != sample_rate:
        raise vocoder.make_error("sample_rate", f"{sample_rate}, as the acoustic model's")
    if vocoder_sizes.n_mels != acoustic_sizes.n_mels:
        raise vocoder.make_error("in_channels", f"{acoustic_sizes.n_mels}, as many as the acoustic model makes")
    model = build_with_state(lambda: Tacotron2(acoustic_sizes), load_tacotron2_state(acoustic_path), acoustic_path.name)
    generator = build_with_state(
        lambda: HifiGanGenerator(vocoder_sizes), load_hifigan_state(vocoder_path, vocoder_sizes), vocoder_path.name
    )
    use_reflection_padding(generator)
    return SpeechSynthesizer(
        model,
        lambda seed: PaddedHifiGanStream(generator, padding_frames),
        MelConfig(sample_rate=sample_rate, hop_length=vocoder_sizes.hop_length, n_mels=acoustic_sizes.n_mels),
        MelScale(),
        tuple(voice.key for voice in spec.voices),
        to_symbols=iter_character_utterances,
        symbol_ids=encode_characters,
        limits=DecodingLimits(
            window_back=2,  # a sound is often written with several letters, and some letters are silent
            window_ahead=6,
            end_symbols=4,
            stop_threshold=acoustic.read_fraction("gate_threshold", 0.5),
        ),
    )


def load_tacotron2_state(path: Path) -> dict[str, Tensor]:
    """Load SpeechBrain's Tacotron 2 under our names."""
    return rename_tensors(_load_tensors(path), _TACOTRON_NAMES)


def load_hifigan_state(path: Path, config: HifiGanConfig) -> dict[str, Tensor]:
    """Load SpeechBrain's HiFi-GAN generator under our names, with weight norms fused."""
    return group_blocks_by_stage(
        rename_tensors(fuse_weight_norms(_load_tensors(path), path.name), _HIFIGAN_NAMES), len(config.resblock_kernels)
    )


def rename_tensors(state: Mapping[str, Tensor], rules: tuple[tuple[str, str], ...]) -> dict[str, Tensor]:
    """Return a state under other names; every rule (pattern, replacement) is applied to every name."""
    result = {}
    for name, tensor in state.items():
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)  # noqa: PLW2901
        result[name] = tensor
    return result


def group_blocks_by_stage(state: Mapping[str, Tensor], blocks_in_stage: int) -> dict[str, Tensor]:
    """Rename residual blocks, which SpeechBrain counts through, by upsampling stage and place in it."""

    def place(match: re.Match[str]) -> str:
        stage, index = divmod(int(match[1]), blocks_in_stage)
        return f"blocks.{stage}.{index}."

    return {re.sub(r"^resblocks\.(\d{1,6})\.", place, name): tensor for name, tensor in state.items()}


def fuse_weight_norms(state: Mapping[str, Tensor], file_name: str) -> dict[str, Tensor]:
    """Multiply out direction and length of each weight: w = g v / ||v|| over all axes but the first.

    Salimans and Kingma 2016, "Weight Normalization" (equation 2), as `torch.nn.utils.weight_norm` writes it (in its
    older or its newer form).
    """
    result = dict(state)
    for length_name, direction_name in _WEIGHT_NORMS:
        for name in [name for name in result if name.endswith(f".{length_name}")]:
            stem = name.removesuffix(length_name)
            length, direction = result.pop(name), result.pop(stem + direction_name, None)
            if direction is None or length.shape != (*direction.shape[:1], *[1] * (direction.ndim - 1)):
                raise ModelError(
                    f"The weights in {file_name} are not complete ({stem}weight). Delete the file and get it again.",
                    "weights",
                )
            norm = direction.flatten(1).norm(dim=1).reshape(length.shape)
            result[f"{stem}weight"] = direction * (length / norm)
    return result


def build_with_state(build: Callable[[], AnyModule], state: Mapping[str, Tensor], file_name: str) -> AnyModule:
    """Build a module in eval mode with this very state.

    It is built without memory first: sizes out of a foreign file are compared before anything is allocated for them.

    Raises:
        ModelError: names or shapes differ, or a value is not a finite number.
    """
    with torch.device("meta"):
        module = build()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that nothing is copied yet
        load_into(module, state, f"the network that {file_name} is for")
    wanted = module.state_dict()
    tensors = {name: tensor.to(wanted[name].dtype).contiguous() for name, tensor in state.items()}
    broken = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise ModelError(
            f"The weights in {file_name} are broken ({broken[0]}). Delete the file and get it again.", "weights"
        )
    module.load_state_dict(tensors, assign=True)
    return module.eval().requires_grad_(False)


def _find_checkpoint(files: Mapping[str, Path], file_name: str, section: str) -> tuple[Path, Hyperparams]:
    """Find a checkpoint; return its path and what the settings beside it say."""
    folders = [name.removesuffix(file_name) for name in files if f"/{name}".endswith(f"/{file_name}")]
    if len(folders) != 1 or folders[0] + HYPERPARAMS not in files:
        raise ModelError(
            f"The model's entry in the catalogue must name one {file_name} with its {HYPERPARAMS}.", "weights"
        )
    return files[folders[0] + file_name], read_hyperparams(files[folders[0] + HYPERPARAMS], section)


def _load_tensors(path: Path) -> dict[str, Tensor]:
    """Load a checkpoint that holds nothing but plain tensors."""
    state = load_torch(path)
    foreign = [name for name, value in state.items() if not isinstance(value, Tensor) or not _is_plain(value)]
    if foreign or not state:
        what = f"it holds {foreign[0][:60]!r}" if foreign else "it is empty"
        raise ModelError(f"The weight file {path.name} is of another kind ({what}). Choose another model.", "weights")
    return state


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_complex()


def use_reflection_padding(generator: HifiGanGenerator) -> None:
    """Make the convolutions continue their input by reflection, as those of SpeechBrain do; the transposed do not."""
    for module in generator.modules():
        if isinstance(module, nn.Conv1d):
            module.padding_mode = "reflect"


class PaddedHifiGanStream:
    """HiFi-GAN over an utterance whose first and last frames go on for a while; the sound of the added is dropped."""

    def __init__(self, generator: HifiGanGenerator, padding_frames: int) -> None:
        self.run, self.padding_frames = HifiGanStream(generator), padding_frames
        self.padding_samples = padding_frames * generator.config.hop_length
        self.to_skip = self.padding_samples
        self.newest: Tensor | None = None  # frame (1, M)

    def push(self, mel: Tensor, last: bool = False) -> FloatArray:
        """Do as `VocoderStream.push` says."""
        if self.newest is None and len(mel):
            mel = torch.cat([mel[:1].expand(self.padding_frames, -1), mel])
        self.newest = mel[-1:] if len(mel) else self.newest
        if last and self.newest is not None:
            mel = torch.cat([mel, self.newest.expand(self.padding_frames, -1)])
        samples = self.run.push(mel, last)
        skipped = min(self.to_skip, len(samples))
        self.to_skip -= skipped
        # The added end goes in with the last push, so its sound comes out there and nowhere else.
        ended = len(samples) - (self.padding_samples if last and self.newest is not None else 0)
        return np.ascontiguousarray(samples[skipped:ended])

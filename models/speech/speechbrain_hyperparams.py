"""What SpeechBrain's `hyperparams.yaml` says about a module, read without running any of it.

The files are HyperPyYAML: their tags name Python classes and functions to build or call (`!new:`, `!apply:` ...) and
refer to other keys (`!ref <key>`). Only plain values are taken here, and a value that makes no sense is an error.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.audio import MelConfig
from models.errors import ModelError
from models.speech.hifigan import HifiGanConfig
from models.speech.speechbrain_text import SYMBOLS
from models.speech.tacotron2 import Tacotron2Config

HYPERPARAMS = "hyperparams.yaml"
LONGEST_FILE_BYTES = 64 * 1024
WIDEST, MOST_LAYERS, LONGEST_KERNEL = 8192, 16, 255
INFERENCE_PADDING_FRAMES = 5

_TACOTRON_SIZES = (  # our field, SpeechBrain's key, the largest value that is believed
    ("n_mels", "n_mel_channels", WIDEST),
    ("n_symbols", "n_symbols", WIDEST),
    ("symbol_dim", "symbols_embedding_dim", WIDEST),
    ("encoder_dim", "encoder_embedding_dim", WIDEST),
    ("encoder_layers", "encoder_n_convolutions", MOST_LAYERS),
    ("encoder_kernel", "encoder_kernel_size", LONGEST_KERNEL),
    ("attention_rnn_dim", "attention_rnn_dim", WIDEST),
    ("attention_dim", "attention_dim", WIDEST),
    ("location_filters", "attention_location_n_filters", WIDEST),
    ("location_kernel", "attention_location_kernel_size", LONGEST_KERNEL),
    ("prenet_dim", "prenet_dim", WIDEST),
    ("decoder_rnn_dim", "decoder_rnn_dim", WIDEST),
    ("frames_per_step", "n_frames_per_step", 1),  # SpeechBrain itself supports no other
    ("postnet_dim", "postnet_embedding_dim", WIDEST),
    ("postnet_layers", "postnet_n_convolutions", MOST_LAYERS),
    ("postnet_kernel", "postnet_kernel_size", LONGEST_KERNEL),
)


class _PlainLoader(yaml.SafeLoader):
    """A reader of numbers, texts, lists and mappings; of what a tag asks for it takes only the plain value."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge nothing: a short file could ask for endless copies."""


def _construct_plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_PlainLoader.add_multi_constructor(None, _construct_plain)  # type: ignore[arg-type]  # None: every tag that has no reader yet


@dataclass(frozen=True)
class Hyperparams:
    """What `hyperparams.yaml` says; `section` is where it builds the module, with references to the top."""

    values: Mapping[str, Any]
    section: str

    def get(self, key: str, default: Any) -> Any:
        """Return a plain value; `default` where the key is absent."""
        section = self.values.get(self.section)
        value = section.get(key) if isinstance(section, Mapping) else None
        reference = re.fullmatch(r"<(\w+)>", value.strip()) if isinstance(value, str) else None
        value = self.values.get(reference[1] if reference else key) if reference or value is None else value
        return default if value is None else value

    def read_int(self, key: str, default: int, most: int, least: int = 1) -> int:
        """Return a whole number in [least, most]."""
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.make_error(key, f"a whole number from {least} to {most}")
        return value

    def read_fraction(self, key: str, default: float) -> float:
        """Return a number between 0 and 1."""
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
            raise self.make_error(key, "a number between 0 and 1")
        return float(value)

    def read_ints(self, key: str, default: tuple[int, ...], most: int) -> tuple[int, ...]:
        """Return some whole numbers in [1, most]."""
        value = self.get(key, default)
        is_row = isinstance(value, (list, tuple)) and 0 < len(value) <= MOST_LAYERS
        if not is_row or not all(type(item) is int and 1 <= item <= most for item in value):
            raise self.make_error(key, f"a list of whole numbers from 1 to {most}")
        return tuple(value)

    def make_error(self, key: str, allowed: str) -> ModelError:
        """Return the error for a value that cannot be used."""
        found = reprlib.repr(self.get(key, None))
        return ModelError(
            f"The {self.section}'s {HYPERPARAMS} gives {key} as {found}; it must be {allowed}. Choose another model.",
            "weights",
        )


def read_hyperparams(path: Path, section: str) -> Hyperparams:
    """Read the file; run nothing of it.

    Args:
        section: under which it builds the module.

    Raises:
        ModelError: it is missing, too long, or no mapping in YAML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE_BYTES + 1)
    except OSError as error:
        raise _make_damage_error(section) from error
    if len(content) > LONGEST_FILE_BYTES:
        raise _make_damage_error(section)
    try:
        values = yaml.load(content, _PlainLoader)
    except Exception as error:  # the reader raises whatever a broken value makes it stumble over
        raise _make_damage_error(section) from error
    if not isinstance(values, Mapping):
        raise _make_damage_error(section)
    return Hyperparams(values, section)


def _make_damage_error(section: str) -> ModelError:
    return ModelError(
        f"The settings of the {section} ({HYPERPARAMS}) are missing, damaged or of another kind. Delete the file and "
        "get it again.",
        "weights",
    )


def read_tacotron2_config(hyperparams: Hyperparams) -> Tacotron2Config:
    """Read the sizes of the acoustic model; those that the file does not give are the paper's."""
    usual = Tacotron2Config()
    sizes = {ours: hyperparams.read_int(key, getattr(usual, ours), most) for ours, key, most in _TACOTRON_SIZES}
    if sizes["n_symbols"] != len(SYMBOLS):
        raise hyperparams.make_error("n_symbols", f"{len(SYMBOLS)}, the number of symbols that are known")
    for ours, key, _ in _TACOTRON_SIZES:
        if ours.endswith("_kernel") and sizes[ours] % 2 == 0:
            raise hyperparams.make_error(key, "odd")
    if sizes["encoder_dim"] % 2:
        raise hyperparams.make_error("encoder_embedding_dim", "even")
    return Tacotron2Config(**sizes)  # type: ignore[arg-type]


def read_hifigan_config(hyperparams: Hyperparams) -> HifiGanConfig:
    """Read the sizes of the vocoder; those that the file does not give are those of the paper's V1."""
    usual = HifiGanConfig()
    rates = hyperparams.read_ints("upsample_factors", usual.upsample_rates, 64)
    kernels = hyperparams.read_ints("upsample_kernel_sizes", usual.upsample_kernels, LONGEST_KERNEL)
    block_kernels = hyperparams.read_ints("resblock_kernel_sizes", usual.resblock_kernels, LONGEST_KERNEL)
    rows = hyperparams.get("resblock_dilation_sizes", usual.resblock_dilations)
    if hyperparams.get("resblock_type", "1") not in ("1", 1):
        raise hyperparams.make_error("resblock_type", "1")
    if math.prod(rates) > MelConfig.n_fft:
        raise hyperparams.make_error("upsample_factors", f"at most {MelConfig.n_fft} multiplied")
    if len(kernels) != len(rates) or any(k < r or (k - r) % 2 for k, r in zip(kernels, rates, strict=False)):
        raise hyperparams.make_error("upsample_kernel_sizes", "one for each factor, longer than it by an even number")
    if any(kernel % 2 == 0 for kernel in block_kernels):
        raise hyperparams.make_error("resblock_kernel_sizes", "odd")
    if not isinstance(rows, (list, tuple)) or len(rows) != len(block_kernels):
        raise hyperparams.make_error("resblock_dilation_sizes", "one list for each kernel")
    dilations = tuple(
        Hyperparams({"resblock_dilation_sizes": row}, hyperparams.section).read_ints("resblock_dilation_sizes", (), 64)
        for row in rows
    )
    channels = hyperparams.read_int("upsample_initial_channel", usual.channels, WIDEST)
    if channels % 2 ** len(rates):
        raise hyperparams.make_error("upsample_initial_channel", f"a multiple of {2 ** len(rates)}")
    n_mels = hyperparams.read_int("in_channels", usual.n_mels, WIDEST)
    return HifiGanConfig(n_mels, channels, rates, kernels, block_kernels, dilations)


def read_padding_frames(hyperparams: Hyperparams, config: HifiGanConfig) -> int:
    """Read how many copies of its first and of its last frame an utterance is given.

    Enough of them are needed: a reflection is always shorter than what it continues, be it a single frame.
    """
    padding = hyperparams.read_int("inference_padding", INFERENCE_PADDING_FRAMES, 100, least=0)
    reaches = [
        (kernel - 1) // 2 * max(dilations)
        for kernel, dilations in zip(config.resblock_kernels, config.resblock_dilations, strict=True)
    ]
    frames = 1 + 2 * padding
    if frames <= 3 or frames * config.upsample_rates[0] <= max(reaches):
        raise hyperparams.make_error("inference_padding", "large enough for the convolutions to reflect")
    return padding

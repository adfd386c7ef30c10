"""From the weight file of audio style transfer to its generator: networks, presets and the matching sets of voices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.style.audio import AudioStyle, AudioStyler
from models.style.audio_network import AudioStatistics, AudioStyleConfig, AudioStyleNetwork
from models.style.content_vocoder import ContentVocoder, ContentVocoderConfig
from models.style.matching import MatchingConfig, MatchingNetwork
from models.style.voice import unpack_matching_set
from models.weights_io import load_into, load_safetensors, parse_metadata


def load_bundled_audio(files: Mapping[str, Path], spec: ModelSpec) -> AudioStyler:
    """Load the shipped model from its weight file.

    Raises:
        ModelError: the file is damaged, or belongs to another version.
    """
    (path,) = files.values()
    styler = load_styler(path)
    unknown = [voice.key for voice in spec.voices if voice.key not in styler.presets]
    if unknown:
        raise ModelError(f"The weights of {spec.title} have no preset {', '.join(unknown)}.", "weights")
    return styler


def load_styler(path: Path) -> AudioStyler:
    """Load networks and presets with the configuration written in the file."""
    network, vocoder, pitches, matching = parse_metadata(
        path, _build_networks, ["network", "vocoder", "presets"], ["matching"]
    )
    groups: dict[str, dict[str, Tensor]] = {"network": {}, "vocoder": {}, "style": {}, "matching": {}, "bank": {}}
    for name, tensor in load_safetensors(path).items():
        group, _, rest = name.partition(".")
        groups.setdefault(group, {})[rest] = tensor
    load_into(network, groups["network"], f"the style network in {path.name}")
    load_into(vocoder, groups["vocoder"], f"the vocoder in {path.name}")
    levels = len(network.widths)
    try:
        found = {
            key: AudioStatistics(
                tuple(groups["style"][f"{key}.mean_{i}"] for i in range(levels)),
                tuple(groups["style"][f"{key}.deviation_{i}"] for i in range(levels)),
            )
            for key in (*pitches, "average")
        }
    except KeyError as error:
        raise ModelError(f"The weight file {path.name} lacks a preset ({error}); get it again.", "weights") from error
    presets = {
        key: AudioStyle(found[key], hz, unpack_matching_set(groups["bank"], key), key) for key, hz in pitches.items()
    }
    if matching is not None:
        load_into(matching, groups["matching"], f"the matching network in {path.name}")
        matching.eval()
    return AudioStyler(network.eval(), vocoder.eval(), presets, found["average"], matching)


def _build_networks(
    network: dict[str, Any], vocoder: dict[str, Any], presets: dict[str, Any], matching: dict[str, Any] | None
) -> tuple[AudioStyleNetwork, ContentVocoder, dict[str, float], MatchingNetwork | None]:
    """Build untrained networks from a weight file's metadata; the third is each preset's pitch in Hz."""
    return (
        AudioStyleNetwork(AudioStyleConfig.from_dict(network)),
        ContentVocoder(ContentVocoderConfig.from_dict(vocoder)),
        {str(key): float(hz) for key, hz in presets.items()},
        None if matching is None else MatchingNetwork(MatchingConfig.from_dict(matching)),
    )

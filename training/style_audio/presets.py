"""Styles that ship with the audio style model: statistics of whole tracks, so that it works without a style file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from models.style.analysis import SoundAnalysis, analyse_whole
from models.style.audio import compute_reference_gain
from models.style.audio_network import AudioStatistics, AudioStyleNetwork
from models.style.matching import MatchingNetwork
from models.style.voice import build_matching_set, pack_matching_set
from training.style_audio.corpus import CorpusTrack

MOST_S = 60.0  # of a track is heard
SET_S, PRESET_FRAMES = 40.0, 1200


@torch.inference_mode()
def build_preset_matching_sets(
    network: AudioStyleNetwork, matching: MatchingNetwork, tracks: Sequence[CorpusTrack], names: Sequence[str]
) -> dict[str, Tensor]:
    """Build matching sets of those of the named tracks that are voices, as the weight file keeps them."""
    tensors: dict[str, Tensor] = {}
    for track in tracks:
        if track.name in names and track.kind == "voice":
            matching_set = build_matching_set(matching, _analyse_track(network, track, SET_S))
            if matching_set is not None:
                tensors |= pack_matching_set(matching_set.thin(PRESET_FRAMES), track.name)
    return tensors


@torch.inference_mode()
def build_preset_statistics(
    network: AudioStyleNetwork, tracks: Sequence[CorpusTrack], names: Sequence[str]
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Compute statistics of the named tracks, and of ordinary speech as "average" (the mean over all voices).

    Returns:
        tensors "NAME.mean_i" and "NAME.deviation_i" for each level i, as the weight file keeps them; pitch in Hz by
        name, 0 without one.

    Raises:
        ValueError: a name is no track, or no track is a voice.
    """
    by_name = {track.name: track for track in tracks}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise ValueError(f"the corpus has no track {', '.join(missing)}; presets are made of its tracks.")
    voices = [track.name for track in tracks if track.kind == "voice"]
    if not voices:
        raise ValueError("the corpus has no voice; ordinary speech is the mean of its voices.")
    heard = {name: _measure_style(network, by_name[name]) for name in dict.fromkeys((*names, *voices))}
    spoken = [heard[name][0] for name in voices]
    average = AudioStatistics(
        tuple(torch.stack(level).mean(dim=0) for level in zip(*(s.means for s in spoken), strict=True)),
        tuple(torch.stack(level).mean(dim=0) for level in zip(*(s.stds for s in spoken), strict=True)),
    )
    tensors: dict[str, Tensor] = {}
    for name, statistics in ({name: heard[name][0] for name in names} | {"average": average}).items():
        for level, (mean, deviation) in enumerate(zip(statistics.means, statistics.stds, strict=True)):
            tensors[f"{name}.mean_{level}"], tensors[f"{name}.deviation_{level}"] = mean, deviation
    return tensors, {name: heard[name][1] for name in names}


def _measure_style(network: AudioStyleNetwork, track: CorpusTrack) -> tuple[AudioStatistics, float]:
    """Measure statistics and pitch of a track's first MOST_S seconds."""
    analysis = _analyse_track(network, track, MOST_S)
    return analysis.statistics, analysis.pitch_hz


def _analyse_track(network: AudioStyleNetwork, track: CorpusTrack, most_s: float) -> SoundAnalysis:
    mel = network.config.mel
    sound = np.concatenate([clip.sound for clip in track.clips])[: int(most_s * mel.sample_rate)]
    return analyse_whole(network, (sound * compute_reference_gain(sound, mel)).astype(np.float32))

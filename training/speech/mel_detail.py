"""How flat an acoustic model draws each of its voices, written into its weight file.

    python -m training.speech.mel_detail --weights speech_fastspeech2.safetensors --shards SHARDS
    python -m training.speech.mel_detail --weights speech_tacotron2.safetensors --shards SHARDS

The studio raises the detail of its mel frames by it (`models.speech.mel_emphasis`). FastSpeech 2 draws with the
teacher's durations; Tacotron 2 speaks on its own, for what it does with a teacher's past is not what is heard.

Letters: T frames, M mel bands, as many cepstral coefficients.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.audio import MelConfig
from models.speech.fastspeech2 import FastSpeech2, FastSpeech2Config
from models.speech.mel_emphasis import MelDetail, build_cepstral_basis
from models.speech.sentence_decoder import SentenceDecoder
from models.speech.symbols import BETWEEN_WORDS, SYMBOLS
from models.speech.synthesizer import load_acoustic
from models.speech.tacotron2 import Tacotron2
from models.speech.tacotron2_config import make_length_mask
from models.weights_io import load_metadata, load_network, load_safetensors, parse_metadata, save_safetensors
from training.speech.resident_corpus import MEL_MEAN, MEL_STD, ResidentCorpus
from training.speech.retiming import retime_clip
from training.speech.teacher_corpus import SpokenClip, load_clips

CLIPS, TOGETHER = 40, 8  # of each voice; at once
LOUD = -8.5  # mean log mel of a frame that is no pause


def compare_details(true: Tensor, made: Tensor) -> MelDetail:
    """Compare log mel frames (T, M) of a teacher with those that a network drew of the same."""
    basis = build_cepstral_basis(true.shape[1])
    true, made = true @ basis, made @ basis
    gain = true.std(dim=0) / made.std(dim=0).clamp_min(1e-4)
    return MelDetail(*([round(float(x), 4) for x in row] for row in (gain, true.mean(dim=0), made.mean(dim=0))))


@torch.inference_mode()
def measure_details(model: FastSpeech2, corpus: ResidentCorpus) -> dict[str, MelDetail]:
    """Measure each voice of a corpus on all its clips, drawn with the teacher's durations and the network's own F0."""
    details = {}
    for number, voice in enumerate(model.config.voices):
        clips = np.flatnonzero(corpus.voice == number)
        pairs: list[tuple[Tensor, Tensor]] = []
        for start in range(0, len(clips), TOGETHER):
            batch = corpus.collate(clips[start : start + TOGETHER])
            encoded = model.encode(batch.symbols, batch.lengths, batch.voice)
            frames, lengths = model.expand(encoded, batch.durations, batch.mel.shape[1])
            mask = make_length_mask(lengths, frames.shape[1])
            drawn = model.decode(frames, model.predict_variances(frames, mask), mask)
            true, made = (mel * MEL_STD + MEL_MEAN for mel in (batch.mel, drawn))
            loud = mask & (true.mean(dim=-1) > LOUD)
            pairs.append((true[loud], made[loud]))
        if pairs:
            details[voice] = compare_details(*(torch.cat(side) for side in zip(*pairs, strict=True)))
    return details


@torch.inference_mode()
def measure_spoken_details(model: Tacotron2, corpus: ResidentCorpus) -> dict[str, MelDetail]:
    """Measure each voice of a corpus on what Tacotron 2 says when it reads all its clips on its own."""
    details = {}
    frame_s = corpus.config.hop_length / corpus.config.sample_rate
    for number, voice in enumerate(model.config.voices):
        true: list[Tensor] = []
        made: list[Tensor] = []
        for clip in np.flatnonzero(corpus.voice == number):
            batch = corpus.collate(np.array([clip]))
            ids = batch.symbols[0].tolist()
            pauses = [SYMBOLS[each] in BETWEEN_WORDS for each in ids]
            neutral = (0.0,) * len(model.config.attributes)
            decoder = SentenceDecoder(model, ids, pauses, frame_s, number, neutral, seed=int(clip))
            coarse = torch.cat(list(decoder.decode_frames()))
            drawn = (coarse[None] + model.postnet(coarse[None]))[0]
            for mel, side in ((batch.mel[0], true), (drawn, made)):
                log_mel = mel * MEL_STD + MEL_MEAN
                side.append(log_mel[log_mel.mean(dim=-1) > LOUD])
        if true:
            details[voice] = compare_details(torch.cat(true), torch.cat(made))
    return details


def choose_clips(shards: Path, voices: int) -> list[SpokenClip]:
    """Choose clips of each voice evenly, none faster, slower, higher or deeper."""
    found: list[list[SpokenClip]] = [[] for _ in range(voices)]
    for path in sorted(shards.glob("*.npz")):
        for clip in load_clips(path):
            if clip.speed == 1.0 and not clip.semitones:
                found[clip.voice].append(clip)
    return [clip for clips in found for clip in clips[:: max(1, len(clips) // CLIPS)][:CLIPS]]


def write_details(weights: Path, details: Mapping[str, MelDetail]) -> None:
    """Write the details into a weight file beside what it says already."""
    metadata = load_metadata(weights)
    metadata["mel_detail"] = json.dumps({voice: asdict(detail) for voice, detail in details.items()})
    save_safetensors(weights, load_safetensors(weights), metadata)


def main() -> None:
    """Measure and write what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--shards", type=Path, required=True)
    a = parser.parse_args()
    voices = len(parse_metadata(a.weights, lambda values: values["voices"], ["config"]))
    clips = [retime_clip(clip, MelConfig()) for clip in choose_clips(a.shards, voices)]
    corpus = ResidentCorpus(clips, [1.0] * voices, torch.device("cpu"), MelConfig())
    if "tacotron2" in a.weights.name:
        details = measure_spoken_details(load_acoustic(a.weights)[0], corpus)
    else:
        parallel = load_network(a.weights, lambda v: FastSpeech2(FastSpeech2Config.from_dict(v)), "the acoustic model")
        details = measure_details(parallel, corpus)
    write_details(a.weights, details)
    for voice, detail in details.items():
        print(voice, "coefficients 9 to 24:", round(float(np.mean(detail.gain[9:25])), 2))


if __name__ == "__main__":
    main()

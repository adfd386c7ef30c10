"""Acoustic models and the vocoder from teachers' clips, in some quarters of an hour of two CPU cores.

    python -m training.speech.teacher_corpus speak --pack PACK --out SHARDS --workers 1 --seconds 900
    python -m training.speech.cpu_training acoustic --pack PACK --shards SHARDS --out FOLDER --minutes 44
    python -m training.speech.cpu_training vocoder --shards SHARDS --out FOLDER --minutes 42 --start VOCODER
    python -m training.speech.cpu_training acoustic --pack PACK --shards SHARDS --out FOLDER --minutes 46 \
        --start ACOUSTIC --shares 0.25 0.25 0.25 0.25
    python -m training.speech.cpu_training tacotron2 --pack PACK --shards SHARDS --out FOLDER --minutes 84 \
        --start models/weights/speech_tacotron2.safetensors --shares 0.64 0.12 0.12 0.12

The second and the third run side by side, a core each; the fourth goes on from weights, with more of the other
voices; the last one may begin from a Tacotron 2 of other voices. They keep to the mel convention of `models.audio`, so
that the vocoder begins as one that speaks already. Sizes and batches are those that a core can turn in half a second;
`training.speech.gpu_training` has the larger ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from models.audio import MelConfig
from models.speech.attributes import ATTRIBUTES
from models.speech.fastspeech2 import FastSpeech2Config
from models.speech.symbols import SYMBOLS
from models.speech.tacotron2_config import Tacotron2Config
from models.speech.vocoder import VocoderConfig
from models.weights_io import parse_metadata
from training.speech.adversarial_vocoder import PERIODS, AdversarialVocoderTraining, PeriodDiscriminator
from training.speech.fastspeech2 import FastSpeech2Training
from training.speech.resident_corpus import ResidentCorpus, load_corpus
from training.speech.retiming import retime_clip
from training.speech.tacotron2 import Tacotron2Training
from training.speech.teacher_corpus import VOICES, load_clips
from training.speech.vocoder import DISCRIMINATOR_RESOLUTIONS, SpectrogramDiscriminator
from training.speech.voice_pack import unpack
from training.team import require_one_process

SHARES, VOCODER_SHARES = (0.88, 0.04, 0.04, 0.04), (0.7, 0.1, 0.1, 0.1)
GO_ON_RATE, GO_ON_ADVERSARIAL_FROM, GO_ON_LET_GO = 6e-4, 0.15, (0.03, 0.5)
VOICE_TABLE = "conditioner.voices.weight"
ACOUSTIC_SIZES = {"hidden": 512, "decoder_layers": 6, "variance_layers": 2, "n_mels": MelConfig().n_mels}


class CpuAcousticTraining(FastSpeech2Training):
    """Training of FastSpeech 2 in small batches."""

    RATE, BATCH = 1.2e-3, (3, 24)
    AVERAGE_LIMIT, EXPORT_EVERY_S = 0.995, 240.0


class CpuTacotron2Training(Tacotron2Training):
    """Training of Tacotron 2 in small batches."""

    RATE, BATCH = 1.2e-3, (4, 28)
    AVERAGE_LIMIT, EXPORT_EVERY_S = 0.995, 300.0

    def read_weights(self, path: Path) -> dict[str, Tensor]:
        """Read the weights of a network of the same sizes; voices that it does not have begin as its mean one."""
        known = parse_metadata(path, Tacotron2Config.from_dict, ["config"]).voices
        state = super().read_weights(path)
        if known != self.config.voices:
            rows = state[VOICE_TABLE]
            places = [known.index(voice) if voice in known else -1 for voice in self.config.voices]
            state[VOICE_TABLE] = torch.stack([rows[place] if place >= 0 else rows.mean(dim=0) for place in places])
        return state


class CpuVocoderTraining(AdversarialVocoderTraining):
    """Training of a vocoder that speaks already, with small discriminators."""

    RATE = 4e-4
    ADVERSARIAL_FROM, PREDICTED_AT = 0.15, (0.72,)
    PREDICTED_CLIPS, PREDICTED_FRAMES = 360, 6_000
    AVERAGE_LIMIT, EXPORT_EVERY_S = 0.99, 180.0

    def make_judges(self) -> nn.ModuleList:
        """Make a third of the channels of the large discriminators."""
        periods = [PeriodDiscriminator(period, channels=8) for period in PERIODS]
        return nn.ModuleList([*periods, *(SpectrogramDiscriminator(*r) for r in DISCRIMINATOR_RESOLUTIONS)])


def train_acoustic(
    shards: Path, out: Path, minutes: float, shares: Sequence[float], start: Path | None = None, frames: int = 2_400
) -> None:
    """Train the acoustic model on all shards, from nothing or from weights, at their sizes."""
    corpus = load_corpus(shards, shares, torch.device("cpu"), config=MelConfig())
    config, adversarial_from = FastSpeech2Config(len(SYMBOLS), VOICES, **ACOUSTIC_SIZES), 0.6
    if start is not None:
        config = parse_metadata(start, FastSpeech2Config.from_dict, ["config"])
        adversarial_from = GO_ON_ADVERSARIAL_FROM
    weights = out / "speech_fastspeech2.safetensors"
    until = time.time() + 60 * minutes
    training = CpuAcousticTraining(config, corpus, until, weights, frames=frames, adversarial_from=adversarial_from)
    if start is not None:
        training.start_from(start)
        training.rates = (GO_ON_RATE,)
    training.run_on(log_every=50)
    training.export()


def train_tacotron2(
    shards: Path, out: Path, minutes: float, shares: Sequence[float], start: Path | None = None, frames: int = 4_000
) -> None:
    """Train Tacotron 2 on all shards, from nothing or from weights of its sizes."""
    corpus = load_corpus(shards, shares, torch.device("cpu"), config=MelConfig())
    config, let_go = Tacotron2Config.small(len(SYMBOLS), VOICES, ATTRIBUTES), (0.1, 0.6)
    if start is not None:
        config, let_go = parse_metadata(start, Tacotron2Config.from_dict, ["config"]), GO_ON_LET_GO
        config = replace(config, voices=VOICES)
    weights = out / "speech_tacotron2.safetensors"
    until = time.time() + 60 * minutes
    training = CpuTacotron2Training(config, corpus, until, weights, frames=frames, let_go=let_go)
    if start is not None:
        training.start_from(start)
    training.run_on(log_every=50)
    training.export()


def train_vocoder(shards: Path, out: Path, minutes: float, start: Path | None) -> None:
    """Train the vocoder on all clips that speak at their own pitch."""
    clips = [clip for path in sorted(shards.glob("*.npz")) for clip in load_clips(path) if not clip.semitones]
    retimed = [retime_clip(clip, MelConfig()) for clip in clips]
    corpus = ResidentCorpus(retimed, VOCODER_SHARES, torch.device("cpu"), MelConfig())
    weights, acoustic = out / "speech_vocoder.safetensors", out / "speech_fastspeech2.safetensors"
    until = time.time() + 60 * minutes
    config = VocoderConfig(steady_noise=True)
    training = CpuVocoderTraining(config, corpus, until, weights, acoustic, pieces=8, frames=44)
    if start is not None:
        training.start_from(start)
    training.run_on(log_every=20)
    training.export()


def main() -> None:
    """Train what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("acoustic", "vocoder", "tacotron2"))
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=44.0)
    parser.add_argument("--pack", type=Path, help="a pack whose other voices are unpacked among the shards first")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--shares", type=float, nargs=4, default=SHARES, help="of the voices in the acoustic batches")
    a = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    a.out.mkdir(parents=True, exist_ok=True)
    if a.pack:
        print(unpack(a.pack / "voices", a.shards), flush=True)
    if a.part == "acoustic":
        train_acoustic(a.shards, a.out, a.minutes, a.shares, a.start)
    elif a.part == "tacotron2":
        train_tacotron2(a.shards, a.out, a.minutes, a.shares, a.start)
    else:
        train_vocoder(a.shards, a.out, a.minutes, a.start)


if __name__ == "__main__":
    require_one_process()
    main()

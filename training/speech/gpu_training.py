"""All speech networks from two teachers, in some minutes of a GPU with many cores beside it.

    python -m training.speech.gpu_training --pack PACK --out FOLDER --seconds 330 --workers 12

Processes let the teacher speak into memory (`training.speech.teacher_corpus`), then three trainings run side by side
on the GPU until the time is over: the parallel acoustic model, the vocoder, Tacotron 2. A network whose weights lie in
the pack's folder `start` goes on from them, at their sizes; the others begin from nothing. Each writes its running
average every minute, so that a run which is cut off leaves something.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from models.audio import MelConfig
from models.speech.attributes import ATTRIBUTES
from models.speech.fastspeech2 import FastSpeech2Config
from models.speech.symbols import SYMBOLS
from models.speech.tacotron2 import Tacotron2Config
from models.speech.vocoder import VocoderConfig
from models.weights_io import parse_metadata
from training.speech import teacher_corpus
from training.speech.adversarial_vocoder import AdversarialVocoderTraining
from training.speech.fastspeech2 import FastSpeech2Training
from training.speech.resident_corpus import ResidentCorpus
from training.speech.retiming import retime_clip
from training.speech.tacotron2 import Tacotron2Training, make_config
from training.speech.teacher_corpus import VOICES, load_clips
from training.speech.timed_training import TimedTraining
from training.speech.voice_pack import unpack
from training.team import require_one_process

WEIGHTS: Mapping[str, str] = {
    "fastspeech2": "speech_fastspeech2.safetensors",
    "vocoder": "speech_vocoder.safetensors",
    "tacotron2": "speech_tacotron2.safetensors",
}
PARTS = tuple(WEIGHTS)
SHARES: Mapping[str, tuple[float, ...]] = {
    "fastspeech2": (0.34, 0.22, 0.22, 0.22),
    "vocoder": (0.55, 0.15, 0.15, 0.15),
    "tacotron2": (0.55, 0.15, 0.15, 0.15),
}
"""Of the voices in a batch. Only of "heart" is known where the pulses fall, which the vocoder learns much from."""
MEL = MelConfig()
LAST_WRITES_S = 12.0  # left for the last weights
SHARDS_GB = 8.0  # that the teachers' clips may take in memory
READY = "ready"  # the file among the shards that says that all is spoken


class GpuAcousticTraining(FastSpeech2Training):
    """Training of FastSpeech 2 that goes on from weights."""

    RATE = 1e-3


class GpuVocoderTraining(AdversarialVocoderTraining):
    """Training of a vocoder that speaks already; half of its pieces are the acoustic model's from the middle on."""

    RATE = 5e-4
    ADVERSARIAL_FROM, PREDICTED_AT = 0.06, (0.5, 0.75)


def load_part(part: str, shards: Path, device: torch.device, limit: int | None) -> ResidentCorpus:
    """Load what a part learns from; the vocoder nothing whose pitch was moved."""
    clips = [clip for path in sorted(shards.glob("*.npz")) for clip in load_clips(path)[:limit]]
    if part == "vocoder":
        clips = [clip for clip in clips if not clip.semitones]
    return ResidentCorpus([retime_clip(clip, MEL) for clip in clips], SHARES[part], device, MEL)


def make_training(
    part: str, corpus: ResidentCorpus, until: float, out: Path, start: Path, tiny: bool
) -> TimedTraining[Any]:
    """Make the training of a part: at the sizes of the weights in `start` and from them, if they are there."""
    weights, known = out / WEIGHTS[part], start / WEIGHTS[part]
    training: TimedTraining[Any]
    if part == "fastspeech2":
        config = FastSpeech2Config(len(SYMBOLS), VOICES, MEL.n_mels)
        if tiny:
            config = FastSpeech2Config.debug(n_symbols=len(SYMBOLS), voices=VOICES, n_mels=MEL.n_mels)
        if known.is_file():
            config = parse_metadata(known, FastSpeech2Config.from_dict, ["config"])
        frames = 3_000 if tiny else 24_000
        training = GpuAcousticTraining(config, corpus, until, weights, frames=frames, adversarial_from=0.2)
    elif part == "vocoder":
        vocoder = VocoderConfig.debug() if tiny else VocoderConfig(mel=MEL, steady_noise=True)
        if known.is_file():
            vocoder = parse_metadata(known, VocoderConfig.from_dict, ["config"])
        acoustic = out / WEIGHTS["fastspeech2"]
        training = GpuVocoderTraining(vocoder, corpus, until, weights, acoustic, pieces=4 if tiny else 32)
    else:
        sizes = {"n_symbols": len(SYMBOLS), "n_mels": MEL.n_mels, "frames_per_step": 2, "voices": VOICES}
        small = make_config(len(SYMBOLS), VOICES, ATTRIBUTES, MEL.n_mels)
        small = Tacotron2Config.debug(**sizes, attributes=ATTRIBUTES) if tiny else small
        if known.is_file():
            small = parse_metadata(known, Tacotron2Config.from_dict, ["config"])
        training = Tacotron2Training(small, corpus, until, weights, frames=3_000 if tiny else 20_000)
    if known.is_file():
        training.start_from(known)
    return training


def train(part: str, shards: Path, out: Path, until: float, start: Path, tiny: bool = False) -> None:
    """Train one network on what the teachers said, until a time."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = part == "vocoder"  # whose pieces are always of one length
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.zeros(1, device=device)
    while not (shards / READY).is_file():
        if time.time() > until:
            return
        time.sleep(0.1)
    corpus = load_part(part, shards, device, limit=60 if tiny else None)
    training = make_training(part, corpus, until, out, start, tiny)
    training.EXPORT_EVERY_S = 4.0 if tiny else training.EXPORT_EVERY_S
    minutes = len(corpus.mel) * MEL.hop_length / MEL.sample_rate / 60
    training.write_log({"clips": len(corpus.voice), "minutes": round(minutes, 1)})
    training.run_on(log_every=5 if tiny else 50)
    training.export()


def unpack_if_possible(pack: Path, shards: Path) -> None:
    """Unpack Kokoro's voices; where the decoder is missing, say so: minutes of a GPU are not lost for it."""
    try:
        print("voices", unpack(pack / "voices", shards), flush=True)
    except (ImportError, OSError, RuntimeError) as error:
        print("The other voices could not be read and are not learned:", error, flush=True)


def gather(pack: Path, shards: Path, workers: int, seconds: float, skip: int) -> None:
    """Let hibari speak and unpack the other voices meanwhile; then say that all is there."""
    reader = multiprocessing.get_context("spawn").Process(target=unpack_if_possible, args=(pack, shards))
    reader.start()
    teacher_corpus.speak(pack, shards, workers, seconds, skip, partial(retime_clip, config=MEL))
    reader.join()
    (shards / READY).touch()


def main() -> None:
    """Speak, then train the parts; the command starts itself for each of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=330.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--speak-share", type=float, default=0.08, help="share of the time that the teacher may speak")
    parser.add_argument("--skip", type=int, default=0, help="texts that the weights to go on from have read already")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--tiny", action="store_true", help="sizes for a try on a CPU")
    parser.add_argument("--part", choices=PARTS, help="train one part on what lies in --shards, until --until")
    parser.add_argument("--shards", type=Path)
    parser.add_argument("--until", type=float)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    if a.part:
        train(a.part, a.shards, a.out, a.until, a.pack / "start", a.tiny)
        return
    until = time.time() + a.seconds - LAST_WRITES_S
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > SHARDS_GB * 1e9
    shards = Path(tempfile.mkdtemp(dir=memory if has_room else None))
    try:
        command = [sys.executable, "-m", "training.speech.gpu_training", "--pack", str(a.pack), "--out", str(a.out)]
        command += ["--shards", str(shards), "--until", str(until), *(["--tiny"] if a.tiny else [])]
        children = [subprocess.Popen([*command, "--part", part]) for part in a.parts]
        gather(a.pack, shards, a.workers, a.speak_share * a.seconds, a.skip)
        for child in children:
            child.wait()
    finally:
        shutil.rmtree(shards, ignore_errors=True)


if __name__ == "__main__":
    require_one_process()
    main()

"""All speech networks from two teachers, in ten minutes of a GPU with many cores beside it.

    python -m training.speech.gpu_training --pack PACK --out FOLDER --seconds 590 --workers 12

Processes let the teacher speak into memory (`training.speech.teacher_corpus`), then three trainings run side by side
on the GPU until the time is over: the parallel acoustic model, Tacotron 2, the vocoder. Each writes its running average
every minute, so that a run which is cut off leaves something.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from models.speech.attributes import ATTRIBUTES
from models.speech.fastspeech2 import FastSpeech2Config
from models.speech.symbols import SYMBOLS
from models.speech.tacotron2 import Tacotron2Config
from models.speech.vocoder import VocoderConfig
from training.speech import teacher_corpus
from training.speech.adversarial_vocoder import AdversarialVocoderTraining
from training.speech.fastspeech2 import FastSpeech2Training
from training.speech.resident_corpus import TEACHER_MEL, load_corpus
from training.speech.tacotron2 import Tacotron2Training, make_config
from training.speech.teacher_corpus import VOICES
from training.speech.voice_pack import unpack

PARTS = ("fastspeech2", "tacotron2", "vocoder")
SHARES, VOCODER_SHARES = (0.91, 0.03, 0.03, 0.03), (0.7, 0.1, 0.1, 0.1)
"""Of the voices in a batch: "heart" has hours, the others minutes, which the vocoder may hear more often."""
LAST_WRITES_S = 12.0  # left for the last weights
SHARDS_GB = 8.0  # that the teachers' clips may take in memory


def train(part: str, shards: Path, out: Path, until: float, tiny: bool) -> None:
    """Train one network on what the teachers said, until a time."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shares = VOCODER_SHARES if part == "vocoder" else SHARES
    corpus = load_corpus(shards, shares, device, limit=60 if tiny else None)
    acoustic = out / "speech_fastspeech2.safetensors"
    training: FastSpeech2Training | Tacotron2Training | AdversarialVocoderTraining
    if part == "fastspeech2":
        changes = {"n_symbols": len(SYMBOLS), "voices": VOICES, "n_mels": TEACHER_MEL.n_mels}
        config = FastSpeech2Config.debug(**changes) if tiny else FastSpeech2Config(len(SYMBOLS), VOICES)
        training = FastSpeech2Training(config, corpus, until, acoustic, frames=3_000 if tiny else 36_000)
    elif part == "tacotron2":
        small = make_config(len(SYMBOLS), VOICES, ATTRIBUTES, TEACHER_MEL.n_mels)
        sizes = {"n_symbols": len(SYMBOLS), "n_mels": TEACHER_MEL.n_mels, "frames_per_step": 2, "voices": VOICES}
        small = Tacotron2Config.debug(**sizes, attributes=ATTRIBUTES) if tiny else small
        weights = out / "speech_tacotron2_24k.safetensors"
        training = Tacotron2Training(small, corpus, until, weights, frames=3_000 if tiny else 24_000)
    else:
        sizes = {"channels": 16, "hidden": 24, "layers": 2, "pitch_channels": 12, "pitch_layers": 1} if tiny else {}
        vocoder = VocoderConfig(mel=TEACHER_MEL, free_phase=True, steady_noise=True, **sizes)  # type: ignore[arg-type]
        weights = out / "speech_vocoder_24k.safetensors"
        training = AdversarialVocoderTraining(vocoder, corpus, until, weights, acoustic, pieces=4 if tiny else 40)
    training.EXPORT_EVERY_S = 4.0 if tiny else training.EXPORT_EVERY_S
    training.write_log({"clips": len(corpus.voice), "hours": round(len(corpus.mel) / 288_000, 2)})
    training.run_on(log_every=5 if tiny else 100)
    training.export()


def unpack_if_possible(pack: Path, shards: Path) -> None:
    """Unpack Kokoro's voices; where the decoder is missing, say so: minutes of a GPU are not lost for it."""
    try:
        print("voices", unpack(pack / "voices", shards), flush=True)
    except (ImportError, OSError, RuntimeError) as error:
        print("The other voices could not be read and are not learned:", error, flush=True)


def main() -> None:
    """Speak, then train all parts; the command starts itself for each of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=590.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--speak-share", type=float, default=0.2, help="share of the time that the teacher may speak")
    parser.add_argument("--tiny", action="store_true", help="sizes for a try on a CPU")
    parser.add_argument("--part", choices=PARTS, help="train one part on what lies in --shards, until --until")
    parser.add_argument("--shards", type=Path)
    parser.add_argument("--until", type=float)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    if a.part:
        train(a.part, a.shards, a.out, a.until, a.tiny)
        return
    until = time.time() + a.seconds - LAST_WRITES_S
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > SHARDS_GB * 1e9
    shards = Path(tempfile.mkdtemp(dir=memory if has_room else None))
    try:
        unpack_if_possible(a.pack, shards)
        teacher_corpus.speak(a.pack, shards, a.workers, a.speak_share * a.seconds)
        command = [sys.executable, "-m", "training.speech.gpu_training", "--pack", str(a.pack), "--out", str(a.out)]
        command += ["--shards", str(shards), "--until", str(until), *(["--tiny"] if a.tiny else [])]
        children = [subprocess.Popen([*command, "--part", part]) for part in PARTS]
        for child in children:
            child.wait()
    finally:
        shutil.rmtree(shards, ignore_errors=True)


if __name__ == "__main__":
    main()

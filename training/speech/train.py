"""The recipe of the shipped speech weights, from data to files, in five commands.

    python -m training.speech.train synthetic --voice slt --texts texts_13100.csv --count 2000 --out DATA/slt
    python -m training.speech.train prepare --voice lj=DATA/lj --voice slt=DATA/slt --hold-out LJ050 --shift lj=1.0
    python -m training.speech.train acoustic --steps 3000
    python -m training.speech.train vocoder --steps 2000
    python -m training.speech.train vocoder --predicted --steps 3000
    python -m training.speech.train export

Every stage resumes from its checkpoint in `--run` (default `.runs/speech`, which git ignores) and writes a log line of
JSON every few steps: losses, attention focus, steps a second. On two GPUs: `accelerate launch --num_processes 2 -m
training.speech.train acoustic ...`. Needs `pyworld praat-parselmouth`, and the program `flite` for synthetic voices.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RUN = Path(".runs/speech")
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"


def speak_texts(arguments: argparse.Namespace) -> None:
    """Let flite speak random texts, so that the attention can learn from a clean, regular voice."""
    rows = [line.split("|") for line in arguments.texts.read_text(encoding="utf-8").splitlines()]
    held_out = tuple(arguments.hold_out)
    rows = [row for row in rows if not row[0].startswith(held_out) and 25 <= len(row[-1]) <= arguments.longest]
    random.Random(arguments.seed).shuffle(rows)
    rows = rows[arguments.skip : arguments.skip + arguments.count]
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = [f"{arguments.voice}-{row[0]}" for row in rows]

    def speak(name: str, text: str) -> None:
        command = ["flite", "-voice", arguments.voice, "-t", text, "-o", str(arguments.out / f"{name}.wav")]
        subprocess.run(command, check=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(speak, names, [row[-1] for row in rows]))
    lines = [f"{name}|{row[-1]}\n" for name, row in zip(names, rows, strict=True)]
    (arguments.out / "metadata.csv").write_text("".join(lines), encoding="utf-8")


def prepare_corpus(arguments: argparse.Namespace) -> None:
    """Measure every clip, align its symbols and frames, and write the corpus."""
    from training.speech import corpus
    from training.speech.aligner import align_clips

    folders = {voice: Path(folder) for voice, folder in (pair.split("=", 1) for pair in arguments.voice)}
    shares = {voice: float(share) for voice, share in (pair.split("=", 1) for pair in arguments.shift)}
    clips = corpus.prepare_clips(folders, tuple(arguments.hold_out), shares, arguments.seed, os.cpu_count() or 1)
    align_clips(clips)
    corpus.save(arguments.run / "corpus.pt", clips)
    print(f"{len(clips)} clips, {sum(len(c.samples) for c in clips) / 22_050 / 3600:.2f} hours")


def train_acoustic(arguments: argparse.Namespace) -> None:
    """Train Tacotron 2."""
    import torch

    from training.speech import corpus
    from training.speech.acoustic import AcousticPlan, AcousticTrainer

    torch.set_flush_denormal(True)  # a sharp attention is full of denormals, and they are slow
    plan = AcousticPlan(steps=arguments.steps, batch_frames=arguments.batch_frames, target_voice=arguments.target)
    AcousticTrainer(corpus.load(arguments.run / "corpus.pt"), plan, arguments.run).run(log_every=20, save_every=100)


def train_vocoder(arguments: argparse.Namespace) -> None:
    """Train the vocoder: on true mel frames, or with `--predicted` on the finished acoustic model's."""
    from training.speech import corpus
    from training.speech.ground_truth_aligned import replace_with_aligned_mel
    from training.speech.vocoder import VocoderPlan, VocoderTrainer

    clips = corpus.load(arguments.run / "corpus.pt")
    if not arguments.predicted:
        VocoderTrainer(clips, VocoderPlan(steps=arguments.steps), arguments.run).run(log_every=50, save_every=100)
        return
    plan = VocoderPlan.for_finetuning(arguments.steps)
    clips = replace_with_aligned_mel(clips, arguments.run / "acoustic.pt", plan.voices)
    trainer = VocoderTrainer(clips, plan, arguments.run, "vocoder_predicted")
    if not trainer.step:
        trainer.start_from(arguments.start or arguments.run / "vocoder.pt")
    trainer.run(log_every=50, save_every=100)


def export_weights(arguments: argparse.Namespace) -> None:
    """Write the weight files."""
    from training.speech.export import export_acoustic, export_vocoder

    last = arguments.run / "vocoder_predicted.pt"
    print(export_acoustic(arguments.run / "acoustic.pt", arguments.out))
    print(export_vocoder(last if last.exists() else arguments.run / "vocoder.pt", arguments.out))


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(required=True)

    def add_command(name: str, function: Callable[[argparse.Namespace], None], **options: dict[str, object]) -> None:
        sub = commands.add_parser(name, help=(function.__doc__ or "").splitlines()[0])
        for option, settings in options.items():
            sub.add_argument(f"--{option.replace('_', '-')}", **settings)  # type: ignore[arg-type]
        sub.set_defaults(function=function)

    run: dict[str, object] = {"type": Path, "default": RUN, "help": "folder of checkpoints and logs"}
    hold_out: dict[str, object] = {"action": "append", "default": [], "help": "leave out ids that begin with this"}
    seed: dict[str, object] = {"type": int, "default": 1}
    add_command(
        "synthetic",
        speak_texts,
        voice={"default": "slt", "help": "flite voice: slt, rms, awb, kal16"},
        texts={"type": Path, "required": True, "help": "lines of id|...|text"},
        count={"type": int, "default": 2000},
        skip={"type": int, "default": 0, "help": "texts another voice has taken"},
        longest={"type": int, "default": 125, "help": "characters"},
        out={"type": Path, "required": True},
        hold_out=hold_out,
        seed=seed,
    )
    add_command(
        "prepare",
        prepare_corpus,
        voice={"action": "append", "required": True, "help": "KEY=FOLDER with metadata.csv; may be given again"},
        shift={"action": "append", "default": [], "help": "KEY=SHARE of clips that also get another pitch"},
        hold_out=hold_out,
        seed=seed,
        run=run,
    )
    add_command(
        "acoustic",
        train_acoustic,
        steps={"type": int, "default": 3000},
        batch_frames={"type": int, "default": 4000, "help": "mel frames a process and step"},
        target={"default": "lj", "help": "the voice whose share grows"},
        run=run,
    )
    add_command(
        "vocoder",
        train_vocoder,
        steps={"type": int, "default": 2000},
        predicted={"action": "store_true", "help": "on the acoustic model's mel frames"},
        start={"type": Path, "help": "with --predicted: weights to begin with, if not vocoder.pt"},
        run=run,
    )
    add_command("export", export_weights, run=run, out={"type": Path, "default": WEIGHTS})
    return top


if __name__ == "__main__":
    parsed = build_parser().parse_args()
    parsed.function(parsed)

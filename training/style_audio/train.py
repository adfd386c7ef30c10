r"""The recipe of the shipped audio style weights, from data to one file, in six commands.

    python -m training.style_audio.train speak --texts LJ/metadata.csv --out DATA
    python -m training.style_audio.train prepare --voice lj=LJ --voice slt=DATA/slt --voice rms=DATA/rms \
        --voice awb=DATA/awb --voice kal16=DATA/kal16 --sounds SOUNDS
    python -m training.style_audio.train network
    python -m training.style_audio.train vocoder
    python -m training.style_audio.train matching
    python -m training.style_audio.train export

`speak` lets Debian's `flite` read the sentences of LJ001 and LJ002 in four voices. SOUNDS holds `instruments/`,
`ambience/` and `samples_cc0/`. What HOLD_OUT names is never trained on. Every stage resumes from its checkpoint in
`--run` (default `.runs/style_audio`, which git ignores) and writes a log line of JSON every few steps.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RUN = Path(".runs/style_audio")
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
FILE = "style_audio.safetensors"
FLITE_VOICES = ("slt", "rms", "awb", "kal16")
HOLD_OUT = ("LJ050", "clarinet", "trumpet", "waves", "train")
PRESETS = (
    *("lj", "slt", "rms", "awb", "kal16"),
    *("violin", "cello", "flute", "organ", "guitar-electric", "piano"),
    *("rain", "fireplace", "ambi_drone", "ambi_glass_hum", "storm"),
)


def speak_texts(arguments: argparse.Namespace) -> None:
    """Let flite read sentences that LJ reads too."""
    rows = [line.split("|") for line in arguments.texts.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if not row[0].startswith(HOLD_OUT) and 30 <= len(row[-1]) <= 110]
    random.Random(1).shuffle(rows)
    jobs = [(voice, row[0], row[-1]) for voice in FLITE_VOICES for row in rows[: arguments.count]]

    def read(job: tuple[str, str, str]) -> None:
        voice, name, text = job
        path = arguments.out / voice / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(read, jobs))


def prepare_corpus(arguments: argparse.Namespace) -> None:
    """Gather all sounds in one file."""
    from training.style_audio import corpus

    tracks = [
        corpus.read_voice_track(name, Path(folder), HOLD_OUT)
        for name, folder in (pair.split("=", 1) for pair in arguments.voice)
    ]
    tracks += corpus.read_sound_tracks(arguments.sounds, HOLD_OUT)
    missing = set(PRESETS) - {track.name for track in tracks}
    if missing:  # told now, and not after the training
        raise SystemExit(f"There is no sound of at least {corpus.SHORTEST_TRACK_S:g} s for {sorted(missing)}.")
    corpus.save(arguments.run / "corpus.pt", tracks)
    for kind in ("voice", "instrument", "sound"):
        chosen = [t for t in tracks if t.kind == kind]
        minutes = sum(len(c.samples) for t in chosen for c in t.clips) / 22_050 / 60
        print(f"{kind}: {len(chosen)} tracks, {minutes:.1f} minutes: {', '.join(t.name for t in chosen)}")


def train_network(arguments: argparse.Namespace) -> None:
    """Train the style network."""
    import torch

    from training.style_audio import corpus
    from training.style_audio.network import NetworkPlan, NetworkTrainer

    torch.set_flush_denormal(True)
    plan = NetworkPlan(steps=arguments.steps)
    NetworkTrainer(corpus.load(arguments.run / "corpus.pt"), plan, arguments.run).run(log_every=25, save_every=100)


def train_vocoder(arguments: argparse.Namespace) -> None:
    """Train the content vocoder."""
    import torch

    from training.style_audio import corpus
    from training.style_audio.vocoder import ContentVocoderPlan, ContentVocoderTrainer

    torch.set_flush_denormal(True)
    plan = ContentVocoderPlan(steps=arguments.steps)
    ContentVocoderTrainer(corpus.load(arguments.run / "corpus.pt"), plan, arguments.run).run(
        log_every=25, save_every=100
    )


def train_matching(arguments: argparse.Namespace) -> None:
    """Train the network that finds the sounds of one voice in another."""
    import torch

    from training.style_audio import corpus
    from training.style_audio.matching import MatchingPlan, MatchingTrainer

    torch.set_flush_denormal(True)
    plan = MatchingPlan(steps=arguments.steps)
    MatchingTrainer(corpus.load(arguments.run / "corpus.pt"), plan, arguments.run).run(log_every=50, save_every=200)


def export_weights(arguments: argparse.Namespace) -> None:
    """Write the networks and the presets as the studio's weight file."""
    import torch

    from models.style.audio_network import AudioStyleConfig, AudioStyleNetwork
    from models.style.content_vocoder import ContentVocoder, ContentVocoderConfig
    from models.style.matching import MatchingConfig, MatchingNetwork
    from models.weights_io import save_safetensors
    from training.style_audio import corpus
    from training.style_audio.presets import build_preset_matching_sets, build_preset_statistics

    names = ("network", "vocoder", "matching")
    states = {name: torch.load(arguments.run / f"{name}.pt", weights_only=True) for name in names}
    styler = AudioStyleNetwork(AudioStyleConfig.from_dict(states["network"]["config"]))
    styler.load_state_dict(states["network"]["average"])
    maker = ContentVocoder(ContentVocoderConfig.from_dict(states["vocoder"]["config"]))
    maker.load_state_dict(states["vocoder"]["average"])
    matcher = MatchingNetwork(MatchingConfig.from_dict(states["matching"]["config"]))
    matcher.load_state_dict(states["matching"]["average"])
    tracks = corpus.load(arguments.run / "corpus.pt")
    tensors, pitches = build_preset_statistics(styler.eval(), tracks, PRESETS)
    tensors = {f"style.{key}": value for key, value in tensors.items()}
    tensors |= {
        f"bank.{key}": value
        for key, value in build_preset_matching_sets(styler, matcher.eval(), tracks, PRESETS).items()
    }
    for group, module in (("network", styler), ("vocoder", maker), ("matching", matcher)):
        tensors |= {f"{group}.{key}": value for key, value in module.state_dict().items()}
    metadata = {
        "network": json.dumps(styler.config.to_dict()),
        "vocoder": json.dumps(maker.config.to_dict()),
        "matching": json.dumps(matcher.config.to_dict()),
        "presets": json.dumps(pitches),
        "steps": json.dumps({name: state["step"] for name, state in states.items()}),
    }
    save_safetensors(arguments.weights / FILE, tensors, metadata)
    print(arguments.weights / FILE, (arguments.weights / FILE).stat().st_size)


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=RUN)
    stages = parser.add_subparsers(required=True)

    stage = stages.add_parser("speak", help=speak_texts.__doc__)
    stage.add_argument("--texts", type=Path, required=True, help="lines of id|...|text")
    stage.add_argument("--count", type=int, default=400, help="at most so many sentences")
    stage.add_argument("--out", type=Path, required=True)
    stage.set_defaults(action=speak_texts)

    stage = stages.add_parser("prepare", help=prepare_corpus.__doc__)
    stage.add_argument("--voice", action="append", required=True, help="NAME=FOLDER of sound files named by text")
    stage.add_argument("--sounds", type=Path, required=True)
    stage.set_defaults(action=prepare_corpus)

    trained = {"network": (train_network, 1500), "vocoder": (train_vocoder, 1500), "matching": (train_matching, 4000)}
    for name, (action, steps) in trained.items():
        stage = stages.add_parser(name, help=action.__doc__)
        stage.add_argument("--steps", type=int, default=steps)
        stage.set_defaults(action=action)

    stage = stages.add_parser("export", help=export_weights.__doc__)
    stage.add_argument("--weights", type=Path, default=WEIGHTS)
    stage.set_defaults(action=export_weights)

    arguments = parser.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()

"""Clips of Kokoro's voices, coded small, so that they travel to a machine that has no time to speak them.

    python -m training.speech.voice_pack speak --kokoro FOLDER --texts TEXTS --out CLIPS --minutes 60
    python -m training.speech.voice_pack pack --clips CLIPS --out PACK/voices

`speak` needs the text front end and `onnxruntime`; it takes turns between the voices and goes on where it was
stopped. A pack holds each voice's sound as one Vorbis file at the rate of the networks, and durations, symbols and F0
beside it. In DistillMOS Emma has 4.51 as she speaks, 4.51 after 37 kbit/s, 4.43 after 30, and after 28 of Opus 4.30.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.audio import MelConfig
from models.speech.hibari_synthesis import HOP, RATE
from models.speech.symbols import encode
from training.speech.retiming import retime_clip
from training.speech.teacher_corpus import VOICES, SpokenClip, quantise, save_clips, trim_clip
from training.speech.teachers import KokoroTeacher, TeacherClip

KOKORO_VOICES: Mapping[str, str] = {"emma": "bf_emma", "michael": "am_michael", "fable": "bm_fable"}
PACKED = MelConfig()
VORBIS_LEVEL = 0.8  # soundfile's compression level, 0 to 1: about 35 kbit/s


def speak(kokoro: Path, texts: Path, out: Path, minutes: float) -> None:
    """Speak texts, one a line, the next always in the voice that has spoken least, until each has so many minutes."""
    from models.speech.text import iter_utterances

    teacher = KokoroTeacher(kokoro)
    out.mkdir(parents=True, exist_ok=True)
    spoken_s = dict.fromkeys(KOKORO_VOICES.values(), 0.0)
    for path in out.glob("*.npz"):
        spoken_s[path.name.split("-")[0]] += float(np.load(path)["durations"].sum()) * HOP / RATE
    done = len(list(out.glob("*.npz")))
    for number, text in enumerate(texts.read_text(encoding="utf-8").splitlines()[done:], done):
        voice = min(spoken_s, key=lambda key: spoken_s[key])
        if spoken_s[voice] > 60 * minutes:
            return
        for part, utterance in enumerate(iter_utterances(text, function_word_stress=False)):
            clip = teacher.speak(utterance.symbols, voice)
            path = out / f"{voice}-{number:05}-{part}.npz"
            written = path.with_name(f".{path.name}")
            samples = (np.clip(clip.samples, -1, 1) * 32767).astype(np.int16)
            symbols = np.array(utterance.symbols)
            np.savez(written, symbols=symbols, durations=clip.durations, f0=clip.f0.astype(np.float16), samples=samples)
            written.replace(path)
            spoken_s[voice] += len(clip.samples) / RATE


def read_spoken(path: Path, voice: int) -> SpokenClip:
    """Read a clip that `speak` wrote, without its long silences."""
    with np.load(path) as file:
        samples, f0 = file["samples"].astype(np.float32) / 32768, file["f0"].astype(np.float32)
        clip = trim_clip(TeacherClip(samples, file["durations"], f0, np.full(len(f0), np.nan, np.float32)))
        ids = np.array(encode([str(symbol) for symbol in file["symbols"]]), np.uint8)
    return SpokenClip(ids, clip.samples, clip.durations, clip.f0, clip.cycles, voice)


def pack(clips: Path, out: Path, minutes: float, level: float, config: MelConfig = PACKED) -> dict[str, float]:
    """Code the clips of each voice at the rate and hop of `config`, so many minutes at most; return their minutes."""
    import soundfile

    out.mkdir(parents=True, exist_ok=True)
    packed = {}
    for name, key in KOKORO_VOICES.items():
        taken: list[SpokenClip] = []
        for path in sorted(clips.glob(f"{key}-*.npz")):
            taken.append(retime_clip(read_spoken(path, VOICES.index(name)), config))
            if sum(len(clip.samples) for clip in taken) / config.sample_rate > 60 * minutes:
                break
        if not taken:
            continue
        sound = np.concatenate([quantise(clip.samples) for clip in taken])
        coding = {"format": "OGG", "subtype": "VORBIS", "compression_level": level}
        with soundfile.SoundFile(out / f"{name}.ogg", "w", config.sample_rate, channels=1, **coding) as file:
            for start in range(0, len(sound), config.sample_rate):  # the encoder does not survive minutes at once
                file.write(sound[start : start + config.sample_rate])
        np.savez_compressed(
            out / f"{name}.npz",
            f0=np.concatenate([clip.f0.round().astype(np.uint16) for clip in taken]),
            durations=np.concatenate([clip.durations.astype(np.uint16) for clip in taken]),
            symbols=np.concatenate([clip.symbols for clip in taken]),
            counts=np.array([[len(clip.f0), len(clip.symbols)] for clip in taken]),
            hop=config.hop_length,
        )
        packed[name] = len(sound) / config.sample_rate / 60
    return packed


def unpack(pack_folder: Path, shards: Path) -> dict[str, int]:
    """Write a pack's voices as shards of the corpus; return how many clips each has."""
    import soundfile

    shards.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in KOKORO_VOICES:
        if not (pack_folder / f"{name}.ogg").is_file():
            continue
        sound, rate = soundfile.read(pack_folder / f"{name}.ogg", dtype="float32")
        with np.load(pack_folder / f"{name}.npz") as file:
            counts, f0, hop = file["counts"], file["f0"].astype(np.float32), int(file["hop"])
            durations, symbols = file["durations"].astype(np.int64), file["symbols"]
        whole = np.zeros(len(f0) * hop, np.float32)
        whole[: len(sound)] = sound[: len(whole)]
        clips = []
        frame = place = 0
        for frames, length in counts.tolist():
            rows = slice(place, place + length)
            samples = whole[frame * hop : (frame + frames) * hop]
            heard = (samples, durations[rows], f0[frame : frame + frames], np.full(frames, np.nan, np.float32))
            clips.append(SpokenClip(symbols[rows], *heard, VOICES.index(name), rate=rate, hop=hop))
            frame, place = frame + frames, place + length
        save_clips(shards / f"{name}.npz", clips)
        found[name] = len(clips)
    return found


def main() -> None:
    """Run what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    spoken = actions.add_parser("speak")
    spoken.add_argument("--kokoro", type=Path, required=True)
    spoken.add_argument("--texts", type=Path, required=True)
    spoken.add_argument("--out", type=Path, required=True)
    spoken.add_argument("--minutes", type=float, default=20.0)
    coded = actions.add_parser("pack")
    coded.add_argument("--clips", type=Path, required=True)
    coded.add_argument("--out", type=Path, required=True)
    coded.add_argument("--minutes", type=float, default=30.0)
    coded.add_argument("--level", type=float, default=VORBIS_LEVEL)
    a = parser.parse_args()
    started = time.time()
    if a.action == "speak":
        speak(a.kokoro, a.texts, a.out, a.minutes)
    else:
        print({name: round(minutes, 1) for name, minutes in pack(a.clips, a.out, a.minutes, a.level).items()})
    print(round(time.time() - started), "s")


if __name__ == "__main__":
    main()

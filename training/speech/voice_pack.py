"""Clips of Kokoro's voices, coded small, so that they travel to a machine that has no time to speak them.

    python -m training.speech.voice_pack speak --kokoro FOLDER --texts TEXTS --out CLIPS --minutes 60
    python -m training.speech.voice_pack pack --clips CLIPS --out PACK/voices

`speak` needs the text front end, `onnx` and `onnxruntime`; it takes turns between the voices and goes on where it was
stopped. A pack holds each voice's sound as one Opus file, and durations, symbols and F0 beside it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.speech.symbols import encode
from training.speech.teacher_corpus import VOICES, SpokenClip, save_clips, trim_clip
from training.speech.teachers import HOP, RATE, KokoroTeacher, TeacherClip

KOKORO_VOICES: Mapping[str, str] = {"emma": "bf_emma", "michael": "am_michael", "fable": "bm_fable"}
OPUS_SMALLEST = 0.9  # soundfile's compression level, 0 to 1: about 24 kbit/s


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


def pack(clips: Path, out: Path, minutes: float, level: float) -> dict[str, float]:
    """Code the clips of each voice, so many minutes at most; return the minutes that each has."""
    import soundfile

    out.mkdir(parents=True, exist_ok=True)
    packed = {}
    for name, key in KOKORO_VOICES.items():
        taken: list[tuple[TeacherClip, list[int]]] = []
        for path in sorted(clips.glob(f"{key}-*.npz")):
            with np.load(path) as file:
                samples = file["samples"].astype(np.float32) / 32768
                f0 = file["f0"].astype(np.float32)
                clip = trim_clip(TeacherClip(samples, file["durations"], f0, np.full(len(f0), np.nan, np.float32)))
                taken.append((clip, encode([str(symbol) for symbol in file["symbols"]])))
            if sum(len(clip.f0) for clip, _ in taken) * HOP / RATE > 60 * minutes:
                break
        if not taken:
            continue
        sound = np.concatenate([clip.samples for clip, _ in taken])
        soundfile.write(out / f"{name}.opus", sound, RATE, format="OGG", subtype="OPUS", compression_level=level)
        np.savez_compressed(
            out / f"{name}.npz",
            f0=np.concatenate([clip.f0.round().astype(np.uint16) for clip, _ in taken]),
            durations=np.concatenate([clip.durations.astype(np.uint8) for clip, _ in taken]),
            symbols=np.concatenate([np.array(ids, np.uint8) for _, ids in taken]),
            counts=np.array([[len(clip.f0), len(ids)] for clip, ids in taken]),
        )
        packed[name] = len(sound) / RATE / 60
    return packed


def unpack(pack_folder: Path, shards: Path) -> dict[str, int]:
    """Write a pack's voices as shards of the corpus; return how many clips each has."""
    import soundfile

    shards.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in KOKORO_VOICES:
        if not (pack_folder / f"{name}.opus").is_file():
            continue
        sound, _ = soundfile.read(pack_folder / f"{name}.opus", dtype="float32")
        with np.load(pack_folder / f"{name}.npz") as file:
            counts, f0 = file["counts"], file["f0"].astype(np.float32)
            durations, symbols = file["durations"].astype(np.int64), file["symbols"]
        whole = np.zeros(len(f0) * HOP, np.float32)
        whole[: len(sound)] = sound[: len(whole)]
        clips = []
        frame = place = 0
        for frames, length in counts:
            rows = slice(place, place + length)
            samples = whole[frame * HOP : (frame + frames) * HOP]
            heard = (samples, durations[rows], f0[frame : frame + frames], np.full(frames, np.nan, np.float32))
            clips.append(SpokenClip(symbols[rows], *heard, VOICES.index(name)))
            frame, place = frame + int(frames), place + int(length)
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
    coded.add_argument("--level", type=float, default=OPUS_SMALLEST)
    a = parser.parse_args()
    started = time.time()
    if a.action == "speak":
        speak(a.kokoro, a.texts, a.out, a.minutes)
    else:
        print({name: round(minutes, 1) for name, minutes in pack(a.clips, a.out, a.minutes, a.level).items()})
    print(round(time.time() - started), "s")


if __name__ == "__main__":
    main()

"""Spoken sentences on disk: a FLAC file and a line of facts each, under the hash of all that they depend on.

A sentence is there once its FLAC file is, which comes last and at once; a process that is killed leaves no half of one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.contracts import WordTiming
from models.errors import ModelError

FloatArray = NDArray[np.float32]
PART = ".part"
DISK_FULL = "The spoken sentence could not be written; there may be too little room on the disk."


@dataclass(frozen=True)
class SentenceFacts:
    """What is known of a spoken sentence.

    Attributes:
        samples: how many.
        words: timed from the sentence's own beginning.
        verdict: of the model about its alignment, or "".
    """

    samples: int
    sample_rate: int
    words: tuple[WordTiming, ...] = ()
    verdict: str = ""
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Return how long it lasts."""
        return self.samples / self.sample_rate if self.sample_rate else 0.0


class SentenceStore:
    """The spoken sentences of a folder, which is made where it does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Return where the sound of a sentence lies, or will lie."""
        return self.folder / key[:2] / f"{key}.flac"

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.path(key).is_file()

    def keys(self) -> set[str]:
        """Return all that are there."""
        return {path.stem for path in self.folder.glob("??/*.flac")}

    def save(self, key: str, samples: FloatArray, facts: SentenceFacts) -> None:
        """Keep a sentence, its sound float32 (n,) in [-1, 1].

        Raises:
            ModelError: the disk is full or cannot be written to.
        """
        import soundfile

        path = self.path(key)
        part = path.with_name(f"{key}-{secrets.token_hex(4)}{PART}")
        words = [[word.text, word.start_s, word.end_s, word.marked] for word in facts.words]
        told = {"samples": facts.samples, "sample_rate": facts.sample_rate, "words": words}
        told |= {"verdict": facts.verdict, "notes": list(facts.notes)}
        try:
            path.parent.mkdir(exist_ok=True)
            part.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
            part.replace(path.with_suffix(".json"))
            with part.open("wb") as file:
                soundfile.write(file, samples, facts.sample_rate, "PCM_16", format="FLAC")
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except (OSError, soundfile.LibsndfileError) as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise ModelError(DISK_FULL, "disk") from error

    def facts(self, key: str) -> SentenceFacts | None:
        """Return what is known of a sentence; None where it is not there or damaged."""
        path = self.path(key)
        if not path.is_file():
            return None
        try:
            told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            words = tuple(
                WordTiming(str(text), float(start_s), float(end_s), *map(str, marked))
                for text, start_s, end_s, *marked in told["words"]
            )
            notes = tuple(str(note) for note in told["notes"])
            return SentenceFacts(int(told["samples"]), int(told["sample_rate"]), words, str(told["verdict"]), notes)
        except (OSError, ValueError, KeyError, TypeError):
            self.drop(key)
            return None

    def sound(self, key: str) -> FloatArray:
        """Return the sound of a sentence, float32 (n,).

        Raises:
            ModelError: it is gone or damaged; it is then spoken anew when the book is read on.
        """
        import soundfile

        try:
            samples, _ = soundfile.read(self.path(key), dtype="float32")
        except (OSError, soundfile.LibsndfileError) as error:
            self.drop(key)
            raise ModelError("A spoken sentence is damaged. Press Go on, and it is spoken anew.", "disk") from error
        return np.asarray(samples, np.float32).reshape(-1)

    def drop(self, key: str) -> None:
        """Forget a sentence."""
        for path in (self.path(key), self.path(key).with_suffix(".json")):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

"""One take of speech: collects the chunks of a generation and makes its files; knows no page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.contracts import SpeechChunk, WordTiming
from studio.io import audio_files
from studio.io.recipes import Recipe, write_recipe
from studio.page import plots
from studio.page.html import AlignmentPanel
from studio.page.stream_pacing import sound_tail
from studio.speech import captions

FloatArray = NDArray[np.float32]
MAX_PANELS = 40  # alignments kept for the page: of a longer text, those of the last sentences


@dataclass
class SpeechTake:
    """Everything that one generation has given so far."""

    sample_rate: int = 0
    sounds: list[FloatArray] = field(default_factory=list)
    mels: list[FloatArray] = field(default_factory=list)
    panels: list[AlignmentPanel] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    words: tuple[WordTiming, ...] = ()
    notes: tuple[str, ...] = ()
    samples_count: int = 0
    done: int = 0
    total: int = 1
    sentence: int = -1
    sentences: int = 0
    finished: bool = False

    @property
    def duration_s(self) -> float:
        """Return length of the sound so far."""
        return self.samples_count / self.sample_rate if self.sample_rate else 0.0

    def add(self, chunk: SpeechChunk) -> None:
        """Take in the next chunk."""
        start_s = self.duration_s
        self.sample_rate = chunk.sample_rate
        if chunk.samples.size:
            self.sounds.append(chunk.samples)
            self.samples_count += int(chunk.samples.size)
        if chunk.mel.size:
            self.mels.append(chunk.mel)
        self._add_alignment(chunk, start_s)
        if chunk.verdict:
            self.verdicts.append(chunk.verdict)
        self.words, self.notes = chunk.words, chunk.notes
        self.done, self.total, self.sentences = chunk.done, chunk.total, chunk.sentences
        self.finished = self.finished or chunk.last

    def _add_alignment(self, chunk: SpeechChunk, start_s: float) -> None:
        is_new = chunk.sentence != self.sentence
        if is_new and chunk.alignment.size == 0:
            return
        if is_new:
            self.sentence = chunk.sentence
            if self.panels:
                self.panels[-1] = _closed(self.panels[-1], start_s)
            self.panels = self.panels[-(MAX_PANELS - 1) :]
        else:
            start_s = self.panels[-1].start_s if self.panels else start_s
            if chunk.alignment.size == 0 and self.panels:
                self.panels[-1] = _closed(self.panels[-1], self.duration_s)
                return
            self.panels = self.panels[:-1]
        width = 0 if chunk.verdict or chunk.last else plots.expected_steps(chunk.alignment)
        self.panels.append(AlignmentPanel(chunk.alignment, chunk.symbols, start_s, self.duration_s, width))

    def sound(self) -> FloatArray:
        """Return the whole sound so far, float32 (n,)."""
        return np.concatenate(self.sounds) if self.sounds else np.zeros(0, dtype=np.float32)

    def sound_since(self, start: int) -> FloatArray:
        """Return what follows sample `start`, float32 (n,); looks only at the pieces it needs."""
        return sound_tail(self.sounds, self.samples_count, start)

    def mel(self) -> FloatArray:
        """Return all mel frames so far, float32 (frames, n_mels)."""
        return np.concatenate(self.mels) if self.mels else np.zeros((0, 80), dtype=np.float32)

    def recent_mel(self, seconds: float) -> tuple[FloatArray, float]:
        """Return the last mel frames and when they start, looking only at the pieces it needs."""
        frames_count = sum(len(piece) for piece in self.mels)
        if not frames_count or not self.duration_s:
            return self.mel(), 0.0
        wanted = max(1, round(seconds * frames_count / self.duration_s))
        pieces: list[FloatArray] = []
        for piece in reversed(self.mels):
            if sum(map(len, pieces)) >= wanted:
                break
            pieces.append(piece)
        recent = np.concatenate(pieces[::-1])[-wanted:]
        return recent, self.duration_s * (1.0 - len(recent) / frames_count)

    def close(self) -> None:
        """Let the last picture end where the sound ends: no more chunks will come."""
        if self.panels:
            self.panels[-1] = _closed(self.panels[-1], self.duration_s)


FILES = ("wav", "mp3", "srt", "vtt")


def save_take(take: SpeechTake, recipe: Recipe, folder: str | Path) -> dict[str, Path | None]:
    """Write WAV and MP3 with their recipe, SRT and VTT; MP3 is None where it cannot be written."""
    stem = Path(folder) / file_stem(str(recipe.settings.get("text", "")), recipe.seed)
    wav = audio_files.write_wav(stem.with_suffix(".wav"), take.sound(), take.sample_rate)
    write_recipe(wav, recipe)
    mp3: Path | None
    try:
        mp3 = audio_files.write_mp3(stem.with_suffix(".mp3"), take.sound(), take.sample_rate)
        write_recipe(mp3, recipe)
    except audio_files.MediaError:
        mp3 = None
    srt, vtt = stem.with_suffix(".srt"), stem.with_suffix(".vtt")
    srt.write_text(captions.to_srt(take.words), encoding="utf-8")
    vtt.write_text(captions.to_vtt(take.words), encoding="utf-8")
    return {"wav": wav, "mp3": mp3, "srt": srt, "vtt": vtt}


def file_stem(text: str, seed: int) -> str:
    """Return a short file name from the first words: "the-quick-brown-fox-7"."""
    words = re.findall(r"[a-z0-9]+", text.lower())[:5]
    return "-".join([*(word[:16] for word in words), str(seed)]) if words else f"speech-{seed}"


def _closed(panel: AlignmentPanel, end_s: float) -> AlignmentPanel:
    return AlignmentPanel(panel.weights, panel.symbols, panel.start_s, max(panel.start_s, end_s))

"""What the Music tab shows of a take: its roll and desk, its remarks, or the spectrogram of a sound without notes."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.music.contracts import MusicRequest
from studio.music import piano_roll, roll_tools
from studio.music.take import MusicTake, join_sound
from studio.page import html
from studio.page.events import Pictures


def show_take(take: MusicTake, shows_probability: bool, serial: int = 0) -> Pictures:
    """Draw roll, desk and remarks of a finished take; of sound without notes, its spectrogram in the roll's place.

    Args:
        serial: number of the page's message that this answers.
    """
    return Pictures({"roll": _draw(take, shows_probability, serial), "notes": html.notes(take.remarks)})


def _draw(take: MusicTake, shows_probability: bool, serial: int) -> str:
    if not take.bars:
        return _draw_spectrogram(take)
    tools = roll_tools.make_tools(take, serial) if take.piece is not None else None
    return piano_roll.draw_roll(take.notes, take.bars, take.tracks, take.sound_start_s, shows_probability, tools=tools)


def draw_small_roll(take: MusicTake, first_bar: int = 0, last_bar: int = 0) -> str:
    """Draw the roll of some bars of a take without words, all of them by default."""
    if not take.bars or not take.finished:
        return ""
    bars = take.bars[first_bar - 1 : last_bar] if first_bar else take.bars
    if not bars:
        return ""
    notes = [note for note in take.notes if bars[0].start_s - 1e-6 <= note.start_s < bars[-1].end_s - 1e-6]
    return piano_roll.draw_small_roll(notes, bars, take.tracks)


def mark_chosen(number: int) -> Pictures:
    """Tell which of several takes, from 0, is on the table; the style sheet marks its card."""
    return Pictures({"chosen": f'<p class="chosen-idea" data-chosen="{number + 1}">{number + 1} is on the table</p>'})


def whole_sound(composer: Any, take: MusicTake) -> np.ndarray:
    """Return the sound of the whole piece, float32 (2, n), also where only a part was played; the take then has it."""
    is_whole = take.sound_start_s <= 0 and take.duration_s >= take.length_s - 0.1 and take.samples_count
    if take.whole is None and not is_whole:
        again = MusicRequest(action="perform", piece=take.piece, tempo_scale=take.tempo_scale, mix=str(take.desk))
        chunks = list(composer.stream(again))
        take.hold(join_sound(chunks), chunks[-1].sample_rate)
    return take.sound()


def _draw_spectrogram(take: MusicTake) -> str:
    if not take.samples_count:
        return ""
    import torch

    from models.audio import MelConfig, log_mel, resample

    config = MelConfig()
    mono = resample(take.sound().mean(axis=0), take.sample_rate, config.sample_rate)
    return html.mel(log_mel(torch.from_numpy(mono), config).numpy(), 0.0, take.duration_s)

"""What a person insists on while music is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.music.controls import CONTROL_KINDS
from models.music.score import MAX_BARS
from models.music.vocabulary import DURATIONS, MAX_TRACKS


@dataclass(frozen=True)
class Constraints:
    """What a person insists on; the model chooses what is left open.

    Args:
        bars: how many bars to write (after a prompt: beyond the prompt's). None: the model ends when it likes. For an
            infilling prompt it is the number of its masks, whatever is said here.
        controls: values of controls in front by kind name, as {"Key": 0}.
        programs: the melodic tracks' programs in front; None leaves them to the model, () asks for none.
        drums: whether there are drums; None leaves it to the model.
        pitches: the only pitches allowed in melodic tracks; None is all.
        max_duration: the longest note in grid positions.
        may_change_meter, may_change_tempo: whether bars after the first may have another meter, another tempo.
        max_empty_bars: how many bars in a row may be without a note.
        max_silent_bars: how many bars in a row a track may be without a note; None is any number (`band_grammar`).
        ends: whether the last of `bars` is a held chord on the tonic (`band_grammar`).

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    bars: int | None = None
    controls: Mapping[str, int] = field(default_factory=dict)
    programs: tuple[int, ...] | None = None
    drums: bool | None = None
    pitches: tuple[int, ...] | None = None
    max_duration: int = DURATIONS[-1]
    may_change_meter: bool = True
    may_change_tempo: bool = True
    max_empty_bars: int = 4
    max_silent_bars: int | None = None
    ends: bool = False

    def __post_init__(self) -> None:
        if self.bars is not None and not 1 <= self.bars <= MAX_BARS:
            raise ValueError(f"bars is {self.bars}; it must be from 1 to {MAX_BARS:,}.")
        kinds = {kind.name: kind for kind in CONTROL_KINDS}
        for name, value in self.controls.items():
            if name not in kinds:
                raise ValueError(f"controls has {name!r}; it may have {', '.join(kinds)}.")
            kinds[name].to_token(value)
        if self.programs is not None:
            if len(self.programs) > MAX_TRACKS or any(not 0 <= program < 128 for program in self.programs):
                raise ValueError(f"programs is {self.programs}; it must be up to {MAX_TRACKS} numbers from 0 to 127.")
            if not self.programs and self.drums is False:
                raise ValueError("programs is empty and drums is False; there must be something to play.")
        if self.pitches is not None and (not self.pitches or any(not 0 <= pitch < 128 for pitch in self.pitches)):
            raise ValueError(f"pitches is {self.pitches}; it must be one or more numbers from 0 to 127.")
        if self.max_duration < 1:
            raise ValueError(f"max_duration is {self.max_duration}; it must be at least 1 position.")
        if not 0 <= self.max_empty_bars <= 16:
            raise ValueError(f"max_empty_bars is {self.max_empty_bars}; it must be from 0 to 16.")

"""Controls that a person can turn while the music plays."""

from __future__ import annotations

from dataclasses import dataclass

from models.contracts import check_number
from models.music.controls import NO_KEY, NO_REGISTER, MusicControls
from models.music.instrument_order import sort_by_role
from models.music.score import COMMON_TIME, Bar
from models.music.vocabulary import KEYS, PITCH_CLASSES, STYLES, find_density, find_register, find_tempo

MODES = ("major", "minor")
LIVE_STYLES = ("pop", "lieder", "chorales")
MIN_TEMPO, MAX_TEMPO = 50.0, 180.0
MIN_DENSITY, MAX_DENSITY = 0.5, 12.0
MAX_INSTRUMENTS = 4
REGISTER = 60.0  # mean pitch of the band
DRUM_DENSITY = 4.0  # notes a quarter of a drummer at middling intensity


@dataclass(frozen=True)
class LiveControls:
    """The knobs; a change acts at the next bar that has not begun.

    Args:
        tempo: quarters a minute; a bar has four.
        tonic: one of PITCH_CLASSES; mode: one of MODES.
        density: notes that begin in a quarter, drums not counted.
        instruments: General MIDI programs of the band, at most MAX_INSTRUMENTS; leads are put first.
        drums: whether the drummer plays.
        intensity: 0 to 1, how hard everybody plays; the drummer plays more, too.
        style: whose manner, one of LIVE_STYLES.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    tempo: float = 104.0
    tonic: str = "C"
    mode: str = "major"
    density: float = 3.0
    instruments: tuple[int, ...] = (0, 33)
    drums: bool = True
    intensity: float = 0.6
    style: str = "pop"

    def __post_init__(self) -> None:
        check_number("tempo", self.tempo, MIN_TEMPO, MAX_TEMPO)
        check_number("density", self.density, MIN_DENSITY, MAX_DENSITY)
        check_number("intensity", self.intensity, 0.0, 1.0)
        for name, value, allowed in (
            ("tonic", self.tonic, PITCH_CLASSES),
            ("mode", self.mode, MODES),
            ("style", self.style, LIVE_STYLES),
        ):
            if value not in allowed:
                raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
        if not isinstance(self.drums, bool):
            raise ValueError(f"drums is {self.drums!r}; it must be true or false.")
        if not isinstance(self.instruments, tuple) or len(self.instruments) > MAX_INSTRUMENTS:
            raise ValueError(f"instruments is {self.instruments!r}; up to {MAX_INSTRUMENTS} can play together.")
        for program in self.instruments:
            if isinstance(program, bool) or not isinstance(program, int) or not 0 <= program < 128:
                raise ValueError(f"instrument is {program!r}; it must be a whole number from 0 to 127.")
        if not self.instruments and not self.drums:
            raise ValueError("instruments is empty and drums is false; somebody must play.")
        object.__setattr__(self, "instruments", sort_by_role(self.instruments))

    @property
    def key(self) -> int:
        """Return the row of KEYS."""
        return KEYS.index(f"{self.tonic} {self.mode}")

    @property
    def bar(self) -> Bar:
        """Return the bar as the model knows it: four quarters at the nearest row of TEMPI."""
        return Bar(COMMON_TIME, find_tempo(self.tempo))

    @property
    def second_a_position(self) -> float:
        """Return how long a grid position lasts at the asked tempo exactly."""
        return 60.0 / (24 * self.tempo)

    @property
    def bar_s(self) -> float:
        """Return how long a bar lasts."""
        return self.bar.positions * self.second_a_position

    @property
    def loudness(self) -> float:
        """Return what velocities are multiplied by: 0.55 at intensity 0, 1 at about 0.6, 1.3 at 1."""
        return 0.55 + 0.75 * self.intensity

    def build_band_controls(self) -> MusicControls:
        """Build the controls that stand in front of the band's bars."""
        return MusicControls(
            STYLES.index(self.style),
            self.key,
            self.bar.tempo,
            self.bar.meter,
            find_density(self.density),
            find_register(REGISTER),
        )

    def build_drum_controls(self) -> MusicControls:
        """Build the controls that stand in front of the drummer's bars."""
        density = DRUM_DENSITY * 2.0 ** (2 * self.intensity - 1)
        style = STYLES.index("drums")
        return MusicControls(style, NO_KEY, self.bar.tempo, self.bar.meter, find_density(density), NO_REGISTER)

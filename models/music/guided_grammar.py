"""The grammar of a band that follows a plan: bars return, a groove goes on, the key and typed chords are leant on.

What a plan says is laid into sampling as weights: numbers added to the logits of some tokens, in nats. Where a bar
returns to an earlier one, the note that comes next there is favoured, part by part, so that accompaniments come back
nearly as they were and leads are varied; a bar that is to be the same again leaves no choice. In a new bar the texture
of the one before goes on: when its accompaniment plays, and what its drummer does. Pitches are favoured as far as they
fit the key (Krumhansl and Kessler's profiles), the more the further the music so far is from it, and the chord of the
bar; the end of a bar is put off or called for where the music is thinner or denser than its front says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.music.band_grammar import BandGrammar
from models.music.constraints import Constraints
from models.music.controls import KEY_PROFILES
from models.music.grammar import DRUM_TRACK, Allowed
from models.music.guided_notes import GuidedNote
from models.music.instrument_ranges import is_bass
from models.music.musical_context import SAME, PlannedBar
from models.music.vocabulary import (
    BAR,
    DENSITIES,
    DENSITY,
    DRUM,
    DRUMS,
    DURATION,
    DURATIONS,
    EOS,
    KIND_OF,
    PITCH,
    POSITION,
    POSITIONS_PER_QUARTER,
    TRACK,
    VELOCITY,
    VOCABULARY_SIZE,
)

VARIED_WEIGHTS = {"lead": 2.4, "other": 4.5}
TEXTURE_WEIGHT = 2.5
OUTSIDE_WEIGHT = -1.0  # of pitches outside the scale
FAR_KEY_WEIGHT = 1.2
CHORD_WEIGHT = 2.0  # of typed chords; planned ones weigh a part of it
PLANNED_SHARE = 0.8
LEAD_SHARE = 0.4  # of it for leads on the beat, which else are free
ROOT_WEIGHT = 3.0  # of a bass's first note in a bar on the chord's root
KEY_MARGIN = 1.04  # by which the key is to fit better than any other
DENSITY_WEIGHT, MOST_EXCESS = 3.0, 2.0
ASKED_GAIN = 2.5  # of these weights and the next where a person asked for the density
LENGTH_WEIGHT = 0.6  # of it for notes twice as short where the music is too thin, twice as long where it is too dense
OFF_SHARE = 0.4  # of the weights of bars that are returned to, where the density is far from the asked one
LENGTHS = np.log2(np.array(DURATIONS) / POSITIONS_PER_QUARTER)
SOME_EXCESS = 0.4  # from which no texture is favoured
THIN_WEIGHT = 1.2  # of nearer onsets and more parts where the music is too thin; of farther and fewer else
REPEATED_WEIGHT = -0.6  # of a lead's last pitch, for each time it came in a row
LEAD_WEIGHT, MOST_LACK, LEAD_BARS = 1.0, 2.5, 4  # a note of the lead that is missing, by the bars' usual number
MELODIC_KEYS = 24


@dataclass(frozen=True)
class Guide:
    """What sampling is to follow.

    Args:
        bars: of the new bars, in order; the last holds for all that follow.
        remembered: notes of the bars that were there before, by number.
        groove: what drums begin with.
        typed_chords: whether a person gave the chords.
        asked_density: that a person asked for, in notes a quarter; None leaves it to the front's.
    """

    bars: Sequence[PlannedBar] = ()
    remembered: Mapping[int, Sequence[GuidedNote]] = field(default_factory=dict)
    groove: Sequence[GuidedNote] = ()
    typed_chords: bool = False
    asked_density: float | None = None


class GuidedGrammar(BandGrammar):
    """The state of one sequence that follows a guide."""

    def __init__(self, constraints: Constraints | None = None, guide: Guide | None = None) -> None:
        super().__init__(constraints)
        self.guide = guide or Guide()
        self.played = {number: list(notes) for number, notes in self.guide.remembered.items()}
        self.is_sampling = False
        self.number = -1
        self.planned = PlannedBar()
        self.reference: list[GuidedNote] = []
        self.texture: list[GuidedNote] = []
        self.classes = np.zeros(12)
        self.notes = self.positions = 0
        self.density: float | None = None
        self.key_weights = np.zeros(128)
        self.last_lead, self.lead_run, self.lead_here = -1, 0, 0
        self.lead_bars = [sum(note.track == 0 for note in notes) for notes in self.played.values()]
        self.bars_before = len(self.played)
        for notes in self.played.values():
            for note in notes:
                self._hear(note)
        self.bars_of = self._count_bars(self.played.values())

    @staticmethod
    def _count_bars(bars: Iterable[Sequence[GuidedNote]]) -> dict[int, int]:
        """Count the bars in which each track plays."""
        return dict(Counter(track for notes in bars for track in {note.track for note in notes}))

    def start_sampling(self) -> None:
        """Follow the guide from here."""
        super().start_sampling()
        self.is_sampling = True
        if self.guide.remembered:  # the prompt's bars are among them: each counts once
            self.bars_of = self._count_bars(self.guide.remembered.values())
        if self.bars == 1 and not self.masks:
            self._follow_bar()

    # ---- what may come next, and how much it is favoured

    def allow(self, allowed: Allowed) -> None:
        """Mark what the band may play; one token in a bar that is to be the same again."""
        super().allow(allowed)
        if not self.reference or self.planned.likeness != SAME or self.ended or self._is_last_bar():
            return
        token = self._find_next(self.reference)
        if token is not None and allowed[token] and self.track not in self.free:
            allowed[:] = False
            allowed[token] = True

    def weigh(self, tokens: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Return what is added to the logits of `tokens` (n,), or None for nothing."""
        if not self.is_sampling or self.after in ("Start", "Controls", "Header", "Track in front", "Drums in front"):
            return None
        weights = np.zeros(VOCABULARY_SIZE)
        if self.track != DRUM_TRACK and self.after in ("Track", "Velocity", "Note", "Position"):
            weights[PITCH.first : PITCH.stop] += self._weigh_pitches()
            if self.track == 0 and self.last_lead >= 0:
                weights[PITCH.first + self.last_lead] += REPEATED_WEIGHT * self.lead_run
        if self.after == "Position":
            weights[TRACK.first] += self._measure_lack_of_lead()
        self._favour(weights)
        excess = self._measure_excess()
        if self.after == "Note":
            weights[BAR.first] += DENSITY_WEIGHT * excess
        if excess and self.guide.asked_density and not self._is_last_bar():
            weights[DURATION.first : DURATION.stop] += LENGTH_WEIGHT * excess * LENGTHS
        if excess:
            later = np.arange(POSITION.count) - max(0, self.position)
            weights[POSITION.first : POSITION.stop] += THIN_WEIGHT * excess * later / POSITIONS_PER_QUARTER
            weights[TRACK.first : TRACK.first + DRUM_TRACK + (excess > 0)] -= THIN_WEIGHT * excess
            if self.after == "Note":
                weights[PITCH.first : PITCH.stop] -= THIN_WEIGHT * excess
                weights[DRUM.first : DRUM.stop] -= THIN_WEIGHT * excess
        return weights[tokens]

    def _favour(self, weights: NDArray[np.float64]) -> None:
        """Favour the token that leads to the next note of the bar that is returned to, or of the texture."""
        excess, is_asked = self._measure_excess(), self.guide.asked_density is not None
        is_off = excess > SOME_EXCESS or (is_asked and excess < -2 * SOME_EXCESS)
        notes = self.reference or ([] if is_off else self.texture)
        upcoming = self._find_upcoming(notes)
        token = None if self._is_last_bar() or not notes else self._find_next(notes)
        if token is None or (upcoming is not None and upcoming.track in self.free):
            return
        if self.reference:
            lead = upcoming is not None and upcoming.track == 0 and len(self.tracks) > 1
            weights[token] += VARIED_WEIGHTS["lead" if lead else "other"] * (OFF_SHARE if is_asked and is_off else 1.0)
        elif KIND_OF[token] in (POSITION, TRACK, DRUMS) or self.track == DRUM_TRACK:
            weights[token] += TEXTURE_WEIGHT

    def _find_upcoming(self, notes: list[GuidedNote]) -> GuidedNote | None:
        """Find the next of an earlier bar's notes, from where this bar is."""
        floor = self.floor if self.after != "Position" else -1
        track = self.track if self.after != "Position" else -1
        here = (self.position, track, floor)
        return next((note for note in notes if note[:3] > here), None)

    def _find_next(self, notes: list[GuidedNote]) -> int | None:
        """Find the token that leads to the next note of an earlier bar; the next Bar after its last."""
        if self.after == "Pitch":
            same = (
                note
                for note in notes
                if (note.position, note.track, note.pitch) == (self.position, self.track, self.pitch)
            )
            found = next(same, None)
            return None if found is None else DURATION.first + found.duration
        note = self._find_upcoming(notes)
        if note is None:
            is_over = self.after in ("Note", "Bar", "Meter", "Tempo")
            wanted = self.constraints.bars
            return (EOS.first if self.bars == wanted else BAR.first) if is_over else None
        if note.position != self.position:
            return POSITION.first + note.position if self.after in ("Note", "Bar", "Meter", "Tempo") else None
        if note.track != self.track:
            return DRUMS.first if note.track == DRUM_TRACK else TRACK.first + note.track
        if note.velocity != self.velocities[note.track] and self.after != "Velocity":
            return VELOCITY.first + note.velocity
        return (DRUM if note.track == DRUM_TRACK else PITCH).first + note.pitch

    def _weigh_pitches(self) -> NDArray[np.float64]:
        """Return how much each of the 128 pitches is favoured by key and chord."""
        weights = self.key_weights
        is_late = 2 * self.position >= self.bar_positions
        chord = self.planned.chords[int(is_late)]
        if chord is None or chord >= MELODIC_KEYS or self.track in self.free:
            return weights
        share = 1.0 if self.guide.typed_chords else PLANNED_SHARE
        if self.track == 0 and len(self.tracks) > 1:
            share *= LEAD_SHARE if self.position % POSITIONS_PER_QUARTER == 0 else 0.0
        root = chord % 12
        triad = np.zeros(12)
        triad[[root, (root + (4 if chord < 12 else 3)) % 12, (root + 7) % 12]] = share * CHORD_WEIGHT
        if is_bass(self.programs.get(self.track, 0)) and self.track not in self.sounded:
            triad[root] += share * ROOT_WEIGHT
        return weights + np.resize(triad, 128)

    def _measure_lack_of_lead(self) -> float:
        """Measure how much a lead is called for that plays less in this bar than it did in the bars so far."""
        others = sum(track not in self.free for track in self.tracks if track != 0)
        if not others or 0 in self.free or self._is_last_bar() or len(self.lead_bars) < LEAD_BARS:
            return 0.0
        usual = sum(self.lead_bars) / len(self.lead_bars) * max(0, self.position) / max(1, self.bar_positions)
        return LEAD_WEIGHT * min(MOST_LACK, max(0.0, usual - self.lead_here))

    def _measure_excess(self) -> float:
        """Measure by how many octaves the music is denser than its front says; negative where it is thinner."""
        passed = (self.positions + max(0, self.position)) / POSITIONS_PER_QUARTER
        if self.density is None or self.bars < 1 or passed <= 0.5:
            return 0.0
        excess = math.log2(max(self.notes, 1) / passed / (self.guide.asked_density or self.density))
        excess *= ASKED_GAIN if self.guide.asked_density else 1.0
        return min(MOST_EXCESS, max(-MOST_EXCESS, excess))

    # ---- what was chosen

    def advance(self, token: int) -> None:
        """Take a token; remember what is played."""
        kind = KIND_OF[token]
        velocity = self.velocities[self.track] if self.track >= 0 else 0
        super().advance(token)
        if kind is DENSITY:
            self.density = DENSITIES[token - DENSITY.first]
        elif kind is BAR and self.is_sampling:
            if self.bars > 1:
                self.positions += self.bar_positions
                self.lead_bars.append(self.lead_here)
            self.lead_here = 0
            self._follow_bar()
        elif self.after == "Note" and self.is_sampling:
            row = token - DURATION.first if kind is DURATION else 0
            note = GuidedNote(self.position, self.track, self.floor, velocity, row)
            self.played.setdefault(self.number, []).append(note)
            self.notes += 1
            if self.track == 0:
                self.lead_here += 1
                self.lead_run = self.lead_run + 1 if self.floor == self.last_lead else 1
                self.last_lead = self.floor
            self._hear(note)

    def _hear(self, note: GuidedNote) -> None:
        if note.track != DRUM_TRACK:
            self.classes[note.pitch % 12] += DURATIONS[note.duration]

    def _follow_bar(self) -> None:
        """Look up what is planned for the bar that begins."""
        bars = self.guide.bars
        if not bars:
            return
        self.planned = bars[min(self.bars, len(bars)) - 1]
        self.number = self.planned.number if self.planned.number is not None else self.number + 1
        reference = self.planned.reference
        self.reference = sorted(self.played.get(reference, [])) if reference is not None else []
        before = self.played.get(self.number - 1, [] if self.played else self.guide.groove)
        lead = 0 if len(self.tracks) > 1 and not self.free else -1
        self.texture = sorted(note for note in before if note.track != lead)
        self._lean_on_key()

    def _lean_on_key(self) -> None:
        """Weigh pitches by how well they fit the key, the more the further the music so far is from it."""
        key = self.planned.key if self.planned.key is not None else self.key
        if key is None or key >= MELODIC_KEYS:
            self.key_weights = np.zeros(128)
            return
        scale = (0, 2, 4, 5, 7, 9, 11) if key < 12 else (0, 2, 3, 5, 7, 8, 10, 11)
        weights = np.full(12, OUTSIDE_WEIGHT)
        weights[[(key + degree) % 12 for degree in scale]] = 0.0
        if self.classes.sum() > 0:
            fits = KEY_PROFILES @ (self.classes - self.classes.mean())
            rival = int(np.argmax(np.where(np.arange(MELODIC_KEYS) == key, -np.inf, fits)))
            if fits[key] < KEY_MARGIN * fits[rival]:
                towards = KEY_PROFILES[key] - KEY_PROFILES[rival]
                weights += FAR_KEY_WEIGHT * towards / np.abs(towards).max()
        self.key_weights = np.resize(weights, 128)

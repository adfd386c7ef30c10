"""Turn the Music tab's controls into the prompt and the length that a text-to-music model takes."""

from __future__ import annotations

from models.music.contracts import MusicRequest

STYLES = {"pop": "pop song", "lieder": "romantic art song for voice and piano", "chorales": "baroque chorale"}
STYLES |= {"drums": "drum solo", "": "instrumental music"}


def write_prompt(request: MusicRequest) -> str:
    """Return the prompt: the person's own words, or the controls as a sentence."""
    if request.prompt.strip():
        return request.prompt.strip()
    parts = [STYLES.get(request.style, request.style)]
    if request.key:
        parts.append(f"in {request.key}")
    parts.append(f"at {request.new_tempo:g} bpm")
    if request.meter:
        parts.append(f"in {request.meter} time")
    instruments = [name_instrument(program) for program in request.programs]
    if request.drums:
        instruments.append("drums")
    if instruments:
        parts.append("with " + ", ".join(instruments))
    if request.drums is False:
        parts.append("without drums")
    return " ".join(parts)


def name_instrument(program: int) -> str:
    """Return the name of a General MIDI program, in small letters."""
    from pretty_midi import program_to_instrument_name

    return program_to_instrument_name(program).lower()


def compute_duration_s(request: MusicRequest, longest_s: float) -> float:
    """Return how many seconds the bars last at the tempo, from 1 to `longest_s`."""
    beats, unit = (int(part) for part in (request.meter or "4/4").split("/"))
    return max(1.0, min(longest_s, request.bars * beats * 4 / unit * 60.0 / request.new_tempo))

"""What made a result: written into the file itself, and read back from it.

A recipe is JSON of a few hundred bytes in the file's own metadata: an ID3 text frame in WAV and MP3, a Vorbis comment
in FLAC, a free-form atom in MP4, a text event in MIDI, XMP in pictures. Files come from strangers, so reading is
bounded: size of the file and of the tag, shape of the JSON, type and number of the settings. What is not understood is
refused with a sentence, never guessed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from studio import __version__

TAG = "AURALUME"
MP4_ATOM = "----:org.auralume:recipe"
MIDI_PREFIX = "auralume:"
FORMAT_VERSION = 1

PICTURES = ("png", "webp", "gif")
MAX_FILE_BYTES = 200 * 2**20
MAX_MIDI_BYTES = 4 * 2**20
MAX_ID3_BYTES = 256 * 2**10
MAX_JSON_CHARACTERS = 128 * 2**10
MAX_SETTINGS = 64
MAX_NAME_CHARACTERS = 200
MAX_TEXT_CHARACTERS = 20_000

STARTS: dict[str, Callable[[bytes], bool]] = {
    "wav": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE",
    "webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "flac": lambda head: head[:4] == b"fLaC",
    "midi": lambda head: head[:4] == b"MThd",
    "mp4": lambda head: head[4:8] == b"ftyp",
    "png": lambda head: head[:8] == b"\x89PNG\r\n\x1a\n",
    "gif": lambda head: head[:6] in {b"GIF87a", b"GIF89a"},
    "mp3": lambda head: head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0),
}

Setting = str | int | float | bool


class RecipeError(ValueError):
    """A file holds no usable recipe; the message is a sentence for the person."""


@dataclass(frozen=True)
class Recipe:
    """How a result was made.

    Attributes:
        task: the tab, such as "speech".
        model: key of the model in the registry.
        revision: commit, tag or checksum of its weights.
        seed: fixes every random choice.
        settings: the controls, by name; plain values only.
        version: of Auralume.
    """

    task: str
    model: str
    revision: str
    seed: int
    settings: dict[str, Setting] = field(default_factory=dict)
    version: str = __version__

    def to_json(self) -> str:
        """Compact ASCII JSON, so that every kind of metadata can hold it."""
        return json.dumps({"auralume": FORMAT_VERSION, **asdict(self)}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read and check; raises RecipeError."""
        if len(text) > MAX_JSON_CHARACTERS:
            raise RecipeError("The settings in this file are too long to be Auralume's own.")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError("The settings in this file are damaged.") from error
        if not isinstance(data, dict) or data.get("auralume") != FORMAT_VERSION:
            raise RecipeError("The settings in this file were written in a form that this version does not know.")
        settings = data.get("settings")
        if not isinstance(settings, dict) or len(settings) > MAX_SETTINGS:
            raise RecipeError("The settings in this file are damaged.")
        return cls(
            task=_short_text(data, "task"),
            model=_short_text(data, "model"),
            revision=_short_text(data, "revision"),
            seed=_whole_number(data, "seed"),
            settings={_name(name): _plain_value(name, value) for name, value in settings.items()},
            version=_short_text(data, "version"),
        )


def write_recipe(path: str | Path, recipe: Recipe) -> None:
    """Put a recipe into a finished WAV, MP3, FLAC, MP4, MIDI, PNG, WebP or GIF file, in place of one it may hold.

    Raises:
        RecipeError: for any other kind of file.
    """
    path = Path(path)
    text = recipe.to_json()
    kind = kind_of(path)
    if kind == "midi":
        _write_midi(path, text)
    elif kind in {"wav", "mp3"}:
        _write_id3(path, kind, text, recipe)
    elif kind == "flac":
        from mutagen.flac import FLAC

        flac = FLAC(path)
        flac[TAG] = text
        flac.save()
    elif kind == "mp4":
        from mutagen.mp4 import MP4

        mp4 = MP4(path)
        if mp4.tags is None:
            mp4.add_tags()
        mp4[MP4_ATOM] = [text.encode("ascii")]
        mp4.save()
    elif kind in PICTURES:
        from studio.io.xmp import GENERATED, packet, write_xmp

        write_xmp(path, packet(GENERATED, text))
    else:
        raise RecipeError(f"Settings cannot be kept in a file such as {path.name}.")


def read_recipe(path: str | Path) -> Recipe:
    """Read the recipe in a file that a person gave; raise RecipeError with a sentence for everything that is wrong."""
    path = Path(path)
    if not path.is_file():
        raise RecipeError("There is no file to read settings from.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise RecipeError(f"This file is larger than {MAX_FILE_BYTES // 2**20} MB; results of Auralume are smaller.")
    kind = kind_of(path)
    if kind is None:
        raise RecipeError("This is not a WAV, MP3, FLAC, MP4, MIDI, PNG, WebP or GIF file, so it holds no settings.")
    readers = {"midi": _read_midi, "wav": _read_wav, "mp3": _read_mp3, "flac": _read_flac, "mp4": _read_mp4}
    readers |= dict.fromkeys(PICTURES, _read_picture)
    try:
        text = readers[kind](path)
    except RecipeError:
        raise
    except Exception as error:  # a stranger's file can break a parser in any way
        raise RecipeError(f"This {kind.upper()} file is damaged; its settings cannot be read.") from error
    if text is None:
        raise RecipeError("No settings were found: this file was not made by Auralume, or its tags were removed.")
    return Recipe.from_json(text)


def kind_of(path: Path) -> str | None:
    """Tell the kind of file by its first bytes: "wav", "mp3", "flac", "mp4", "midi", one of PICTURES, or None."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:3] == b"ID3":  # before an MP3, or before a FLAC file that is signed
            file.seek(10 + _id3_bytes(head))
            head = b"fLaC" if file.read(4) == b"fLaC" else head
    for kind, is_it in STARTS.items():
        if is_it(head):
            return kind
    return None


def _write_id3(path: Path, kind: str, text: str, recipe: Recipe) -> None:
    from mutagen.id3 import COMM, TSSE, TXXX
    from mutagen.mp3 import MP3
    from mutagen.wave import WAVE

    file: Any = WAVE(path) if kind == "wav" else MP3(path)
    if file.tags is None:
        file.add_tags()
    comment = f"Made with {recipe.model}, seed {recipe.seed}"
    file.tags.add(TXXX(encoding=3, desc=TAG, text=[text]))
    file.tags.add(TSSE(encoding=3, text=[f"Auralume {recipe.version}"]))
    file.tags.add(COMM(encoding=3, lang="eng", desc="", text=[comment]))
    file.save()


def read_text_tag(path: Path, name: str) -> str | None:
    """Return a text of a sound file's tags by its name; None where there is none that is safe to read."""
    readers = {"wav": _read_wav, "mp3": _read_mp3, "flac": _read_flac}
    kind = kind_of(path)
    try:
        return readers[kind](path, name) if kind in readers else None
    except Exception:  # a stranger's file can break a parser in any way
        return None


def _text_frame(tags: Any, name: str) -> str | None:
    frame = tags.get(f"TXXX:{name}") if tags is not None else None
    return str(frame.text[0]) if frame is not None and frame.text else None


def _read_picture(path: Path) -> str | None:
    from studio.io.xmp import read_recipe_text

    return read_recipe_text(path)


def _read_wav(path: Path, name: str = TAG) -> str | None:
    size = _id3_chunk_bytes(path)
    if size is None:
        return None
    _check_id3_size(size)
    from mutagen.wave import WAVE

    return _text_frame(WAVE(path).tags, name)


def _read_mp3(path: Path, name: str = TAG) -> str | None:
    with path.open("rb") as file:
        head = file.read(10)
    if head[:3] != b"ID3" or len(head) < 10:
        return None
    _check_id3_size(_id3_bytes(head))
    from mutagen.id3 import ID3

    return _text_frame(ID3(path, load_v1=False), name)


def _id3_bytes(head: bytes) -> int:
    """Return the size that the head of an ID3 tag tells."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))


def _check_id3_size(size: int) -> None:
    """Refuse a large tag: a compressed ID3 frame can unpack to a thousand times its size."""
    if size > MAX_ID3_BYTES:
        raise RecipeError("The tags of this file are too large to be Auralume's own, so no settings were read.")


def _id3_chunk_bytes(path: Path) -> int | None:
    """Size of a WAV file's ID3 chunk, or None; looks at no more than 1,000 chunk headers."""
    with path.open("rb") as file:
        file.seek(12)
        for _ in range(1000):
            head = file.read(8)
            if len(head) < 8:
                return None
            size = int.from_bytes(head[4:8], "little")
            if head[:4].lower() in {b"id3 ", b"id3\0"}:
                return size
            file.seek(size + size % 2, 1)
    return None


def _read_flac(path: Path, name: str = TAG) -> str | None:
    from mutagen.flac import FLAC

    tags: Any = FLAC(path).tags
    return tags[name][0] if tags is not None and name in tags else None


def _read_mp4(path: Path) -> str | None:
    from mutagen.mp4 import MP4

    tags = MP4(path).tags
    values = tags.get(MP4_ATOM) if tags is not None else None
    return bytes(values[0]).decode("ascii") if values else None


def _write_midi(path: Path, text: str) -> None:
    import mido

    song = mido.MidiFile(path)
    if not song.tracks:
        song.add_track()
    kept = [event for event in song.tracks[0] if not _is_recipe(event)]
    song.tracks[0][:] = [mido.MetaMessage("text", text=MIDI_PREFIX + text, time=0), *kept]
    song.save(path)


def _read_midi(path: Path) -> str | None:
    if path.stat().st_size > MAX_MIDI_BYTES:
        raise RecipeError(f"This MIDI file is larger than {MAX_MIDI_BYTES // 2**20} MB; Auralume's are smaller.")
    import mido

    song = mido.MidiFile(path, clip=True)
    found = [event.text for track in song.tracks for event in track if _is_recipe(event)]
    return found[0][len(MIDI_PREFIX) :] if found else None


def _is_recipe(event: Any) -> bool:
    return event.type == "text" and event.text.startswith(MIDI_PREFIX)


def _short_text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARACTERS:
        raise RecipeError(f"The settings in this file are damaged: {name} is missing or too long.")
    return value


def _whole_number(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise RecipeError(f"The settings in this file are damaged: {name} is not a whole number.")
    return value


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        raise RecipeError("The settings in this file are damaged: a setting has an impossible name.")
    return name


def _plain_value(name: str, value: Any) -> Setting:
    if isinstance(value, str) and len(value) <= MAX_TEXT_CHARACTERS:
        return value
    is_number = isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63)
    if is_number or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise RecipeError(f"The settings in this file are damaged: {name} has an impossible value.")

"""What a file holds, by its ending: sound, a film, a picture, notes, or text."""

from __future__ import annotations

from pathlib import Path

SOUND, FILM, PICTURE, NOTES, TEXT, OTHER = "sound", "film", "picture", "notes", "text", "other"
ENDINGS = {
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aif", ".aiff"), SOUND),
    **dict.fromkeys((".mp4", ".webm", ".mov", ".mkv", ".m4v", ".avi"), FILM),
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"), PICTURE
    ),
    **dict.fromkeys((".mid", ".midi"), NOTES),
    **dict.fromkeys((".srt", ".vtt", ".lrc", ".txt", ".csv", ".json"), TEXT),
}


def media_of(name: str) -> str:
    """Return what a file of this name holds."""
    return ENDINGS.get(Path(name).suffix.lower(), OTHER)

"""The song that outlives its page: for runs in the queue, and for Undo."""

from __future__ import annotations

from studio.music_video.actions import NO_SONG
from studio.music_video.listening import show_song
from studio.music_video.song import Song, close, copy_song, lend
from studio.page.events import Events, Problem
from studio.page.jobs import sentence
from studio.page.keeping import ORIGINS


def lend_song(song: Song | None) -> tuple[Song]:
    """Return the song for runs that may outlive the page; they come from what it came from.

    Raises:
        ValueError: there is none.
    """
    if song is None:
        raise ValueError(NO_SONG)
    lent = lend(song)
    ORIGINS.note(lent, ORIGINS.find(song))
    return (lent,)


def hold_song(song: Song | None) -> Song | None:
    """Return the song for Undo, as long as somebody remembers it; None where there is none."""
    try:
        return lend_song(song)[0]
    except (ValueError, OSError):  # the run itself tells of it
        return None


def bring_back(held: Song | None, now: Song | None) -> Events:
    """Return the events that show a song again, with its beats as they were; none where it is on the page."""
    if held is None or (now is not None and now.analysis is held.analysis and now.track is held.track):
        return ()
    try:
        song = copy_song(held)  # the page's own: its corrected beats stay in the same folder
        ORIGINS.note(song, ORIGINS.find(held))
        events = show_song(song)
    except (ValueError, OSError) as error:
        return (Problem(sentence(error)),)
    close(now)
    return events

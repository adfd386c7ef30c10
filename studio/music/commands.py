"""What the page's roll and desk say: a list of small commands in JSON, checked and carried out on a version.

{"serial": 3, "commands": [{"do": "move", "track": 0, "at": 24, "pitch": 60, "by": 12, "up": -3}]}

`serial` numbers the messages of a page; the roll that answers carries it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.music.desk import ChannelStrip
from models.music.editing import NoteName, add_note, change_instrument, delete_notes, move_note, resize_note
from models.music.score import Piece
from studio.music.history import History, Version

MOST_COMMANDS = 400
MAX_TEXT = 60_000
UNREADABLE = "The page said something that the studio does not understand; reload the page."
Command = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """The commands of one message, and its number."""

    serial: int
    commands: tuple[Command, ...]


def read_message(text: str | None) -> Message:
    """Read a message of the page.

    Raises:
        ValueError: it is none.
    """
    try:
        told = json.loads(text or "") if len(text or "") <= MAX_TEXT else None
    except (ValueError, RecursionError) as error:
        raise ValueError(UNREADABLE) from error
    message: dict[str, Any] = told if isinstance(told, dict) else {}
    commands = message.get("commands")
    if not isinstance(commands, list) or not 1 <= len(commands) <= MOST_COMMANDS:
        raise ValueError(UNREADABLE)
    if not all(isinstance(each, dict) and each.get("do") in (*CHANGES, *STEPS) for each in commands):
        raise ValueError(UNREADABLE)
    return Message(_whole(message, "serial"), tuple(commands))


def carry_out(now: Version, history: History, message: Message) -> tuple[Version, History]:
    """Return the version after all commands of a message, and its history.

    Raises:
        ValueError: says which of them cannot be done; then none is.
    """
    for command in message.commands:
        if command["do"] in STEPS:
            now, history = STEPS[command["do"]](history, now)
            continue
        changed = CHANGES[command["do"]](now, command)
        if changed != now:
            now, history = changed, history.push(now)
    return now, history


def _whole(command: Command, name: str) -> int:
    value = command.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**7:
        raise ValueError(UNREADABLE)
    return value


def _name(command: Command) -> NoteName:
    return NoteName(*(_whole(command, name) for name in ("track", "at", "pitch")))


def _edit(change: Callable[[Piece, Command], Piece]) -> Callable[[Version, Command], Version]:
    def edit(now: Version, command: Command) -> Version:
        piece = change(now.piece, command)
        return now if piece == now.piece else replace(now, piece=piece, is_edited=True)

    return edit


def _delete(piece: Piece, command: Command) -> Piece:
    changed = delete_notes(piece, [_name(command)])
    if not changed.note_count:
        raise ValueError("The last note stays: a piece without notes is none.")
    return changed


def _mix(now: Version, command: Command) -> Version:
    track = _whole(command, "track")
    if not 0 <= track < len(now.piece.tracks):
        raise ValueError(UNREADABLE)
    strip = ChannelStrip(
        _whole(command, "volume"), _whole(command, "pan"), command.get("mute") is True, command.get("solo") is True
    )
    return replace(now, desk=now.desk.change(track, strip))


CHANGES: dict[str, Callable[[Version, Command], Version]] = {
    "move": _edit(lambda piece, told: move_note(piece, _name(told), _whole(told, "by"), _whole(told, "up"))),
    "resize": _edit(lambda piece, told: resize_note(piece, _name(told), _whole(told, "length"))),
    "add": _edit(lambda piece, told: add_note(piece, _name(told), _whole(told, "length"))),
    "delete": _edit(_delete),
    "instrument": _edit(lambda piece, told: change_instrument(piece, _whole(told, "track"), _whole(told, "program"))),
    "mix": _mix,
}
STEPS: dict[str, Callable[[History, Version], tuple[Version, History]]] = {"undo": History.undo, "redo": History.redo}

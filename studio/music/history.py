"""Versions of the piece on the page, and the way back and forth between them; everything is frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from models.music.desk import MixingDesk
from models.music.score import Piece
from studio.io.recipes import Recipe

MOST = 80  # versions that are remembered on either side


@dataclass(frozen=True)
class Version:
    """The piece as it stands.

    Attributes:
        tempo_scale: how many times as fast as its bars say it is played.
        recipe: how it was composed; None of a tune that was heard.
        is_edited: whether notes or instruments were changed by hand since.
    """

    piece: Piece
    tempo_scale: float = 1.0
    desk: MixingDesk = field(default_factory=MixingDesk)
    recipe: Recipe | None = None
    is_edited: bool = False

    @property
    def told(self) -> Recipe | None:
        """Return the recipe with what was done by hand: the mixing desk, and that notes were edited."""
        if self.recipe is None:
            return None
        settings = {name: value for name, value in self.recipe.settings.items() if name not in ("mix", "edited")}
        settings["mix"] = str(self.desk)
        return replace(self.recipe, settings=settings | ({"edited": True} if self.is_edited else {}))


@dataclass(frozen=True)
class History:
    """What was there before the version on the page, and what was undone."""

    past: tuple[Version, ...] = ()
    future: tuple[Version, ...] = ()

    def push(self, now: Version) -> History:
        """Return the history after `now` was replaced by something new."""
        return History((*self.past, now)[-MOST:])

    def undo(self, now: Version) -> tuple[Version, History]:
        """Return the version before, and its history.

        Raises:
            ValueError: there is nothing to undo.
        """
        if not self.past:
            raise ValueError("There is nothing to undo.")
        return self.past[-1], History(self.past[:-1], (now, *self.future)[:MOST])

    def redo(self, now: Version) -> tuple[Version, History]:
        """Return the version that was undone last, and its history.

        Raises:
            ValueError: there is nothing to redo.
        """
        if not self.future:
            raise ValueError("There is nothing to redo.")
        return self.future[0], History((*self.past, now)[-MOST:], self.future[1:])

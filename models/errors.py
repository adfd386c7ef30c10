"""The one exception of everything that finds, downloads, checks and loads models."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "unknown-model",  # no model of that key
    "offline",  # offline mode, and the files are not here
    "network",  # the Hub cannot be reached, or the connection broke for good
    "gated",  # the owner asks people to accept conditions first
    "forbidden",  # the token is missing, wrong, or not allowed to read
    "not-found",  # no such repository or file
    "revision",  # no such commit or tag
    "checksum",  # the file that came is not the file that was announced
    "rate-limit",  # too many requests
    "server",  # the Hub answered with an error of its own, or made no sense
    "disk",  # full, or not writable
    "memory",  # too little for this model
    "quota",  # a GPU that is lent call by call is not granted just now
    "gpu",  # the model needs one and there is none
    "weights",  # a weight file is missing, damaged, foreign, or of another model
    "busy",  # in use just now
    "format",  # a repository of a kind that the studio cannot run
    "unsafe",  # a repository without safetensors, or one that wants to run code of its own
    "bundled",  # ships with the studio, so it cannot be deleted
    "loader",  # the model's own code failed while it was loaded
]


class ModelError(RuntimeError):
    """A model cannot be had just now; the message is a sentence that a person can act on.

    The studio goes on working with what it has, and asking again later is always allowed. Where another exception
    led here, it is chained as `__cause__`; the message never quotes it, nor any address with a signature or a token.

    Attributes:
        kind: what went wrong, for code that must tell cases apart.
    """

    def __init__(self, message: str, kind: Kind) -> None:
        super().__init__(message)
        self.kind: Kind = kind

    def __reduce__(self) -> tuple[type[ModelError], tuple[str, Kind]]:
        """Return what makes it anew in another process."""
        return ModelError, (str(self), self.kind)


class Cancelled(Exception):
    """Raised by a progress callback to stop the download that called it; nothing half-finished is kept."""

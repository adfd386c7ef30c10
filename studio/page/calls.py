"""What a call of a program leaves for the library: the files of an endpoint, where it is known whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import gradio as gr

from studio.library.owners import is_known, owner_of
from studio.library.store import Library
from studio.page.events import Files, Outcome
from studio.page.keeping import Keeping

KEEP = "x-auralume-keep"  # a header: "yes" or "no"
YES, NO = ("yes", "true", "1"), ("no", "false", "0")


def is_to_be_kept(headers: Mapping[str, str], usually: bool) -> bool:
    """Tell whether the results of a call go into the caller's library; never where nobody could find them there.

    Args:
        usually: what holds where the caller does not say.
    """
    said = str(headers.get(KEEP, "")).strip().lower()
    return is_known(headers) and (said in YES or (usually and said not in NO))


def keep_call(
    library: Library | None,
    request: gr.Request | None,
    kind: str,
    offered: Iterable[str],
    uploads: Mapping[str, str],
    outcome: Outcome,
) -> None:
    """Take the files of an endpoint's answer into the caller's library.

    Args:
        kind: prefix of the form; offered: names of the files that the endpoint returns.
        uploads: what the caller gave, by control.
    """
    headers: Any = getattr(request, "headers", None)
    if library is None or headers is None or not is_to_be_kept(headers, usually=True):
        return
    keeping = Keeping(library, owner_of(headers), kind, frozenset(offered), uploads)
    keeping.add((Files(dict(outcome.files)),))
    keeping.finish()

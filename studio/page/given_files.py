"""Files that a page or a program gives: uploads, addresses on the web, and results of this studio by path or address.

Gradio refuses addresses of the machine itself, so that nobody reads its network through the studio. A result's own
address is one of these. It is not asked for: the file that it names is taken, where it lies in the studio's cache, in
a folder named by its content.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import gradio as gr
from gradio.components import Component
from gradio.utils import get_upload_folder

from models.media.limits import MAX_UPLOAD_BYTES
from studio.io.web_files import download
from studio.library.store import Library

FILE_ROUTE = "/gradio_api/file="
HANDLE = "library://"
NOT_OURS = "{!r} is no file that this studio made or was given. Upload it, or give a web address."
NOT_FETCHED = "{!r} cannot be fetched: {}. Upload the file, or give an address that anybody can reach."
Fetch = Callable[[str | Path | None], Awaitable[str | None]]


def cache_folder() -> Path:
    """Return where uploads and results lie."""
    return Path(get_upload_folder())


def find_own_file(given: str) -> Path | None:
    """Return the file of the studio's cache that a path or an address names; None for any other address.

    Raises:
        ValueError: the path is none of the cache.
    """
    path = given
    if is_address(given):
        _, is_file, path = urlsplit(given).path.partition(FILE_ROUTE)
        if not is_file:
            return None
        path = unquote(path)
    cache = cache_folder().resolve()
    try:
        file = Path(path).resolve()
        if file.is_relative_to(cache) and file.is_file():
            return file
    except (OSError, ValueError):  # a name that no system knows
        pass
    if is_address(given):
        return None
    raise ValueError(NOT_OURS.format(given[:200]))


def find_given_file(given: str, library: Library | None, owner: str) -> Path | None:
    """Return the file that a path, an address or a handle `library://ITEM` or `library://ITEM/FILE` names, or None.

    A kept file is copied into the cache, where files that endpoints take have to lie.

    Raises:
        ValueError: the path is none of the cache, or the owner's library holds no such file.
    """
    if not given.startswith(HANDLE):
        return find_own_file(given)
    if library is None:
        raise ValueError(f"{given[:200]!r} cannot be found: this studio keeps no results.")
    item_id, _, name = given.removeprefix(HANDLE).partition("/")
    files = library.get(owner, item_id).files
    kept = next((each for each in files if each.name == (unquote(name) or files[0].name)), None)
    if kept is None:
        raise ValueError(f"{given[:200]!r} is no file of this result; it has {', '.join(each.name for each in files)}.")
    copy = cache_folder() / kept.digest / kept.name
    if not copy.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(library.path(owner, item_id, kept.name), copy)
    return copy


def take_given_files(component: Component) -> None:
    """Let a component of files take what this module knows, whatever a file is called.

    What a file is, its bytes tell; its ending is for the page alone, whose box offers files by it.
    """
    fetch: Fetch = component.async_move_resource_to_block_cache  # type: ignore[assignment]

    async def take(given: str | Path | None) -> str | None:
        if not isinstance(given, str) or not is_address(given):
            return await fetch(given)
        try:
            own = find_own_file(given)
            return await fetch(own or await download(given, cache_folder(), MAX_UPLOAD_BYTES))
        except Exception as error:
            raise gr.Error(NOT_FETCHED.format(given[:200], error), print_exception=False) from error

    def read(payload: Any) -> str | None:
        return None if payload is None else str(payload.path)

    component.async_move_resource_to_block_cache = take  # type: ignore[assignment,method-assign]
    component.preprocess = read  # type: ignore[method-assign]


def check_given_files(page: gr.Blocks) -> None:
    """Let a page answer with a sentence where what is given for a file is none, or is not the studio's to give.

    A list of values that is shorter than an endpoint's, as programs of an older version send it, means the defaults of
    what has been added at its end.
    """
    preprocess = page.preprocess_data

    async def check_first(block_fn: Any, inputs: list[Any], *more: Any, **options: Any) -> list[Any]:
        for block, given in zip(block_fn.inputs, inputs, strict=False):
            if isinstance(block, (gr.File, gr.Audio)) and given is not None:
                for each in given if isinstance(given, list) and _takes_many(block) else [given]:
                    _check(str(block.label), each)
        if block_fn.api_visibility == "public":
            inputs = [*inputs, *(getattr(block, "value", None) for block in block_fn.inputs[len(inputs) :])]
        return await preprocess(block_fn, inputs, *more, **options)

    page.preprocess_data = check_first  # type: ignore[method-assign]


def _takes_many(block: Any) -> bool:
    return getattr(block, "file_count", "single") != "single"


def _check(label: str, given: Any) -> None:
    path = given.get("path") if isinstance(given, dict) else None
    if not isinstance(path, str) or not path:
        raise gr.Error(f"{label} is {str(given)[:100]!r}; it must be a file.", print_exception=False)
    if not is_address(path):
        try:
            find_own_file(path)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error


def is_address(given: str) -> bool:
    """Tell whether this is a web address."""
    return given.lower().startswith(("http://", "https://"))

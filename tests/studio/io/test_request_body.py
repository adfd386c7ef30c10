"""Bodies within bounds: too long, told or not, too slow, broken off, or sent by another site's page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request

from studio.io.request_body import read_body
from tests.loops import run_coroutine


def read(parts: list[bytes | float | None], most: int = 100, **headers: str) -> bytes:
    """Read a body whose parts arrive one by one; a number is a pause in seconds, None an end of the line."""

    async def arriving() -> AsyncIterator[dict[str, Any]]:
        for part in parts:
            if isinstance(part, float):
                await asyncio.sleep(part)
            elif part is None:
                yield {"type": "http.disconnect"}
            else:
                yield {"type": "http.request", "body": part, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    async def ask() -> bytes:
        messages = arriving()
        rows = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": rows}
        return await read_body(Request(scope, messages.__anext__), most, within_s=0.2)

    return run_coroutine(ask())


def test_parts_are_joined_up_to_the_bound() -> None:
    assert read([b"ab", b"", b"c"]) == b"abc"
    assert len(read([b"x" * 60, b"y" * 40])) == 100


@pytest.mark.parametrize(
    ("parts", "headers", "said"),
    [
        ([b"x" * 60, b"y" * 41], {}, "too long; at most 0 KB"),
        ([b"x"], {"content_length": "101"}, "too long"),
        ([b"x", 5.0, b"y"], {}, "did not arrive within 0.2 seconds"),
        ([b"x", None], {}, "broke off"),
        ([b"x"], {"sec_fetch_site": "cross-site"}, "Another site"),
    ],
)
def test_what_is_out_of_bounds_is_a_sentence(parts: list[Any], headers: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(parts, **headers)


def test_a_length_that_is_none_is_not_believed() -> None:
    assert read([b"abc"], content_length="many") == b"abc"

"""Bodies of requests to routes of our own, read within bounds of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

WITHIN_S = 30.0


async def read_body(request: Request, most: int, within_s: float = WITHIN_S) -> bytes:
    """Return what was sent.

    Raises:
        ValueError: it is longer than `most` bytes, comes too slowly, breaks off, or another site's page sent it.
    """
    if request.headers.get("sec-fetch-site") == "cross-site":  # a browser says so of another site's page
        raise ValueError("Another site's page may not ask for this, only the studio's own page.")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > most:
        raise ValueError(_too_long(most))
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within_s):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise ValueError(_too_long(most))
                parts.append(part)
    except TimeoutError:
        raise ValueError(f"The request did not arrive within {within_s:g} seconds.") from None
    except ClientDisconnect:
        raise ValueError("The request broke off.") from None
    return b"".join(parts)


def _too_long(most: int) -> str:
    return f"The request is too long; at most {most // 1024} KB can be sent."

"""What a link to the studio shows where it is shared: its own title, sentence and picture, at its own address."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE = Path(__file__).parent / "assets" / "preview.png"
ADDRESS = "/preview.png"
TITLE = "Auralume"
SAID = "Speech, music, video and music videos, made on your own machine, and shown while they are made."
_TAGS = re.compile(rb"<meta\s+(?:property=\"og:|name=\"(?:twitter:|description\"))[^>]*>\s*")
_HEAD = re.compile(rb"<head[^>]*>")


def preview_route() -> Route:
    """Return the address of the picture."""

    async def picture(_request: object) -> Response:
        return FileResponse(PICTURE, media_type="image/png", headers={"Cache-Control": "public, max-age=86400"})

    return Route(ADDRESS, picture)


def find_base(scope: Scope) -> str:
    """Return the address by which a page was asked for, without a slash at its end, also behind a proxy."""
    headers = Headers(scope=scope)
    scheme = headers.get("x-forwarded-proto", scope.get("scheme", "http")).partition(",")[0].strip()
    host = headers.get("x-forwarded-host", headers.get("host", "")).partition(",")[0].strip()
    root = str(scope.get("root_path", ""))
    return f"{scheme}://{host}{urlsplit(root).path.rstrip('/')}"


def put_in_preview(page: bytes, base: str) -> bytes:
    """Return a page with our preview in the place of any other; `base` is its address."""
    picture = f"{base}{ADDRESS}"
    named = {"og:type": "website", "og:title": TITLE, "og:description": SAID, "og:url": f"{base}/", "og:image": picture}
    sized = {"og:image:width": "1200", "og:image:height": "630", "og:image:alt": f"{TITLE}: {SAID}"}
    twitter = {"twitter:card": "summary_large_image", "twitter:title": TITLE, "twitter:description": SAID}
    tags = [f'<meta name="description" content="{escape(SAID)}">']
    tags += [f'<meta property="{name}" content="{escape(said)}">' for name, said in (named | sized).items()]
    tags += [
        f'<meta name="{name}" content="{escape(said)}">'
        for name, said in (twitter | {"twitter:image": picture}).items()
    ]
    head = "".join(tags).encode()
    return _HEAD.sub(lambda found: found[0] + head, _TAGS.sub(b"", page), count=1)


class LinkPreviewMiddleware:
    """Puts the preview into the page.

    Args:
        app: the application beneath.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; only a page asked for at the root is changed."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_root(scope):
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body: list[bytes] = []

        async def take(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                is_page = headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers
                if is_page:
                    start = message  # sent once it is known how long the page is
                    return
            if not start:
                await send(message)
                return
            body.append(message.get("body", b""))
            if not message.get("more_body", False):
                page = put_in_preview(b"".join(body), find_base(scope))
                changed = MutableHeaders(raw=list(start["headers"]))
                changed["content-length"] = str(len(page))
                await send({**start, "headers": changed.raw})
                await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, take)


def _is_root(scope: Scope) -> bool:
    """Tell whether a request asks for the page itself; a server may or may not put its root path before the path."""
    return scope["path"].rstrip("/") in {"", str(scope.get("root_path", "")).rstrip("/")}

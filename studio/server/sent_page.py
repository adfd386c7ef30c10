"""What is sent when the page is opened: our preview and script in it, without what only programs read, compressed."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.page.theme import read_script
from studio.server.link_preview import find_base, put_in_preview

SCRIPT_NAME = "studio.js"
ENTIRE_YEAR = "public, max-age=31536000, immutable"
COMPRESSED = ("", "/config", "/gradio_api/info")  # below the root path; Gradio compresses what is named like a file
COMPRESSION = 5
FOR_PROGRAMS = frozenset({"api_info", "api_info_as_input", "api_info_as_output", "example_inputs"})
_CONFIG = "window.gradio_config = "
_HEAD = re.compile(rb"<head[^>]*>")
_UNSAFE = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&'"})  # inside a script in HTML


@lru_cache(maxsize=1)
def script_version() -> str:
    """Return what changes with the page's script."""
    return hashlib.sha256(read_script().encode()).hexdigest()[:16]


def script_route() -> Route:
    """Return the address of the page's script, which a browser keeps until the script changes."""

    async def script(request: Request) -> Response:
        is_named = request.query_params.get("v") == script_version()
        headers = {"Cache-Control": ENTIRE_YEAR if is_named else "no-cache"}
        return Response(read_script(), media_type="text/javascript", headers=headers)

    return Route(f"/{SCRIPT_NAME}", script)


def put_in_script(page: bytes) -> bytes:
    """Return a page that runs the studio's script before Gradio's, which is a module and waits as this one does."""
    tag = f'<script defer src="./{SCRIPT_NAME}?v={script_version()}"></script>'.encode()
    return _HEAD.sub(lambda found: found[0] + tag, page, count=1)


def lighten(page: str) -> str:
    """Return a page without what its parts say to programs: those ask `/config` and `/info`, where it stays."""
    before, mark, rest = page.partition(_CONFIG)
    if not mark:
        return page
    config, end = json.JSONDecoder().raw_decode(rest)
    for part in config.get("components", ()):
        for name in FOR_PROGRAMS & part.keys():
            del part[name]
    said = json.dumps(config, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)
    return f"{before}{mark}{said}{rest[end:]}"


class SentPageMiddleware:
    """Makes the page that Gradio renders the one that is sent.

    Args:
        app: the application beneath.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(self._serve, compresslevel=COMPRESSION)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; only a page asked for at the root is changed."""
        is_compressed = scope["type"] == "http" and _below_root(scope) in COMPRESSED
        await (self.compressed if is_compressed else self.app)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET" or _below_root(scope):
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
                page = lighten(b"".join(body).decode()).encode()
                page = put_in_preview(put_in_script(page), find_base(scope))
                changed = MutableHeaders(raw=list(start["headers"]))
                changed["content-length"] = str(len(page))
                await send({**start, "headers": changed.raw})
                await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, take)


def _below_root(scope: Scope) -> str:
    """Return the path that a request asks for; a server may or may not put its root path before it."""
    return str(scope["path"]).rstrip("/").removeprefix(str(scope.get("root_path", "")).rstrip("/"))

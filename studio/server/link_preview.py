"""What a link to the studio shows where it is shared: its own title, sentence and picture, at its own address."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Scope

PICTURE = Path(__file__).parents[1] / "assets" / "preview.png"
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

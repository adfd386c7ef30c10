"""Whose library it is: one person's on a machine of one's own, else the login's, else the browser's by a signed cookie.

The middleware of `studio.server.access` decides it once a request and tells everything beneath by headers that
nobody can send from outside.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

COOKIE = "auralume"
OWNER_HEADER, BROWSER_HEADER, KNOWN_HEADER = "x-auralume-owner", "x-auralume-browser", "x-auralume-known"
LOCAL = "local"
AGE_S = 400 * 86_400  # what browsers allow at most
SECRET_FILE = "secret"
SECRET_BYTES = 32
BROWSER_CHARACTERS = 32
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def read_secret(folder: Path | None) -> bytes:
    """Return the key that signs cookies: kept in the folder, or new where there is none.

    Raises:
        OSError: it can be neither read nor written.
    """
    if folder is None:
        return secrets.token_bytes(SECRET_BYTES)
    path = folder / SECRET_FILE
    if not path.is_file() or path.stat().st_size != SECRET_BYTES:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{SECRET_FILE}-{secrets.token_hex(4)}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        try:
            os.link(part, path)  # of two that start at once, the first one's stays
        except FileExistsError:
            if path.stat().st_size != SECRET_BYTES:
                part.replace(path)
        except OSError:  # a file system without links
            part.replace(path)
        part.unlink(missing_ok=True)
    return path.read_bytes()


def new_browser() -> str:
    """Return a name for a browser that nobody can guess."""
    return secrets.token_hex(BROWSER_CHARACTERS // 2)


def sign(browser: str, secret: bytes) -> str:
    """Return the cookie's value."""
    return f"{browser}.{hmac.new(secret, browser.encode(), 'sha256').hexdigest()}"


def owner_of_login(user: str) -> str:
    """Return the owner's name of a person who logs in."""
    return f"user-{hashlib.sha256(user.encode()).hexdigest()[:32]}"


@dataclass(frozen=True)
class OwnerRules:
    """Tells whose each request is.

    Attributes:
        secret: signs the cookies.
        login: the user's name that everybody logs in with, or "".
        is_alone: whether the studio serves this machine alone, so that all of its browsers are one person's.
        is_framed: whether the page is shown in a frame of another site, as a Space is; then its cookie is the frame's.
    """

    secret: bytes
    login: str = ""
    is_alone: bool = False
    is_framed: bool = False

    @property
    def cookie(self) -> str:
        """Return the cookie's name: studios at other ports of this machine have others."""
        return f"{COOKIE}-{hashlib.sha256(self.secret).hexdigest()[:8]}"

    def owner(self, browser: str, headers: Headers, client: str) -> str:
        """Return the owner's name.

        Args:
            browser: its name; client: the address that asks.
        """
        if self.login:
            return owner_of_login(self.login)
        is_here = self.is_alone and is_own_address(client) and not any(name in headers for name in FORWARDED)
        return LOCAL if is_here else browser

    def identify(self, scope: Scope, headers: Headers) -> tuple[Scope, str]:
        """Return the scope with the headers of ours, and a cookie to set, or ""."""
        known = self.read_cookie(headers.get("cookie", ""))
        browser = known or new_browser()
        client = (scope.get("client") or ("", 0))[0]
        owner = self.owner(browser, headers, client)
        comes_back = bool(known) or owner != browser
        told = {OWNER_HEADER: owner, BROWSER_HEADER: browser, KNOWN_HEADER: "1" if comes_back else "0"}
        rest = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() not in told]
        added = [(name.encode(), value.encode()) for name, value in told.items()]
        wants_page = scope.get("method") == "GET" and "text/html" in headers.get("accept", "")
        is_secure = scope.get("scheme") == "https" or headers.get("x-forwarded-proto", "").startswith("https")
        return {**scope, "headers": [*rest, *added]}, self._cookie(browser, is_secure) if wants_page else ""

    def read_cookie(self, header: str) -> str:
        """Return the browser's name in a Cookie header, or "" where it has none that we signed."""
        found = cookie_parser(header).get(self.cookie, "")
        browser, _, _ = found.partition(".")
        return browser if browser and hmac.compare_digest(sign(browser, self.secret), found) else ""

    def _cookie(self, browser: str, is_secure: bool) -> str:
        value = f"{self.cookie}={sign(browser, self.secret)}; Max-Age={AGE_S}; Path=/; HttpOnly"
        if not is_secure:
            return f"{value}; SameSite=Lax"
        return f"{value}; Secure; SameSite=None; Partitioned" if self.is_framed else f"{value}; SameSite=Lax; Secure"


def owner_of(headers: Mapping[str, str]) -> str:
    """Return the owner that the middleware told; without one, the person at this machine."""
    return headers.get(OWNER_HEADER, LOCAL)


def browser_of(headers: Mapping[str, str]) -> str:
    """Return the browser that the middleware told, or ""."""
    return headers.get(BROWSER_HEADER, "")


def is_known(headers: Mapping[str, str]) -> bool:
    """Tell whether the owner can come back: one who calls without cookie and login cannot."""
    return headers.get(KNOWN_HEADER, "") == "1"


def is_own_address(client: str) -> bool:
    """Tell whether a request came from this machine."""
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False

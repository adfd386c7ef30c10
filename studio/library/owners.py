"""Whose library it is: one person's on a machine of one's own, else the login's, else the browser's by a signed cookie.

The middleware of `studio.access` decides it once a request and tells everything beneath by two headers, which nobody
can send from outside.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

COOKIE = "auralume"
OWNER_HEADER, BROWSER_HEADER = "x-auralume-owner", "x-auralume-browser"
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


def read_cookie(header: str, secret: bytes) -> str:
    """Return the browser's name in a Cookie header, or "" where it has none that we signed."""
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    browser, _, _ = (morsel.value if morsel is not None else "").partition(".")
    is_ours = bool(browser) and hmac.compare_digest(sign(browser, secret), morsel.value if morsel is not None else "")
    return browser if is_ours else ""


def owner_of_login(user: str) -> str:
    """Return the owner's name of a person who logs in."""
    return f"user-{hashlib.sha256(user.encode()).hexdigest()[:32]}"

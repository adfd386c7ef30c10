"""Who may talk to the studio: one middleware over every route, the pages of other sites kept out.

A browser lets any page send requests to a studio on one's own machine, and DNS rebinding lets another site's name
point to it. So the `Host` of a request must be an address that the studio was started for, and its `Origin`, where a
browser tells one, must be the same address or one that was allowed. Programs that send no Origin are let in. A
password, where one was set, protects page, API, MCP and own routes alike (RFC 7617, and a bearer token for clients of
the OpenAI routes).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.library.owners import OwnerRules

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SPACE_HOSTS = "SPACE_HOST"  # set on a Space: its own addresses, separated by commas
SPACE_PARENT = "https://huggingface.co"
PASSWORD = "AURALUME_AUTH"
STARTUP_PATH = "/startup-events"  # asked by the server itself when it begins
OPEN_PATHS = ("/healthz", "/readyz")  # tell nothing that a password would protect
METHODS = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
FOREIGN = "A page of {} may not use this studio. Start it with --allow-origin {} to let it in."
UNKNOWN_HOST = "This studio was not started for the address {}. Start it with --allow-origin http://{} to use it so."
WRONG_PASSWORD = "This studio asks for a user name and a password."


@dataclass(frozen=True)
class AccessRules:
    """Which addresses and which people are let in.

    Attributes:
        hosts: names that the studio answers to, beside addresses in numbers.
        origins: pages of other sites that may use and embed it, as "scheme://host[:port]".
        password: "USER:PASSWORD", or "" where none is asked for.
    """

    hosts: frozenset[str] = LOOPBACK
    origins: frozenset[str] = frozenset()
    password: str = ""

    @property
    def is_alone(self) -> bool:
        """Tell whether the studio serves this machine's own people alone."""
        return self.hosts <= LOOPBACK and not self.origins and not self.password

    def knows_host(self, host: str) -> bool:
        """Tell whether a Host header names this studio; an address in numbers cannot be rebound."""
        name = _host_name(host)
        return name in self.hosts or _is_address(name)

    def knows_origin(self, origin: str, host: str) -> bool:
        """Tell whether a page of `origin` may send requests to `host`."""
        try:
            netloc = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return (netloc != "" and netloc == host.lower()) or origin.lower() in self.origins

    def knows_person(self, authorization: str) -> bool:
        """Tell whether an Authorization header holds the password."""
        if not self.password:
            return True
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(value.strip(), validate=True)
            except (binascii.Error, ValueError):
                return False
            return hmac.compare_digest(given, self.password.encode())
        secret = self.password.partition(":")[2].encode()
        return kind.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), secret)


def rules_for(host: str | None, origins: Iterable[str] = (), password: str | None = None) -> AccessRules:
    """Return the rules of a studio that listens at `host`.

    Args:
        host: as `--host`; None is this machine alone.
        origins: further sites that may use it.
        password: "USER:PASSWORD"; None takes it from the environment.

    Raises:
        ValueError: an origin or the password is not of that form.
    """
    allowed = frozenset(_checked_origin(each) for each in origins)
    hosts = set(LOOPBACK) | {_host_name(urlsplit(each).netloc) for each in allowed}
    if host:
        hosts.add(host.lower())
        if not is_loopback(host):
            name = socket.gethostname().lower()
            hosts |= {name, f"{name}.local", socket.getfqdn().lower()}
    space = {each.strip().lower() for each in os.environ.get(SPACE_HOSTS, "").split(",") if each.strip()}
    if space:
        allowed |= {SPACE_PARENT} | {f"https://{each}" for each in space}
    asked = os.environ.get(PASSWORD, "") if password is None else password
    if asked and not all(asked.partition(":")[::2]):
        raise ValueError("The password must read USER:PASSWORD.")
    return AccessRules(frozenset(hosts | space), allowed, asked)


def is_loopback(host: str | None) -> bool:
    """Tell whether only this machine can reach a studio that listens at `host`."""
    if host is None or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AccessMiddleware:
    """Answer 403 to other sites' pages and 401 to people without the password; let everything else through.

    Args:
        app: the application beneath.
        rules: who is let in.
        owners: whose each request is; None tells nobody.
    """

    def __init__(self, app: ASGIApp, rules: AccessRules, owners: OwnerRules | None = None) -> None:
        self.app, self.rules, self.owners = app, rules, owners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refuse(scope, headers)
        if refusal is None:
            told, cookie = self.owners.identify(scope, headers) if self.owners is not None else (scope, "")
            await self.app(told, receive, self._marked(send, headers, cookie) if scope["type"] == "http" else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.rules.knows_host(host):
            return PlainTextResponse(UNKNOWN_HOST.format(host, host), 403)
        if origin is not None and not self.rules.knows_origin(origin, host):
            return PlainTextResponse(FOREIGN.format(origin, origin), 403)
        if origin is None and _is_foreign_part(headers):
            return PlainTextResponse(FOREIGN.format("another site", "ORIGIN"), 403)
        if scope.get("method") == "OPTIONS" and origin is not None and "access-control-request-method" in headers:
            return Response(status_code=204, headers=_cross_origin(origin, headers))
        is_own_start = scope.get("path", "").endswith(STARTUP_PATH) and scope.get("method") == "GET"
        is_open = scope.get("path", "").removeprefix(scope.get("root_path", "")) in OPEN_PATHS
        if not is_own_start and not is_open and not self.rules.knows_person(headers.get("authorization", "")):
            return PlainTextResponse(WRONG_PASSWORD, 401, {"WWW-Authenticate": 'Basic realm="Auralume"'})
        return None

    def _marked(self, send: Send, headers: Headers, cookie: str) -> Send:
        """Say in each answer which sites may read and embed it, and give a browser its cookie."""
        origin = headers.get("origin", "")
        ancestors = " ".join(["'self'", *sorted(self.rules.origins)])

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer["Content-Security-Policy"] = f"frame-ancestors {ancestors}"
                if cookie:
                    answer.append("Set-Cookie", cookie)
                if origin.lower() in self.rules.origins:
                    answer["Access-Control-Allow-Origin"] = origin
                    answer["Access-Control-Allow-Credentials"] = "true"
                    answer.add_vary_header("Origin")
            await send(message)

        return marked


def _is_foreign_part(headers: Headers) -> bool:
    """Tell whether another site's page asks for a part of ours, such as a picture; to follow a link is no part."""
    asked_by = headers.get("sec-fetch-site", "none")
    return asked_by in {"cross-site", "same-site"} and headers.get("sec-fetch-mode") != "navigate"


def _cross_origin(origin: str, headers: Headers) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": headers.get("access-control-request-headers", ""),
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _checked_origin(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise ValueError(f"{origin!r} is no origin; it must read like https://example.org.")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _host_name(host: str) -> str:
    """Return the name in "name:port" or "[address]:port"."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

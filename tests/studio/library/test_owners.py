"""Each request is told whose it is: nobody can name another's library."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.library.owners import (
    BROWSER_HEADER,
    KNOWN_HEADER,
    OWNER_HEADER,
    OwnerRules,
    is_known,
    owner_of_login,
    read_secret,
    sign,
)
from studio.server.access import AccessMiddleware, rules_for

SECRET = b"s" * 32
PAGE = {"accept": "text/html"}


def tell(request: Request) -> JSONResponse:
    headers = request.headers
    return JSONResponse(
        {
            "owner": headers.getlist(OWNER_HEADER),
            "browser": headers.getlist(BROWSER_HEADER),
        },
    )


def tell_known(request: Request) -> JSONResponse:
    return JSONResponse([is_known(request.headers)] * len(request.headers.getlist(KNOWN_HEADER)))


def client(origins: tuple[str, ...] = (), password: str = "", address: str = "127.0.0.1") -> TestClient:
    rules = rules_for(None, origins, password)
    owners = OwnerRules(SECRET, rules.password.partition(":")[0], rules.is_alone)
    routes = [Route("/", tell), Route("/known", tell_known)]
    app = Starlette(routes=routes, middleware=[Middleware(AccessMiddleware, rules=rules, owners=owners)])
    return TestClient(app, base_url="http://127.0.0.1", client=(address, 5000))


def test_all_browsers_of_a_machine_of_ones_own_are_one_person() -> None:
    first, second = client(), client()
    answers = [each.get("/", headers=PAGE).json() for each in (first, second)]
    assert [each["owner"] for each in answers] == [["local"], ["local"]]
    assert answers[0]["browser"] != answers[1]["browser"]


@pytest.mark.parametrize(
    ("asked", "address"),
    [({"x-forwarded-for": "203.0.113.9"}, "127.0.0.1"), ({"via": "1.1 proxy"}, "127.0.0.1"), ({}, "203.0.113.9")],
)
def test_what_comes_through_a_proxy_or_from_elsewhere_is_not_this_machines_person(
    asked: dict[str, str], address: str
) -> None:
    (owner,) = client(address=address).get("/", headers=PAGE | asked).json()["owner"]
    assert owner != "local"
    assert len(owner) == 32


def test_a_caller_is_known_on_a_machine_of_ones_own_by_login_and_by_cookie() -> None:
    assert client().get("/known").json() == [True]
    assert client(password="ann:secret").get("/known", auth=("ann", "secret")).json() == [True]
    browser = client(("https://example.org",))
    assert browser.get("/known", headers=PAGE | {KNOWN_HEADER: "1"}).json() == [False]
    assert browser.get("/known").json() == [True]


def test_a_browser_keeps_its_name_by_a_signed_cookie() -> None:
    browser = client(("https://example.org",))
    answer = browser.get("/", headers=PAGE)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie.replace("Lax", "lax")
    assert "Secure" not in cookie
    again = browser.get("/").json()
    assert again == answer.json()
    assert again["owner"] == again["browser"]
    other = client(("https://example.org",)).get("/", headers=PAGE).json()
    assert other["owner"] != again["owner"]


@pytest.mark.parametrize("value", ["", "local", "0" * 32, "0" * 32 + ".0", sign("0" * 32, b"another key" * 3)])
def test_a_cookie_that_we_did_not_sign_counts_for_nothing(value: str) -> None:
    browser = client(("https://example.org",))
    browser.cookies.set(OwnerRules(SECRET).cookie, value)
    (owner,) = browser.get("/", headers=PAGE).json()["owner"]
    assert owner not in {"local", "0" * 32, ""}


def test_nobody_names_an_owner_from_outside() -> None:
    sent = {OWNER_HEADER: "local", BROWSER_HEADER: "mine", "X-Auralume-Owner": "local"}
    answer = client(("https://example.org",)).get("/", headers=PAGE | sent).json()
    assert len(answer["owner"]) == 1
    assert "local" not in answer["owner"]
    assert answer["browser"] != ["mine"]


def test_who_logs_in_finds_the_same_library_in_every_browser() -> None:
    answers = [client(password="ann:secret").get("/", auth=("ann", "secret")).json() for _ in range(2)]
    assert [each["owner"] for each in answers] == [[owner_of_login("ann")]] * 2


def test_a_cookie_over_https_is_sent_over_https_alone() -> None:
    answer = client().get("/", headers=PAGE | {"x-forwarded-proto": "https"})
    assert "Secure" in answer.headers["set-cookie"]


def test_the_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    first = read_secret(tmp_path / "new")
    assert len(first) == 32
    assert read_secret(tmp_path / "new") == first
    assert (tmp_path / "new" / "secret").stat().st_mode & 0o077 == 0
    (tmp_path / "new" / "secret").write_bytes(b"short")
    assert read_secret(tmp_path / "new") != b"short"
    assert read_secret(None) != read_secret(None)
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["secret"]

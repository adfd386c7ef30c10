"""Who may talk to the studio: rules alone, and every route over real HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client
from hypothesis import given
from hypothesis import strategies as st

from studio.app import build_studio, launch_studio
from studio.server.access import AccessRules, is_loopback, rules_for
from tests.studio.debug_speech import debug_registry, debug_spec

ALLOWED = "https://friend.example"
ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/", None),
    ("GET", "/config", None),
    ("GET", "/gradio_api/info", None),
    ("POST", "/gradio_api/call/speech", {"data": ["Hello."]}),
    ("POST", "/gradio_api/queue/join", {"data": [], "fn_index": 0, "session_hash": "x"}),
    ("POST", "/gradio_api/upload", None),
    ("POST", "/gradio_api/mcp/", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    ("POST", "/v1/audio/speech", {"input": "Hello."}),
    ("GET", "/v1/models", None),
    ("POST", "/live/control", {}),
    ("GET", "/live/people", None),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    studio = build_studio(debug_registry(tmp_path_factory.mktemp("access"), debug_spec()))
    rules = rules_for("127.0.0.1", [ALLOWED])
    launch_studio(studio, rules, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", mcp_server=True)
    yield str(studio.local_url).rstrip("/")
    studio.close()


def ask(address: str, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
    content = json.dumps(body) if body is not None else None
    told = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(method, address + path, content=content, headers=told | named, timeout=60, trust_env=False)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_a_page_of_another_site_is_refused_on_every_route(address: str, method: str, path: str, body: Any) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "https://friend.example.evil.example"):
        answer = ask(address, method, path, body, origin=origin)
        assert answer.status_code == 403 and "--allow-origin" in answer.text, (origin, answer.text)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_a_name_that_was_bound_to_this_machine_is_refused(address: str, method: str, path: str, body: Any) -> None:
    port = address.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", f"localhost.evil.example:{port}", ""):
        answer = ask(address, method, path, body, host=host)
        assert answer.status_code in {400, 403}, (host, answer.status_code)
    told = ask(address, method, path, body, host=f"evil.example:{port}")
    assert told.status_code == 403 and "evil.example" in told.text


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_own_pages_programs_and_allowed_sites_are_let_in(address: str, method: str, path: str, body: Any) -> None:
    port = address.rpartition(":")[2]
    assert ask(address, method, path, body).status_code != 403
    assert ask(address, method, path, body, origin=address).status_code != 403
    own = ask(address, method, path, body, host=f"localhost:{port}", origin=f"http://localhost:{port}")
    assert own.status_code != 403
    friend = ask(address, method, path, body, origin=ALLOWED)
    assert friend.status_code != 403 and friend.headers["access-control-allow-origin"] == ALLOWED


def test_parts_for_another_site_are_refused_and_links_are_followed(address: str) -> None:
    part = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}
    assert ask(address, "GET", "/gradio_api/info", None, **part).status_code == 403
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    page = ask(address, "GET", "/", None, **link)
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == f"frame-ancestors 'self' {ALLOWED}"


def test_a_browser_may_ask_beforehand_for_an_allowed_site_alone(address: str) -> None:
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "content-type"}
    friend = ask(address, "OPTIONS", "/gradio_api/call/speech", None, origin=ALLOWED, **asked)
    assert friend.status_code == 204 and friend.headers["access-control-allow-headers"] == "content-type"
    assert ask(address, "OPTIONS", "/gradio_api/call/speech", None, origin="https://e.x", **asked).status_code == 403


@pytest.mark.slow
def test_the_client_of_gradio_is_let_in(address: str) -> None:
    _, _, report = Client(address, verbose=False).predict(text="Hello there.", api_name="/speech")
    assert [word["text"] for word in report["words"]] == ["Hello", "there."]


def test_a_password_protects_every_route(tmp_path: Any) -> None:
    studio = build_studio(debug_registry(tmp_path, debug_spec()))
    rules = rules_for("127.0.0.1", password="me:open sesame")
    launch_studio(studio, rules, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", mcp_server=True)
    try:
        address = str(studio.local_url).rstrip("/")
        basic = "Basic " + base64.b64encode(b"me:open sesame").decode()
        for method, path, body in ROUTES:
            asked = ask(address, method, path, body)
            assert asked.status_code == 401 and "Basic" in asked.headers["www-authenticate"], path
            for wrong in ("Basic " + base64.b64encode(b"me:shut").decode(), "Basic %%%", "Bearer shut", "x"):
                assert ask(address, method, path, body, authorization=wrong).status_code == 401
            for right in (basic, "Bearer open sesame"):
                assert ask(address, method, path, body, authorization=right).status_code not in {401, 403}, path
        client = Client(address, verbose=False, headers={"Authorization": basic})
        assert client.predict(text="Hello.", api_name="/speech")[2]["words"]
    finally:
        studio.close()


def test_a_space_answers_to_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "owner-space.hf.space")
    rules = rules_for("0.0.0.0")
    assert rules.knows_host("owner-space.hf.space") and not rules.knows_host("other-space.hf.space")
    assert rules.knows_origin("https://owner-space.hf.space", "owner-space.hf.space")
    assert rules.knows_origin("https://huggingface.co", "owner-space.hf.space")
    assert not rules.knows_origin("https://evil.example", "owner-space.hf.space")


def test_addresses_in_numbers_and_this_machines_name() -> None:
    rules = rules_for("0.0.0.0")
    for host in ("192.168.7.9:7860", "[::1]:7860", "127.0.0.1", "localhost:1"):
        assert rules.knows_host(host), host
    assert not rules_for(None).knows_host("studio.example")
    assert rules_for(None, ["https://studio.example"]).knows_host("studio.example")
    assert [is_loopback(each) for each in (None, "localhost", "127.0.0.1", "::1", "0.0.0.0", "10.0.0.1", "name")] == [
        True, True, True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("origin", ["friend.example", "ftp://friend.example", "https://", "https://a.b/path"])
def test_what_is_no_origin_is_a_sentence(origin: str) -> None:
    with pytest.raises(ValueError, match=r"must read like https://example\.org"):
        rules_for(None, [origin])
    with pytest.raises(ValueError, match="USER:PASSWORD"):
        rules_for(None, password="nobody")


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_raises_and_only_equal_addresses_agree(origin: str, host: str) -> None:
    rules = AccessRules(password="a:b")
    rules.knows_host(host)
    rules.knows_person(origin)
    try:
        agreed = rules.knows_origin(origin, host)
    except ValueError:
        pytest.fail("a header must never raise")
    if agreed:
        assert host.lower() in origin.lower()

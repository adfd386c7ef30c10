"""The clients that programs are written with: @gradio/client in Node, `openai`, and a Space's own address."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import APIStatusError, OpenAI

from studio.server.access import rules_for
from tests.studio.debug_studio import serve_studio

pytestmark = pytest.mark.slow

ALLOWED = "https://friend.example"
SPACE = "owner-space.hf.space"
NODE_CLIENT = "@gradio/client@2"
CALL = """
import { Client, handle_file } from "@gradio/client";
const [address, path] = process.argv.slice(2);
const client = await Client.connect(address);
const spoken = await client.predict("/speech", { text: "Hello there." });
const styled = await client.predict("/audio_style", { content: spoken.data[0], style: "hum", strength: "0.5" });
let refused = "";
try { await client.predict("/speech", { text: "Hi.", speed: 9 }); } catch (error) { refused = String(error.message); }
console.log(JSON.stringify({
  words: spoken.data[2].words.map((word) => word.text), report: styled.data[1], url: styled.data[0].url, refused,
}));
process.exit(0);
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    rules = rules_for("127.0.0.1", [ALLOWED])
    with serve_studio(tmp_path_factory.mktemp("clients"), rules=rules) as address:
        yield address


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """Return a folder where Node finds @gradio/client, which npm puts there once a machine."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not on this machine")
    folder = Path(tempfile.gettempdir()) / f"auralume-node-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    if not (folder / "node_modules/@gradio/client").is_dir():
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), NODE_CLIENT]
        made = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        if made.returncode:
            pytest.skip(f"npm cannot install {NODE_CLIENT} here: {made.stderr.strip()[-200:]}")
    return folder


def test_gradios_client_in_node(address: str, node_folder: Path) -> None:
    (node_folder / "call.mjs").write_text(CALL)
    run = subprocess.run(
        ["node", "call.mjs", address], cwd=node_folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    assert told["words"] == ["Hello", "there."]
    assert told["report"] == {"strength": 0.5, "style": "hum"} and told["url"].startswith(address)
    assert told["refused"] == "Speed is 9; it must be a number from 0.5 to 2."


def openai(address: str, **options: Any) -> OpenAI:
    own = httpx.Client(trust_env=False, timeout=60)
    settings: dict[str, Any] = {"api_key": "none", "max_retries": 0, "http_client": own} | options
    return OpenAI(base_url=f"{address}/v1", **settings)


def test_the_client_of_openai(address: str, tmp_path: Path) -> None:
    client = openai(address)
    assert [model.id for model in client.models.list()] == ["speech/debug"]
    assert client.models.retrieve("tts-1").id == "tts-1"
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.", response_format="wav")
    assert speech.content[:4] == b"RIFF"
    streamed = tmp_path / "hello.mp3"
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="low", input="Hello.") as answer:
        answer.stream_to_file(streamed)
    assert streamed.stat().st_size > 1000
    told = client.audio.speech.with_raw_response.create(
        model="gpt-4o-mini-tts-2025-12-15", voice="marin", input="Hello.", speed=4, stream_format="sse"
    )
    assert '"usage": {"input_tokens": 6' in told.text
    with pytest.raises(APIStatusError) as caught:
        client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Hello.", instructions="Whisper.")
    assert caught.value.status_code == 400 and "Instructions" in caught.value.message
    with pytest.raises(APIStatusError) as caught:
        client.audio.speech.create(model="tts-1", voice="nobody", input="Hello.")
    assert caught.value.status_code == 400 and "this model has low, high" in caught.value.message
    with pytest.raises(APIStatusError) as caught:
        client.audio.speech.create(model="far/away", voice="low", input="Hello.")
    assert caught.value.status_code == 404


def test_the_password_is_the_key_of_openais_client(tmp_path: Path) -> None:
    with serve_studio(tmp_path, rules=rules_for("127.0.0.1", password="me:sesame")) as address:
        assert openai(address, api_key="sesame").models.list().data
        with pytest.raises(APIStatusError) as caught:
            openai(address, api_key="shut").models.list()
        assert caught.value.status_code == 401


def test_a_spaces_own_address_and_the_hubs_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", SPACE)
    with serve_studio(tmp_path, rules=rules_for("127.0.0.1")) as address:

        def ask(method: str, path: str, **headers: str) -> httpx.Response:
            told = {"host": SPACE, "x-forwarded-proto": "https"} | headers
            content = json.dumps({"data": ["Hello."]}) if method == "POST" else None
            told["content-type"] = "application/json"
            return httpx.request(method, address + path, content=content, headers=told, timeout=60, trust_env=False)

        page = ask("GET", "/", **{"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
        assert page.status_code == 200 and "https://huggingface.co" in page.headers["content-security-policy"]
        assert f"https://{SPACE}" in page.text  # the page asks its own address, not the one behind the proxy
        own = ask("POST", "/gradio_api/call/speech", origin=f"https://{SPACE}")
        assert own.status_code == 200 and own.json()["event_id"]
        assert ask("POST", "/live/control", origin=f"https://{SPACE}").status_code != 403
        for foreign in ("https://other-space.hf.space", "https://evil.example", f"http://{SPACE}.evil.example"):
            assert ask("POST", "/gradio_api/call/speech", origin=foreign).status_code == 403
        assert ask("GET", "/", host="other-space.hf.space").status_code == 403

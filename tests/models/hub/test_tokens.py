"""A token reaches the Hub alone: no other host, no message, no log."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from models.errors import ModelError
from models.hub.download import (
    Hub,
    HubFile,
    fetch,
)
from tests.hub_server import Fault, HubServer
from tests.models.hub.hub_files import MODEL, REPO, SMALL, files_under

TOKEN = "hf_" + "SecretSecretSecretSecretSecret1234"


def told(error: BaseException) -> str:
    """All that could be shown of an error: its text and the whole printed chain."""
    return repr(error) + str(error) + "".join(traceback.format_exception(error))


def test_token_comes_from_the_environment(hub_server: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = hub_server.add_repo(REPO, {"config.yaml": SMALL}, token=TOKEN)
    private = Hub(REPO, commit, (HubFile("config.yaml", 10),))
    with pytest.raises(ModelError) as caught:
        fetch(private, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "not-found"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert fetch(private, cache_dir=cache, endpoint=hub_server.url)["config.yaml"].read_bytes() == SMALL
    assert hub_server.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert not any(TOKEN in Path(name).read_text(errors="ignore") for name in files_under(cache))


def test_large_file_comes_from_another_host_that_never_sees_the_token(
    hub_server: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub_server.add_repo(REPO, {"model.bin": MODEL}, token=TOKEN)
    hub_server.cdn = True
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    private = Hub(REPO, commit, (HubFile("model.bin", 1),))
    assert fetch(private, cache_dir=cache, endpoint=hub_server.url)["model.bin"].read_bytes() == MODEL
    asked = [request for request in hub_server.requests if request.path.startswith("/cdn/")]
    assert [request.method for request in asked] == ["GET"]
    assert "authorization" not in asked[0].headers


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=401),
        Fault(status=403, error_code="GatedRepo"),
        Fault(status=429),
        Fault(status=500),
        Fault(cut_after_bytes=10, methods=("GET",)),
        Fault(corrupt=True, methods=("GET",)),
    ],
    ids=["401", "gated", "429", "500", "cut", "corrupt"],
)
def test_token_is_in_no_message_and_no_log(
    hub_server: HubServer,
    voice: Hub,
    cache: Path,
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(logging.getLogger("huggingface_hub"), "propagate", True)
    caplog.set_level(logging.DEBUG)
    hub_server.fault = fault
    with pytest.raises(ModelError) as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert hub_server.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    printed = capfd.readouterr()
    assert TOKEN not in told(caught.value) + caplog.text + printed.out + printed.err

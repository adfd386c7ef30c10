"""A denoiser as a quantised file of another repository: named, pinned, downloaded, run."""

from __future__ import annotations

import numpy as np
import pytest

from models.contracts import VideoRequest
from models.errors import ModelError
from models.hub.describe import describe
from models.hub.quantised import parse_quantised
from models.registry.registry import Registry
from tests.hub_server import HubServer
from tests.tiny_models import tiny

FILE = "tiny/ltx-gguf/tiny-Q8_0.gguf"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.backends.video.CPU_LONGEST_SIDE", 64)


def draw(registry: Registry, key: str) -> tuple[np.ndarray, str]:
    chunks = list(registry.load(key).stream(VideoRequest("the sea", frames=4, steps=2, seed=5)))
    return chunks[-1].frames, " ".join(chunks[-1].notes)


@pytest.mark.slow
def test_a_quantised_denoiser_draws_nearly_what_the_exact_one_draws(hub: HubServer, registry: Registry) -> None:
    pytest.importorskip("gguf")
    hub.add_repo("tiny/ltx", tiny("ltx-wide"))
    commit = hub.add_repo("tiny/ltx-gguf", tiny("ltx-quantised"))
    exact = describe("tiny/ltx", cache_dir=registry.cache_dir, endpoint=hub.url)
    small = describe("tiny/ltx", cache_dir=registry.cache_dir, endpoint=hub.url, quantised=FILE)
    assert small.key == "video/tiny--ltx--tiny-q8_0" != exact.key and small.hubs[1].revision == commit
    assert not any("transformer/" in file.path and "safetensors" in file.path for file in small.hubs[0].files)
    for spec in (exact, small):
        registry.add(spec)
    clip, _ = draw(registry, exact.key)
    quantised, _ = draw(registry, small.key)
    difference = np.abs(clip.astype(float) - quantised.astype(float)).mean()
    assert 0 < difference < 8, "rounding is seen, and little of it"
    loaded = registry.load(small.key).model.pipeline.transformer  # type: ignore[attr-defined]
    assert any(type(weight).__name__ == "GGUFParameter" for weight in loaded.parameters())


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("owner/name/file.gguf", ("owner/name", "main", "file.gguf")),
        (" owner/name/folder/file.gguf ", ("owner/name", "main", "folder/file.gguf")),
        ("https://huggingface.co/owner/name/blob/main/a/file.gguf", ("owner/name", "main", "a/file.gguf")),
        ("hf.co/owner/name/resolve/v2/file.gguf?download=true", ("owner/name", "v2", "file.gguf")),
    ],
)
def test_what_a_person_pastes_names_a_file(pasted: str, read: tuple[str, str, str]) -> None:
    assert parse_quantised(pasted) == read


@pytest.mark.parametrize("pasted", ["owner/name", "file.gguf", "owner/name/model.safetensors", ""])
def test_what_names_no_file_is_said(pasted: str) -> None:
    with pytest.raises(ModelError, match="names no quantised file"):
        parse_quantised(pasted)


def test_a_repository_that_takes_none_is_refused(hub: HubServer, registry: Registry) -> None:
    hub.add_repo("tiny/vits", tiny("vits"))
    hub.add_repo("tiny/gguf", {"a-Q4_0.gguf": b"GGUF" * 300})
    with pytest.raises(ModelError, match="Only a pipeline"):
        describe("tiny/vits", cache_dir=registry.cache_dir, endpoint=hub.url, quantised="tiny/gguf/a-Q4_0.gguf")
    with pytest.raises(ModelError, match=r"Its quantised files: a-Q4_0\.gguf"):
        describe("tiny/vits", cache_dir=registry.cache_dir, endpoint=hub.url, quantised="tiny/gguf/b.gguf")

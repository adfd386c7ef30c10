"""What the machine has beside its processor."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from models import machine


@pytest.mark.parametrize(("value", "lent"), [("1", True), ("True", True), ("t", True), ("0", False), ("", False)])
def test_a_space_says_that_it_is_lent_a_gpu(monkeypatch: pytest.MonkeyPatch, value: str, lent: bool) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", value)
    assert machine.is_zero_gpu() == lent
    assert machine.has_gpu() or not lent
    monkeypatch.delenv("SPACES_ZERO_GPU")
    assert not machine.is_zero_gpu()


@pytest.mark.parametrize(("cuda", "mps"), [(True, False), (False, True), (False, False)])
def test_torch_is_asked_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)  # type: ignore[arg-type]
    assert machine.has_gpu() == (cuda or mps)


@pytest.mark.parametrize("processor", ["arm64", "x86_64"])
def test_apples_own_processors_have_one(monkeypatch: pytest.MonkeyPatch, processor: str) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(machine.platform, "machine", lambda: processor)
    assert machine.has_gpu() == (processor == "arm64")

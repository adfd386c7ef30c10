"""What the machine has."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from models import machine


def test_a_torch_that_is_being_imported_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    half = ModuleType("torch")
    half.__spec__ = SimpleNamespace(_initializing=True)  # type: ignore[assignment]
    half.cuda = SimpleNamespace(is_available=lambda: False)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", half)
    assert machine.has_gpu() in {True, False}  # as the devices tell; what torch has not got yet is not missed

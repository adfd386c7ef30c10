"""The chips under the prompt."""

from __future__ import annotations

import pytest

from models.contracts import Task
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from studio.video.reading import show_reading


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(CATALOG)


def test_the_page_says_what_is_drawn_and_what_cannot_be(registry: Registry) -> None:
    spec = registry.default(Task.VIDEO)
    assert spec is not None
    known = show_reading(registry, spec.key, "blue ocean waves at sunset")
    assert '<span class="read">ocean</span>' in known and "<p>" not in known
    strange = show_reading(registry, spec.key, "my <b>uncle</b> knitting")
    assert 'class="read"' not in strange and "Nothing of this" in strange
    assert show_reading(registry, spec.key, "  ") == ""


def test_models_of_the_hub_are_not_asked(registry: Registry) -> None:
    foreign = next(spec for spec in registry.specs(Task.VIDEO) if not spec.is_native)
    assert show_reading(registry, foreign.key, "a cat") == ""

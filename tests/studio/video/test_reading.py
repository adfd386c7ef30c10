"""The chips under the prompt."""

from __future__ import annotations

import re

import pytest

from models.contracts import Task
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from studio.video.controls import EXAMPLES
from studio.video.reading import list_choices, show_first_reading, show_reading


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(CATALOG)


def test_the_page_says_what_is_drawn_and_what_cannot_be(registry: Registry) -> None:
    spec = registry.default(Task.VIDEO)
    assert spec is not None
    known = show_reading(registry, spec.key, "blue ocean waves at sunset")
    assert '<input value="ocean"' in known and "<p>" not in known
    strange = show_reading(registry, spec.key, "my <b>uncle</b> knitting")
    assert 'class="read"' not in strange and "Nothing of this" in strange
    assert show_reading(registry, spec.key, "  ") == ""


def test_the_prompt_that_a_page_opens_with_is_read_before_anything_is_loaded(registry: Registry) -> None:
    spec = registry.default(Task.VIDEO)
    assert spec is not None
    assert show_first_reading(registry, spec.key) == show_reading(registry, spec.key, EXAMPLES[0][1]) != ""
    foreign = next(spec for spec in registry.specs(Task.VIDEO) if not spec.is_native)
    assert show_first_reading(registry, foreign.key) == ""


def test_models_of_the_hub_are_not_asked(registry: Registry) -> None:
    foreign = next(spec for spec in registry.specs(Task.VIDEO) if not spec.is_native)
    assert show_reading(registry, foreign.key, "a cat") == ""


@pytest.mark.parametrize(
    "prompt",
    [
        "an astronaut riding a horse",
        "two robots dancing in the snow",
        "a big elephant and a small mouse in the jungle",
        "green aurora over snowy mountains, camera slowly zooms in",
        "a rose growing in a garden in the morning",
        "clouds moving fast to the left",
    ],
)
def test_parts_that_commas_join_are_read_the_same(registry: Registry, prompt: str) -> None:
    spec = registry.default(Task.VIDEO)
    assert spec is not None
    parts = re.findall(r'<input value="(.+?)"', show_reading(registry, spec.key, prompt))
    assert len(parts) >= 2
    assert re.findall(r'<input value="(.+?)"', show_reading(registry, spec.key, ", ".join(parts))) == parts


@pytest.mark.parametrize(
    ("part", "around"),
    [
        ("thing", "{}, walking left, beach, dusk"),
        ("act", "cat, {}, beach, dusk"),
        ("place", "cat, {}, dusk"),
        ("scene", "{}"),
        ("time", "cat, beach, {}"),
        ("speed", "cat, walking left, {}, beach"),
        ("camera", "cat, beach, {}"),
        ("weather", "cat, beach, {}"),
    ],
)
def test_what_a_list_offers_is_read_as_it_is_written(registry: Registry, part: str, around: str) -> None:
    spec = registry.default(Task.VIDEO)
    assert spec is not None
    own = list_choices().split(f'id="choices-{part}">')[1].split("</datalist>")[0]
    offered = re.findall("<option>(.+?)</option>", own)
    assert len(offered) >= 2
    for choice in offered[:: max(len(offered) // 12, 1)]:
        shown = show_reading(registry, spec.key, around.format(choice))
        assert f'value="{choice}' in shown, (choice, shown)
        assert f'list="choices-{part}"' in shown

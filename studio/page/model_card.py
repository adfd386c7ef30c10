"""The model shelf: what the registry offers, in words for a person who is choosing."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from html import escape
from pathlib import Path

from models.backends.memory_plan import describe_plan, is_pipeline
from models.contracts import Task
from models.hub.spec import Bundled, ModelSpec
from models.machine import has_gpu, measure_card_mb
from models.registry.registry import Registry
from models.registry.timing import FRAME_AND_STEP

STATES = {
    "ready": ("ready", "loaded and ready"),
    "here": ("ready", "on this machine"),
    "absent": ("far", "will be downloaded on first use"),
}
USUAL = {"character": (100, "100 characters"), "bar": (8, "8 bars"), FRAME_AND_STEP: (320, "16 frames in 20 steps")}


def choices(registry: Registry, task: Task) -> list[tuple[str, str]]:
    """Return the picker's entries, (label, key): title, size and licence."""
    return [(label(registry, spec), spec.key) for spec in registry.specs(task)]


def label(registry: Registry, spec: ModelSpec) -> str:
    """Return a line of a picker: title, size and licence, and whether it is too much for this machine.

    What a licence says in brackets has no room there; the fold under the picker tells all of it.
    """
    parts = [spec.title, size(registry, spec), spec.licence.partition(" (")[0]]
    if registry.find_obstacle(spec.key):
        parts.append("needs a GPU" if lacks_gpu(spec) else "too big for this machine")
    return " · ".join(parts)


def lacks_gpu(spec: ModelSpec) -> bool:
    """Tell whether a model needs a GPU and this machine has none, not even a small one."""
    return spec.needs_gpu and not has_gpu()


def voices(registry: Registry, key: str) -> list[tuple[str, str]]:
    """Return the voices of a model, (title, key)."""
    return [(voice.title, voice.key) for voice in registry.voices(key)]


def second_voices(registry: Registry, key: str) -> list[tuple[str, str]]:
    """Return what can be mixed into a model's voice, nothing first; [] where the model cannot mix."""
    known = voices(registry, key)
    return [("None", ""), *known] if registry.get(key).mixes_voices and len(known) > 1 else []


def makes_sound(registry: Registry, key: str) -> bool:
    """Tell whether a music model makes sound from words, and no notes."""
    spec = registry.get(key)
    return spec.task == Task.MUSIC and not spec.is_native


def sings(registry: Registry, key: str) -> bool:
    """Tell whether a music model sings lyrics."""
    from models.hub import formats

    return formats.sings(registry.get(key).backend)


def usual(registry: Registry, key: str, otherwise: tuple[int, float]) -> tuple[int, float]:
    """Return steps and guidance that a video model is used with; `otherwise` are those of the studio's own."""
    from models.hub.formats import find_sampler_defaults

    return find_sampler_defaults(registry.get(key).backend) or otherwise


def size(registry: Registry, spec: ModelSpec) -> str:
    """Tell how large the model's files are."""
    megabytes = spec.download_mb or registry.size_on_disk(spec.key) / 1e6
    return sized(megabytes)


def sized(megabytes: float) -> str:
    """Return a size for people."""
    if megabytes >= 1_000:
        return f"{megabytes / 1_000:.1f} GB"
    return f"{megabytes:.0f} MB" if megabytes >= 1 else "under 1 MB"


def line(registry: Registry, key: str, voice: str = "", what: str = "Voice", is_open: bool = False) -> str:
    """Return what stands under the picker: the model's state and summary, and in a fold all that is known of it.

    Args:
        what: a voice's name here.
        is_open: whether the fold is.
    """
    spec = registry.get(key)
    state = registry.state(key)
    dot, words = STATES[state]
    if state == "absent" and not spec.is_remote:
        words = "its files are missing from the studio"
    chosen = next((each for each in registry.voices(key) if each.key == voice), None)
    budget_mb = registry.memory_budget_mb
    there = f" (may use {budget_mb:,.0f} MB)" if math.isfinite(budget_mb) else ""  # each machine has its own
    to_come = state == "absent" and spec.is_remote
    taken = f"{size(registry, spec)} {'to download first' if to_come else 'on disk'}"
    first = [taken] if to_come else []
    facts = [] if to_come else [taken]
    facts += [f"{spec.memory_mb:,} MB of memory{there}", spec.licence]
    facts.append(pace_of(registry, key) or spec.speed)
    if spec.languages:
        facts.append(
            "speaks " + ", ".join(spec.languages[:6]) if spec.task == "speech" else ", ".join(spec.languages[:6])
        )
    reason = registry.find_obstacle(key)
    runs = describe_plan(spec, measure_card_mb(), registry.memory_budget_mb) if spec.needs_gpu and has_gpu() else ""
    if runs:
        first.append(runs)
    elif spec.hardware and not (to_come and is_pipeline(spec) and reason):  # the warning says it
        facts.append(spec.hardware)
    if not spec.commercial_use:
        first.append("not for commercial use")
    thanks = spec.credit
    if chosen is not None:
        thanks += f". {what}: {chosen.licence}" + (f", {chosen.credit}" if chosen.credit else "")
    needed = f" {what_runs(spec)}" if reason and to_come else ""
    warning = f'<div class="too-big" role="note">{escape(reason + needed)}</div>' if reason else ""
    known = (
        f'<details class="about-model"{" open" if is_open else ""}><summary>About this model</summary>'
        f"{_facts(facts)}<div>{escape(thanks)}</div></details>"
    )
    return (
        f'<div class="shelf">{warning}<div><span class="dot {dot}"></span><b>{words[0].upper()}{words[1:]}.</b> '
        f"{escape(spec.summary)}</div>{_facts(first)}{known}</div>"
    )


def what_runs(spec: ModelSpec) -> str:
    """Say what would run a model that this machine cannot."""
    gigabytes = max(1, math.ceil(spec.memory_mb / 1_000))
    if is_pipeline(spec) and spec.needs_gpu:
        return f"A machine or a Space runs it {describe_plan(spec, None, 0)}."
    if spec.needs_gpu:
        return f"A machine with an NVIDIA GPU of {gigabytes} GB or more runs it, or a Space with such a GPU."
    return f"A machine or a Space with about {2 * gigabytes} GB of memory runs it."


def _facts(facts: list[str]) -> str:
    spans = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return f'<div class="facts">{spans}</div>' if facts else ""


def pace_of(registry: Registry, key: str) -> str:
    """Tell how long a usual request takes on this machine, as measured last; "" where nothing was measured."""
    known = registry.timings.get(key)
    if known is None:
        return ""
    unit, seconds = known
    usual, said = USUAL.get(unit, (1, f"one {unit}"))
    return f"about {seconds * usual:,.1f} s for {said} on this machine"


def revision(registry: Registry, spec: ModelSpec) -> str:
    """Return which weights exactly: the commits of Hub files, a checksum of bundled ones."""
    parts = [hub.revision for hub in spec.hubs]
    for source in spec.sources:
        if isinstance(source, Bundled):
            parts += [_checksum(registry.weights_dir / name) for name in source.files]
    return "+".join(part[:12] for part in parts)


def revision_of(registry: Registry, key: str) -> str:
    """Return the revision of a model by its key."""
    return revision(registry, registry.get(key))


def _checksum(path: Path) -> str:
    return _checksum_of(str(path), path.stat().st_mtime_ns) if path.is_file() else "missing"


@lru_cache(maxsize=64)
def _checksum_of(path: str, modified_ns: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()

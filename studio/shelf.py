"""The model shelf: what the registry offers, in words for a person who is choosing."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from html import escape
from pathlib import Path

from models.registry import Registry
from models.spec import Bundled, ModelSpec

STATES = {
    "ready": ("ready", "loaded and ready"),
    "here": ("ready", "on this machine"),
    "absent": ("far", "will be downloaded on first use"),
}


def choices(registry: Registry, task: str) -> list[tuple[str, str]]:
    """The picker's entries, (label, key): title, size and licence."""
    return [(f"{spec.title}  ·  {size(registry, spec)}  ·  {spec.licence}", spec.key) for spec in registry.specs(task)]


def voices(registry: Registry, key: str) -> list[tuple[str, str]]:
    """The voices of a model, (title, key)."""
    return [(voice.title, voice.key) for voice in registry.get(key).voices]


def size(registry: Registry, spec: ModelSpec) -> str:
    """How large the model's files are."""
    megabytes = spec.download_mb or registry.size_on_disk(spec.key) / 1e6
    return f"{megabytes:.0f} MB" if megabytes >= 1 else "under 1 MB"


def line(registry: Registry, key: str, voice: str = "") -> str:
    """The line under the picker: what it is, state, size, memory, licence, thanks."""
    spec = registry.get(key)
    state = registry.state(key)
    dot, words = STATES[state]
    if state == "absent" and not spec.hubs:
        words = "its files are missing from the studio"
    chosen = next((each for each in spec.voices if each.key == voice), None)
    facts = [size(registry, spec), f"{spec.memory_mb:,} MB of memory", spec.licence, spec.speed]
    if not spec.commercial_use:
        facts.append("not for commercial use")
    facts_html = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    thanks = spec.credit
    if chosen is not None:
        thanks += f". Voice: {chosen.licence}" + (f", {chosen.credit}" if chosen.credit else "")
    return (
        f'<div class="shelf"><div><span class="dot {dot}"></span><b>{words[0].upper()}{words[1:]}.</b> '
        f'{escape(spec.summary)}</div><div class="facts">{facts_html}</div><div>{escape(thanks)}</div></div>'
    )


def revision(registry: Registry, spec: ModelSpec) -> str:
    """Which weights exactly: the commits of Hub files, a checksum of bundled ones."""
    parts = [hub.revision for hub in spec.hubs]
    for source in spec.sources:
        if isinstance(source, Bundled):
            parts += [_checksum(registry.weights_dir / name) for name in source.files]
    return "+".join(part[:12] for part in parts)


def revision_of(registry: Registry, key: str) -> str:
    """The revision of a model by its key."""
    return revision(registry, registry.get(key))


def _checksum(path: Path) -> str:
    return _checksum_of(str(path), path.stat().st_mtime_ns) if path.is_file() else "missing"


@lru_cache(maxsize=64)
def _checksum_of(path: str, modified_ns: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()

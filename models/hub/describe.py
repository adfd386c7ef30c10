"""Describe a repository of the Hub as a catalogue entry: its kind detected, its files listed, its commit pinned.

spec = describe("owner/name")          # a branch or tag is resolved to the commit that it names now
spec = listed(spec_with_a_snapshot)    # the catalogue's own entries, when they are first needed
"""

from __future__ import annotations

import json
import re
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from models.contracts import Task, Voice
from models.errors import ModelError
from models.hub import download as hub_files
from models.hub.detect import CARD, DetectedModel, detect_model
from models.hub.download import Hub, HubFile
from models.hub.formats import Format
from models.hub.listing import Repository, list_repository
from models.hub.names import drop_address
from models.hub.quantised import find_quantised, replace_weights
from models.hub.spec import MEMORY_EXTRA_MB, MEMORY_SHARE, ModelSpec, Snapshot, Source
from models.machine import has_gpu

FREE = ("mit", "apache-2.0", "bsd", "cc-by-4.0", "cc0-1.0", "openrail", "gpl", "lgpl", "cc-by-sa", "unlicense")
MAX_CARD_BYTES = 4 * 2**20
UNKNOWN_LICENCE = "not named on its page"


def describe(
    repo_id: str,
    revision: str = "main",
    *,
    cache_dir: Path | str | None = None,
    endpoint: str | None = None,
    offline: bool | None = None,
    quantised: str = "",
) -> ModelSpec:
    """Return a catalogue entry for any repository of a supported kind, pinned to a commit.

    Args:
        quantised: "owner/name/file.gguf" or its address: what stands for the weights of a pipeline's denoiser.

    Raises:
        ModelError: there is no such repository or file, it may not be read, or the studio cannot or will not run it.
    """
    repo_id = parse_repo_id(repo_id)
    repository = list_repository(repo_id, revision.strip() or "main", endpoint=endpoint, offline=offline)
    found = _detect(repository, cache_dir, endpoint, offline)
    sources: list[Source] = []
    name = repo_id
    if quantised.strip():
        file = find_quantised(quantised, endpoint=endpoint, offline=offline)
        found, name = replace_weights(found, file.files[0]), f"{repo_id}--{Path(file.files[0].path).stem}"
        sources.append(file)
    sources = [*_list_sources(repository, found, cache_dir, endpoint, offline), *sources]
    downloads = sum(source.size_bytes for source in sources if isinstance(source, Hub)) / 1e6
    licence = str(found.card.get("licence") or repository.licence or UNKNOWN_LICENCE)
    return ModelSpec(
        key=make_key(found.format.task, name),
        task=found.format.task,
        title=str(found.card.get("title") or name.replace("--", ", ")),
        summary=str(found.card.get("summary") or found.format.summary),
        licence=licence,
        commercial_use=allows_commercial_use(licence),
        credit=str(found.card.get("credit") or f"huggingface.co/{repo_id}"),
        sources=tuple(sources),
        memory_mb=estimate_memory_mb(found),
        needs_gpu=found.weights_mb > found.format.cpu_limit_mb,
        speed=f"{downloads:,.0f} MB to download; how fast it is shows after the first use",
        loader=found.format.loader,
        voices=found.voices or parse_voices(found.card),
        languages=repository.languages,
        backend=found.format.backend,
        added=True,
        mixes_voices=found.format.mixes_voices,
    )


def list_files(
    spec: ModelSpec,
    *,
    cache_dir: Path | str | None = None,
    endpoint: str | None = None,
    offline: bool | None = None,
) -> ModelSpec:
    """Return the same entry with the files of its snapshots listed.

    Raises:
        ModelError: as `describe`; or the repository is of another kind than the entry says.
    """
    sources: list[Source] = []
    for source in spec.sources:
        if not isinstance(source, Snapshot):
            sources.append(source)
            continue
        repository = list_repository(source.repo_id, source.revision, endpoint=endpoint, offline=offline)
        found = _detect(repository, cache_dir, endpoint, offline)
        if (found.format.task, found.format.loader) != (spec.task, spec.loader):
            raise ModelError(f"{source.repo_id} is another model than the catalogue says. Choose another.", "format")
        sources += _list_sources(repository, found, cache_dir, endpoint, offline)
    return replace(spec, sources=tuple(sources))


def parse_repo_id(repo_id: str) -> str:
    """Return the id in what a person pastes: an address of the Hub's page, or the id with spaces around it."""
    return "/".join(drop_address(repo_id).split("/")[:2]).strip()


def make_key(task: Task, repo_id: str) -> str:
    """Return the key of an added repository."""
    return f"{task}/{re.sub(r'[^a-z0-9._-]', '-', repo_id.lower().replace('/', '--'))}"


def parse_voices(card: dict[str, Any]) -> tuple[Voice, ...]:
    """Return the voices that `auralume.json` names.

    Raises:
        ModelError: a voice lacks something, has something that no voice has, or has the key of another.
    """
    try:
        voices = tuple(Voice(**voice) for voice in card.get("voices", ()))
        if not all(isinstance(value, str) for voice in voices for value in astuple(voice)):
            raise TypeError("a voice is not described by text")
        if len({voice.key for voice in voices}) != len(voices):
            raise ValueError("two voices have the same key")
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The voices in {CARD} are not as they should be. Pack the weights again.", "format"
        ) from error
    return voices


def allows_commercial_use(licence: str) -> bool:
    """Return whether a licence is known to allow commercial use; what is not known counts as no."""
    name = licence.lower()
    return name.startswith(FREE) and "-nc" not in name


def estimate_memory_mb(found: DetectedModel) -> int:
    """Estimate the memory that a model takes in use; a processor widens half-precision weights to single precision."""
    widened = 2.0 if found.stored_half and not has_gpu() else 1.0
    return round(MEMORY_SHARE * widened * found.weights_mb) + MEMORY_EXTRA_MB


def _detect(
    repository: Repository, cache_dir: Path | str | None, endpoint: str | None, offline: bool | None
) -> DetectedModel:
    sizes = {file.path: file for file in repository.files}

    def read(path: str) -> dict[str, Any]:
        if sizes[path].size_bytes > MAX_CARD_BYTES:
            raise ModelError(f"{path} of {repository.repo_id} is too large to be a configuration.", "format")
        hub = Hub(repository.repo_id, repository.commit, (sizes[path],))
        file = hub_files.fetch(hub, cache_dir=cache_dir, endpoint=endpoint, offline=offline)[path]
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} of {repository.repo_id} is damaged. Choose another model.", "format") from error
        if not isinstance(content, dict):
            raise ModelError(f"{path} of {repository.repo_id} is no configuration.", "format")
        return content

    return detect_model(repository, read)


def _list_sources(
    repository: Repository,
    found: DetectedModel,
    cache_dir: Path | str | None,
    endpoint: str | None,
    offline: bool | None,
) -> list[Hub]:
    sources = [Hub(repository.repo_id, repository.commit, found.files)]
    companion = found.format.companion
    if companion is not None:
        other = list_repository(companion.repo_id, companion.revision, endpoint=endpoint, offline=offline)
        sources.append(Hub(other.repo_id, other.commit, _select_whole_model(other, found.format)))
    return sources


def _select_whole_model(repository: Repository, kind: Format) -> tuple[HubFile, ...]:
    wanted = tuple(file for file in repository.files if file.path in {"config.json", "model.safetensors"})
    if len(wanted) != 2:
        raise ModelError(f"{repository.repo_id}, which {kind.name} needs, is not complete on the Hub.", "not-found")
    return wanted

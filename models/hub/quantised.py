"""Quantised files (GGUF) of the Hub, which stand for the weights of a pipeline's denoiser.

Such a file holds blocks of whole numbers of a few bits with a scale each, and no code; everything else, the
configuration, text encoder and decoder, comes from the repository that it was made of.
"""

from __future__ import annotations

import re
from dataclasses import replace

from models.errors import ModelError
from models.hub.detect import DetectedModel
from models.hub.download import Hub, HubFile
from models.hub.listing import list_repository
from models.hub.names import drop_address
from models.hub.spec import GGUF, QUANTISED

_VIEW = re.compile(r"^([^/]+/[^/]+)/(?:blob|resolve)/([^/]+)/(.+)$")


def parse_quantised(text: str) -> tuple[str, str, str]:
    """Return (repository, revision, path) of what a person pastes: "owner/name/file.gguf", or the file's address.

    Raises:
        ModelError: it names no quantised file.
    """
    named = drop_address(text).partition("?")[0]
    viewed = _VIEW.match(named)
    if viewed:
        repo_id, revision, path = viewed.groups()
    else:
        owner, _, rest = named.partition("/")
        name, _, path = rest.partition("/")
        repo_id, revision = f"{owner}/{name}", "main"
    if not path.endswith(GGUF):
        raise ModelError(
            f"{text.strip()!r} names no quantised file; it reads like owner/name/file{GGUF}, as its page has it.",
            "not-found",
        )
    return repo_id, revision, path


def find_quantised(text: str, *, endpoint: str | None = None, offline: bool | None = None) -> Hub:
    """Ask the Hub for a quantised file, and return it as a source of that one file, pinned to a commit.

    Raises:
        ModelError: it names none, or there is none of that name.
    """
    repo_id, revision, path = parse_quantised(text)
    repository = list_repository(repo_id, revision, endpoint=endpoint, offline=offline)
    found = next((file for file in repository.files if file.path == path), None)
    if found is None:
        there = ", ".join(sorted(each for each in repository.paths if each.endswith(GGUF))[:4]) or "none"
        raise ModelError(f"{repo_id} has no file {path}. Its quantised files: {there}.", "not-found")
    return Hub(repository.repo_id, repository.commit, (found,))


def replace_weights(found: DetectedModel, file: HubFile) -> DetectedModel:
    """Return a pipeline without the weights of its denoiser, for which a quantised file stands.

    Raises:
        ModelError: it is no pipeline with one denoiser that can be replaced.
    """
    spare = [each for each in found.files if each.path.startswith(f"{QUANTISED}/") and ".safetensors" in each.path]
    if found.format.library != "diffusers" or not spare:
        raise ModelError("Only a pipeline of diffusers with a transformer takes a quantised file (GGUF).", "format")
    if any(each.path.startswith("transformer_2/") for each in found.files):
        raise ModelError("A pipeline with two transformers takes no quantised file (GGUF).", "format")
    lost_mb = sum(each.size_bytes for each in spare) / 1e6
    kept = tuple(each for each in found.files if each not in spare)
    return replace(found, files=kept, weights_mb=found.weights_mb - lost_mb + file.size_bytes / 1e6)

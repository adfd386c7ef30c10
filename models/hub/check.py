"""Compare the catalogue with what the Hub says today: commit, licence, size and kind of every repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.errors import ModelError
from models.hub.describe import list_files
from models.hub.download import Hub
from models.hub.listing import list_commits, list_repository
from models.hub.spec import ModelSpec, Snapshot

SIZE_SHARE = 0.05  # by which the catalogue's size, as a page tells it, may be off


@dataclass(frozen=True)
class RepositoryCheck:
    """What was found of one repository of one entry.

    Attributes:
        key: of the entry; repo_id: of the repository.
        changes: sentences on what is not as the catalogue says; () where all of it holds.
        problem: why the Hub could not be asked, or "".
    """

    key: str
    repo_id: str
    changes: tuple[str, ...] = ()
    problem: str = ""


def list_sources(spec: ModelSpec) -> list[Snapshot | Hub]:
    """Return the repositories of an entry."""
    return [*spec.snapshots, *spec.hubs]


def check_spec(spec: ModelSpec, *, endpoint: str | None = None) -> Iterator[RepositoryCheck]:
    """Yield one finding for each repository of an entry."""
    for source in list_sources(spec):
        try:
            changes = tuple(_find_changes(spec, source, endpoint))
        except ModelError as error:
            yield RepositoryCheck(spec.key, source.repo_id, problem=str(error))
        else:
            yield RepositoryCheck(spec.key, source.repo_id, changes)


def _find_changes(spec: ModelSpec, source: Snapshot | Hub, endpoint: str | None) -> Iterator[str]:
    today = list_repository(source.repo_id, "main", endpoint=endpoint)
    if today.commit != source.revision:
        yield f"the main branch is at {today.commit[:12]}, the catalogue at {source.revision[:12]}"
        if source.revision not in list_commits(source.repo_id, "main", endpoint=endpoint):
            yield f"{source.revision[:12]} is no commit of the main branch, and may vanish"
    if source is list_sources(spec)[0] and not _is_same_licence(spec.licence, today.licence):
        yield f"the licence is {today.licence or 'not named'}, the catalogue says {spec.licence}"
    if isinstance(source, Snapshot):
        listed = list_files(replace(spec, sources=(source,)), endpoint=endpoint)  # raises where the kind is another
        size_mb = listed.hubs[0].size_bytes / 1e6
        if abs(size_mb - source.size_mb) > max(1.0, SIZE_SHARE * source.size_mb):
            yield f"its files are {size_mb:,.0f} MB, the catalogue says {source.size_mb:,.0f} MB"
    else:
        sizes = {
            each.path: each.size_bytes
            for each in list_repository(source.repo_id, source.revision, endpoint=endpoint).files
        }
        gone = [each.path for each in source.files if sizes.get(each.path) != each.size_bytes]
        if gone:
            yield f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} not as the catalogue says"


def _is_same_licence(ours: str, theirs: str) -> bool:
    one, other = ours.lower(), theirs.lower()
    return bool(other) and (other in one or one in other)

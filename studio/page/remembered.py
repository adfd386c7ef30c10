"""Which ended runs are let go of: pages come back to the newest, and Undo goes back to a few before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from studio.library.jobs import Job

REMEMBERED_S = 3600.0  # an ended run can be seen again for so long
REMEMBERED_RUNS = 5  # of a place and a browser: as far as Undo goes back
REMEMBERED_BEFORE = 60  # of all browsers, runs that are not the newest of their place


def find_old(jobs: Iterable[Job], newest: Job) -> set[str]:
    """Return the ids of the jobs, given oldest first, that need not be remembered once `newest` is there."""
    places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    known_jobs = list(jobs)
    for job in known_jobs:
        places[job.browser, job.place].append(job.id)
    places[newest.browser, newest.place].append(newest.id)
    old: set[str] = set()
    before: list[str] = []
    for (browser, _place), known in places.items():
        *rest, _last = known
        kept = rest[-REMEMBERED_RUNS + 1 :] if browser else []
        old |= set(rest) - set(kept)
        before += kept
    ages = {job.id: age for age, job in enumerate(known_jobs)}
    return old | set(sorted(before, key=ages.__getitem__)[: max(0, len(before) - REMEMBERED_BEFORE)])

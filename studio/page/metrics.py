"""How much is made and how long it takes, counted for whoever looks after the machine."""

from __future__ import annotations

from prometheus_client import Histogram

BUCKETS_S = (0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 7200)
JOB_SECONDS = Histogram(
    "auralume_job_seconds", "Seconds that work took, from its turn to its end.", ("place", "state"), buckets=BUCKETS_S
)


def note_job(place: str, state: str, seconds: float) -> None:
    """Count work that has ended.

    Args:
        place: the form or the endpoint.
    """
    JOB_SECONDS.labels(place=place, state=state).observe(seconds)

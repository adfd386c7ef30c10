"""Settings of the music tests."""

from __future__ import annotations

from hypothesis import settings

# Examples are small but the machine may be busy: no deadline for one.
settings.register_profile("music", deadline=None, max_examples=60)
settings.load_profile("music")

"""The data of the synchronisation network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.video.sync_data import prepare, read_shards, render_clips


def test_shards_are_fixed_by_their_number_and_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.video import sync_data

    monkeypatch.setattr(sync_data, "SHARD_CLIPS", 2)
    first = render_clips(3, {"ball": 1.0}, clips=1, frames=6)
    assert np.array_equal(first[0].frames, render_clips(3, {"ball": 1.0}, clips=1, frames=6)[0].frames)
    monkeypatch.setattr(sync_data, "render_clips", lambda number, kinds: render_clips(number, kinds, 2, 6))
    prepare(tmp_path, 1)
    stamp = (tmp_path / "shard_0.npz").stat().st_mtime_ns
    prepare(tmp_path, 1)
    assert (tmp_path / "shard_0.npz").stat().st_mtime_ns == stamp
    assert len(read_shards(tmp_path)) == 2
    with pytest.raises(ValueError, match="prepare"):
        read_shards(tmp_path, held_out=True)

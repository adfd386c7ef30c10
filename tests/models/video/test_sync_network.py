"""The synchronisation network: shapes, attention both ways, diagonals."""

from __future__ import annotations

import pytest
import torch

from models.video.sync_network import SyncConfig, SyncNetwork, gather_diagonals

CONFIG = SyncConfig.debug()


def test_shapes_and_that_rows_do_not_depend_on_each_other() -> None:
    torch.manual_seed(0)
    network = SyncNetwork(CONFIG).eval()
    frames, mel = torch.randn(3, 12, 3, 16, 16), torch.randn(3, 48, 2 * CONFIG.mels)
    with torch.inference_mode():
        out, single = network(frames, mel), network(frames[1:2], mel[1:2])
    assert out.offsets.shape == (3, 2 * CONFIG.reach + 1)
    assert out.profile.shape == (3, 48, 2 * CONFIG.reach + 1)
    assert out.video_events.shape == out.audio_x.shape == (3, 48)
    assert out.attention.sum(dim=-1).allclose(torch.ones(3, 48), atol=1e-4)
    assert torch.allclose(out.offsets[1:2], single.offsets, atol=1e-3)
    with pytest.raises(ValueError, match="mel frames"):
        network(frames, mel[:, :40])


def test_each_side_attends_to_the_other() -> None:
    torch.manual_seed(0)
    network = SyncNetwork(CONFIG).eval()
    frames, mel = torch.randn(1, 12, 3, 16, 16), torch.randn(1, 48, 2 * CONFIG.mels)
    with torch.inference_mode():
        first = network(frames, mel).matched
        assert not torch.allclose(first, network(frames.flip(1), mel).matched)
        assert not torch.allclose(first, network(frames, mel.flip(1)).matched)


def test_diagonals_are_those_of_a_naive_loop() -> None:
    square = torch.randn(2, 5, 5)
    found = gather_diagonals(square, 2)
    for row in range(5):
        for offset in range(-2, 3):
            column = row + offset
            wanted = square[:, row, column] if 0 <= column < 5 else torch.zeros(2)
            assert torch.equal(found[:, row, offset + 2], wanted)

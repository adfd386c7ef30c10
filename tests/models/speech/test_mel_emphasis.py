"""Tests of mel frames that are made distinct again."""

import math

import pytest
import torch

from models.speech.mel_emphasis import (
    DETAIL_POWER,
    EMPHASIS,
    MOST_GAIN,
    MelDetail,
    MelEmphasis,
    build_cepstral_basis,
    parse_details,
)

BANDS = 80
FLAT, SAME = [0.0] * BANDS, [1.0] * BANDS
BASIS = build_cepstral_basis(BANDS)


def measure_cepstra(mel: torch.Tensor) -> torch.Tensor:
    """Return cepstral coefficients (T, M) of log mel frames, without the level."""
    cepstra = mel @ BASIS
    cepstra[:, 0] = 0.0
    return cepstra


def test_the_basis_is_orthonormal() -> None:
    assert torch.allclose(BASIS.T @ BASIS, torch.eye(BANDS), atol=1e-5)


def test_emphasis_keeps_slope_and_grain_and_raises_detail() -> None:
    band = (torch.arange(BANDS) + 0.5) * math.pi / BANDS
    slope, detail, grain = (0.1 * torch.cos(order * band)[None] for order in (2, 12, 60))
    emphasis = MelEmphasis(BANDS)
    for frame, factor in ((slope, 1.0), (detail, EMPHASIS), (grain, 1.0)):
        raised = measure_cepstra(emphasis.apply(frame))
        assert torch.allclose(raised, factor * measure_cepstra(frame), atol=1e-4)


def test_frames_are_as_loud_as_before() -> None:
    torch.manual_seed(0)
    mel = torch.randn(7, BANDS) - 5
    raised = MelEmphasis(BANDS, MelDetail([2.0] * BANDS, FLAT, FLAT)).apply(mel)
    assert torch.allclose(raised.logsumexp(dim=1), mel.logsumexp(dim=1), atol=1e-4)
    assert (raised - mel).abs().mean() > 0.1


def test_a_flat_voice_is_raised_more_about_its_mean() -> None:
    torch.manual_seed(0)
    true, made = torch.randn(BANDS), torch.randn(BANDS)
    detail = MelDetail([2.0] * BANDS, true.tolist(), made.tolist())
    wobble = 0.01 * torch.randn(2000, BANDS)
    raised = measure_cepstra(MelEmphasis(BANDS, detail).apply((made + wobble) @ BASIS.T))
    assert torch.allclose(
        raised[:, 12].std() / wobble[:, 12].std(), torch.tensor(EMPHASIS * 2**DETAIL_POWER), atol=0.01
    )
    assert torch.allclose(raised[:, 2].std() / wobble[:, 2].std(), torch.tensor(1.0), atol=0.01)
    assert torch.allclose(raised.mean(dim=0)[4:45], EMPHASIS * true[4:45], atol=0.01)
    assert torch.allclose(raised.mean(dim=0)[1:4], true[1:4], atol=0.01)


def test_a_voice_that_is_not_flat_is_raised_as_all_are_and_one_without_end_is_bounded() -> None:
    mel = torch.randn(5, BANDS)
    plain = MelEmphasis(BANDS).apply(mel)
    assert torch.allclose(MelEmphasis(BANDS, MelDetail([0.5] * BANDS, FLAT, FLAT)).apply(mel), plain, atol=1e-4)
    endless = MelEmphasis(BANDS, MelDetail([1e9] * BANDS, FLAT, FLAT))
    assert torch.linalg.matrix_norm(endless.matrix, 2) == pytest.approx(EMPHASIS * MOST_GAIN, rel=1e-3)


def test_details_are_read_and_checked() -> None:
    assert parse_details(None, BANDS) == {}
    fields = {"gain": SAME, "true_mean": FLAT, "made_mean": FLAT}
    assert parse_details({"a": fields}, BANDS) == {"a": MelDetail(SAME, FLAT, FLAT)}
    with pytest.raises(ValueError, match="a has not 80"):
        parse_details({"a": {**fields, "gain": [1.0]}}, BANDS)
    with pytest.raises(TypeError):
        parse_details({"a": {"gain": SAME}}, BANDS)

"""The painter network: statistics that mix, noise and conditions that count, sizes, and no grid from its layers."""

from __future__ import annotations

import pytest
import torch

from models.style.painter_network import PainterConfig, PainterNetwork, blend_statistics


@pytest.fixture(scope="module")
def network() -> PainterNetwork:
    torch.manual_seed(0)
    network = PainterNetwork(PainterConfig.debug()).eval()
    torch.nn.init.ones_(network.decoder.grain)
    return network


def test_the_configuration_comes_back() -> None:
    assert PainterConfig.from_dict(PainterConfig.debug().to_dict()) == PainterConfig.debug()


@pytest.mark.parametrize("size", [(32, 32), (40, 72)])
def test_a_picture_comes_out_at_its_size_in_range(network: PainterNetwork, size: tuple[int, int]) -> None:
    pixels = torch.rand(2, 3, *size)
    with torch.inference_mode():
        made = network.paint(network.encoder(pixels), network.measure_statistics(torch.rand(2, 3, 48, 48)))
    assert made.shape == pixels.shape
    assert made.min() >= 0 and made.max() <= 1


def test_statistics_mix_in_a_straight_line_and_styles_by_their_weights(network: PainterNetwork) -> None:
    with torch.inference_mode():
        first, second, third = (network.measure_statistics(torch.rand(1, 3, 32, 32) * scale) for scale in (1, 0.5, 0.2))
    middle = first.interpolate(second, 0.5).to_vector()
    torch.testing.assert_close(middle, (first.to_vector() + second.to_vector()) / 2)
    shares = torch.tensor([[0.25]])
    torch.testing.assert_close(
        first.interpolate(second, shares).to_vector(), first.interpolate(second, 0.25).to_vector()
    )
    blended = blend_statistics([first, second, third], [1.0, 0.0, 3.0]).to_vector()
    torch.testing.assert_close(blended, 0.25 * first.to_vector() + 0.75 * third.to_vector())


def test_detail_style_and_place_in_the_noise_change_the_result(network: PainterNetwork) -> None:
    pixels, style, other = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32) ** 3
    with torch.inference_mode():
        features, target = network.encoder(pixels), network.measure_statistics(style)
        made = network.paint(features, target, 0.0)
        assert torch.equal(made, network.paint(features, target, 0.0))
        assert not torch.equal(made, network.paint(features, target, 1.0))
        assert not torch.equal(made, network.paint(features, network.measure_statistics(other), 0.0))
        assert not torch.equal(made, network.paint(features, target, 0.0, offsets=(3, 5)))


def test_known_statistics_of_the_content_give_the_same_as_measured_ones(network: PainterNetwork) -> None:
    with torch.inference_mode():
        pixels = torch.rand(1, 3, 40, 32)
        features, target = network.encoder(pixels), network.measure_statistics(torch.rand(1, 3, 32, 32))
        measured = network.paint(features, target)
        known = network.paint(features, target, own=network.measure_statistics(pixels, features))
    torch.testing.assert_close(measured, known, atol=1e-4, rtol=1e-4)


def test_a_flat_picture_in_its_own_flat_style_has_no_grid() -> None:
    """Without its grain an untrained network maps a flat picture to a flat picture: no layer brings a period."""
    torch.manual_seed(0)
    network = PainterNetwork(PainterConfig.debug()).eval()
    with torch.inference_mode():
        pixels = torch.full((1, 3, 64, 64), 0.4)
        made = network.paint(network.encoder(pixels), network.measure_statistics(pixels))
    assert float(made.std(dim=(2, 3)).max()) < 0.5 / 255

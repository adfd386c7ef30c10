"""Vocoders: parity with transformers' HiFi-GAN, stream equals whole, the source-filter model's parts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from models.audio import MelConfig, hann_window, log_mel, mel_filterbank
from models.speech.hifigan import HifiGanConfig, HifiGanGenerator
from models.speech.vocoder import (
    SourceFilters,
    SourceFilterVocoder,
    VocoderConfig,
    build_mel_interpolation,
    compute_minimum_phase,
    make_pulse_train,
)
from models.speech.vocoder_streams import GriffinLimStream, HifiGanStream, SourceFilterStream, VocoderStream
from models.torchaudio_import import import_torchaudio

CHUNKINGS = ([90], [30, 30, 30], [1] * 90, [7, 50, 3, 30], [89, 1], [90, 0])


def copy_to_transformers(ours: HifiGanGenerator) -> torch.nn.Module:
    """Return transformers' SpeechT5HifiGan with our weights."""
    import_torchaudio()
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    c = ours.config
    theirs = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=c.n_mels,
            upsample_initial_channel=c.channels,
            upsample_rates=list(c.upsample_rates),
            upsample_kernel_sizes=list(c.upsample_kernels),
            resblock_kernel_sizes=list(c.resblock_kernels),
            resblock_dilation_sizes=[list(d) for d in c.resblock_dilations],
            normalize_before=False,
        )
    ).eval()
    source, target = ours.state_dict(), theirs.state_dict()
    n_kernels = len(c.resblock_kernels)
    for name in target:
        ours_name = name.replace("conv_pre", "input").replace("conv_post", "output").replace("upsampler", "upsamplers")
        if name.startswith("resblocks."):
            _, index, group, rest = name.split(".", 3)
            place = f"blocks.{int(index) // n_kernels}.{int(index) % n_kernels}"
            ours_name = f"{place}.{'dilated' if group == 'convs1' else 'plain'}.{rest}"
        if ours_name in source:
            target[name] = source[ours_name]
        else:
            assert name in ("mean", "scale"), name
    theirs.load_state_dict(target)
    return theirs


@pytest.mark.parametrize("config", [HifiGanConfig.debug(), HifiGanConfig(channels=32)])
def test_hifigan_equals_transformers(config: HifiGanConfig) -> None:
    torch.manual_seed(0)
    ours = HifiGanGenerator(config).eval()
    theirs = copy_to_transformers(ours)
    mel = torch.randn(2, 11, config.n_mels)
    with torch.no_grad():
        made = ours(mel)
        assert made.shape == (2, 11 * config.hop_length)
        assert torch.allclose(made, theirs(mel), atol=1e-4)


def run_all(run: VocoderStream, mel: torch.Tensor, chunks: list[int]) -> np.ndarray:
    """Push mel in chunks and join the sound."""
    assert sum(chunks) == len(mel)
    out, place = [], 0
    with torch.inference_mode():
        for index, size in enumerate(chunks):
            out.append(run.push(mel[place : place + size], last=index == len(chunks) - 1))
            place += size
    return np.concatenate(out)


@pytest.mark.slow
def test_hifigan_stream_equals_whole() -> None:
    torch.manual_seed(0)
    generator = HifiGanGenerator(HifiGanConfig(n_mels=8, channels=32)).eval()
    mel = torch.randn(90, 8)
    with torch.inference_mode():
        whole = generator(mel[None])[0].numpy()
    for chunks in CHUNKINGS:
        assert np.abs(run_all(HifiGanStream(generator), mel, chunks) - whole).max() < 1e-4


def make_vocoder(**changes: Any) -> SourceFilterVocoder:
    """Return a debug vocoder that does something in each filter."""
    torch.manual_seed(0)
    vocoder = SourceFilterVocoder(replace(VocoderConfig.debug(), **changes)).eval()
    torch.nn.init.normal_(vocoder.output.weight, std=0.1)
    return vocoder


@pytest.mark.parametrize("changes", [{}, {"steady_noise": True, "free_phase": True}])
def test_source_filter_stream_equals_whole(changes: dict[str, Any]) -> None:
    vocoder = make_vocoder(**changes)
    mel = torch.randn(90, 80) - 5
    config = vocoder.config.mel
    noise = np.random.default_rng(5).standard_normal(89 * config.hop_length + config.n_fft).astype(np.float32)
    with torch.inference_mode():
        whole = vocoder(mel[None], torch.from_numpy(noise)[None])[0].clamp(-1, 1).numpy()
    streams = [run_all(SourceFilterStream(vocoder, 5), mel, chunks) for chunks in CHUNKINGS]
    for made in streams:
        assert made.shape == (89 * config.hop_length,)
        assert np.abs(made - streams[0]).max() < 1e-5
        assert np.abs(made - whole).max() < 1e-3  # rounding of F0 adds up in the phase of a whole clip


def test_steady_noise_has_the_power_of_white_noise_and_less_variation() -> None:
    n_fft = MelConfig().n_fft
    silent, flat = torch.full((1, 400, n_fft // 2 + 1), -30.0), torch.zeros(1, 400, n_fft // 2 + 1)
    filters = SourceFilters(torch.full((1, 400), 100.0), silent, flat, flat)
    noise, pulses = torch.randn(1, 400, n_fft, generator=torch.Generator().manual_seed(1)), torch.zeros(1, 400, n_fft)
    power = []
    for steady in (False, True):
        with torch.inference_mode():
            frames = make_vocoder(steady_noise=steady).apply_filters(pulses, noise, filters)
            power.append(frames.square().sum(dim=-1))
    assert float(power[1].mean()) == pytest.approx(float(power[0].mean()), rel=0.1)
    assert float(power[1].std()) < float(power[0].std())


def test_source_filter_uses_its_seed() -> None:
    vocoder, mel = make_vocoder(), torch.randn(40, 80) - 5
    first, again, other = (run_all(SourceFilterStream(vocoder, seed), mel, [40]) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_very_short_utterances(frames: int) -> None:
    vocoder, mel = make_vocoder(), torch.randn(frames, 80) - 5
    assert run_all(SourceFilterStream(vocoder, 0), mel, [frames]).shape == ((frames - 1) * 256,)


def test_pulse_train_is_the_sum_of_its_harmonics() -> None:
    rate, hz = 8_000, 700.0
    cycles = torch.cumsum(torch.full((1, 400), hz, dtype=torch.float64) / rate, dim=1)
    made = make_pulse_train(cycles, torch.full_like(cycles, hz), rate)
    harmonics = int(0.5 * rate // hz) - 1
    summed = torch.stack([torch.cos(2 * math.pi * k * cycles) for k in range(1, harmonics + 1)]).sum(0) * math.sqrt(
        2 / harmonics
    )
    assert torch.allclose(made, summed.float(), atol=1e-4)


def test_pulse_train_is_finite_at_the_pulse() -> None:
    cycles = torch.arange(0, 3, 0.25, dtype=torch.float64)[None]
    made = make_pulse_train(cycles, torch.full_like(cycles, 100.0), 22_050)
    assert torch.isfinite(made).all()
    assert made[0, 0] == made.max()


def test_minimum_phase_of_a_known_filter() -> None:
    impulse = torch.zeros(1024)
    impulse[:3] = torch.tensor([1.0, -0.6, 0.08])  # zeros at 0.2 and 0.4: inside the unit circle
    spectrum = torch.fft.rfft(impulse)
    assert torch.allclose(compute_minimum_phase(spectrum.abs().log()[None, None])[0, 0], spectrum.angle(), atol=1e-4)


def test_mel_envelope_follows_the_spectrum() -> None:
    config = MelConfig()
    magnitude = torch.exp(-torch.arange(513) / 150.0)
    mel = (magnitude @ mel_filterbank(config)).log()
    level = mel - mel_filterbank(config).sum(dim=0).log()
    envelope = level @ build_mel_interpolation(config)
    inside = slice(3, 360)
    assert (envelope - magnitude.log())[inside].abs().max() < 0.1


def test_griffin_lim_gives_back_a_tone() -> None:
    config = MelConfig()
    time = torch.arange(config.sample_rate) / config.sample_rate
    tone = 0.3 * torch.sin(2 * math.pi * 440 * time)
    made = run_all(GriffinLimStream(config, 0), log_mel(tone), [len(log_mel(tone))])
    spectrum = np.abs(np.fft.rfft(made))
    assert abs(int(np.argmax(spectrum)) * config.sample_rate / len(made) - 440) < 15
    assert 0.1 < float(np.sqrt(np.mean(made**2))) < 0.4


def test_what_is_cached_in_inference_can_be_trained_with() -> None:
    hann_window.cache_clear()
    mel_filterbank.cache_clear()
    with torch.inference_mode():
        log_mel(torch.zeros(4096))
    samples = torch.zeros(4096, requires_grad=True)
    log_mel(samples + 0.1).sum().backward()
    assert samples.grad is not None

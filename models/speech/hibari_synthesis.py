"""Sound of what hibari's network says of each frame: pulses and noise through filters, and a part with free phase.

hibari (Maureese Williams, Apache-2.0) gives no samples but spectra. Letters: T frames of 12.5 ms at 24 kHz.
"""

from __future__ import annotations

import numpy as np

RATE, HOP = 24_000, 300
PULSES_TOP_HZ, LEAST_F0 = 11_000.0, 40.0
SIZE = 1_200  # of the windows


def synthesize_spectra(
    pulse: np.ndarray,
    phase: np.ndarray,
    noise: np.ndarray,
    rest: np.ndarray,
    rest_phase: np.ndarray,
    f0: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """Turn what Hibari's network says of each frame, (601, T) each, and F0 (T,) into sound (T * 300,).

    exp(pulse + i pi tanh(phase)) shapes harmonics of equal strength, exp(noise) white noise; exp(rest + i rest_phase)
    is added as it is.
    """
    from scipy.fft import irfft, rfft

    count = len(f0)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)).astype(np.float32)
    padded = np.pad(_make_harmonics(f0), SIZE // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP][:count]
    spectrum = rfft((frames * (window * 4 / SIZE)).astype(np.float32), axis=1).T
    spectrum = spectrum * _polar(pulse, np.pi * np.tanh(phase))
    white = random.standard_normal((2, *noise.shape), dtype=np.float32)
    spectrum += (white[0] + 1j * white[1]) * np.exp(np.minimum(noise, 7.0)) + _polar(rest, rest_phase)
    pieces = (irfft(spectrum.T, n=SIZE, axis=1) * window).reshape(count, SIZE // HOP, HOP)
    sound = np.zeros((count + SIZE // HOP - 1, HOP), np.float32)
    weight = np.zeros_like(sound)
    for part in range(SIZE // HOP):
        sound[part : part + count] += pieces[:, part]
        weight[part : part + count] += window.reshape(-1, HOP)[part] ** 2
    flat = (sound / np.maximum(weight, 1e-11)).reshape(-1)
    return np.asarray(flat[SIZE // 2 : SIZE // 2 + count * HOP], np.float32)


def _polar(log_magnitude: np.ndarray, phase: np.ndarray) -> np.ndarray:
    magnitude = np.exp(np.minimum(log_magnitude, 7.0))
    return np.asarray(magnitude * (np.cos(phase) + 1j * np.sin(phase)), np.complex64)


def count_cycles(f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F0 of each sample, and the share of a period that has passed by then, of F0 (T,); (T * 300,) each."""
    at = (np.arange(len(f0) * HOP) + 0.5) / HOP - 0.5
    hz = np.interp(at, np.arange(len(f0)), f0)
    return hz, np.cumsum(np.maximum(hz, LEAST_F0) / RATE) % 1.0


def _make_harmonics(f0: np.ndarray) -> np.ndarray:
    """Sum all harmonics below 11 kHz at equal strength (T * 300,), silent where F0 is below 40 Hz."""
    hz, cycles = count_cycles(f0)
    voiced = hz > LEAST_F0
    hz = np.maximum(hz, LEAST_F0)
    angle = 2 * np.pi * cycles
    order = np.floor(PULSES_TOP_HZ / hz) + 0.5
    divisor = 2 * np.sin(angle / 2)
    near = np.abs(divisor) <= 2e-3
    ratio = np.where(near, order, np.sin(order * angle) / np.where(near, 1.0, divisor))
    return np.where(voiced, ratio - 0.5, 0.0).astype(np.float32)

"""Synthesis of scene sounds: textures that go on without end, and single sounds for events.

Textures are filtered noise with slow modulations, and grains (Roads 2001, "Microsound"). Everything that goes on is
made periodic in its own length (noise and modulations as random Fourier series, grains wrapped around), so that the
sound of a looping clip loops too.

Letters: N samples at RATE; stereo is (N, 2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Random = np.random.Generator

RATE = 44_100


def make_noise(n: int, rng: Random, low_hz: float, high_hz: float, slope_db: float = 0.0) -> Sound:
    """Make periodic noise between two frequencies, of root mean square 1.

    Args:
        slope_db: of its power spectrum, per octave; -3 is pink.
    """
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    safe = np.maximum(frequency, 1.0)
    shape = (safe / 1000) ** (slope_db / 6.02)
    shape /= np.sqrt(1 + (low_hz / safe) ** 8) * np.sqrt(1 + (safe / high_hz) ** 8)
    shape[0] = 0
    spectrum = shape * (rng.standard_normal(len(safe)) + 1j * rng.standard_normal(len(safe)))
    made = np.fft.irfft(spectrum, n)
    return (made / max(float(np.sqrt(np.mean(made**2))), 1e-9)).astype(np.float32)


def make_sway(n: int, rng: Random, rate_hz: float, low: float, high: float) -> Sound:
    """Make a slow periodic curve between two values that changes about `rate_hz` times a second."""
    terms = max(1, round(1.5 * rate_hz * n / RATE))
    phase = np.linspace(0, 2 * np.pi, n, endpoint=False, dtype=np.float32)
    curve = np.zeros(n, np.float32)
    for term in range(1, terms + 1):
        weight = rng.normal() * np.exp(-0.5 * (term / max(1.0, rate_hz * n / RATE)) ** 2)
        curve += np.float32(weight) * np.cos(term * phase + np.float32(rng.uniform(0, 2 * np.pi)))
    curve -= curve.min()
    return low + (high - low) * curve / max(float(curve.max()), 1e-6)


def scatter_grains(n: int, rng: Random, rate_hz: float, grain: Callable[[Random], Sound]) -> Sound:
    """Scatter grains over random moments and places, (N, 2), wrapped around."""
    made = np.zeros((n, 2), np.float32)
    for _ in range(rng.poisson(rate_hz * n / RATE)):
        add_sound(made, int(rng.integers(n)), grain(rng), float(rng.uniform(-0.9, 0.9)), wrap=True)
    return made


def compute_pan_gains(x: float) -> tuple[float, float]:
    """Compute the left and right gain of a source at x from -1 to 1, of constant power."""
    angle = (np.clip(x, -1, 1) + 1) * np.pi / 4
    return float(np.cos(angle)), float(np.sin(angle))


def add_sound(track: Sound, at: int, sound: Sound, x: float = 0.0, gain: float = 1.0, wrap: bool = False) -> None:
    """Add a mono sound to a stereo track from sample `at` on; what goes beyond the end is cut, or wrapped around."""
    if wrap:
        places = (at + np.arange(min(len(sound), len(track)))) % len(track)
        sound = sound[: len(track)]
    else:
        first = max(0, -at)
        places = np.arange(max(at, 0), min(at + len(sound), len(track)))
        sound = sound[first : first + len(places)]
    for channel, side in enumerate(compute_pan_gains(x)):
        track[places, channel] += np.float32(gain * side) * sound


def _make_decay(length_s: float, attack_s: float = 0.002, tail_s: float | None = None) -> Sound:
    """Make an envelope: a short rise, then down by 60 dB over `length_s`."""
    t = np.arange(round((tail_s or length_s) * RATE), dtype=np.float32) / RATE
    return np.minimum(t / np.float32(attack_s), 1) * np.exp(-6.9 * t / np.float32(length_s))


def _make_chirp(from_hz: float, to_hz: float, length_s: float, bend: float = 1.0) -> Sound:
    """Make a sine whose frequency glides; `bend` above 1 glides early."""
    share = np.linspace(0, 1, round(length_s * RATE), dtype=np.float32) ** np.float32(1 / bend)
    frequency = from_hz * (to_hz / from_hz) ** share
    return np.sin(2 * np.pi * np.cumsum(frequency) / RATE).astype(np.float32)


# ---- textures: each (N, 2), about of root mean square 0.1


def _make_wide_noise(n: int, rng: Random, low_hz: float, high_hz: float, slope_db: float) -> Sound:
    """Make noise with some width: partly common to both sides."""
    common = make_noise(n, rng, low_hz, high_hz, slope_db)
    return np.stack([0.8 * common + 0.6 * make_noise(n, rng, low_hz, high_hz, slope_db) for _ in range(2)], axis=1)


def _make_waves(n: int, rng: Random) -> Sound:
    swell = make_sway(n, rng, 0.3, 0.15, 1.0)[:, None]
    foam = np.roll(swell, -round(0.4 * RATE), axis=0) ** 3
    return 0.09 * _make_wide_noise(n, rng, 50, 700, -4) * swell + 0.05 * _make_wide_noise(n, rng, 900, 7000, -3) * foam


def _make_stream(n: int, rng: Random) -> Sound:
    return 0.08 * _make_wide_noise(n, rng, 150, 6000, -3) * make_sway(n, rng, 2, 0.75, 1)[:, None]


def _make_wind(n: int, rng: Random) -> Sound:
    gust = make_sway(n, rng, 0.5, 0.2, 1.0)[:, None]
    return (
        0.10 * _make_wide_noise(n, rng, 60, 420, -3) * gust + 0.035 * _make_wide_noise(n, rng, 500, 1300, -3) * gust**2
    )


def _make_leaves(n: int, rng: Random) -> Sound:
    return 0.05 * _make_wide_noise(n, rng, 1800, 9000, -2) * make_sway(n, rng, 1.5, 0.05, 1.0)[:, None] ** 1.5


def _make_rain(n: int, rng: Random) -> Sound:
    def drop(r: Random) -> Sound:
        pitch = r.uniform(1200, 4200)
        return np.float32(r.uniform(0.02, 0.16)) * _make_chirp(pitch, pitch * 1.25, 0.03) * _make_decay(0.03, 0.001)

    return 0.045 * _make_wide_noise(n, rng, 900, 11000, -1.5) + scatter_grains(n, rng, 60, drop)


def _make_bird_call(rng: Random) -> Sound:
    """Make one call: a few gliding notes."""
    base, notes = rng.uniform(2200, 4800), int(rng.integers(2, 6))
    parts = []
    for _ in range(notes):
        start, length = base * rng.uniform(0.85, 1.2), rng.uniform(0.05, 0.13)
        tone = _make_chirp(start, start * rng.uniform(0.7, 1.4), length)
        parts += [tone * np.hanning(len(tone)), np.zeros(round(rng.uniform(0.02, 0.07) * RATE))]
    return (rng.uniform(0.05, 0.22) * np.concatenate(parts)).astype(np.float32)


def _make_birds(n: int, rng: Random) -> Sound:
    return scatter_grains(n, rng, 1.4, _make_bird_call)


def _make_crickets(n: int, rng: Random) -> Sound:
    made = np.zeros((n, 2), np.float32)
    t = np.arange(n) / RATE
    for _ in range(4):
        pitch, pulse = rng.uniform(3800, 5200), round(rng.uniform(26, 36) * n / RATE) * RATE / n
        chirps = np.clip(np.sin(2 * np.pi * (round(rng.uniform(1.2, 2.6) * n / RATE) or 1) * t * RATE / n) + 0.3, 0, 1)
        song = np.sin(2 * np.pi * pitch * t) * np.clip(np.sin(2 * np.pi * pulse * t), 0, 1) * chirps
        for channel, side in enumerate(compute_pan_gains(rng.uniform(-1, 1))):
            made[:, channel] += (0.05 * side * song).astype(np.float32)
    return made + np.float32(0.02) * _make_wide_noise(n, rng, 200, 4000, -4)


def _make_crackle(n: int, rng: Random) -> Sound:
    def snap(r: Random) -> Sound:
        length = r.uniform(0.004, 0.03)
        envelope = _make_decay(length, 0.0005)
        grit = np.clip(r.standard_normal(len(envelope)), -2, 2).astype(np.float32)
        return np.float32(0.5 * r.pareto(3) + 0.05) * grit * envelope

    roar = 0.07 * _make_wide_noise(n, rng, 40, 380, -4) * make_sway(n, rng, 3, 0.6, 1.0)[:, None]
    return roar + 0.6 * np.tanh(scatter_grains(n, rng, 14, snap)).astype(np.float32)


def _make_bubbles(n: int, rng: Random, pitch: tuple[float, float] = (300, 1100), rate_hz: float = 7.0) -> Sound:
    """Make bubbles, which rise in pitch as they go (van den Doel 2005, "Physically-based models for liquid sounds")."""

    def make_bubble(r: Random) -> Sound:
        base, length = r.uniform(*pitch), r.uniform(0.05, 0.16)
        tone = _make_chirp(base, base * r.uniform(1.3, 2.0), length)
        return np.float32(r.uniform(0.05, 0.25)) * tone * _make_decay(length, 0.004)[: len(tone)]

    return scatter_grains(n, rng, rate_hz, make_bubble)


def _make_lava(n: int, rng: Random) -> Sound:
    rumble = 0.12 * _make_wide_noise(n, rng, 25, 160, -4) * make_sway(n, rng, 1.5, 0.5, 1.0)[:, None]
    return rumble + 1.6 * _make_bubbles(n, rng, (70, 220), 4.0)


def _make_hum(n: int, rng: Random) -> Sound:
    t = np.arange(n) / RATE
    mains = sum(np.sin(2 * np.pi * round(50 * k * n / RATE) * RATE / n * t) / k**1.5 for k in (1, 2, 3, 4))
    return (0.02 * np.asarray(mains)[:, None] + 0.07 * _make_wide_noise(n, rng, 40, 500, -5)).astype(np.float32)


def _make_traffic(n: int, rng: Random) -> Sound:
    def make_car(r: Random) -> Sound:
        length = round(r.uniform(1.2, 2.2) * RATE)
        return (
            np.float32(r.uniform(0.05, 0.1))
            * make_noise(length, r, 120, 1800, -4)
            * np.hanning(length).astype(np.float32)
        )

    return scatter_grains(n, rng, 0.9, make_car)


def _make_chord(n: int, rng: Random, notes: tuple[int, ...], bright: float) -> Sound:
    """Make a soft chord of slightly detuned voices that swell one after another."""
    t = np.arange(n) / RATE
    made = np.zeros((n, 2), np.float32)
    for note in notes:
        for _ in range(2):
            hertz = round(440 * 2 ** ((note - 69 + rng.normal(0, 0.04)) / 12) * n / RATE) * RATE / n
            voice = sum(
                bright ** (k - 1) / k * np.sin(2 * np.pi * hertz * k * t + rng.uniform(0, 6)) for k in (1, 2, 3, 4)
            )
            level = make_sway(n, rng, 0.35, 0.2, 1.0)
            for channel, side in enumerate(compute_pan_gains(rng.uniform(-0.8, 0.8))):
                made[:, channel] += np.float32(0.035 * side) * level * np.asarray(voice, np.float32)
    return made


def _make_pad(n: int, rng: Random) -> Sound:
    root = int(rng.integers(45, 55))
    return _make_chord(n, rng, tuple(root + step for step in (0, 7, 12, 16, 19, 26)), 0.35)


def _make_drone(n: int, rng: Random) -> Sound:
    root = int(rng.integers(31, 38))
    return 1.5 * _make_chord(n, rng, (root, root + 7, root + 12, root + 19), 0.5) + 0.05 * _make_wide_noise(
        n, rng, 30, 200, -4
    )


def _make_bells(n: int, rng: Random) -> Sound:
    root = int(rng.integers(72, 80))

    def bell(r: Random) -> Sound:
        hertz = 440 * 2 ** ((root + int(r.choice((0, 2, 4, 7, 9, 12))) - 69) / 12)
        return np.float32(r.uniform(0.03, 0.09)) * make_bell_tone(hertz, 1.1)

    return scatter_grains(n, rng, 3.0, bell)


def make_bell_tone(hertz: float, length_s: float) -> Sound:
    """Make a struck bell: inharmonic partials that die away the faster the higher they are."""
    t = np.arange(round(length_s * RATE)) / RATE
    partials = ((1.0, 1.0, 1.0), (2.76, 0.5, 1.8), (5.4, 0.25, 3.2))
    tone = sum(gain * np.sin(2 * np.pi * hertz * ratio * t) * np.exp(-6.9 * rate * t / length_s)
               for ratio, gain, rate in partials)  # fmt: skip
    return (np.asarray(tone) * np.minimum(t / 0.002, 1)).astype(np.float32)


def _make_creak(n: int, rng: Random) -> Sound:
    def make_groan(r: Random) -> Sound:
        length = r.uniform(0.25, 0.6)
        pulses = _make_chirp(r.uniform(40, 70), r.uniform(30, 90), length)
        body = make_noise(len(pulses), r, 250, 900, 0) * np.clip(pulses, 0, 1) ** 4
        return np.float32(r.uniform(0.05, 0.12)) * body * np.hanning(len(pulses)).astype(np.float32)

    return scatter_grains(n, rng, 1.0, make_groan)


def _make_deep(n: int, rng: Random) -> Sound:
    return 0.11 * _make_wide_noise(n, rng, 30, 240, -4) * make_sway(n, rng, 0.6, 0.6, 1.0)[:, None]


def _make_burner(n: int, rng: Random) -> Sound:
    """Make puffs of a balloon's gas flame."""

    def make_puff(r: Random) -> Sound:
        length = round(r.uniform(0.6, 1.0) * RATE)
        shape = np.minimum(np.arange(length) / (0.06 * RATE), 1) * np.linspace(1, 0, length) ** 0.5
        return np.float32(0.09) * make_noise(length, r, 150, 2500, -3) * shape.astype(np.float32)

    return scatter_grains(n, rng, 0.4, make_puff)


LAYERS: dict[str, Callable[[int, Random], Sound]] = {
    "waves": _make_waves, "stream": _make_stream, "wind": _make_wind, "leaves": _make_leaves, "rain": _make_rain,
    "birds": _make_birds, "crickets": _make_crickets, "crackle": _make_crackle, "bubbles": _make_bubbles,
    "lava": _make_lava, "hum": _make_hum, "traffic": _make_traffic, "pad": _make_pad, "drone": _make_drone,
    "bells": _make_bells, "creak": _make_creak, "deep": _make_deep, "burner": _make_burner,
}  # fmt: skip


# ---- single sounds: mono, from their moment on, with a peak of about 1


def _make_impact(rng: Random) -> Sound:
    pitch = rng.uniform(95, 190)
    body = _make_chirp(pitch * 1.9, pitch, 0.28, 3.0) * _make_decay(0.28, 0.002)
    click = _make_decay(0.03, 0.0005)
    body[: len(click)] += 0.5 * click * make_noise(len(click), rng, 600, 5000, -2)
    return 0.8 * body


def _make_boom(n: int, rng: Random, length_s: float) -> Sound:
    """Make noise that grows darker as it dies away."""
    bright, dark = make_noise(n, rng, 150, 5000, -3), make_noise(n, rng, 25, 160, -3)
    t = np.arange(n, dtype=np.float32) / RATE
    return bright * np.exp(-t / np.float32(0.05)) + 0.8 * dark * np.exp(-6.9 * t / np.float32(length_s))


def _make_flash(rng: Random) -> Sound:
    """Make a near thunder: a crack, then a rumble that rolls."""
    n = round(rng.uniform(1.0, 1.6) * RATE)
    roll = make_sway(n, rng, 7, 0.35, 1.0)
    made = _make_boom(n, rng, n / RATE) * roll
    crack = round(0.09 * RATE)
    made[:crack] += 0.8 * make_noise(crack, rng, 900, 9000, -2) * np.exp(-np.arange(crack) / (0.018 * RATE))
    made *= np.minimum(np.arange(n) / (0.002 * RATE), 1)
    return (0.33 * made).astype(np.float32)


def _make_burst(rng: Random) -> Sound:
    """Make a rocket burst: a thump, then its stars crackle."""
    n = round(rng.uniform(0.9, 1.3) * RATE)
    made = _make_boom(n, rng, 0.5) * np.minimum(np.arange(n) / (0.0015 * RATE), 1)
    for _ in range(int(rng.integers(15, 40))):
        snap = rng.standard_normal(round(0.004 * RATE)) * np.hanning(round(0.004 * RATE)) * rng.uniform(0.15, 0.7)
        at = int(rng.integers(round(0.12 * RATE), n - len(snap)))
        made[at : at + len(snap)] += snap * (1 - at / n)
    return (0.3 * made).astype(np.float32)


def _make_drop(rng: Random) -> Sound:
    pitch = rng.uniform(650, 1500)
    tone = _make_chirp(pitch, pitch * rng.uniform(1.3, 1.9), 0.11) * _make_decay(0.11, 0.002)
    splash = _make_decay(0.05, 0.001)
    tone[: len(splash)] += 0.25 * splash * make_noise(len(splash), rng, 1500, 8000, -2)
    return 0.8 * tone.astype(np.float32)


def _make_beat(rng: Random) -> Sound:
    kick = (
        _make_chirp(rng.uniform(140, 200), rng.uniform(42, 58), 0.22, 3.5)
        * _make_decay(0.24, 0.001)[: round(0.22 * RATE)]
    )
    hat = _make_decay(0.05, 0.0005)
    kick[: len(hat)] += 0.18 * hat * make_noise(len(hat), rng, 5000, 14000, 0)
    return 0.9 * kick.astype(np.float32)


def _make_streak(rng: Random) -> Sound:
    """Make a whoosh that falls."""
    n = round(rng.uniform(0.45, 0.75) * RATE)
    t = np.arange(n, dtype=np.float32) / RATE
    shape = np.minimum(t / 0.03, 1) * np.exp(-5 * t / np.float32(n / RATE))
    high, low = make_noise(n, rng, 2500, 9000, 0), make_noise(n, rng, 500, 2500, 0)
    share = np.linspace(0, 1, n, dtype=np.float32)
    chime = make_bell_tone(rng.uniform(1400, 2400), n / RATE)[:n]
    return (shape * 0.28 * (high * (1 - share) + low * share) + 0.2 * chime).astype(np.float32)


def _make_splash(rng: Random) -> Sound:
    n = round(0.6 * RATE)
    t = np.arange(n, dtype=np.float32) / RATE
    made = 0.25 * make_noise(n, rng, 300, 7000, -2) * np.minimum(t / 0.006, 1) * np.exp(-t / 0.14)
    return (made + 0.6 * _make_bubbles(n, rng, (350, 1000), 14).mean(axis=1)).astype(np.float32)


def _make_bell(rng: Random) -> Sound:
    """Make a bell buoy."""
    return 0.5 * make_bell_tone(rng.uniform(420, 620), 1.4)


def _make_step(rng: Random) -> Sound:
    """Make a footstep on a path."""
    n = round(0.09 * RATE)
    grit = make_noise(n, rng, 300, 3500, -3) * _make_decay(0.09, 0.003)[:n]
    return (0.35 * grit + 0.5 * _make_chirp(130, 70, 0.09, 2)[:n] * _make_decay(0.09, 0.002)[:n]).astype(np.float32)


EVENT_SOUNDS: dict[str, Callable[[Random], Sound]] = {
    "impact": _make_impact, "flash": _make_flash, "burst": _make_burst, "drop": _make_drop, "beat": _make_beat,
    "streak": _make_streak, "splash": _make_splash, "bell": _make_bell, "step": _make_step,
}  # fmt: skip


def mix_texture(layers: tuple[tuple[str, float], ...], n: int, rng: Random) -> Sound:
    """Mix layers by name, each with its gain: (N, 2), periodic in its length."""
    made = np.zeros((n, 2), np.float32)
    for name, gain in layers:
        made += np.float32(gain) * LAYERS[name](n, rng)
    return made

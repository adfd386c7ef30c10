"""Sound of every kind of file, of any number of channels, with lengths that are wrong; and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.audio import rms_db
from models.media import sound
from models.media.program import MediaError
from models.media.sound import mix_to_mono, probe_sound, read_mono, read_sound, unpack_song
from models.music_video.analysis import MonoFile
from models.style.sound_input import prepare_mono
from tests.models.media.files import RATE, make_voice, run, write_wav

SECONDS = 3.0
VOICE = make_voice(SECONDS)
LEVEL_DB = rms_db(VOICE)


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("voice") / "voice.wav", VOICE)


FILES: dict[str, tuple[str, ...]] = {
    "memo.m4a": ("-c:a", "aac"),
    "lossless.m4a": ("-c:a", "alac"),
    "stream.aac": ("-c:a", "aac", "-f", "adts"),
    "movie.mp4": ("-c:a", "aac"),
    "recording.webm": ("-c:a", "libopus"),
    "message.opus": ("-c:a", "libopus"),
    "message.ogg": ("-c:a", "libvorbis"),
    "windows.wma": ("-c:a", "wmav2"),
    "song.mp3": ("-c:a", "libmp3lame"),
    "film.mkv": ("-c:a", "ac3"),
    "mac.aiff": (),
    "apple.caf": ("-c:a", "pcm_s24le"),
    "old.au": (),
    "deep.wav": ("-c:a", "pcm_s24le"),
    "float.wav": ("-c:a", "pcm_f32le"),
    "packed.flac": (),
    "studio.wv": (),
    "large.w64": ("-f", "w64"),
    "bare.ac3": ("-c:a", "ac3"),
    "tv.ts": ("-c:a", "mp2"),
    "phone.3gp": ("-c:a", "aac"),
    "sound.avi": ("-c:a", "libmp3lame"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_is_read(voice: Path, tmp_path: Path, maker: str, program: str, name: str) -> None:
    run(maker, "-i", voice, *FILES[name], tmp_path / name)
    samples, rate = read_sound(tmp_path / name)
    assert samples.dtype == np.float32 and samples.shape[0] == 1
    assert samples.shape[1] / rate == pytest.approx(SECONDS, abs=0.12)
    assert rms_db(samples) == pytest.approx(LEVEL_DB, abs=1.0)
    assert len(prepare_mono(tmp_path / name, 0, RATE, "content")) / RATE == pytest.approx(SECONDS, abs=0.12)
    assert unpack_song(tmp_path / name, tmp_path / "song.wav") == pytest.approx(SECONDS, abs=0.12)


def test_sixteen_bits_are_read_as_they_are(voice: Path, program: str) -> None:
    samples, rate = read_sound(voice)
    assert rate == RATE
    np.testing.assert_array_equal(samples[0], (VOICE * 32767).astype(np.int16) / np.float32(32768))


def wav_with(voice: Path, length: int, riff: int | None = None, behind: bytes = b"") -> bytes:
    """Return the WAV with other length fields, and something behind its samples."""
    data = bytearray(voice.read_bytes()) + behind
    data[40:44] = struct.pack("<I", length)
    if riff is not None:
        data[4:8] = struct.pack("<I", riff)
    return bytes(data)


@pytest.mark.parametrize(("length", "riff"), [(0, 0), (0, None), (0xFFFFFFFF, 0xFFFFFFFF), (1000, None), (2**31, 36)])
def test_wrong_lengths_of_a_wav(voice: Path, tmp_path: Path, program: str, length: int, riff: int | None) -> None:
    (tmp_path / "wrong.wav").write_bytes(wav_with(voice, length, riff))
    samples, rate = read_sound(tmp_path / "wrong.wav")
    assert samples.shape[1] / rate == pytest.approx(SECONDS, abs=0.01)


def test_what_stands_behind_the_samples_is_not_heard(voice: Path, tmp_path: Path, program: str) -> None:
    tail = b"LIST" + struct.pack("<I", 4000) + b"INFO" + b"\x7f" * 3996
    (tmp_path / "tagged.wav").write_bytes(wav_with(voice, 2 * len(VOICE), behind=tail))
    assert read_sound(tmp_path / "tagged.wav")[0].shape[1] == len(VOICE)


def surround(centre: NDArray[np.float32], channels: int = 6) -> NDArray[np.float32]:
    """Return sound (n, channels) that stands in the middle alone."""
    made = np.zeros((len(centre), channels), np.float32)
    made[:, 2] = centre
    return made


@pytest.mark.parametrize(
    ("channels", "name"), [(6, "six.flac"), (6, "six.m4a"), (6, "six.ac3"), (8, "eight.flac"), (3, "three.wav")]
)
def test_the_middle_of_many_channels_is_kept(
    tmp_path: Path, maker: str, program: str, channels: int, name: str
) -> None:
    raw = (surround(VOICE, channels) * 32767).astype("<i2")
    (tmp_path / "raw.s16").write_bytes(raw.tobytes())
    layout = {3: "3.0", 6: "5.1", 8: "7.1"}[channels]
    run(
        maker,
        "-f",
        "s16le",
        "-ar",
        RATE,
        "-ch_layout",
        layout,
        "-i",
        tmp_path / "raw.s16",
        "-b:a",
        "448k",
        tmp_path / name,
    )
    assert rms_db(read_mono(tmp_path / name)[0]) == pytest.approx(LEVEL_DB, abs=2.0)
    both, _ = read_sound(tmp_path / name)
    assert both.shape[0] == 2 and rms_db(both) == pytest.approx(LEVEL_DB - 3, abs=2.0)
    unpack_song(tmp_path / name, tmp_path / "song.wav")
    assert rms_db(read_sound(tmp_path / "song.wav")[0]) == pytest.approx(LEVEL_DB - 3, abs=2.0)


def test_a_loud_mix_of_many_channels_is_not_cut(tmp_path: Path, program: str) -> None:
    tone = 0.9 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    path = write_wav(tmp_path / "loud.wav", np.repeat(tone[:, None], 6, axis=1))
    for samples in (read_sound(path)[0], read_sound(_unpacked(path, tmp_path))[0]):
        assert np.abs(samples).max() <= 1
        assert (np.abs(samples) > 0.985).mean() < 0.15  # a sine's share near its top; cut off, it would be over a third


def _unpacked(path: Path, folder: Path) -> Path:
    unpack_song(path, folder / "song.wav")
    return folder / "song.wav"


@pytest.mark.parametrize("share", [1.0, 0.8])
@pytest.mark.parametrize("name", ["opposite.wav", "opposite.flac", "opposite.m4a"])
def test_channels_of_opposite_phase_do_not_cancel(
    tmp_path: Path, maker: str, program: str, share: float, name: str
) -> None:
    wav = write_wav(tmp_path / "both.wav", np.stack([VOICE, -share * VOICE], axis=1))
    run(maker, "-i", wav, tmp_path / name)
    assert rms_db(read_mono(tmp_path / name)[0]) == pytest.approx(LEVEL_DB, abs=2.0)
    assert rms_db(prepare_mono(tmp_path / name, 0, RATE, "content")) == pytest.approx(LEVEL_DB, abs=2.0)
    blocks = MonoFile(_unpacked(tmp_path / name, tmp_path), RATE).read_blocks()
    assert rms_db(np.concatenate(list(blocks))) == pytest.approx(LEVEL_DB, abs=2.0)
    assert rms_db(mix_to_mono(read_sound(tmp_path / name)[0])) == pytest.approx(LEVEL_DB, abs=2.0)


def test_other_stereo_is_the_mean_of_both(tmp_path: Path, program: str) -> None:
    rng = np.random.default_rng(1)
    both = (0.1 * rng.standard_normal((RATE, 2))).astype(np.float32)
    path = write_wav(tmp_path / "wide.wav", both)
    whole, _ = read_sound(path)
    np.testing.assert_allclose(read_mono(path)[0], whole.mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(mix_to_mono(whole), whole.mean(axis=0), atol=1e-7)
    assert mix_to_mono(whole[:1]).shape == (RATE,)


@pytest.mark.slow
def test_a_bomb_of_eight_channels_is_cut_short(tmp_path: Path, maker: str, program: str) -> None:
    """Twenty minutes of eight silent channels at 192 kHz take little room as FLAC and seven gigabytes as numbers."""
    source = "anullsrc=r=192000:cl=7.1:d=1200"
    run(maker, "-f", "lavfi", "-i", source, "-c:a", "flac", "-compression_level", "0", tmp_path / "bomb.flac")
    assert (tmp_path / "bomb.flac").stat().st_size < 8_000_000
    assert probe_sound(tmp_path / "bomb.flac").channels == 8
    for reading in (read_sound, read_mono):
        with pytest.raises(MediaError, match="longer than 1 minutes"):
            reading(tmp_path / "bomb.flac", 60.0)


def test_rates_that_would_not_fit_become_modest(
    tmp_path: Path, maker: str, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(maker, "-f", "lavfi", "-i", "sine=r=192000:d=2", tmp_path / "high.wav")
    assert read_sound(tmp_path / "high.wav")[1] == 192_000
    monkeypatch.setattr(sound, "MAX_SOUND_SAMPLES", 48_000 * 900)
    samples, rate = read_sound(tmp_path / "high.wav")
    assert rate == 48_000 and samples.shape[1] == pytest.approx(96_000, abs=10)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"not sound at all" * 50, "holds no sound that can be read"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "holds no sound"),
        (b"\xff\xfb\x90\x64" + b"\0" * 50, "holds no sound"),
        (b"fLaC" + b"\0" * 90, "holds no sound"),
        (b"\0\0\0\x18ftypM4A " + b"x" * 400, "holds no sound"),
        (b"OggS" + b"\1" * 400, "holds no sound"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "holds no sound"),
    ],
)
def test_bad_uploads_are_sentences(content: bytes, message: str, tmp_path: Path, program: str) -> None:
    path = tmp_path / "upload.wav"
    path.write_bytes(content)
    for reading in (read_sound, read_mono, lambda each: unpack_song(each, tmp_path / "song.wav")):
        with pytest.raises(MediaError, match=message):
            reading(path)
    with pytest.raises(MediaError, match="gone"):
        read_sound(tmp_path / "nothing.wav")


def test_limits(voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaError, match="longer than"):
        read_sound(voice, max_s=0.5)
    monkeypatch.setattr(sound, "MAX_UPLOAD_BYTES", 1000)
    with pytest.raises(MediaError, match="MB"):
        read_sound(voice)

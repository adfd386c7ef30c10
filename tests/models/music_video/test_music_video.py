"""Whole music videos with a tiny video model: the finished file, stopping, limits, songs of every kind."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.music_video import find_accents, measure_differences, measure_gap_s, measure_share_near
from models.beats.detector import BeatDetector
from models.beats.network import BEAT_MEL, BeatNetwork, BeatNetworkConfig
from models.contracts import VideoChunk, VideoRequest
from models.errors import ModelError
from models.media.clip_info import probe
from models.media.program import MediaError
from models.media.sound import unpack_song
from models.media.write import VideoWriter
from models.music_video import analysis, key_clips
from models.music_video.captions import Caption
from models.music_video.contracts import MAX_KEY_CLIPS
from models.music_video.generator import MusicVideoGenerator
from models.music_video.key_clips import KeyClips
from models.music_video.plan import KeyClip
from tests.models.music_video.debug_video import (
    RATE,
    BlobVideo,
    clicks,
    debug_video,
    encoded,
    request_for,
    steady_track,
)


@pytest.fixture(scope="module")
def generator() -> MusicVideoGenerator:
    return MusicVideoGenerator(BlobVideo())


def children() -> set[str]:
    """Return processes that this one has started and that still run."""
    command = ["ps", "--ppid", str(os.getpid()), "-o", "pid=,comm="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {line for line in listed.splitlines() if "ffmpeg" in line}


@pytest.mark.slow
def test_accents_of_the_finished_file_fall_on_the_beats(generator: MusicVideoGenerator, tmp_path: Path) -> None:
    request = request_for(tmp_path, 4.0, title="Title", captions=(Caption(1.0, 2.0, "Words"),))
    chunks = list(generator.stream(request))
    assert chunks[0].stage == "measuring" and chunks[-1].last
    assert {chunk.stage for chunk in chunks} == {"measuring", "clips", "frames", "finished"}
    assert all(0 <= chunk.done <= chunk.total for chunk in chunks)
    info = probe(request.out)
    assert (info.width, info.height, info.rate, info.frames, info.sound) == (640, 360, 24, 96, "aac")
    differences, rate = measure_differences(request.out)
    accents, beats = find_accents(differences, rate), request.track.times_s
    assert measure_share_near(beats, accents) >= 0.95
    assert measure_share_near((beats[:-1] + beats[1:]) / 2, accents) <= 0.3  # so they are not everywhere
    assert abs(measure_gap_s(request.out)) < 1.5 / 24
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.mp4", "song.wav"]


@pytest.mark.slow
@pytest.mark.parametrize(("aspect", "size"), [("9:16", (360, 640)), ("1:1", (360, 360))])
def test_formats(generator: MusicVideoGenerator, tmp_path: Path, aspect: str, size: tuple[int, int]) -> None:
    request = request_for(tmp_path, 1.0, aspect=aspect)
    list(generator.stream(request))
    info = probe(request.out)
    assert (info.width, info.height) == size and info.frames == 24


@pytest.mark.slow
def test_the_same_request_gives_the_same_video_and_clips_are_made_once(tmp_path: Path) -> None:
    maker = MusicVideoGenerator(BlobVideo())
    request = request_for(tmp_path, 0.6)
    list(maker.stream(replace(request, preview=True)))
    stages = [chunk.stage for chunk in maker.stream(request)]
    assert stages.count("clips") == 1  # nothing was left to make
    first = request.out.read_bytes()
    list(MusicVideoGenerator(BlobVideo()).stream(request))
    assert request.out.read_bytes() == first


@pytest.mark.slow
def test_with_the_real_video_generator(tmp_path: Path) -> None:
    request = request_for(tmp_path, 0.6, aspect="1:1")
    chunks = list(MusicVideoGenerator(debug_video()).stream(request))
    assert any(chunk.picture is not None for chunk in chunks if chunk.stage == "clips")
    assert probe(request.out).frames == 15


@pytest.mark.slow
def test_stopping_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    maker = MusicVideoGenerator(BlobVideo())
    request = request_for(tmp_path, 4.0, shorter_side=720)
    for stop_at in ("measuring", "clips", "frames"):
        stream = maker.stream(request)
        while next(stream).stage != stop_at:
            pass
        assert bool(children()) == (stop_at == "frames")
        stream.close()  # type: ignore[attr-defined]
        assert not children()
        assert [each.name for each in tmp_path.iterdir()] == ["song.wav"]
    list(maker.stream(request_for(tmp_path, 0.6)))  # it can be used again


def test_key_clips_made_side_by_side_give_the_same_file(tmp_path: Path) -> None:
    films = []
    for places in (1, 2):
        folder = tmp_path / str(places)
        folder.mkdir()
        request = request_for(folder, 1.0, key_clips=3, prompts=("red waves", "blue waves"))
        chunks = list(MusicVideoGenerator(BlobVideo(), places=places).stream(request))
        assert chunks[-1].last and sum(each.stage == "clips" for each in chunks) >= 2
        films.append(request.out.read_bytes())
    assert films[0] == films[1]


def test_only_one_video_at_a_time(generator: MusicVideoGenerator, tmp_path: Path) -> None:
    stream = generator.stream(request_for(tmp_path, 1.0))
    next(stream)
    with pytest.raises(ModelError, match="Another music video"):
        next(generator.stream(request_for(tmp_path, 1.0)))
    stream.close()  # type: ignore[attr-defined]


def test_too_long_a_work_is_told_before_it_starts(tmp_path: Path) -> None:
    maker = MusicVideoGenerator(BlobVideo(), longest_work_s=0.01)
    request = request_for(tmp_path, 4.0)
    stages = []
    with pytest.raises(ValueError, match="would take about"):
        for chunk in maker.stream(request):
            stages.append(chunk.stage)
    assert stages == ["measuring"] and not request.out.exists()


def test_clips_that_are_made_side_by_side_take_less_of_the_longest_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyClips, "measure_clip_s", lambda *_: 1_000.0)
    request = request_for(tmp_path, 8.0, key_clips=3, prompts=("red waves", "blue waves"))

    def begin(places: int, longest_work_s: float = 1e6) -> float:
        stream = MusicVideoGenerator(BlobVideo(), longest_work_s=longest_work_s, places=places).stream(request)
        try:
            return next(each for each in stream if each.stage == "clips").total
        finally:
            stream.close()  # type: ignore[attr-defined]

    alone_s, together_s = begin(1), begin(2)
    assert alone_s > together_s + 900, "at least two clips, two at once"
    assert begin(2, together_s + 500) < together_s + 500
    with pytest.raises(ValueError, match="would take about"):
        begin(1, together_s + 500)
    rounds = [round(begin(places) / 1_000.0) for places in (1, 2, 3)]
    assert rounds[0] > 1 and rounds[1:] == [math.ceil(rounds[0] / 2), math.ceil(rounds[0] / 3)], "each counts once"


def test_a_broken_song_or_a_missing_folder_is_told(generator: MusicVideoGenerator, tmp_path: Path) -> None:
    request = request_for(tmp_path, 1.0)
    request.song.write_bytes(b"no sound" * 100)
    with pytest.raises(MediaError, match="could not be"):
        list(generator.stream(request))
    assert not request.out.exists()
    writer = VideoWriter(tmp_path / "nowhere" / "a.mp4", 64, 64, request.rate)
    with pytest.raises(MediaError, match="could not be written"), writer:
        for _ in range(1000):
            writer.write(np.zeros((64, 64, 3), np.uint8))


def test_prepared_clips_have_the_length_that_the_dance_counts_on() -> None:
    frames = np.full((key_clips.CLIP_FRAMES, 16, 16, 3), 90, np.uint8)
    assert len(key_clips.fill_between(frames)) == key_clips.PREPARED_FRAMES
    assert key_clips.bicubic(frames[:2]).shape == (2, 64, 64, 3)


class WideVideo:
    """As models of the Hub do it: larger, wider and longer than asked for, and nothing while the sampler works."""

    def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
        clip = np.zeros((33, 600, 800, 3), np.uint8)
        clip[:, :, 100:700] = np.arange(33, dtype=np.uint8)[:, None, None, None]
        yield VideoChunk(np.zeros((0, 1, 1, 3), np.uint8), clip[:0], 8.0, 1, 2, 1, 2)
        yield VideoChunk(clip, clip, 8.0, 2, 2, 2, 2, last=True)


def test_what_a_model_draws_larger_is_fitted_and_not_enlarged(tmp_path: Path) -> None:
    request = request_for(tmp_path, 4.0)
    clips, clip = key_clips.KeyClips(WideVideo()), KeyClip("a light", 1, "A")
    list(clips.make(request, clip))
    ready = clips.prepare(request, clip)
    side = key_clips.KEY_SIDE
    assert ready.shape == (key_clips.PREPARED_FRAMES, side, side, 3)
    assert (ready[0] == 0).all() and (ready[-1] == 32).all()  # the whole clip, without what lies beside the square


def test_what_is_drawn_finely_enough_is_not_filled_in_between(tmp_path: Path) -> None:
    frames = np.zeros((48, 96, 96, 3), np.uint8) + np.arange(48, dtype=np.uint8)[:, None, None, None]
    fitted = key_clips.fit_frames(frames)
    assert fitted[:, 0, 0, 0].tolist() == list(range(key_clips.PREPARED_FRAMES))
    assert len(key_clips.fit_frames(frames[:33])) == key_clips.CLIP_FRAMES
    longer = key_clips.fit_frames(frames.repeat(2, axis=0))
    assert longer[0, 0, 0, 0] == 0 and longer[-1, 0, 0, 0] == 47
    kept = key_clips.unpack_frames(key_clips.pack_frames(frames))
    assert kept.shape == frames.shape and np.abs(kept.astype(int) - frames).max() <= 1


def test_all_clips_of_one_video_are_kept(tmp_path: Path) -> None:
    request = request_for(tmp_path, 4.0)
    clips = key_clips.KeyClips(BlobVideo())
    wanted = [KeyClip("a light", seed, "A") for seed in range(MAX_KEY_CLIPS)]
    earlier = [KeyClip("another light", seed, "A") for seed in range(2 * MAX_KEY_CLIPS - 2)]
    for clip in [wanted[0], *earlier]:
        list(clips.make(request, clip))
    missing = [clip for clip in wanted if not clips.has(request, clip)]
    assert missing == wanted[1:]
    for clip in missing:
        list(clips.make(request, clip))
    assert all(clips.has(request, clip) for clip in wanted)


# Songs of every kind


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mono8k.wav", ("-ar", "8000", "-ac", "1")),
        ("high.flac", ("-ar", "192000")),
        ("surround.wav", ("-ac", "6")),
        ("song.mp3", ("-b:a", "96k")),
        ("song.ogg", ("-c:a", "libvorbis")),
    ],
)
def test_every_kind_of_sound_is_unpacked(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    source = encoded(tmp_path / name, "-f", "lavfi", "-i", "sine=440:d=2", *options)
    assert unpack_song(source, tmp_path / "out.wav") == pytest.approx(2.0, abs=0.06)
    mono = np.concatenate(list(analysis.MonoFile(tmp_path / "out.wav").read_blocks()))
    assert mono.dtype == np.float32 and len(mono) == pytest.approx(2.0 * BEAT_MEL.sample_rate, rel=0.03)
    assert 0.02 < np.abs(mono).max() <= 1


def test_the_sound_of_a_video_and_a_trim(tmp_path: Path) -> None:
    clip = encoded(
        tmp_path / "clip.mp4", "-f", "lavfi", "-i", "testsrc=s=64x64:d=3", "-f", "lavfi", "-i", "sine=300:d=3",
        "-pix_fmt", "yuv420p",
    )  # fmt: skip
    assert unpack_song(clip, tmp_path / "a.wav", 0.5, 2.0) == pytest.approx(1.5, abs=0.01)
    with pytest.raises(ValueError, match="after the start"):
        unpack_song(clip, tmp_path / "a.wav", 50.0)
    with pytest.raises(ValueError, match="before it begins"):
        unpack_song(clip, tmp_path / "a.wav", 2.0, 1.0)
    silent = encoded(tmp_path / "silent.mp4", "-f", "lavfi", "-i", "testsrc=s=64x64:d=1", "-pix_fmt", "yuv420p")
    with pytest.raises(ValueError, match="holds no sound"):
        unpack_song(silent, tmp_path / "a.wav")


def test_files_that_are_no_songs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gone"):
        unpack_song(tmp_path / "nothing.mp3", tmp_path / "a.wav")
    (tmp_path / "empty.mp3").touch()
    with pytest.raises(ValueError, match="is empty"):
        unpack_song(tmp_path / "empty.mp3", tmp_path / "a.wav")
    (tmp_path / "broken.mp3").write_bytes(b"ID3" + bytes(np.random.default_rng(0).integers(0, 255, 4000, np.uint8)))
    with pytest.raises(ValueError, match="no sound that can be read"):
        unpack_song(tmp_path / "broken.mp3", tmp_path / "a.wav")


def test_reading_in_blocks_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.audio import resample
    from studio.io.audio_files import write_wav

    sound = (np.random.default_rng(0).standard_normal((2, 50_001)) * 0.1).astype(np.float32)
    path = write_wav(tmp_path / "a.wav", sound, RATE)
    whole = resample(sound.mean(axis=0), RATE, BEAT_MEL.sample_rate)
    monkeypatch.setattr(analysis, "BLOCK", 7001)
    file = analysis.MonoFile(path)
    outline = analysis.WaveOutline(file.samples, points=50)
    blocks = list(outline.trace(file.read_blocks()))
    assert len(blocks) == 8 and sum(map(len, blocks)) == file.samples == len(whole)
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=2e-4)
    parts = np.split(np.abs(whole), np.linspace(0, len(whole), 51).astype(int)[1:-1])
    np.testing.assert_allclose(outline.wave, [part.max() for part in parts], atol=2e-4)


def test_a_damaged_or_empty_file_is_a_sentence(tmp_path: Path) -> None:
    import soundfile

    detector = BeatDetector(BeatNetwork(BeatNetworkConfig.debug()))
    for name, samples, says in (("empty", np.zeros(0), "no sound"), ("nan", np.full(4_000, np.nan), "no numbers")):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, samples.astype(np.float32), RATE, "FLOAT")
        with pytest.raises(ValueError, match=says):
            list(analysis.analyse(detector, path, 1.0))


@pytest.mark.slow
def test_the_samples_of_a_song_are_not_kept(tmp_path: Path) -> None:
    """Of a song of two minutes at most its frames and some blocks are held at once: less than its samples would be."""
    import tracemalloc

    import soundfile

    torch.manual_seed(0)
    config = BeatNetworkConfig.from_dict(BeatNetworkConfig.debug().to_dict() | {"n_mels": BEAT_MEL.n_mels})
    detector, seconds = BeatDetector(BeatNetwork(config)), 120
    path = tmp_path / "song.wav"
    soundfile.write(path, np.tile(clicks(np.arange(0, 1, 0.5), 1.0), seconds), RATE)
    list(analysis.analyse(detector, path, seconds))  # what is imported on the way is no part of a song
    tracemalloc.start()
    try:
        for _ in analysis.analyse(detector, path, seconds):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * seconds * BEAT_MEL.sample_rate


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["silence", "noise", "short", "clicks"])
def test_anything_can_be_listened_to_and_filmed(generator: MusicVideoGenerator, tmp_path: Path, kind: str) -> None:
    from studio.io.audio_files import write_wav

    torch.manual_seed(0)
    config = BeatNetworkConfig.from_dict(BeatNetworkConfig.debug().to_dict() | {"n_mels": BEAT_MEL.n_mels})
    detector = BeatDetector(BeatNetwork(config))
    seconds = 0.2 if kind == "short" else 1.0
    noise = np.random.default_rng(0).standard_normal(int(seconds * RATE)).astype(np.float32) * 0.1
    sound = {"silence": 0 * noise, "clicks": clicks(np.arange(0, 1, 0.5), 1.0)}.get(kind, noise)
    path = write_wav(tmp_path / "song.wav", sound, RATE)
    *_, last = analysis.analyse(detector, path, seconds)
    assert last.analysis is not None and len(last.analysis.wave) == analysis.WAVE_POINTS
    if kind == "short":
        return  # the request refuses it, see test_plan
    request = request_for(tmp_path, seconds, track=last.analysis.track, features=last.analysis.features, aspect="1:1")
    list(generator.stream(replace(request, song=path)))
    assert probe(request.out).frames == 24


@pytest.mark.slow
def test_a_steady_track_has_its_accents_whatever_the_tempo(generator: MusicVideoGenerator, tmp_path: Path) -> None:
    for bpm in (60.0, 200.0):
        track = steady_track(3.0, bpm)
        request = request_for(tmp_path, 3.0, track=track, aspect="1:1")
        list(generator.stream(request))
        differences, rate = measure_differences(request.out)
        assert measure_share_near(track.times_s, find_accents(differences, rate)) >= 0.95


def test_named_things_are_laid_over_prepared_clips_and_told(tmp_path: Path) -> None:
    class Drawer:
        """Lay a white row over all frames."""

        def compose(self, request: VideoRequest, frames: key_clips.Pixels, rate: float) -> key_clips.Pixels:
            assert rate == 24 and request.prompt == "a cat"
            made = frames.copy()
            made[:, 0] = 255
            return made

        draws_by_rule = False

        def list_laid(self, request: VideoRequest) -> tuple[str, ...]:
            return (request.prompt.removeprefix("a "),)

    clips, clip = key_clips.KeyClips(BlobVideo(), drawer=Drawer()), KeyClip("a cat", 1, "A")
    request = request_for(tmp_path, 4.0)
    list(clips.make(request, clip))
    assert (clips.prepare(request, clip)[:, 0] == 255).all()
    (credit,) = clips.list_credits(request, [clip])
    assert "cat" in credit and "by rule" in credit
    assert key_clips.KeyClips(BlobVideo()).list_credits(request, [clip]) == ()

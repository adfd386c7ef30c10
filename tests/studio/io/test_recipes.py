"""Recipes survive the round trip through every kind of file, and a stranger's file is never trusted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.io import recipes
from studio.io.ffmpeg_path import ensure_ffmpeg
from studio.io.recipes import Recipe, RecipeError, read_recipe, write_recipe

SOUND = (0.1 * np.sin(np.arange(4_000) / 20)).astype(np.float32)
KINDS = ("wav", "mp3", "flac", "mp4", "mid")

plain_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
values = st.one_of(
    plain_text, st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
made = st.builds(
    Recipe,
    task=st.just("speech"),
    model=plain_text,
    revision=plain_text,
    seed=st.integers(0, 2**32 - 1),
    settings=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), values, max_size=8),
    version=st.just("0.1.0"),
)


@pytest.fixture(scope="module")
def blanks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return a small file of each kind, without a recipe."""
    folder = tmp_path_factory.mktemp("blanks")
    for kind, form in (("wav", "WAV"), ("flac", "FLAC"), ("mp3", "MP3")):
        soundfile.write(folder / f"blank.{kind}", SOUND, 22_050, format=form)
    import mido

    song = mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("note_on", note=60, time=10)])])
    song.save(folder / "blank.mid")
    ensure_ffmpeg()
    source = ["-f", "lavfi", "-i", "color=s=16x16:d=0.2:r=10"]
    command = ["ffmpeg", "-v", "error", *source, "-c:v", "libx264", str(folder / "blank.mp4")]
    subprocess.run(command, check=True)
    return {kind: (folder / f"blank.{kind}").read_bytes() for kind in KINDS}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipe=made)
def test_round_trip(kind: str, recipe: Recipe, blanks: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / f"result.{kind}"
    path.write_bytes(blanks[kind])
    write_recipe(path, recipe)
    assert read_recipe(path) == recipe
    changed = Recipe("speech", "other", "r", 1, {"text": "again"})
    write_recipe(path, changed)  # in place of the first, not beside it
    assert read_recipe(path) == changed


@pytest.mark.parametrize("kind", ("wav", "flac", "mp3"))
def test_the_sound_is_untouched(kind: str, blanks: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / f"result.{kind}"
    path.write_bytes(blanks[kind])
    before, _ = soundfile.read(path)
    write_recipe(path, Recipe("speech", "m", "r", 7, {"text": "Grüße, 世界 🎉"}))
    after, _ = soundfile.read(path)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_a_recipe_says_so(kind: str, blanks: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / f"blank.{kind}"
    path.write_bytes(blanks[kind])
    with pytest.raises(RecipeError, match="No settings were found"):
        read_recipe(path)


@settings(max_examples=60, deadline=None)
@given(
    head=st.sampled_from(
        [b"RIFF\0\0\0\0WAVE", b"ID3\4\0\0\0\0\0\x20", b"fLaC", b"\0\0\0\x18ftypisom", b"MThd\0\0\0\6"]
    ),
    rest=st.binary(max_size=300),
)
def test_any_bytes_are_a_sentence(head: bytes, rest: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("strange") / "file.bin"
    path.write_bytes(head + rest)
    with pytest.raises(RecipeError, match=r"\.$"):
        read_recipe(path)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"seed": True},
        {"seed": 1.5},
        {"task": 7},
        {"model": "m" * 500},
        {"settings": []},
        {"settings": {"text": None}},
        {"settings": {"text": ["a"]}},
        {"settings": {"../evil": 1}},
        {"settings": {"a": 10**30}},
        {"settings": {f"a{i}": i for i in range(100)}},
        {"auralume": 99},
    ],
)
def test_wrong_shapes_are_refused(change: dict[str, object]) -> None:
    data = json.loads(Recipe("speech", "m", "r", 7, {"text": "hello"}).to_json()) | change
    with pytest.raises(RecipeError):
        Recipe.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "null", "[1]", "{", "NaN", "[" * 100_000, '{"auralume":1}', "x" * 10**6])
def test_wrong_json_is_refused(text: str) -> None:
    with pytest.raises(RecipeError):
        Recipe.from_json(text)


def test_a_huge_tag_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "huge.mp3"
    path.write_bytes(b"ID3\4\0\0\x7f\x7f\x7f\x7f" + b"\0" * 100)
    with pytest.raises(RecipeError, match="too large"):
        read_recipe(path)


def test_a_huge_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.wav"
    path.write_bytes(b"RIFF" + b"\0" * 50)
    monkeypatch.setattr(recipes, "MAX_FILE_BYTES", 10)
    with pytest.raises(RecipeError, match="larger than"):
        read_recipe(path)


def test_other_files_cannot_hold_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(RecipeError):
        write_recipe(path, Recipe("speech", "m", "r", 7))
    with pytest.raises(RecipeError, match="not a WAV"):
        read_recipe(path)

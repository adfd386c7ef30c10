"""What phones and cameras give: panoramas, HEIC and AVIF, turned clips, and two hundred photos at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from models.media.program import MediaError
from models.music_video import own_views
from models.music_video.contracts import MAX_MEDIA
from models.music_video.own_views import PhotoView
from models.music_video.plan import plan_video
from models.music_video.storyboard import Storyboard, StoryShot
from tests.models.music_video.debug_video import encoded, film, request_for, steady_track

HEIC = Path(__file__).parents[1] / "media" / "turned.heic"  # stored lying, stands 48 x 64, of four colours


@pytest.mark.slow
@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
def test_heic_avif_and_a_turned_clip_stand_upright(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), (30, 200, 40)).save(tmp_path / "leaf.avif")
    halves = "color=red:s=32x48:d=1:r=24[a];color=blue:s=32x48:d=1:r=24[b];[a][b]hstack"
    flat = encoded(tmp_path / "flat.mp4", "-f", "lavfi", "-i", halves, "-pix_fmt", "yuv420p")
    turned = encoded(tmp_path / "turned.mp4", "-display_rotation", "90", "-i", str(flat), "-c", "copy")
    told = Storyboard(tuple(StoryShot(2, name, "still") for name in ("turned.heic", "leaf.avif", "turned.mp4")))
    media = (HEIC, tmp_path / "leaf.avif", turned)
    request = request_for(tmp_path, 3.0, aspect="9:16", media=media, storyboard=told)
    frames = film(request).astype(int)
    first, second, third = (frames[(shot.start + shot.end) // 2] for shot in plan_video(request).shots)
    corners = [first[y, x] for y in (15, 75) for x in (25, 65)]
    expected = np.array([(40, 70, 220), (220, 40, 40), (235, 220, 60), (40, 200, 60)])  # blue, red, yellow, green
    assert np.abs(np.array(corners) - expected).max() < 40
    assert np.abs(second.mean(axis=(0, 1)) - (30, 200, 40)).max() < 30
    above, below = third[:35].mean(axis=(0, 1)), third[55:].mean(axis=(0, 1))
    assert {int(above.argmax()), int(below.argmax())} == {0, 2}, "one colour lies over the other"


@pytest.mark.slow
def test_a_panorama_of_twelve_thousand_pixels_shows_its_subject(tmp_path: Path) -> None:
    picture = np.full((600, 12_000, 3), 120, np.uint8)
    picture[200:400, 10_900:11_100] = (210, 30, 30)
    Image.fromarray(picture).save(tmp_path / "wide.jpg", quality=90)
    for aspect in ("16:9", "9:16"):
        request = request_for(tmp_path, 1.0, aspect=aspect, media=(tmp_path / "wide.jpg",))
        seen = film(request)[-4].astype(int)
        assert ((seen[..., 0] > 150) & (seen[..., 1] < 90)).mean() > 0.02
    Image.new("L", (17_000, 10)).save(tmp_path / "strip.png")
    with pytest.raises(MediaError, match=r"strip\.png has 17,000 x 10 pixels, which is too large"):
        film(request_for(tmp_path, 1.0, media=(tmp_path / "strip.png",)))


@pytest.mark.slow
def test_of_two_hundred_photos_a_few_are_open_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_now: set[int] = set()
    most = [0]

    class CountedView(PhotoView):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            open_now.add(id(self))
            most[0] = max(most[0], len(open_now))

        def close(self) -> None:
            super().close()
            open_now.discard(id(self))

    monkeypatch.setattr(own_views, "PhotoView", CountedView)
    media = []
    for number in range(MAX_MEDIA):
        media.append(tmp_path / f"{number}.jpg")
        Image.new("RGB", (96, 96), (number, 255 - number, 90)).save(media[-1])
    told = Storyboard(tuple(StoryShot(1, path.name, "still") for path in media))
    track = steady_track(8.0, 800, 0.0)
    request = request_for(tmp_path, 8.0, track, aspect="1:1", media=tuple(media), storyboard=told)
    shots = plan_video(request).shots
    assert len(shots) > 90
    frames = film(replace(request, template="dreamy"))  # its dissolves show two at once
    assert 1 <= most[0] <= 4 and not open_now
    for number in (0, 70, len(shots) - 1):
        seen = frames[shots[number].start].astype(int).mean(axis=(0, 1))
        assert abs(seen[0] - seen[1] - (2 * number - 255)) < 60

"""Pictures for a song without pictures, drawn by rule at the full size of the frame: no model has a part in them.

`spectrum` shows the bands as bars over their reflection, `ribbon` the wave as lines that run into the depth,
`particles` sparks that fly out of the middle, far where the bass was strong, `cover` a picture that breathes with the
bass, with the bands around it. Each kind of section has its own two colours.

Letters: H and W height and width of a frame, B bands, P points of a wave.
"""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media.clip_reader import read_picture
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest
from models.music_video.framing import fit_window, place_window
from models.music_video.material import OwnMedium
from models.music_video.song_spectrum import BANDS, SongSpectrum, read_spectrum

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

HUES = ((0.56, 0.83), (0.93, 0.08), (0.40, 0.55), (0.72, 0.95), (0.08, 0.16), (0.30, 0.45))
GROUND_LIGHT, GROUND_PULSE = 0.75, 0.5
BAR_SHARE, BARS_ACROSS = 0.62, 0.84  # of its place that a bar fills, of the frame that all fill
BASE, TALLEST, REFLECTED = 0.66, 0.5, 0.45  # in heights of the frame; the reflection's share of a bar
REFLECTION_LIGHT = 0.28
LINES, FRAMES_A_LINE = 26, 3
HORIZON, NEAR = 0.30, 0.86  # where the farthest and the nearest line lie, in heights of the frame
SPARKS, SHORTEST_LIFE, LIVES = 480, 30, 47  # how many there are; frames that each flies, at least, and how many more
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
SPARK_REACH = 0.75  # of the frame's sides, for the farthest
COVER_SIDE, BREATH = 0.56, 0.09  # of the shorter side
RING_GAP, RING_REACH = 0.03, 0.13
FINE = 4  # bits of a pixel's fraction in which OpenCV draws lines


class Visualiser:
    """A drawing by rule of one song; several threads may use it at once.

    Args:
        cover: the picture of "cover", as it was looked at.
    """

    def __init__(self, request: MusicVideoRequest, sections: tuple[int, ...], cover: OwnMedium | None = None) -> None:
        """Read the song; `sections` holds for each frame which kind of section it belongs to."""
        self.size, self.scene = request.frame_size, request.scene
        self.sections = sections
        self.spectrum: SongSpectrum = read_spectrum(request.song, len(sections))
        self.colours = {kind: make_colours(kind) for kind in set(sections)}
        self.picture: Pixels | None = None
        if self.scene == "cover":
            assert cover is not None, "the request has a picture"
            self.picture, ground = _read_cover(cover, self.size)
            self.grounds = dict.fromkeys(self.colours, ground)
        else:
            self.grounds = {kind: make_ground(colours, self.size) for kind, colours in self.colours.items()}

    def draw(self, frame: int, pulse: float) -> Pixels:
        """Draw a frame, uint8 (H, W, 3); `pulse` in [0, 1] is how fresh the last beat is."""
        import cv2

        frame = min(frame, len(self.sections) - 1)
        kind = self.sections[frame]
        drawn: Any = cv2.convertScaleAbs(self.grounds[kind], alpha=GROUND_LIGHT + GROUND_PULSE * pulse)
        if self.scene == "spectrum":
            self._draw_bars(drawn, frame, self.colours[kind])
        elif self.scene == "ribbon":
            self._draw_ribbon(drawn, frame, self.colours[kind])
        elif self.scene == "particles":
            self._draw_sparks(drawn, frame, self.colours[kind])
        else:
            self._draw_cover(drawn, frame, self.colours[kind])
        return np.asarray(drawn)

    def _draw_bars(self, drawn: Pixels, frame: int, colours: Floats) -> None:
        """Draw bars with smooth ends, a soft light around them, and their reflection."""
        width, height = self.size
        bars = self.spectrum.bands[frame]
        left, place = width * (1 - BARS_ACROSS) / 2, width * BARS_ACROSS / BANDS
        base, tall = round(BASE * height), TALLEST * height
        tops = 2 + bars * tall
        rows = np.arange(base, dtype=np.float32)[:, None] + 0.5
        above = np.clip(tops[None] - (base - rows) + 0.5, 0, 1)
        below_rows = np.arange(height - base, dtype=np.float32)[:, None] + 0.5
        fading = REFLECTION_LIGHT * np.clip(1 - below_rows / (REFLECTED * tall), 0, 1)
        below = np.clip(REFLECTED * tops[None] - below_rows + 0.5, 0, 1) * fading
        cover = np.concatenate([above, below])
        at = (np.arange(width) + 0.5 - left) / place
        inside = np.clip((BAR_SHARE / 2 - np.abs(at % 1 - 0.5)) * place + 0.5, 0, 1) * ((at >= 0) & (at < BANDS))
        number = np.clip(at.astype(int), 0, BANDS - 1)
        layer = np.asarray(cover[:, number] * inside[None], dtype=np.float32)
        paint = np.broadcast_to(colours[number][None], (height, width, 3))
        share = (layer + (1 - layer) * np.minimum(0.5, 0.55 * _make_glow(layer, 8)))[..., None]
        drawn[:] = (drawn + (paint - drawn) * share).astype(np.uint8)

    def _draw_ribbon(self, drawn: Pixels, frame: int, colours: Floats) -> None:
        """Draw the last waves as lines, the newest in front; each hides what lies behind it."""
        import cv2

        width, height = self.size
        waves, now = self.spectrum.waves, frame / FRAMES_A_LINE
        shape = np.hanning(waves.shape[1] + 2)[1:-1]
        across = np.linspace(-0.5, 0.5, waves.shape[1])
        dark = tuple(int(each) for each in 0.07 * colours[0])
        for back in range(LINES - 1, -1, -1):
            number = int(now) - back
            if number < 0:
                continue
            depth = (now - number) / LINES  # 0 near, 1 far
            near = (1 - depth) ** 1.6
            y = height * (HORIZON + (NEAR - HORIZON) * near)
            wave = waves[min(number * FRAMES_A_LINE, len(waves) - 1)] * shape
            rise = height * (0.06 + 0.2 * near) * (0.4 + 0.6 * self.spectrum.bass[number * FRAMES_A_LINE])
            points = np.stack([width * (0.5 + across * (0.5 + 0.62 * near)), y - rise * wave], axis=1)
            fine = np.round(points * 2**FINE).astype(np.int32)
            hull = np.concatenate([fine, [[fine[-1, 0], height << FINE], [fine[0, 0], height << FINE]]]).astype(
                np.int32
            )
            cv2.fillPoly(drawn, [hull], dark, cv2.LINE_AA, FINE)
            light = (0.18 + 0.82 * near) * min(1.0, 4 * (1 - depth))
            paint = tuple(int(each) for each in light * colours[round((1 - near) * (BANDS - 1))])
            thick = max(1, round(height / 260 * (0.4 + near)))
            cv2.polylines(drawn, [fine], False, paint, thick, cv2.LINE_AA, FINE)

    def _draw_sparks(self, drawn: Pixels, frame: int, colours: Floats) -> None:
        """Draw sparks with a soft light around them; each has the loudness of its band at the moment it flew off."""
        import cv2

        width, height = self.size
        number = np.arange(SPARKS)
        life = SHORTEST_LIFE + number * 17 % LIVES
        turn, age = np.divmod(frame + number * 29, life)
        band, born = number * 7 % BANDS, frame - age
        loud = np.where(born >= 0, self.spectrum.bands[np.maximum(born, 0), band], 0.0)
        share = age / life
        far = (0.1 + 0.9 * (1 - (1 - share) ** 2)) * (0.3 + 0.7 * self.spectrum.bass[np.maximum(born, 0)])
        angle = GOLDEN_ANGLE * (number + SPARKS * turn)
        x = width * (0.5 + SPARK_REACH * far * np.cos(angle))
        y = height * (0.5 + SPARK_REACH * far * np.sin(angle))
        radius = min(self.size) / 200 * (0.6 + 1.8 * loud) * (1 - 0.5 * share)
        light = loud * (1 - share) ** 0.7
        layer = np.zeros_like(drawn)
        shown = np.argsort(light)[np.sum(light <= 0.04) :]  # the brightest on top
        centres = np.round(np.stack([x, y], axis=1)[shown] * 2**FINE).astype(int).tolist()
        radii = np.round(radius[shown] * 2**FINE).astype(int).tolist()
        paints = (light[shown, None] * colours[band[shown]]).astype(int).tolist()
        for centre, size, paint in zip(centres, radii, paints, strict=True):
            cv2.circle(layer, centre, size, paint, -1, cv2.LINE_AA, FINE)
        drawn[:] = cv2.add(cv2.add(drawn, layer), cv2.convertScaleAbs(_make_glow(layer, 4), alpha=1.5))

    def _draw_cover(self, drawn: Pixels, frame: int, colours: Floats) -> None:
        """Draw the picture in the middle, larger with the bass, and the bands around it."""
        import cv2

        assert self.picture is not None
        (width, height), bass = self.size, float(self.spectrum.bass[frame])
        side = min(self.size) * COVER_SIDE * (1 + BREATH * bass)
        middle = np.array([width / 2, height / 2])
        bars = self.spectrum.bands[frame]
        angles = np.pi * (np.arange(BANDS) + 0.5) / BANDS
        inner = side / 2 + RING_GAP * min(self.size)
        for turn in (-1, 1):
            way = np.stack([turn * np.sin(angles), np.cos(angles)], axis=1)  # low bands below
            edge = inner / np.abs(way).max(axis=1, keepdims=True)  # along the square
            ends = middle + way * (edge + 2 + RING_REACH * min(self.size) * bars[:, None])
            starts = middle + way * edge
            for start, end, paint in zip(starts, ends, colours, strict=True):
                from_, to = (tuple(int(each) for each in np.round(at * 2**FINE)) for at in (start, end))
                cv2.line(drawn, from_, to, tuple(map(int, paint)), max(2, round(side / 110)), cv2.LINE_AA, FINE)  # type: ignore[arg-type]
        scale = side / self.picture.shape[0]
        left, top = (middle - side / 2 - 1).astype(int)
        whole = int(side) + 4
        back = np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]])
        back[:, 2] = ((np.array([left, top]) + 0.5) - (middle - side / 2)) / scale - 0.5
        options: dict[str, Any] = {"flags": cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP}
        part = cv2.warpAffine(self.picture, back, (whole, whole), borderMode=cv2.BORDER_REPLICATE, **options)
        mask = cv2.warpAffine(np.full(self.picture.shape[:2], 255, np.uint8), back, (whole, whole), **options)
        place = drawn[top : top + whole, left : left + whole]
        share = np.asarray(mask, dtype=np.float32)[..., None] / 255
        place[:] = (place + (np.asarray(part, dtype=np.float32) - place) * share).astype(np.uint8)


def make_colours(kind: int) -> Floats:
    """Make a colour for each band of a kind of section, float32 (B, 3) in [0, 255]."""
    first, last = HUES[kind % len(HUES)]
    last += 1 if last < first else 0
    return np.array(
        [colorsys.hsv_to_rgb(hue % 1, 0.72, 1.0) for hue in np.linspace(first, last, BANDS)], np.float32
    ) * np.float32(255)


def make_ground(colours: Floats, size: tuple[int, int]) -> Pixels:
    """Make the ground of a frame (W, H), uint8 (H, W, 3): nearly black, with a breath of both colours."""
    width, height = size
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    ground = np.full((height, width, 3), 9.0, np.float32)
    for at, colour in ((-0.7, colours[0]), (0.7, colours[-1])):
        near = np.exp(-((x - at) ** 2 / 0.9 + (y - 0.3) ** 2 / 0.8))
        ground += 0.17 * near[..., None] * colour
    noise = np.random.default_rng(0).uniform(0, 1, (height, width, 1)).astype(np.float32)  # else steps would be seen
    return np.asarray(ground + noise, dtype=np.uint8)


def _make_glow(layer: NDArray[Any], part: int) -> NDArray[Any]:
    """Make the soft light around what is drawn in a layer (h, w) or (h, w, 3), on a copy of a `part` of its side."""
    import cv2

    height, width = layer.shape[:2]
    small = cv2.resize(layer, (max(1, width // part), max(1, height // part)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), height / 160), (width, height)))


def _read_cover(cover: OwnMedium, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Read a picture: its best square, as large as it is ever shown, and a dim, soft ground of frame size (W, H)."""
    import cv2

    side = round(min(size) * COVER_SIDE * (1 + BREATH)) + 1
    info = cover.info
    square = place_window(cover.maps[0], *fit_window(info.width, info.height, (1, 1)))
    picture = read_picture(cover.path, side, 20 * side)
    rows, columns = picture.shape[:2]
    top, left = round(square.y * rows), round(square.x * columns)
    cut = picture[top : top + round(square.height * rows), left : left + round(square.width * columns)]
    filter_ = cv2.INTER_AREA if cut.shape[0] > side else cv2.INTER_CUBIC
    shown = np.asarray(cv2.resize(cut, (side, side), interpolation=filter_), dtype=np.uint8)
    width, height = size
    small = cv2.GaussianBlur(cv2.resize(shown, (48, 48), interpolation=cv2.INTER_AREA), (0, 0), 3)
    reach = max(size)
    ground = np.asarray(cv2.resize(small, (reach, reach), interpolation=cv2.INTER_CUBIC))
    ground = ground[(reach - height) // 2 :][:height, (reach - width) // 2 :][:, :width]
    return shown, np.asarray(ground * 0.34, dtype=np.uint8)


def number_sections(request: MusicVideoRequest) -> tuple[int, ...]:
    """Say for each frame which kind of section it belongs to, by the order in which the kinds are first heard."""
    sections = request.features.sections
    if not sections:
        return (0,) * request.frame_count
    labels = list(dict.fromkeys(each.label for each in sections))
    starts = np.array([each.start_s for each in sections])
    times = np.arange(request.frame_count) / FRAME_RATE
    places = np.clip(np.searchsorted(starts, times + 0.02, side="right") - 1, 0, None)
    return tuple(labels.index(sections[place].label) for place in places)

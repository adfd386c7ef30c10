"""The pictures that are offered as styles, and what of a film or picture can be painted in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.style.video_contracts import StyledPart

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "styles"
DRAWN = "drawn by this repository (training/style_picture/patterns.py), MIT"


@dataclass(frozen=True)
class GalleryPicture:
    """A style to choose.

    Attributes:
        key: name of its file without the suffix.
        title: what it is.
        licence: whose it is and on what terms.
    """

    key: str
    title: str
    licence: str

    @property
    def name(self) -> str:
        """Return its title with its painter, where it has one."""
        painter, _, terms = self.licence.partition(";")
        return f"{self.title} · {painter}" if terms else self.title

    @property
    def path(self) -> Path:
        """Where it is."""
        return FOLDER / f"{self.key}.webp"


PICTURES = (
    GalleryPicture("great_wave", "The Great Wave", "Hokusai; public domain, Art Institute of Chicago"),
    GalleryPicture("wheat_field", "Wheat Field with Cypresses", "Van Gogh; public domain, Metropolitan Museum"),
    GalleryPicture("self_portrait", "Self-Portrait, 1889", "Van Gogh; public domain, National Gallery of Art"),
    GalleryPicture("grande_jatte", "Study for La Grande Jatte", "Seurat; public domain, Metropolitan Museum"),
    GalleryPicture("strokes", "Brush strokes", DRAWN),
    GalleryPicture("glass", "Glass pieces", DRAWN),
    GalleryPicture("woodcut", "Woodcut", DRAWN),
    GalleryPicture("dabs", "Dabs of colour", DRAWN),
)
STYLES = tuple((each.name, each.key) for each in PICTURES)
PARTS = (
    ("Everything", StyledPart.ALL.value),
    ("The person only", StyledPart.PERSON.value),
    ("The background only", StyledPart.BACKGROUND.value),
)


def find_picture(key: str) -> GalleryPicture:
    """Return the picture of a key.

    Raises:
        ValueError: there is none.
    """
    for each in PICTURES:
        if each.key == key:
            return each
    raise ValueError(f"style is {key!r}; the gallery has {', '.join(each.key for each in PICTURES)}.")

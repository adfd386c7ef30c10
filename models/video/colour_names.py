"""Colours by name: the 949 names of the xkcd survey and those of CSS, each taken as one of the world's colours.

A name that says a plain colour ("leaf green") is that colour; any other ("lilac") is what most of the names around it
say; what the training captions call a colour goes before. The survey (Munroe 2010, public domain) and the CSS names
come with matplotlib; distances are in Oklab (Ottosson 2020).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.video.scene_words import COLOUR_WORDS
from models.video.text_embedding import split_words

NEIGHBOURS = 7
# Plain colours that names are made of, and the world's colour for each; "" for what the world has none for.
PLAIN = {
    "red": "red", "orange": "orange", "yellow": "gold", "gold": "gold", "golden": "gold", "green": "green",
    "teal": "teal", "turquoise": "teal", "cyan": "teal", "blue": "blue", "purple": "purple", "violet": "purple",
    "pink": "pink", "white": "white", "brown": "", "grey": "", "gray": "", "black": "",
}  # fmt: skip


def to_oklab(colour: tuple[float, float, float]) -> NDArray[np.float64]:
    """Convert a colour of sRGB in [0, 1] to Oklab: lightness, a, b."""
    rgb = np.asarray(colour, np.float64)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(
        np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                  [0.0883024619, 0.2817188376, 0.6299787005]]) @ linear
    )  # fmt: skip
    mixed = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                      [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    return mixed @ cones


# Names that alone are things or times as often as colours, as people type them.
THINGS = frozenset(
    split_words(
        "adobe algae apple asparagus barney berry bile blood brick butter camel camo caramel carnation celery "
        "cement cherry chestnut chocolate cinnamon clay cocoa coffee coral cornflower cornsilk cranberry custard "
        "dandelion dark desert dirt drab dusk dust earth eggplant evergreen fern forest grape grapefruit grass "
        "gunmetal heather honeydew ice iris kiwi leaf leather lemon lichen linen lipstick marigold marine melon "
        "midnight mint mocha moss mud mulberry mushroom ocean orchid pale parchment pea pear peru petrol pine "
        "poppy pumpkin rose royal sage sand sandstone sandy sea seafoam seashell seaweed shamrock sky slate snow "
        "spruce squash steel stone straw strawberry sunflower swamp tea thistle tomato topaz twilight umber "
        "velvet watermelon wheat wine wisteria"
    )
)


@lru_cache(maxsize=1)
def load_colour_names() -> dict[tuple[str, ...], str]:
    """Return the words of each name with the world's colour, a key of COLOURS; "" for greys, browns and black."""
    from matplotlib.colors import CSS4_COLORS, XKCD_COLORS, to_rgb

    both = {**CSS4_COLORS, **{name.removeprefix("xkcd:"): value for name, value in XKCD_COLORS.items()}}
    names = [tuple(split_words(name)) for name in both]
    points = np.stack([to_oklab(to_rgb(value)) for value in both.values()])
    said = [{PLAIN[word] for word in name if word in PLAIN} for name in names]
    plain = [number for number, meanings in enumerate(said) if len(meanings) == 1]
    found = {}
    for name, meanings, point in zip(names, said, points, strict=True):
        if len(meanings) == 1:
            found[name] = next(iter(meanings))
            continue
        order = np.argsort(np.linalg.norm(points[plain] - point, axis=1))[:NEIGHBOURS]
        found[name] = Counter(next(iter(said[plain[at]])) for at in order).most_common(1)[0][0]
    own = {tuple(split_words(word)): colour for colour, (words, _) in COLOUR_WORDS.items() for word in words}
    return found | own


def find_colour(prompt: str) -> str:
    """Find the one colour that a prompt names, a key of COLOURS; "" where it names none or several."""
    words, names, found, at = split_words(prompt), load_colour_names(), set[str](), 0
    longest = max(map(len, names))
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            part = tuple(words[at : at + length])
            if part in names and (length > 1 or part[0] not in THINGS):
                found.add(names[part])
                at += length - 1
                break
        at += 1
    return found.pop() if len(found) == 1 else ""


def name_colours(chips: tuple[str, ...], prompt: str) -> tuple[str, ...]:
    """Call the colours of what was read of a prompt, keys of COLOURS, as the prompt does ("yellow", not "gold")."""
    said: dict[str, str] = {}
    for word in split_words(prompt):
        colour = find_colour(word)
        if colour and colour != word:
            said.setdefault(colour, word)
        elif colour:
            said[colour] = word
    return tuple(" ".join(said.get(word, word) for word in chip.split()) for chip in chips)

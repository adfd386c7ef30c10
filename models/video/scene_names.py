"""Words that name a scene by themselves, words that only come to mind with one, and words of mere style.

The network that reads prompts learned sentences; of "sunset" or "the sea" alone it is not sure. Of a scene's vocabulary
some words are of the same world but are not in its picture, as a submarine is not among the fish under water.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from models.video.scene_words import KIND_NAMES, KIND_TITLES
from models.video.text_embedding import split_words
from models.video.thing_tables import ALL_TIMES, STOP_WORDS


class SceneName(NamedTuple):
    """A scene that is asked for by name, and the direction, time and colour that the name says; "" for none."""

    kind: str
    direction: str = ""
    time: str = ""
    colour: str = ""


_NAMES: dict[SceneName, str] = {
    SceneName("ocean"): (
        "ocean, oceans, sea, seas, seaside, seashore, seascape, beach, coast, coastline, shore, shoreline, waves, "
        "wave, surf, tide, bay, lagoon, lake, waterside"
    ),
    SceneName("starfield", "in"): "space, outer space, deep space, universe, cosmos, nebula, nebulae, hyperspace",
    SceneName("meteors"): "night sky, starry sky, starry night, stars, stargazing, perseids",
    SceneName("galaxy"): "milky way, galaxy, galaxies, andromeda",
    SceneName("planet", colour="red"): "mars",
    SceneName("planet"): "planet, saturn, jupiter, neptune, uranus, venus, mercury, exoplanet",
    SceneName("clouds"): "sky, skies, cloud, clouds, cloudscape, heaven",
    SceneName("lightning"): "storm, thunder, thunderstorm, lightning, thunderclouds",
    SceneName("rain"): "rain, downpour, drizzle, rainstorm, monsoon, rainy day",
    SceneName("snow"): "snow, winter, snowfall, snowstorm, blizzard, wintertime",
    SceneName("forest"): "forest, forests, wood, woods, woodland, jungle, rainforest, trees, taiga",
    SceneName("flowers"): (
        "meadow, meadows, garden, gardens, flower, flowers, field, fields, grassland, grass, prairie, spring, summer, "
        "springtime, summertime, park, countryside, blossoms"
    ),
    SceneName("leaves"): "autumn, leaves, foliage, autumn leaves, fall leaves, fall colors, fall colours",
    SceneName("mountains"): (
        "mountain, mountains, hill, hills, valley, alps, himalaya, nature, landscape, landscapes, scenery, peak, "
        "peaks, fog, mist, highlands, canyon, wilderness"
    ),
    SceneName("desert"): "desert, deserts, dunes, dune, sahara, sand",
    SceneName("waterfall"): "waterfall, waterfalls, cascade, niagara",
    SceneName("underwater"): "underwater, reef, coral reef, aquarium, seabed, fish tank, under water",
    SceneName("fire"): "fire, flames, flame, bonfire, campfire, camp fire",
    SceneName("lava"): "lava, magma",
    SceneName("aurora"): "aurora, auroras, northern lights, polar lights, southern lights, aurora borealis",
    SceneName("fireworks"): "firework, fireworks, new year, new years eve",
    SceneName("city"): (
        "city, cities, town, downtown, skyline, street, streets, skyscraper, skyscrapers, buildings, metropolis, "
        "cityscape, new york, manhattan, tokyo, london, paris, dubai, hong kong, shanghai, chicago, las vegas"
    ),
    SceneName("plasma"): (
        "abstract, psychedelic, trippy, colors, colours, gradient, liquid, lava lamp, colorful, colourful"
    ),
    SceneName("kaleidoscope"): "kaleidoscope, mandala, mandalas, fractal, fractals",
    SceneName("tunnel"): "tunnel, tunnels, wormhole, vortex, portal",
    SceneName("tiles"): "tiles, dance floor, disco",
    SceneName("bubbles"): "bubbles, soap bubbles",
    SceneName("ripples"): "ripples, pond, raindrops, puddle",
    SceneName("sunrise", "up"): "sunrise, sun, daybreak, dawn, morning",
    SceneName("sunrise", "down"): "sunset, sunsets, sundown, dusk, golden hour, evening, twilight",
}  # fmt: skip
_TITLES = {tuple(title.replace("-", " - ").split()): SceneName(kind) for kind, title in KIND_TITLES.items()}
NAMES = _TITLES | {tuple(name.strip().split()): scene for scene, names in _NAMES.items() for name in names.split(",")}
LONGEST = max(map(len, NAMES))
LAST = frozenset({"sunrise", "clouds", "plasma"})  # what is said of a scene, too: "the sea at sunset"
SKY_SHOWS = frozenset({"aurora", "fireworks", "meteors", "galaxy"})  # seen above wherever things stand

# Words of a scene's vocabulary for what is not in its picture.
_UNDRAWN = {
    "boat": "armada barge canoe captain catamaran cruise ferry fisherman fishermen fishing frigate galleon gondola "
    "junk lifeboat mariner motorboat race raft rowboat sailor sailors trawler viking windsurfer",
    "ocean": "surfing tsunami riptide",
    "lighthouse": "foghorn keeper sailors ships",
    "waterfall": "fountain staircase",
    "underwater": "animals cave diver diving dolphins fishbowl jellyfish mermaid octopus plankton scuba school sharks "
    "snorkelling squids stingray submarine sunken swimming tank turtles whales wreck",
    "ripples": "basin bucket larvae mirror mosquito stone tap",
    "ink": "bowl food milk smoke squid tea tumbler",
    "clouds": "aeroplane sheep window",
    "snow": "igloo santa ski skiing sleigh snowman",
    "forest": "bamboo fairy hiking",
    "flowers": "bees bouquet florist gardening",
    "desert": "bedouin camel caravan nomads oasis pyramids tumbleweed egypt cactus",
    "leaves": "raking",
    "birds": "albatross cormorants crow crows dove doves duck ducks eagle falcons finches gull gulls hawk hawks herons "
    "larks owls parrots pelicans penguins pigeons raven ravens robins seagulls sparrow sparrows storks swallows swan "
    "swans vulture goose peacock",
    "balloons": "airship airships blimp dirigible kites parachutes passenger zeppelin",
    "windmill": "miller pinwheel propeller quixote turbine turbines",
    "fire": "arson barbecue candle fireplace furnace grill hearth match matchstick stove torch wildfire",
    "lava": "foundry hephaestus pompeii volcano volcanoes",
    "starfield": "astronaut enterprise rocket spaceship starship",
    "galaxy": "hole",
    "city": "cars cyberpunk crowds office signs taxis",
    "fireworks": "carnival candles sparkler sparklers",
    "lightning": "cyclone hurricane thor tornado typhoon zeus",
    "fireflies": "bees beetles bugs fairies fairy lanterns moths pixies",
    "meteors": "armageddon",
    "tunnel": "catacombs cave chute hole metro mine rabbit sewer subway",
    "ball": "baseball basketball billiard bowling child cricket football goalkeeper golf gym handball pinball "
    "soccer tennis trampoline volleyball games juggling",
    "orbit": "carousel electrons ferris gyroscope satellites",
    "tiles": "bathroom chess chessboard crossword dominoes keyboard lego minecraft qr quilt tetris",
    "bubbles": "bath blowing champagne child shampoo washing wine soda",
    "kaleidoscope": "church origami window",
}  # fmt: skip
UNDRAWN = {kind: frozenset(words.split()) for kind, words in _UNDRAWN.items()}
# What the pictures hold beside what names them.
_DRAWN = {
    "fire": "logs sparks embers ground wood",
    "city": "windows window lights lamps headlights road traffic towers skyline",
    "forest": "trunks trunk light rays leaves ground",
    "boat": "sails hull mast bay sun water",
    "snow": "pines trees window cabin hut roof snowflakes",
    "rain": "street puddles windows person umbrella buildings",
    "aurora": "lake pines mountains stars reflection",
    "fireworks": "bay skyline sky reflection windows rockets",
    "lightning": "clouds plain sky",
    "meteors": "tree hill stars night sky",
    "fireflies": "meadow grass pines stars dots",
    "waterfall": "cliffs moss rocks pool mist",
    "underwater": "fish weed seaweed bubbles light rays",
    "balloons": "hills sky basket baskets clouds",
    "windmill": "fields sails tower clouds",
    "mountains": "mist ridges snow sky",
    "flowers": "meadow grass hills stems petals",
    "desert": "dunes wind sand sky",
    "lighthouse": "sea beam rocks tower stripes",
    "planet": "rings moon stars bands",
    "starfield": "stars nebula flight",
    "ocean": "sun moon horizon clouds waves",
    "sunrise": "sun hills clouds sky",
    "birds": "sun sky flock hills wings",
    "bubbles": "rims light",
    "ball": "floor shadow stripe",
}  # fmt: skip
DRAWN = {kind: frozenset(words.split()) for kind, words in _DRAWN.items()}
MOVING = frozenset(
    split_words("arriving coming crossing drifting going heading passing travelling traveling moving leaving")
)
# How people speak of a video whatever it shows.
FILLING = frozenset(
    split_words(
        "aesthetic aerial amazing ambient atmospheric awesome background beautiful breathtaking calm calming chill "
        "cinematic clip clips cool create cute detailed dramatic dreamy drone epic flyover footage free fullhd "
        "generate give gorgeous hd hdr high hyperlapse hyperrealistic i lapse loop looping lovely make me mesmerizing "
        "mood moody music my nice our peaceful photorealistic please pretty quality realistic relaxing resolution "
        "serene shot show shows slow soothing stock stunning timelapse uhd ultra vibes video videos view views "
        "wallpaper want wonderful your fps k outside inside"
    )
)
TIMELAPSE = frozenset({"timelapse", "hyperlapse"})
ALOFT = frozenset({"drone", "aerial", "flyover"})


def find_scene_name(words: Sequence[str], allowed: Collection[str] | None = None) -> SceneName | None:
    """Find the scene that words name, the longest name first; what may be said of another scene comes last."""
    found = list_scene_names(words)
    fitting = [scene for scene, _ in found if allowed is None or scene.kind in allowed]
    return min(fitting, key=lambda scene: scene.kind in LAST, default=None)


def find_kind_name(words: Sequence[str]) -> str:
    """Find the first kind of scene that a word is the key of, in the plural or not; "" for none."""
    return next((name for word in words for name in (word, f"{word}s") if name in KIND_NAMES), "")


def list_scene_names(words: Sequence[str]) -> list[tuple[SceneName, range]]:
    """List the scenes that words name in their order, and the places of the words that do."""
    found, at = list[tuple[SceneName, range]](), 0
    while at < len(words):
        length = next((n for n in range(LONGEST, 0, -1) if tuple(words[at : at + n]) in NAMES), 0)
        if length:
            found.append((NAMES[tuple(words[at : at + length])], range(at, at + length)))
        at += max(length, 1)
    return found


def is_name_alone(words: Sequence[str]) -> bool:
    """Tell whether words are a scene's name, how it is shown, and nothing else."""
    named = {at for _, places in list_scene_names(words) for at in places}
    others = STOP_WORDS | FILLING | ALL_TIMES
    return bool(named) and all(at in named or word in others or not word.isalpha() for at, word in enumerate(words))

"""The words that say how many things there are, how large, when, where to and how fast, and those that say nothing."""

from __future__ import annotations

from models.video.text_embedding import split_words

PLURALS = {
    "mice": "mouse", "geese": "goose", "wolves": "wolf", "oxen": "ox", "children": "child", "kids": "child",
    "men": "man", "women": "woman", "leaves": "leaf", "policemen": "policeman", "people": "person", "persons": "person",
}  # fmt: skip
SAME_PLURAL = frozenset({"sheep", "deer", "fish", "broccoli", "sushi", "corn", "grapes", "french fries", "goldfish"})
GROUPS = ("group", "flock", "herd", "swarm", "pack", "school", "crowd")
NUMBERS = {
    **dict.fromkeys(("two", "2", "pair", "couple", "both"), 2),
    **dict.fromkeys(("three", "3", "few", "some"), 3),
    **dict.fromkeys(("four", "4", "several"), 4),
    **dict.fromkeys(("five", "5", "many", "lots", *GROUPS), 5),
    **dict.fromkeys(("six", "6", "dozen", "dozens", "hundreds"), 6),
}
SIZE_WORDS = {
    "small": ("tiny", "small", "little", "mini", "miniature", "baby"),
    "large": ("big", "large", "huge", "giant", "enormous", "gigantic", "massive", "tall"),
}
PLAIN_TINTS = {"black": "black", "brown": "brown", "grey": "grey", "gray": "grey", "silver": "grey"}
# What stands between two things, and how the first is to the second.
RELATIONS = {
    "chasing": ("chasing", "chases", "chase", "following", "follows"),
    "riding": ("riding", "rides", "ride", "driving", "drives", "atop"),
    "holding": (
        "holding", "holds", "playing", "plays", "play", "carrying", "carries", "eating", "eats", "drinking", "drinks",
        "reading", "reads", "using", "wearing", "wears", "juggling", "with",
    ),
}  # fmt: skip
STILL_RELATIONS = frozenset(
    {"eating", "eats", "drinking", "drinks", "reading", "reads", "playing", "plays", "using"}
)  # who does so stands
PHRASES = {("taking", "off"): "rising", ("takes", "off"): "rising", ("take", "off"): "rising",
           ("lift", "off"): "rising", ("lifting", "off"): "rising"}  # fmt: skip
GARMENTS = frozenset(
    split_words("dress shirt tshirt jacket coat suit sweater hoodie skirt pants trousers jeans clothes uniform outfit")
)
WEATHERS = {
    **dict.fromkeys(("rain", "rainy", "raining", "rainstorm", "storm", "stormy", "thunderstorm"), "rain"),
    **dict.fromkeys(("snowing", "snowstorm", "blizzard"), "snow"),
}
# Words before a thing that make it a scene's own.
NO_THINGS = frozenset(
    {("glow", "worm"), ("shooting", "star"), ("falling", "star"), ("gas", "giant"), ("molten", "rock"),
     ("air", "balloon")}
)  # fmt: skip
PLACING = frozenset(
    {"in", "on", "under", "over", "through", "across", "among", "above", "between", "near", "at", "into"}
)
TIME_WORDS = {
    "dawn": ("dawn", "morning", "sunrise", "daybreak"),
    "day": ("day", "daylight", "noon", "afternoon", "sunny", "sunshine", "daytime"),
    "dusk": ("dusk", "sunset", "evening", "twilight", "nightfall"),
    "night": ("night", "midnight", "moonlight", "nighttime", "dark"),
}
ALL_TIMES = frozenset().union(*TIME_WORDS.values())
SPEED_WORDS = {
    "slow": ("slowly", "slow", "gently", "calmly", "lazily"),
    "fast": (
        "fast", "quickly", "quick", "rapidly", "swiftly", "speeding", "running", "runs", "run", "racing", "sprinting",
    ),
}  # fmt: skip
DIRECTION_WORDS = {
    "left": ("left", "leftwards"),
    "right": ("right", "rightwards"),
    "up": ("up", "upwards"),
    "down": ("down", "downwards"),
    "clockwise": ("clockwise",),
    "counterclockwise": ("counterclockwise", "anticlockwise"),
}
CAMERA_PHRASES = {
    "pan left": ("pans left", "panning left", "pan left"),
    "pan right": ("pans right", "panning right", "pan right"),
    "zoom in": ("zooms in", "zooming in", "zoom in"),
    "zoom out": ("zooms out", "zooming out", "zoom out"),
}
STOP_WORDS = frozenset(
    split_words(
        "a an the of in on at to from with and or by over under through into near beside behind before across along is "
        "are was it its his her their some video animation clip footage picture film movie scene showing shows camera "
        "static this that as very little small big large cute happy beautiful nice one who which while him them there "
        "around above below slice piece off front looking looks watching watches staring"
    )
)

"""The words that captions are made of: for training, and others that are held out for testing.

Every entry is (training wordings, held-out wordings); "{c}" stands for the colour.
"""

from __future__ import annotations

Wordings = tuple[tuple[str, ...], tuple[str, ...]]

# Scenes in the order of the weights: a number of the attribute "kind" is a place in this row.
KIND_NAMES = (
    "plasma", "kaleidoscope", "tunnel", "ball", "orbit", "tiles", "bubbles", "clouds", "snow", "mountains",
    "forest", "flowers", "desert", "sunrise", "leaves", "birds", "balloons", "windmill", "fire", "lava", "aurora",
    "starfield", "galaxy", "planet", "city", "fireworks", "lightning", "fireflies", "meteors", "ocean", "boat",
    "lighthouse", "waterfall", "underwater", "ripples", "rain", "ink",
)  # fmt: skip

SCENE_BY_RULE = "scene: "  # before the title of a scene that is drawn by rule, where recipes list what is
KIND_TITLES = {
    "fire": "campfire", "ink": "ink in water", "ripples": "ripples on water", "balloons": "hot-air balloons",
    "snow": "cabin in the snow", "rain": "umbrella in the rain", "sunrise": "sun over hills",
    "leaves": "falling leaves",
    "meteors": "shooting stars", "starfield": "stars", "ball": "bouncing ball", "orbit": "shapes in orbit",
    "tiles": "dancing tiles", "bubbles": "soap bubbles", "underwater": "fish under water",
}  # fmt: skip

SUBJECTS: dict[str, Wordings] = {
    "ocean": (
        ("a {c} ocean with rolling waves", "{c} sea waves", "the sea, {c} water", "the {c} sea"),
        ("{c} surf on the open water", "a {c} ocean swell"),
    ),
    "boat": (
        ("a boat with {c} sails", "a sailing boat with a {c} sail on the water", "a {c} sailboat crosses the bay"),
        ("a {c} yacht at sea", "a little ship with {c} canvas"),
    ),
    "lighthouse": (
        ("a {c} lighthouse by the sea", "a {c} and white lighthouse", "a lighthouse with {c} stripes"),
        ("a {c} striped beacon on the coast", "the lamp of a {c} lighthouse sweeps the water"),
    ),
    "waterfall": (
        ("a {c} waterfall", "{c} water falls down a cliff", "a waterfall of {c} water between mossy rocks"),
        ("a {c} cascade in the mountains", "{c} water pouring over rocks"),
    ),
    "underwater": (
        ("fish under {c} water", "an underwater scene with fish, {c} water", "fish swim in the {c} sea"),
        ("a {c} aquarium with fish", "beneath the {c} waves, fish pass by"),
    ),
    "ripples": (
        ("ripples on a {c} pond", "drops fall into {c} water", "rings spread on a {c} lake"),
        ("circles widening on a {c} pool", "droplets on a {c} water surface"),
    ),
    "rain": (
        ("rain on a {c} umbrella", "a {c} umbrella in the rain", "city rain, a person with a {c} umbrella"),
        ("a downpour over a {c} umbrella", "a wet street and a {c} parasol"),
    ),
    "ink": (
        ("{c} ink in water", "a cloud of {c} ink", "{c} ink curls through clear water"),
        ("{c} dye spreading in water", "a {c} plume of paint in a glass"),
    ),
    "clouds": (
        ("{c} clouds in the sky", "{c} clouds drifting", "a sky with {c} clouds"),
        ("puffy {c} clouds pass overhead", "a {c} cloudy sky"),
    ),
    "snow": (
        ("snow falls on a {c} cabin", "a {c} house in the snow", "snowfall over pines and a {c} hut"),
        ("a {c} cottage in winter", "snowflakes around a {c} lodge"),
    ),
    "mountains": (
        ("{c} mountains in the mist", "{c} mountains", "layers of {c} mountains with fog"),
        ("a {c} mountain range", "hazy {c} peaks"),
    ),
    "forest": (
        ("a {c} forest", "a walk through a forest with {c} leaves", "{c} trees in the woods"),
        ("{c} woodland with shafts of light", "passing tree trunks under {c} foliage"),
    ),
    "flowers": (
        ("{c} flowers in a meadow", "{c} flowers swaying in the wind", "a field of {c} flowers"),
        ("{c} blossoms in the breeze", "a garden full of {c} blooms"),
    ),
    "desert": (
        ("a {c} desert", "{c} sand dunes", "dunes of {c} sand in the wind"),
        ("wind over {c} dunes", "a sandy {c} wasteland"),
    ),
    "sunrise": (("a {c} sunrise", "a {c} sky over the hills"), ("the sun over {c} hills",)),
    "leaves": (
        ("{c} leaves falling", "{c} autumn leaves", "falling {c} leaves in the park"),
        ("{c} foliage drifting down", "autumn wind with {c} leaves"),
    ),
    "birds": (
        ("birds in a {c} sky", "a flock of birds against a {c} sky", "birds fly over, the sky is {c}"),
        ("geese crossing a {c} sky", "a {c} heaven with flying birds"),
    ),
    "balloons": (
        ("{c} hot-air balloons", "a {c} hot air balloon over the hills", "{c} balloons in the sky"),
        ("{c} balloon flight", "striped {c} balloons above the countryside"),
    ),
    "windmill": (
        ("a windmill with {c} sails", "a {c} windmill turning", "a {c} windmill in the fields"),
        ("an old mill with {c} blades", "the {c} arms of a mill"),
    ),
    "fire": (
        ("a {c} fire", "a camp fire with {c} flames", "{c} flames in the dark", "burning wood, {c} fire"),
        ("a {c} bonfire", "a {c} blaze with flying sparks"),
    ),
    "lava": (
        ("{c} lava flowing", "glowing {c} lava", "molten {c} lava under a dark crust"),
        ("{c} magma", "a stream of {c} molten rock"),
    ),
    "aurora": (
        ("a {c} aurora", "{c} northern lights over a lake", "an aurora with {c} curtains of light"),
        ("{c} polar lights", "{c} aurora borealis in the night sky"),
    ),
    "starfield": (
        ("flying through {c} stars", "a starfield with a {c} nebula", "stars and a {c} nebula in space"),
        ("{c} outer space", "warp speed through a {c} cosmos"),
    ),
    "galaxy": (
        ("a {c} galaxy", "a spinning {c} spiral galaxy", "a {c} spiral of stars"),
        ("a {c} whirl of stars", "a distant {c} milky way"),
    ),
    "planet": (
        ("a {c} planet with rings", "a {c} planet in space", "a ringed {c} planet and its moon"),
        ("a {c} gas giant", "a {c} world turning among stars"),
    ),
    "city": (
        ("a city with {c} lights", "a {c} city skyline", "{c} city lights and traffic"),
        ("a {c} metropolis with lit windows", "skyscrapers glowing {c}"),
    ),
    "fireworks": (
        ("{c} fireworks", "{c} fireworks burst over a bay", "{c} fireworks over the city"),
        ("{c} rockets exploding in the sky", "a {c} pyrotechnic show"),
    ),
    "lightning": (
        ("{c} lightning", "a storm with {c} lightning", "{c} lightning bolts strike"),
        ("a thunderstorm with {c} flashes", "{c} bolts from dark clouds"),
    ),
    "fireflies": (
        ("{c} fireflies", "{c} fireflies in a dark meadow", "glowing {c} dots in the grass"),
        ("{c} glow worms in the dark", "{c} lights dancing over a meadow"),
    ),
    "meteors": (
        ("{c} shooting stars", "a {c} meteor shower", "{c} meteors over a lone tree"),
        ("{c} falling stars", "{c} comets streaking across the night"),
    ),
    "plasma": (
        ("{c} plasma", "waves of {c} colour", "a {c} abstract plasma"),
        ("flowing {c} colour fields", "a {c} psychedelic pattern"),
    ),
    "kaleidoscope": (
        ("a {c} kaleidoscope", "a {c} mandala turning", "a mirrored {c} pattern"),
        ("a {c} rosette of symmetric petals", "{c} symmetry in motion"),
    ),
    "tunnel": (
        ("a {c} tunnel", "a tunnel of {c} light", "a {c} tunnel with glowing rings"),
        ("a {c} tube of lights", "a {c} corridor without end"),
    ),
    "ball": (
        ("a {c} ball bouncing", "a bouncing {c} ball", "a {c} ball on a chequered floor"),
        ("a {c} rubber ball hops", "a jumping {c} ball"),
    ),
    "orbit": (
        ("{c} shapes orbit a centre", "{c} shapes circling", "{c} shapes around a bright light"),
        ("{c} objects revolve around a core", "{c} bodies on circular paths"),
    ),
    "tiles": (
        ("{c} squares dancing", "a grid of {c} squares", "{c} tiles turning to a beat"),
        ("pulsing {c} blocks", "a {c} checkerboard that dances"),
    ),
    "bubbles": (
        ("soap bubbles, {c} background", "{c} soap bubbles", "bubbles float in {c} light"),
        ("shiny bubbles in front of {c}", "floating {c} bubbles"),
    ),
}  # fmt: skip

SUN_SUBJECTS: dict[str, Wordings] = {
    "up": (
        ("a {c} sunrise over hills", "the sun rises in a {c} sky", "the sun comes up, {c} light"),
        ("daybreak, the {c} sun climbs", "a {c} morning sun appears"),
    ),
    "down": (
        ("a {c} sunset over hills", "the sun sets in a {c} sky", "the sun goes down, {c} light"),
        ("the {c} evening sun sinks", "the sun disappears in {c} glow"),
    ),
}

COLOUR_WORDS: dict[str, Wordings] = {
    "red": (("red", "red", "crimson", "scarlet"), ("ruby", "red")),
    "orange": (("orange", "orange", "amber"), ("tangerine", "orange")),
    "gold": (("golden", "gold", "yellow"), ("lemon yellow", "golden")),
    "green": (("green", "green", "emerald"), ("leaf green", "green")),
    "teal": (("teal", "turquoise", "cyan"), ("aquamarine", "teal")),
    "blue": (("blue", "blue", "deep blue"), ("sapphire blue", "blue")),
    "purple": (("purple", "violet"), ("lilac", "purple")),
    "pink": (("pink", "pink", "rose"), ("salmon pink", "pink")),
    "white": (("white", "white", "pale"), ("snow white", "white")),
}

DIRECTION_WORDS: dict[str, Wordings] = {
    "none": (("",), ("",)),
    "left": (
        ("moving left", "to the left", "from right to left", "heading left", "going left"),
        ("leftwards", "towards the left side"),
    ),
    "right": (
        ("moving right", "to the right", "from left to right", "heading right", "going right"),
        ("rightwards", "towards the right side"),
    ),
    "up": (("moving up", "upwards", "rising", "going up"), ("ascending", "climbing")),
    "down": (("moving down", "downwards", "falling", "going down"), ("descending", "dropping")),
    "in": (("flying forward", "moving forward", "flying into it"), ("rushing ahead", "racing forwards")),
    "out": (("flying backward", "moving backward", "flying out of it"), ("backing away", "in reverse")),
    "clockwise": (("turning clockwise", "clockwise", "rotating clockwise"), ("spinning clockwise",)),
    "counterclockwise": (
        ("turning counterclockwise", "anticlockwise", "rotating counterclockwise"),
        ("spinning anticlockwise",),
    ),
}

TIME_WORDS: dict[str, Wordings] = {
    "": (("",), ("",)),
    "dawn": (("at dawn", "in the early morning", "in morning light"), ("at daybreak", "at first light")),
    "day": (("by day", "in daylight", "on a bright day", "in sunshine"), ("at noon", "in the afternoon")),
    "dusk": (("at dusk", "at sunset", "in the evening"), ("at twilight", "at nightfall")),
    "night": (("at night", "in the night", "under the moon"), ("after dark", "at midnight")),
}

SPEED_WORDS: dict[str, Wordings] = {
    "slow": (("slowly", "gently", "in slow motion"), ("calmly", "at a leisurely pace")),
    "normal": (("",), ("",)),
    "fast": (("fast", "quickly", "rapidly"), ("at high speed", "swiftly")),
}

CAMERA_WORDS: dict[str, Wordings] = {
    "still": (("", "", "static camera"), ("", "fixed camera")),
    "pan left": (("camera pans left", "panning left"), ("the view slides left",)),
    "pan right": (("camera pans right", "panning right"), ("the view slides right",)),
    "zoom in": (("camera zooms in", "zooming in"), ("the camera moves closer",)),
    "zoom out": (("camera zooms out", "zooming out"), ("the camera pulls back",)),
}

OPENINGS: Wordings = (("", "", "", "a video of ", "an animation of "), ("", "footage of ", "a clip showing "))

# Colours that scenes have of themselves, where nobody asks for another.
NATURAL_COLOURS = {
    "fire": "orange", "lava": "orange", "planet": "gold", "leaves": "orange", "ocean": "blue", "waterfall": "blue",
    "forest": "green", "desert": "gold", "sunrise": "orange", "clouds": "white", "lightning": "white",
    "fireflies": "gold", "meteors": "white", "mountains": "blue", "ripples": "blue", "underwater": "blue",
    "aurora": "green",
}  # fmt: skip

# What characters do, where they look, who they are.
MOVE_WORDS: dict[str, Wordings] = {
    "spellcast": (("casts a spell", "does magic"), ("conjures",)),
    "thrust": (("thrusts", "stabs forward"), ("lunges",)),
    "walk": (("walks", "is walking", "goes"), ("strolls", "marches")),
    "slash": (("slashes", "swings an arm"), ("strikes",)),
    "shoot": (("shoots an arrow", "draws a bow"), ("does archery",)),
}
FACING: dict[str, Wordings] = {
    "up": (("away", "up"), ("to the back",)),
    "left": (("left", "to the left"), ("leftwards",)),
    "down": (("towards us", "down"), ("to the front",)),
    "right": (("right", "to the right"), ("rightwards",)),
}
PEOPLE: dict[str, Wordings] = {"male": (("man", "guy"), ("gentleman",)), "female": (("woman", "girl"), ("lady",))}


def tidy(text: str) -> str:
    """Put one space between words, none before a comma, and "an" before a vowel."""
    words = " ".join(text.split()).replace(" ,", ",").split()
    for index in range(len(words) - 1):
        if words[index] in {"a", "an"}:
            words[index] = "an" if words[index + 1][0] in "aeiou" else "a"
    return " ".join(words).strip(" ,")

"""The things by name that the video model draws, where they are, and what they do.

An entry of a list is a name and, after a colon, other words for it. The order is that of the weights: a number of the
attributes "thing", "place" and "act" is a place in these rows.
"""

from __future__ import annotations

_BY_HABIT = {
    "walk": (
        "cat: kitten kitty tomcat, dog: puppy doggy hound, horse: pony stallion mare foal, cow: calf cattle, ox: bull, "
        "pig: piglet swine, sheep: lamb ewe, goat, elephant, giraffe, zebra, lion: lioness, tiger: tigress, "
        "leopard: cheetah jaguar, deer: stag doe reindeer fawn, bear: grizzly, polar bear, panda, koala, fox: vixen, "
        "wolf: werewolf, mouse, squirrel: chipmunk, hedgehog: porcupine, gorilla: ape, monkey: chimpanzee, "
        "camel: dromedary, llama: alpaca, hippopotamus: hippo, rhinoceros: rhino, sloth, otter, skunk, beaver, "
        "crocodile: alligator, turtle: tortoise, lizard: gecko, snake: cobra python, dragon, "
        "dinosaur: brontosaurus sauropod, tyrannosaurus: trex, mammoth, unicorn, snail, chicken: hen, rooster, "
        "duck: duckling mallard, swan: goose, penguin, turkey, peacock, flamingo, ladybug: ladybird beetle, ant, "
        "spider: tarantula, scorpion, caterpillar: worm, crab, lobster, seal: walrus, "
        "astronaut: cosmonaut spaceman, robot: android, alien: extraterrestrial, santa: claus, "
        "wizard: sorcerer mage magician, zombie, vampire: dracula, ninja, princess, prince, chef: cook baker, "
        "policeman: policewoman, detective: spy, dancer: ballerina, baby: infant, firefighter: fireman, farmer, genie, "
        "clown"
    ),
    "hop": "rabbit: bunny hare, kangaroo: wallaby, frog: toad",
    "fly": (
        "parrot: macaw, owl, eagle: hawk falcon, bird: sparrow robin, dove: pigeon, bat, butterfly: moth, "
        "bee: bumblebee wasp, airplane: plane aeroplane jet aircraft, helicopter: chopper, rocket: spaceship "
        "spacecraft, ufo, ghost: phantom, fairy: pixie, star, rainbow, snowflake, earth: globe, balloon, kite, heart, "
        "parachute"
    ),
    "swim": (
        "dolphin, whale, shark, octopus: squid, fish: goldfish, blowfish: pufferfish, ship: steamer, speedboat, mermaid"
    ),
    "drive": (
        "car: automobile sedan, racing car: racecar, taxi: cab, bus, police car, ambulance, fire engine, "
        "truck: lorry van, tractor, motorcycle: motorbike, bicycle: bike, scooter: moped vespa, train: locomotive, "
        "tram: streetcar"
    ),
    "roll": "football: soccer, basketball",
    "stand": (
        "snowman, skull, apple, banana, cherry, strawberry, watermelon, lemon, pineapple, grapes: grape, pear, carrot, "
        "corn: maize, tomato, broccoli, mushroom: toadstool, pumpkin, pizza, hamburger: burger cheeseburger, hot dog, "
        "french fries: fries, taco, sushi, doughnut: donut, cookie: biscuit, cake, cupcake: muffin, ice cream, "
        "lollipop, bread: loaf, cheese, egg, coffee, teapot, tree: oak, palm tree, cactus, christmas tree, sunflower, "
        "tulip, volcano, house: home, castle: fortress, church: chapel, tent, ferris wheel, guitar, piano, drum, "
        "trumpet, violin: fiddle, gift, teddy bear: teddy, clock, television: tv, laptop: computer, book, "
        "light bulb: lightbulb, candle, crown, diamond: gem jewel, key, bell, trophy, bomb, top hat: hat, telescope"
    ),
}


def _list_things() -> dict[str, tuple[str, tuple[str, ...]]]:
    """List name: (habit, all words for it)."""
    found = {}
    for habit, text in _BY_HABIT.items():
        for entry in text.split(","):
            name, _, others = entry.partition(":")
            found[name.strip()] = habit, (name.strip(), *others.split())
    return found


THINGS = _list_things()
THING_NAMES = tuple(THINGS)

PLACES: dict[str, tuple[str, ...]] = {
    "meadow": (
        "meadow",
        "grass",
        "field",
        "garden",
        "park",
        "lawn",
        "farm",
        "countryside",
        "pasture",
        "flowers",
        "prairie",
        "savanna",
        "savannah",
        "backyard",
        "playground",
    ),
    "beach": ("beach", "shore", "coast", "seaside", "seashore", "island"),
    "desert": ("desert", "dunes", "dune", "sand", "sahara"),
    "snow": ("snow", "winter", "ice", "arctic", "antarctica", "snowy", "snowfall"),
    "forest": ("forest", "woods", "wood", "jungle", "woodland", "trees"),
    "city": ("city", "town", "skyline", "downtown", "skyscrapers", "metropolis", "rooftops"),
    "sea": ("sea", "ocean", "water", "waves", "lake", "river", "pond", "underwater", "harbour", "harbor", "bay"),
    "sky": ("sky", "clouds", "air", "cloud", "skies"),
    "space": ("space", "galaxy", "universe", "stars", "cosmos", "orbit", "planets"),
    "moon": ("moon",),
    "mountains": ("mountains", "mountain", "hills", "hill", "alps", "peak", "peaks", "valley"),
    "street": ("street", "road", "highway", "motorway", "lane", "track", "racetrack"),
    "room": ("room", "studio", "indoors", "kitchen", "stage", "floor", "table", "office", "bedroom", "classroom"),
}
PLACE_NAMES = tuple(PLACES)
TIMELESS = ("space", "moon", "room")  # places that look the same at any time of day
PLACE_WORDS = {
    "meadow": "on a meadow", "beach": "on the beach", "desert": "in the desert", "snow": "in the snow",
    "forest": "in the forest", "city": "in the city", "sea": "on the sea", "sky": "in the sky", "space": "in space",
    "moon": "on the moon", "mountains": "in the mountains", "street": "on the street", "room": "in a room",
}  # fmt: skip

# What a thing does: the word of the captions, then the stems of other words for it.
ACTS: dict[str, tuple[str, ...]] = {
    "stand": ("standing", "stand", "sit", "wait", "rest", "sleep", "lie"),
    "walk": (
        "walking",
        "walk",
        "stroll",
        "march",
        "wander",
        "run",
        "jog",
        "gallop",
        "trot",
        "sprint",
        "crawl",
        "waddle",
        "tiptoe",
        "prowl",
        "roam",
        "chase",
        "follow",
    ),
    "hop": ("hopping", "hop", "jump", "bounce", "leap", "skip", "play"),
    "fly": ("flying", "fly", "soar", "glide", "hover", "float", "flutter"),
    "drive": ("driving", "drive", "ride", "race", "speed", "cruise"),
    "swim": ("swimming", "swim", "dive", "sail"),
    "roll": ("rolling", "roll"),
    "dance": ("dancing", "dance", "sway", "wiggle", "rock"),
    "spin": ("spinning", "spin", "turn", "rotate", "twirl", "revolve"),
    "fall": ("falling", "fall", "drop", "sink", "land"),
    "rise": ("rising", "rise", "ascend", "launch", "lift"),
    "grow": ("growing", "grow", "swell"),
}
ACT_NAMES = tuple(ACTS)
LEADING = ("walk", "hop", "fly", "drive", "swim", "roll")  # acts that lead somewhere
UNGROUNDED = frozenset({"fly", "fall", "rise", "swim"})  # acts that need no ground, and so cast no shadow on it
COUNTS = ("one", "two")
THING_ATTRIBUTES = ("thing", "other", "place", "act", "count")
THING_ATTRIBUTE_SIZES = (len(THING_NAMES), len(THING_NAMES), len(PLACE_NAMES), len(ACT_NAMES), len(COUNTS))

HOME_OF_HABIT = {
    "walk": "meadow", "hop": "meadow", "fly": "sky", "swim": "sea", "drive": "street", "roll": "meadow",
    "stand": "room",
}  # fmt: skip
HOMES = {
    **dict.fromkeys(("rocket", "ufo", "earth", "star", "alien"), "space"),
    **dict.fromkeys(("penguin", "polar bear", "snowman", "snowflake", "santa", "mammoth", "christmas tree"), "snow"),
    **dict.fromkeys(("camel", "cactus", "scorpion"), "desert"),
    **dict.fromkeys(("crab", "lobster", "seal", "palm tree"), "beach"),
    **dict.fromkeys(("tree", "house", "castle", "church", "tent", "volcano", "ferris wheel", "sunflower"), "meadow"),
    "astronaut": "moon",
}


def find_home(thing: str) -> str:
    """Return the place where a thing is when none is said."""
    return HOMES.get(thing) or HOME_OF_HABIT[THINGS[thing][0]]

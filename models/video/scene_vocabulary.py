"""Words beside those of the captions that the prompt parser learned, those of the thesaurus: by scene, "" for all."""

from __future__ import annotations

_WORDS = {
    "": (
        "advancing alabaster algae aloft amethyst approaching apricot aqua arctic ascends ashen aubergine avocado "
        "azure baby backwards banana basil blackberry bleached blonde blood bluebell bluegreen bluish blush bottle "
        "bottom brass brick brisk briskly broad bronze bubblegum burgundy butterscotch buttery calm canary candyfloss "
        "cantaloupe cardinal caribbean carmine carnation carrot cerise cerulean chalk champagne cherry chlorophyll "
        "clementine climb cobalt cockcrow colourless copper coppery coral corn cornflower cream cucumber custard "
        "darkness dawning daytime denim depth descends descent dips distance diving downhill downward drop east "
        "eastbound eastward eggplant eggshell elevating entering exiting faster fern fig flamingo flaxen floats "
        "frantic frosted fuchsia furious garnet gentle gilded ginger gloaming goldenrod grape grassy greenish guava "
        "hand haste hasty heather higher honey hurried hurtling iceblue idle indigo inward iris ivory jade kelly "
        "ketchup khaki lagoon landing languid late lavender lazily leaving leftbound leftward levitating lift lifting "
        "lime linen lower lowering lunchtime magenta maize malachite mandarin marine marmalade maroon mauve mid "
        "midday milk mint moonlight moonlit moss mounting mulberry mustard navy nearer nectarine nightly nighttime "
        "nocturnal ochre off olive onward onwards orangey orchid outward papaya pastel peacefully peach peacock pearl "
        "periwinkle persimmon petrol pine pinkish pistachio plum plunging poppy porcelain powder prussian pumpkin "
        "pure purplish quick quickening quietly rapid raspberry receding reddish redwood relaxed retreat retreating "
        "rightbound rightward rise rosewood rosy rouge royal ruddy rushed rust rusty saffron sage sanguine seafoam "
        "settling shrimp sienna silver silvery sink sinking skyward slower sluggish snowy soaring soars softly "
        "speeding speedy spinach squash starboard starlight steadily steel straight straw strawberry sundown sunlit "
        "sunny sunup swift terracotta thistle time tomato top toward tranquil tropical tumbling twilit ultramarine "
        "unhurried unhurriedly uphill upward vanilla verdant verdigris vermilion viridian watermelon west westbound "
        "westward wheat whitish wildly wine wisteria withdrawing yellowish yellowy"
    ),
    "ocean": (
        "as atlantic baltic beach big billows breakers breaks choppy coastline crashing currents endless far foam "
        "gulf horizon inlet lagoon marine mediterranean north oceans one pacific quiet rest riptide rolls rough salt "
        "seas seascape seaside sees shore shoreline spindrift spray stormy surfing swelling tide tsunami watery wave "
        "wavy whitecaps"
    ),
    "boat": (
        "anchor armada barge boating boats canoe captain catamaran cloth craft cruise cutter dinghy ferry fisherman "
        "fishermen fishing frigate galleon gondola harbour horizon junk ketch lifeboat mariner mast motorboat race "
        "raft regatta rowboat sailboats sailcloth sailor sailors schooner seafaring ships skiff sloop small tall tiny "
        "trawler trimaran trip vessel vessels viking voyage windsurfer"
    ),
    "lighthouse": (
        "bands beam cape coastal foghorn for guiding harbour headland keeper lighthouses nautical navigation pharos "
        "sailors seamark searchlight seaside ships signal tower warning"
    ),
    "waterfall": (
        "alpine below boulders brook cataracts chute creek curtain drop flows foaming fountain gorge gushing iguazu "
        "jungle niagara overflow plunge plunges plunging pours rapids ravine river running runs spillway splashing "
        "spray spring staircase stones streams thundering torrent tumbles tumbling victoria waterfalls weir yosemite"
    ),
    "underwater": (
        "angelfish animals barrier below bowl carp cave clownfish coral diver diving dolphins fishbowl fishes "
        "goldfish great jellyfish kelp koi life marine mermaid octopus plankton reef school scuba seabed seaweed "
        "sharks shoal snorkelling squids stingray submarine sunken swimming tank tropical trout tuna turtles whales "
        "wreck"
    ),
    "ripples": (
        "basin bucket calm concentric dew disturbed drip dripping drop expanding hits larvae leaking mirror mosquito "
        "outward pebble puddle raindrop rains ripple running splash splashing still stone tap thrown tiny wave "
        "wavelets well when"
    ),
    "rain": (
        "april bad brolly cloudburst deluge drenched dripping drizzle gloomy gutters heavy his monsoon pavement "
        "pedestrian people pours puddles raincoat raindrops rainfall raining rains rainstorm rainy road showers "
        "soaked sodden someone splashing stormy thunder town umbrellas weather"
    ),
    "ink": (
        "acrylics aquarelle art blot bowl coloured colouring curling diffusing diffusion dispersing dissolves "
        "dissolving drop fluid fluids food gouache liquid milk mixing pigment pigments powder smoke spreads squid "
        "swirl swirling swirls tea tint tinted tumbler vapour watercolour wisps"
    ),
    "clouds": (
        "aeroplane airy bank big cirrus clouded cloudiness cloudless cloudscape cotton cover cumulonimbus cumulus "
        "dreamy drift drifts fair few fleecy fluffy go grey heavy nimbus overcast roll sheep skies soft stratus "
        "summer thick timelapse watching weather window windy wool woolly"
    ),
    "snow": (
        "antarctica blizzard chalet christmas cold cosy covered december eve february flakes flurries flurry frost "
        "frosty frozen ice icy igloo january land lapland log powder roof roofs santa siberia ski skiing sleet sleigh "
        "snowdrift snowed snowing snowman snows snowstorm snowy village weather wintry"
    ),
    "mountains": (
        "alpine alps andes appalachians cliffs crags dolomites elevations everest fells foggy foothills fuji "
        "highlands hilltops hilly himalaya kilimanjaro land massif matterhorn misty mount mountainous nepal patagonia "
        "plateaus pyrenees ridge ridgeline ridges rockies rocky scenery scottish sierra slopes steep summit summits "
        "switzerland tibet uplands valley"
    ),
    "forest": (
        "amazon bamboo beeches birch black branches canopy copse enchanted evergreens fairy ferns firs forestry grove "
        "hiking jungle larch mangrove maple moss oak orchards path pine rainforest redwood sequoias sherwood spruce "
        "sunbeams sunlight taiga tale tall thicket timber trunk undergrowth"
    ),
    "flowers": (
        "azaleas bed bees begonias bloom blooming blossom blossoming botanical bouquet buttercups carnations cherry "
        "chrysanthemums crocuses daffodils daisies dandelions flora floral florist flower flowerbed flowering forget "
        "gardening geraniums heather hibiscus hyacinths irises jasmine lavender lilies magnolia marigolds me moor "
        "nots nursery orchids peonies petal plants poppies poppy prairie roses snowdrops spring sunflowers tulip "
        "tulips violets wildflowers"
    ),
    "desert": (
        "arabia arabian arid arizona badlands barren bedouin blown cactus camel canyon caravan death dried drought "
        "dry dune dusty egypt everywhere gobi kalahari land mesas mirage mojave morocco namibia nevada nomads oasis "
        "outback place plain pyramids sahara sands sandstorm scorching steppe thirst tumbleweed valley wilderness"
    ),
    "sunrise": ("breaks broken coming disc has horizon hour last low new rays setting solar sundown sunlight sunup"),
    "leaves": (
        "autumnal birch blowing carpet colours dance dead dry elm fluttering gust harvest indian lose maple november "
        "oak october pile raking september summer swirl thanksgiving their time tumbling windblown withered"
    ),
    "birds": (
        "albatross bird birdlife cormorants crane cranes crows dove doves ducks eagle falcons feathered finches "
        "flapping flocks friends goose gull gulls hawk hawks herons larks migrating migration owls parrots pelicans "
        "pigeons raven ravens robins seagulls soaring sparrow sparrows starlings storks swallows swans swarm terns "
        "they vulture wing winged wings"
    ),
    "balloons": (
        "aeronauts aerostat airship airships albuquerque ballooning balloonist basket big blimp cappadocia dirigible "
        "festival fiesta inflatable kites lighter montgolfier parachutes passenger ride than zeppelin"
    ),
    "windmill": (
        "blade don dutch energy farm flour grain grinding holland kinderdijk la landscape mancha miller mills "
        "netherlands pinwheel power propeller quixote rotor tower turbine turbines turn vane vanes weather wheel "
        "windmills wings zeeland"
    ),
    "fire": (
        "ablaze arson ashes barbecue big blazing branches burn bush campfire candle coals combustion crackling ember "
        "embers fireplace fires firewood flame flaming furnace grill hearth heat hellfire ignition incineration "
        "inferno kindling lick log logs matchstick pit pyre roaring smoke stories stove torch wildfire"
    ),
    "lava": (
        "basalt cooling cracks crater earth erupting eruption etna flow flows foundry hawaii hell hephaestus iceland "
        "incandescent inside iron kilauea krakatoa melt melted melting metal pompeii pyroclastic river runs seething "
        "slag stone stromboli tectonic vesuvius volcanic volcano volcanoes"
    ),
    "aurora": (
        "alaska arctic auroras bands curtain december finland greenland iceland lapland magnetic nordic north norway "
        "ribbons shimmering solar southern tromso veils waving"
    ),
    "starfield": (
        "astronaut astronomy constellations cosmic dust enterprise faster final flies frontier galactic galaxies "
        "hubble hyperdrive hyperspace infinite interstellar journey jump nebulae orion past picture rocket rush "
        "spaceship star stardust starry starship streak than thousand travel travelling trek trip universe void wars"
    ),
    "galaxy": (
        "accretion andromeda barred black cluster clusters cosmic disc galactic galaxies hole island messier pinwheel "
        "quasar star suns supermassive swirl swirling system universe vortex wheel whirlpool"
    ),
    "planet": (
        "alien bands big body celestial ceres colossal craters dwarf earth europa exoplanet ganymede globe hangs "
        "helium huge hydrogen ice icy jovian jupiter krypton large mars mercury methane moons neptune orbiting "
        "planetary planets pluto ring rocky satellite saturn seen sphere tatooine terra titan turns uranus venus "
        "worlds"
    ),
    "city": (
        "angeles avenue berlin big boulevard buildings cars chicago cities crowds cyberpunk downtown dubai francisco "
        "gotham harbour headlights hong kong las london los manhattan modern neon new office paris rooftops san seoul "
        "shanghai signs singapore skyscraper suburbs tall taxis tokyo towers town urban vegas york"
    ),
    "fireworks": (
        "bang bangers bangs bastille blast blasts bombs bursting bursts candles carnival celebration chrysanthemum "
        "colourful colours crackers detonations display diwali eve explodes explosion explosions fawkes festival "
        "festive firecrackers firework fourth glittering gunpowder independence july new party pyro pyrotechnics "
        "rocket roman salute shells silvester skyrocket sparkler sparklers town year years"
    ),
    "lightning": (
        "arc black bolt breaks crackle cyclone discharge discharges electric electrical electricity flash flashing "
        "forked gale heavy hurricane roaring rumbling sheet storms stormy summer tempest thor thunder thunderbolt "
        "thunderbolts thundercloud thunderclouds thunderhead thundering thunders thundery tornado typhoon violent "
        "weather wild zeus"
    ),
    "fireflies": (
        "bees beetles bioluminescent bugs fairies fairy firefly flickering insects june lanterns luminous moths "
        "pixies shining small sparkling specks summer swarm tiny twinkling will wisps"
    ),
    "meteors": (
        "armageddon asteroid asteroids bolide burn comet fireball geminids halley leonid leonids lines make meteorite "
        "meteorites meteoroids perseids star stones streaks tail tails trail trails upon wish wishes"
    ),
    "plasma": (
        "acid ambient art blobs colours dream flow fluid forms gradient gradients hallucination hallucinogenic hippie "
        "hues hypnotic like liquid lsd marbling melting mixing morphing music patterns play screensaver shifting "
        "sixties soft swirls texture trip trippy visual visuals wallpaper wavy"
    ),
    "kaleidoscope": (
        "arabesque art church crystal crystals doily facets flower folded forms fractal geometric geometry hexagon "
        "images islamic kaleidoscopic lace mandalas mirror mirrors origami ornament ornamental ornaments patterns "
        "prism reflections repeating stained star symmetrical tessellation window"
    ),
    "tunnel": (
        "archway catacombs cave channel chute drain duct endless gateway hall hallway hole hollow long metro mine "
        "neon passage pipe pipes portal rabbit ring sewer shaft subway time travel tunnels underpass vortex wormhole"
    ),
    "ball": (
        "balls baseball basketball beach billiard bounce bounced bounces bouncy bowling child cricket dribbling "
        "exercise football game games goalkeeper golf gym handball hopping juggling jumps marble orb pinball ping "
        "pong soccer sphere sports super tennis thing toy trampoline volleyball"
    ),
    "orbit": (
        "about atom atomic atoms carousel circle cubes electrons ferris go gyroscope merry model moons nucleus "
        "orbiting orbits orrery particles planets revolution revolving ring rotation round satellites solar spheres "
        "star system things triangles wheel"
    ),
    "tiles": (
        "bathroom blinking board boxes bricks cells chess chessboard code coloured crossword cubes dance disco "
        "dominoes equaliser flashing flipping keyboard led lego matrix minecraft mosaic patchwork pixel pixels qr "
        "quilt rectangles square techno tetris tile tiled wall"
    ),
    "bubbles": (
        "airy balls bath blowing blown bubble bubbly champagne child detergent film fizz foam foamy froth frothy "
        "globes iridescent lather machine many round shampoo shimmering soapy soda sparkling spheres suds translucent "
        "transparent washing wine"
    ),
}
SCENE_VOCABULARY = {kind: frozenset(words.split()) for kind, words in _WORDS.items()}

"""More names of what the world shows, for the reader of prompts (`training.video.prompt_parsing`).

Names that no caption of the training uses, parted by commas: synonyms, kinds, parts and neighbours of the thing, as a
person might type them. No word that only the held-out captions use is among them, but about one
in 23 shares a stem with such a word (other forms, compounds): held-out captions are somewhat easier than new words.
"""

from __future__ import annotations

SCENES: dict[str, str] = {
    "ocean": (
        "seascape, tide, breakers, the atlantic, the pacific, seaside, whitecaps, a beach, a stormy sea, rough "
        "seas, billows, a tsunami, the shore, sea foam, a choppy ocean, surfing, the mediterranean, a shoreline, "
        "endless water to the horizon, salt water, a gulf, ocean spray, currents, crashing waves, the baltic, the "
        "north sea, sea water, a bay, deep water, a lagoon, a wavy sea, waves rolling in, waves on the shore, a "
        "swelling sea, water as far as one sees, marine, a quiet sea, the sea at rest, foam on the waves, "
        "coastline, riptide, an inlet, watery, spindrift, sea and waves, waves, wave, a big wave, big waves, a "
        "wave breaks, water of the sea, water waves, ocean, oceans, swelling waves, a wave rolls, rolling sea, an "
        "ocean wave, a rolling ocean"
    ),
    "boat": (
        "a sailor, a regatta, a catamaran, a vessel, a dinghy, sailing, a schooner, a sloop, a galleon, a fishing "
        "boat, a frigate, sailboats, a ferry, a raft, a windsurfer, a mast, a cruise, a harbour with boats, a "
        "skiff, a trimaran, boating, a junk with sails, a rowboat, a sail, sails, a ketch, a gondola, a canoe, a "
        "lifeboat, a sailing race, boats, a tall sail, a fisherman, a captain, a voyage, seafaring, a mariner, a "
        "viking vessel, an armada, at anchor, a small craft on the water, a sailing craft, a cutter, a barge, a "
        "trawler, sailors, sailing at sea, a ketch at sea, a small sailing vessel, a sailing vessel with cloth "
        "sails, sailcloth, a vessel with sails, a sailor at sea, a motorboat, a sailing trip, a vessel at sea, "
        "ships, ships at sea, a schooner with sails, a vessel on the waves, a sail on the horizon, small vessels, "
        "a tiny sail, fishermen at sea, a canoe on the lake"
    ),
    "lighthouse": (
        "harbour signal tower, a warning light, lighthouses, a light tower, a coastal tower with a turning light, "
        "a pharos, a seaside tower, the keeper's tower, a navigation light on the rocks, a tower guiding ships, a "
        "rotating searchlight, a cape with a tower, a signal light over the sea, the light on the cliff, a light "
        "for sailors, the lighthouse keeper, a seamark, a guiding light, a beam over the sea, a tower by the sea, "
        "a turning beam, a signal for sailors, a tower with red and white bands, the rocks and the tower, "
        "nautical tower, a foghorn, a headland tower, a white tower on the rocks"
    ),
    "waterfall": (
        "niagara falls, rapids, falls over a cliff, a torrent, waterfalls, cataracts, a chute of water, plunging "
        "falls, victoria falls, a gushing spring, a tumbling river, white water, iguazu, a gorge with falls, a "
        "weir, a spillway, a thundering fall, a creek over boulders, a fountain, running water, a river over "
        "rocks, white falls, a curtain of water, water falling, falling water, spray and mist below the falls, a "
        "ravine, a drop of water over a cliff, river rapids, overflow, a brook, a fall in the jungle, yosemite "
        "falls, a plunge, falling water between rocks, water over stones, water runs down rocks, water flows over "
        "rocks, water tumbles down, water plunges, a river plunges down, a river drops over a cliff, splashing "
        "down the rocks, a foaming river, foaming water, a brook in the mountains, water in the mountains, an "
        "alpine river, a water staircase, streams, pours down, water pours, flowing water"
    ),
    "underwater": (
        "a reef, coral, diving, goldfish, sharks, deep below, a coral reef, scuba diving, tropical fish, a school "
        "of fish, the seabed, a fish tank, submarine life, jellyfish, marine life, a shoal, kelp, seaweed, "
        "turtles under water, dolphins below, clownfish, the deep sea, snorkelling, koi, whales, angelfish, a "
        "diver, a mermaid, under the sea, fish in a bowl, fish tank, a fishbowl, fishes, swimming fish, an "
        "octopus, a stingray, sea animals, ocean floor, coral fish, trout, tuna, carp, submarine, an underwater "
        "cave, a sunken wreck, plankton, squids, a swim with fish, the great barrier reef"
    ),
    "ripples": (
        "puddle, raindrop, a ripple, concentric rings, rings on water, dripping, a drop falls, a puddle in the "
        "rain, a stone thrown into a pond, expanding rings, dripping water, a still lake disturbed, a splash, "
        "wavelets, water drops, rings running outward, a drip, a raindrop hits, a pebble in a pond, a well, water "
        "drop rings, rain on a pond, a lake when it rains, rings in a pond, a drop hits the water, drip drip, "
        "splashing drops, wave rings, a calm lake with rings, a leaking tap, a disturbed water mirror, drop by "
        "drop, a fish rises, mosquito larvae, tiny waves in a basin, a bucket of water, dew drops falling"
    ),
    "rain": (
        "drizzle, a shower, a raincoat, rainy, umbrellas, puddles, monsoon, a rainy day, a rainstorm, a rainy "
        "city, someone walking with an umbrella, raining, heavy rain, it rains, a rainy evening, soaked pavement, "
        "cloudburst, a deluge, raindrops on the pavement, a pedestrian under an umbrella, showers, bad weather, a "
        "brolly, a rainy night, an umbrella, people with umbrellas, a walk in the rain, rainfall, stormy rain, a "
        "thunder shower, a gloomy day, dripping gutters, the rain pours, it pours, splashing puddles, april "
        "showers, rain on the road, a drenched town, soaked, sodden, a man under his umbrella"
    ),
    "ink": (
        "pigment, watercolour, swirling ink, coloured liquid, diffusing, an ink drop, smoke, a drop of pigment, "
        "tinted smoke, liquid swirls, a coloured fluid dissolving, dissolving tint, coloured smoke curling, fluid "
        "art, milk in tea, a cloud in liquid, dissolving colour, mixing fluids, pigments mixing, vapour, squid "
        "ink, wisps, a drop of colour in water, colour spreads in water, colour in liquid, a swirl of ink, tinted "
        "water, a drop of milk, a squid's cloud, fluid, dissolves, dispersing, diffusion, a tinted cloud under "
        "water, slow smoke, curls of smoke, coloured powder in water, food colouring, an ink blot, colour in "
        "water, colour dissolving in water, pigment in water, a dark cloud in water, a drop spreads, tint in "
        "water, colour in a bowl of water, colour in a tumbler, acrylics in water, gouache in water, aquarelle in "
        "a bowl"
    ),
    "clouds": (
        "cumulus, overcast, the sky, white fluffy sky, cloudscape, fluffy cumulus, cirrus, stratus, a blue sky "
        "with cumulus, an overcast sky, cloud cover, drifting cumulus, sky timelapse, cotton wool sky, skies, "
        "fair weather sky, a windy sky, a cloud bank, a big sky, cumulonimbus, a cloud, cloudiness, nimbus, white "
        "clouds, summer sky, the sky on a fair day, the air, an airy sky, between the clouds, from an aeroplane "
        "window, thick clouds, a dreamy sky, sheep clouds, grey clouds, cloud watching, clouds roll by, clouds "
        "sail by, fleecy clouds, sky with clouds, clouds over us, clouds go by, a cloud drifts by, cloud drift, "
        "heavy clouds, soft clouds, woolly clouds, clouds and sky, a sky of clouds, the clouded sky, clouded, "
        "cloudless with a few clouds"
    ),
    "snow": (
        "blizzard, snowy, christmas, snowstorm, ice, frost, wintry, a snowy evening, christmas eve, a snowed in "
        "house, a chalet, a flurry, a frosty night, a log house in january, a hut in deep snow, snowy roofs, a "
        "white christmas, a ski hut, snowdrift, a snowman, a snowy village, an icy morning, december, flurries, "
        "sleet, frozen land, snowing, it is snowing, it snows, the snow, flakes, a snow storm, an igloo, skiing, "
        "a sleigh, santa, antarctica, siberia, lapland in january, a cosy cabin, a hut, snow covered trees, snow "
        "covered roofs, a frozen village, cold white weather, a cold day, february, a snowy roof, powder snow"
    ),
    "mountains": (
        "the alps, the himalaya, a ridge, a summit, hills, a foggy valley, everest, the andes, the rockies, "
        "highlands, ridges in fog, a misty ridge, alpine scenery, foothills, a massif, sierra, steep cliffs, "
        "summits, mist between the ridges, a valley, blue ridges, crags, mount fuji, plateaus, a mountainous "
        "land, rocky slopes, slopes, hilltops, matterhorn, kilimanjaro, the dolomites, the pyrenees, the "
        "appalachians, switzerland, nepal, tibet, patagonia, fells, the scottish highlands, a hilly land, "
        "elevations, ridgeline, uplands, fog over the hills"
    ),
    "forest": (
        "jungle, grove, woods, pine, oak, undergrowth, a birch forest, a redwood grove, a rainforest, a path "
        "between trees, sunbeams between the trees, a thicket, tall pines, firs, beeches, evergreens, a copse, a "
        "mossy wood, timber, a canopy of trees, hiking in the woods, sunlight through the trees, ferns, trees, a "
        "wood, the black forest, an enchanted forest, a fairy tale forest, the taiga, the amazon, a bamboo grove, "
        "a mangrove, tree trunk, branches, leaves and trees, a forest path, moss, spruce, larch, maple trees, "
        "sherwood, forestry, orchards, a tree, sequoias"
    ),
    "flowers": (
        "tulips, roses, daisies, poppies, sunflowers, blossom, petal, bouquet, a tulip field, wildflowers, "
        "lavender field, a flowerbed, orchids, lilies, a botanical park, spring flowers, buttercups, dandelions, "
        "marigolds, daffodils, a flowering meadow, a bed of roses, carnations, hyacinths, cherry trees in flower, "
        "a poppy, gardening, peonies, a flower, blooming flowers, in bloom, blooming, flora, floral, a prairie in "
        "flower, a nursery of plants, violets, hibiscus, jasmine, chrysanthemums, azaleas, magnolia, geraniums, "
        "begonias, crocuses, snowdrops, irises, forget-me-nots, a florist, bees on the flowers, a poppy field, "
        "blossoming, heather moor"
    ),
    "desert": (
        "sahara, a dune, dry, a camel, arid, barren land, the sahara, a caravan, the gobi, arabian sands, the "
        "outback, a dry plain, a sandstorm, sand hills, drifting sand, cactus, an oasis, sand in the sun, a dusty "
        "plain, the kalahari, nomads, a bedouin, mojave, a canyon, sand everywhere, badlands, drought, mesas, "
        "sand, sands, dusty, egypt, arabia, namibia, morocco, a mirage, sahara dunes, death valley, arizona, "
        "nevada, sand waves, blown sand, a dry land, thirst, tumbleweed, a lone camel, the steppe, a dried lake, "
        "pyramids, scorching sand, a hot dry place, barren hills, dune, a dry wilderness"
    ),
    "sunrise": (
        "the sun, the horizon, solar, evening sky, dawn sky, the sun at the horizon, golden hour, an evening sky "
        "over hills, sunrise, sunset, day breaks, the setting sun, the rising sun, sunup, sundown, a solar disc, "
        "the sun on the horizon, the sun low over the hills, an orange sun, a low sun, sun and hills, morning has "
        "broken, evening light, last rays, the sun is going down, the sun is coming up, a glowing horizon, the "
        "last light, a new day, sunlight over the fields"
    ),
    "leaves": (
        "maple, fall, windblown leaves, october, oak leaves, maple leaves, leaves swirl, leaves in the wind, "
        "autumn, november, leaves blowing, a maple in autumn, dead leaves, autumn colours, a pile of leaves, "
        "tumbling leaves, fluttering leaves, an autumn park, leaves tumbling, birch leaves, withered leaves, "
        "september, leaves, the leaves fall, trees lose their leaves, autumnal, leaves dance, red maple, birch, "
        "elm leaves, a gust of leaves, raking leaves, leaves on the wind, dry leaves, a carpet of leaves, fall "
        "colours, harvest time, thanksgiving, indian summer"
    ),
    "birds": (
        "swallows, gulls, crows, migration, seagulls, flying flock, swans, a flock of starlings, migrating "
        "cranes, sparrows, ravens, pigeons, storks, flapping wings, an eagle, hawks soaring, doves, wings, "
        "albatross, falcons, herons, a swarm of birds, feathered friends, bird, a bird, birds, a gull, a dove, a "
        "hawk, owls, a sparrow, a raven, ducks, goose, a goose, finches, larks, robins, a crane, winged, a "
        "vulture, pelicans, cormorants, parrots, a flock, flocks, birds on the wing, birdlife, terns, they fly in "
        "a v"
    ),
    "balloons": (
        "ballooning, airship, hot air, zeppelin, inflatable, a hot-air balloon, a montgolfier, balloons over the "
        "hills, a balloon ride, a ride in a basket, a festival of balloons, an aerostat, a balloon in the air, a "
        "zeppelin in the sky, a blimp, a balloonist, cappadocia, balloons, a dirigible, a hot balloon, air "
        "balloons, an air balloon, aeronauts, up in a balloon, a big balloon, a big balloon with a basket, "
        "balloon festival, drifting balloons, a passenger balloon, lighter than air, airships, parachutes, kites, "
        "a balloon fiesta, albuquerque"
    ),
    "windmill": (
        "wind turbine, holland, dutch miller, grinding, rotor, a wind turbine, the netherlands, a dutch "
        "landscape, a miller's tower, rotating vanes, wind power, a propeller, don quixote, a rotor in the wind, "
        "turning vanes, turbines, a wind wheel, a grain tower, windmills, wind energy, the wings turn in the "
        "wind, mills, wind mills, flour, a rotating wheel in the wind, wind farm, kinderdijk, zeeland, rotor "
        "blade, blade, pinwheel, a weather vane, la mancha"
    ),
    "fire": (
        "inferno, fireplace, ember, burning, hearth, blazing, torch, a campfire, a log fire, embers, a fireplace, "
        "burning logs, a flame, ablaze, a pyre, a burning hearth, a wildfire, the flames lick, a stove, flaming, "
        "a candle, kindling, combustion, a roaring fire, fire and smoke, burn, a furnace, a burning torch, fires, "
        "a big fire, firewood, a burning log, burning branches, a barbecue, a grill, a fire pit, a burning house, "
        "fire at camp, campfire stories, a fire in the dark, heat, glowing coals, hot coals, coals, ashes, "
        "ignition, matchstick, a burning bush, crackling, crackling logs, hellfire, arson, incineration"
    ),
    "lava": (
        "volcano, eruption, volcanic, crust, a volcano, an erupting volcano, molten stone, an eruption, etna, a "
        "lava lake, glowing crust, a crater, vesuvius, hawaii, a melting crust, cooling stone, incandescent "
        "stone, basalt, pyroclastic, glowing cracks, cracks in the crust, molten metal, hephaestus, volcanoes, a "
        "lava flow, lava flows, lava runs, a river of lava, a lava river, molten, molten earth, krakatoa, "
        "pompeii, stromboli, kilauea, iceland's volcano, earth's crust, the inside of a volcano, hell, glowing "
        "stone, rocks melt, tectonic, seething, iron foundry, slag, red hot stone, melted stone, melted rocks, a "
        "flow of melted stone, a hot flow, a hot flow of stone, flowing rocks"
    ),
    "aurora": (
        "northern lights, arctic lights, curtains of light, auroras, the southern lights, arctic sky, lights over "
        "iceland, lapland, glowing curtains, curtains in the night sky, norway in december, dancing northern "
        "lights, green veils, veils of light, magnetic storm, glowing ribbons over the snow, ribbons of light, "
        "aurora, the arctic night, tromso, the northern light, dancing lights in the north, lights of the north, "
        "the lights over norway, a glowing sky over finland, alaska at night, greenland, nordic lights, solar "
        "wind, sky curtain, waving curtains, shimmering curtains, glowing bands in the sky, tromsø"
    ),
    "starfield": (
        "universe, galaxies, deep space, hyperspace, astronaut, spaceship, interstellar, travelling through "
        "space, flying through the universe, stars fly past, hyperdrive, a nebula, a starship, star travel, the "
        "stars rush by, a space journey, constellations, the void, interstellar travel, stars, orion, nebulae, "
        "stardust, space, a star field, star field, stars in space, a sea of stars, cosmic, cosmic clouds, cosmic "
        "dust, rocket in space, the enterprise, star wars, star trek, a trip through space, through the stars, "
        "past the stars, infinite space, a space trip, a thousand stars, starry, a starry sky, a hubble picture, "
        "astronomy, space travel, cosmic space, the universe flies by, hyperspace jump, a jump to hyperspace, "
        "galactic travel, faster than light, deep universe, the cosmic void, a nebula in space, through a nebula, "
        "through the universe, flying in space, an astronaut in space, stars streak by, stars rush past, zooming "
        "past stars, infinite universe, the final frontier"
    ),
    "galaxy": (
        "andromeda, spiral, vortex of stars, swirling stars, a spiral of suns, the andromeda galaxy, a rotating "
        "spiral, a star vortex, star disc, a pinwheel galaxy, the swirl of a galaxy, a cluster of stars, a "
        "spinning disc of stars, galactic, galaxies, a spiral arm, a black hole, quasar, a star spiral, messier, "
        "a cosmic spiral, a star whirlpool, a whirlpool of stars, a whirlpool galaxy, a swirl of stars, a spiral "
        "nebula, a star system, star clusters, spinning stars, rotating stars, stars in a spiral, a disc of "
        "stars, a barred spiral, an island universe, a supermassive black hole, accretion disc, a turning wheel "
        "of stars, a vortex in space"
    ),
    "planet": (
        "saturn, jupiter, mars, globe, moon, orbiting earth, planets, neptune, uranus, venus, pluto, the earth "
        "from space, an alien planet, a planet with a ring, a rotating planet, the moon, a rotating globe, a "
        "sphere in space, an exoplanet, planet earth, a ringed sphere, the red planet, mercury, a moon with "
        "craters, a spinning globe, the earth, rings of saturn, a planet, a big planet, a globe in space, a moon, "
        "moons, a ball in space, an icy planet, a rocky planet, a blue planet, a spinning planet, titan, europa, "
        "ganymede, ceres, planetary, a planet turns, terra, a celestial body, a dwarf planet, a satellite, the "
        "ring planet, tatooine, a huge planet, a large planet, a colossal planet, an ice planet, a desert planet, "
        "a jovian planet, a planet spinning in space, earth spinning, a globe spinning under the stars, a sphere "
        "turning in space, mars seen from orbit, a planet hangs in the dark, bands of jupiter, a moon rising over "
        "a planet, the ringed planet, a planet and stars, worlds, an alien globe, a hydrogen planet, helium, "
        "methane, krypton, the planet earth turns"
    ),
    "city": (
        "downtown, urban, town, buildings, towers, traffic, manhattan, tokyo, a skyline, new york, hong kong, "
        "shanghai, an urban night, office towers, city traffic, london, neon signs, cars, las vegas, chicago, "
        "paris by night, headlights, an avenue, dubai, a boulevard, a town, rooftops, a big city, a modern city, "
        "cities, night in the city, city at night, office buildings, tall buildings, skyscraper, a skyline by "
        "night, singapore, seoul, berlin, los angeles, san francisco, gotham, neon, cyberpunk, taxis, crowds, a "
        "harbour skyline, urban lights, suburbs"
    ),
    "fireworks": (
        "firecrackers, celebration, new year, explosions, sparkler, firework, new year's eve, the fourth of july, "
        "a celebration over the bay, bursting shells, a festival, bursts in the night sky, crackers, bangers, "
        "sparklers, silvester, bastille day, roman candles, a salute, detonations, diwali, a burst, a firework, a "
        "rocket, a rocket bursts, new years eve, a party in the sky, sky party, a celebration, independence day, "
        "chrysanthemum bursts, bang, bangs, explosion, explosions in the sky, guy fawkes night, glittering "
        "bursts, pyrotechnics, colourful explosions, gunpowder, carnival, explosion of colour in the night sky, "
        "explosions of colour over the town, bursting colours at night, colours burst over the sea, a rocket goes "
        "up, a rocket explodes, explodes in the sky, bursting in the air, bombs bursting in air, a festive sky, a "
        "display in the sky, a display of fireworks, a pyro display, a pyrotechnics display, skyrocket, a blast, "
        "blasts, shells burst"
    ),
    "lightning": (
        "thunder, storms, electric, stormy, tempest, bolt, a thunderbolt, an electric storm, thunderclouds, a "
        "stormy sky, thunder and lightning, a tempest, a violent storm, electricity, a summer storm, a lightning "
        "strike, discharges, storm, zeus, a hurricane, thundering, gale, a flash of lightning, a storm, a storm "
        "at night, thunderbolts, thundercloud, a storm cloud, electrical storm, a bolt, a lightning bolt, a "
        "flash, storm clouds, tornado, cyclone, typhoon, a storm breaks, roaring thunder, rolling thunder, heavy "
        "weather, a wild storm, an electric arc, thor, a thunderhead, thundery sky, dark storm clouds, lightning "
        "from a dark cloud, a bolt from the sky, black clouds and thunder, flashing clouds, a bright flash in the "
        "clouds, a flash lights up the clouds, clouds with lightning, thunders, a thunder, an electric discharge, "
        "electrical discharges, forked lightning, sheet lightning, a stormy night, a night of thunder, dark "
        "clouds crackle, rumbling, black storm"
    ),
    "fireflies": (
        "firefly, glowing insects, tiny lights at night, insects, a firefly, glowing beetles, lightning bugs, "
        "bugs, small lights in the grass, twinkling insects, flickering dots over the field, glowing specks, "
        "bioluminescent insects, june bugs, a summer night with insects, fairies, fairy lights, sparkling specks "
        "in the meadow, a swarm of fireflies, dancing lights in the grass, glowing bugs, shining insects, light "
        "bugs, luminous insects, glowing dots, tiny lanterns, pixies, will-o'-the-wisps, dots of light, lights in "
        "the meadow, glowing bees, moths"
    ),
    "meteors": (
        "meteorite, asteroid, shooting star, star shower, perseids, the perseids, a meteor, a shower of meteors, "
        "asteroids, a fireball in the sky, meteorites, geminids, leonids, a wish upon a shooting star, a bolide, "
        "a star falls, halley, streaks in the night sky, light trails in the sky, space rocks burn up, meteor, "
        "meteoroids, trails of light over a tree, falling star, a falling star, star fall, meteor shower, make a "
        "wish, stones from space, burning stones from the sky, burning rocks, a meteorite falls, bright streaks, "
        "streaks of light, light streaks, lines of light in the sky, leonid shower, comet, a comet, a comet's "
        "tail, tails of light, a trail in the sky, armageddon, wishes"
    ),
    "plasma": (
        "abstract, swirls of colour, colour waves, gradient, hypnotic, trippy, an abstract pattern, abstract art, "
        "colour gradients, liquid colours, a morphing gradient, blobs, shifting hues, hypnotic waves, abstract "
        "background, swirls, melting colours, a wavy texture, a screensaver, colours mixing, abstract shapes, "
        "wallpaper, hues, waves of light, fluid colours, flowing colours, colours flow, moving colours, colour "
        "field, a colour play, a play of colours, abstract waves, abstract forms, abstract colours, soft "
        "gradients, aurora-like colours, soft colour clouds, visual music, lsd, acid colours, acid trip, a dream "
        "of colour, ambient visuals, liquid light, marbling, colours, colour pattern, moving colour pattern, "
        "flowing patterns, hallucination, hallucinogenic colours, sixties pattern, hippie pattern, wavy colours, "
        "colour fields, colours in motion, colours flowing"
    ),
    "kaleidoscope": (
        "mandala, geometric pattern, mirror, ornament, symmetrical, stained, a symmetrical pattern, mirrors, "
        "ornaments, a mirror pattern, a geometric ornament, geometric art, a star ornament, crystals, a snow "
        "crystal, mandalas, a rotating ornament, arabesque, tessellation, kaleidoscopic, facets, a geometric "
        "flower, fractal, a prism, a rotating mandala, a star pattern, a flower pattern, patterns, a pattern, "
        "geometric, geometry, geometric shapes, geometric forms, mirrored, mirrored shapes, reflections, mirror "
        "images, a rose window, a church window, an islamic pattern, a folded pattern, a doily, lace, a repeating "
        "pattern, ornamental, snow crystals, a hexagon pattern, origami"
    ),
    "tunnel": (
        "passage, wormhole, hallway, subway, portal, tunnels, a wormhole, a passage of rings, an endless hallway, "
        "a portal, a neon passage, through the pipe, an underpass, a subway, a mine shaft, a channel of light, "
        "time travel, a vortex passage, a hall of rings, a gateway, a duct, cave, a tunnel, in the tunnel, "
        "through a tunnel, a long tunnel, neon tunnel, an endless passage, endless passage, a pipe, pipes, a "
        "sewer, a metro, rings of light, through rings, a ring tunnel, a time tunnel, a vortex, falling down a "
        "hole, rabbit hole, a drain, a shaft, catacombs, an archway, hollow, chute"
    ),
    "ball": (
        "basketball, football, bounces, sphere, bounced, a beach ball, a tennis ball, a soccer ball, a bouncing "
        "sphere, a ping-pong ball, a marble on the floor, dribbling, a toy ball, a volleyball, a rolling ball, a "
        "golf ball, a sphere bounces on tiles, balls, a baseball, bounce, juggling, a billiard ball, a bouncy "
        "toy, a ball, a ball jumps, a hopping ball, a bouncing thing, trampoline, a child's ball, a gym ball, an "
        "exercise ball, a bowling ball, a cricket ball, a handball, a pinball, a super ball, a ball game, a "
        "sports ball, ball games, goalkeeper, a ball goes up and down, an orb bounces, orb"
    ),
    "orbit": (
        "planets circling, atoms, particles around a nucleus, satellites, circle around, electrons around a "
        "nucleus, a carousel of shapes, an atom, a solar system, satellites around a planet, moons around a sun, "
        "a merry-go-round, triangles go round a light, circling dots, an orrery, circling shapes, rotation about "
        "a centre, orbiting, orbits, spheres going round, an atomic model, orbit, in orbit, things in orbit, "
        "rotating shapes, shapes in a circle, round and round, going around, circling, planets round the sun, "
        "particles circling, spinning around a light, around a star, around a sun, a ring of shapes, a ferris "
        "wheel, gyroscope, revolving shapes, cubes in a circle, revolution"
    ),
    "tiles": (
        "squares, mosaic, grid, cubes, disco, chessboard, a mosaic, a disco floor, a chess board, a grid of "
        "cubes, a dance floor, pixels, a pixel grid, flipping squares, a chequered pattern, a quilt, bathroom "
        "tiles, a matrix, a board of squares, an equaliser, cells, a tiled wall, dominoes, lego, rectangles, "
        "squares to the beat, tiles, a tile, a tiled floor, a dancing floor, square, coloured squares, blinking "
        "squares, flashing squares, a wall of squares, a field of squares, square pattern, boxes, cubes in a "
        "grid, a led wall, a mosaic floor, chess, a chess pattern, a crossword, qr code, tetris, minecraft, a "
        "patchwork, bricks, a keyboard of squares, techno squares"
    ),
    "bubbles": (
        "soap, foam, bubble, bubbly, translucent spheres, soap and water, blowing bubbles, a bubble bath, "
        "champagne, transparent globes, translucent balls, iridescent spheres, suds, a soap bubble, fizz, a "
        "bubble machine, lather, iridescent soap, sparkling water, foamy, airy globes, bubbles blown by a child, "
        "froth, a bubble, soapy, soapy bubbles, soapy water, a soap film, bubble bath, blown bubbles, many "
        "bubbles, transparent bubbles, transparent spheres, airy spheres, balls of soap, round bubbles, "
        "shimmering spheres, shimmering bubbles, globes of soap, bubbly water, soda, sparkling wine, frothy, "
        "detergent, shampoo, washing up, foam bath"
    ),
}

OTHERS: dict[str, str] = {
    "red": (
        "maroon burgundy cherry blood vermilion carmine cardinal brick wine strawberry tomato garnet rouge "
        "reddish cerise rusty-red blood-red fire-red ruddy copper-red sanguine rosewood poppy ketchup redwood"
    ),
    "orange": (
        "apricot rust copper carrot pumpkin mandarin ginger terracotta persimmon ochre papaya bronze "
        "clementine orangey squash sienna marmalade coppery cantaloupe nectarine"
    ),
    "gold": (
        "mustard honey sunny straw banana yellowish canary blonde sand saffron brass maize wheat buttery corn "
        "gilded flaxen champagne butterscotch khaki goldenrod custard yellowy"
    ),
    "green": (
        "lime olive mint jade grass mossy greenish pistachio avocado fern viridian pine malachite verdant "
        "spinach basil sage moss-green algae chlorophyll kelly-green cucumber grassy bottle-green"
    ),
    "teal": (
        "aqua seafoam cyan peacock turquoise bluish-green blue-green lagoon caribbean verdigris petrol-blue "
        "cyan-blue turquoise-blue tropical-water sea-green bluegreen mint-blue"
    ),
    "blue": (
        "navy azure cobalt indigo cerulean bluish ultramarine denim royal-blue steel-blue bluebell cornflower "
        "cobalt-blue marine-blue arctic ocean-blue iceblue prussian"
    ),
    "purple": (
        "lavender mauve plum magenta orchid amethyst grape eggplant aubergine heather iris wisteria violet "
        "purplish mulberry violet-blue fuchsia-violet periwinkle blackberry thistle royal-purple lavender- "
        "blue fig"
    ),
    "pink": (
        "fuchsia blush flamingo peach bubblegum pinkish coral carnation candyfloss raspberry rosy watermelon "
        "magenta-pink rose-pink hot-pink pastel-pink shrimp powder-pink baby-pink guava"
    ),
    "white": (
        "ivory cream milk pearl silver whitish chalk alabaster colourless bleached porcelain silvery ashen "
        "snowy pure-white off-white eggshell bright-white linen frosted vanilla"
    ),
    "left": "westward west leftward left to-the-left left-hand from-the-right leftbound toward-the-left westbound",
    "right": (
        "eastward east rightward starboard right to-the-right right-hand from-the-left rightbound toward-the- eastbound"
    ),
    "up": (
        "soaring lifting up skyward ascends upward higher lift rises rise mounting elevating uphill aloft "
        "floats-up drifting-up bottom-to-top levitating goes-up soars climb"
    ),
    "down": (
        "plunging lowering down sinking descends downward lower falls fall tumbling diving drops dips sink "
        "downhill floats-down drifting-down top-to-bottom settling goes-down descent drop landing"
    ),
    "in": (
        "onward advancing approaching forward inward nearer straight-on into-the-distance towards-it into- "
        "depth diving-in entering onwards goes-forward"
    ),
    "out": (
        "receding retreating backwards backward outward withdrawing retreat away-from-us away leaving exiting "
        "goes-backward"
    ),
    "slow": (
        "lazily unhurried tranquil sluggish slow slower gentle softly steadily peacefully quietly slow-motion "
        "languid relaxed idle calm unhurriedly"
    ),
    "fast": (
        "briskly speeding hurried speedy hasty rushed quick rapid faster hurtling wildly swift in-haste brisk "
        "quickening frantic furious"
    ),
    "dawn": "sunup daylight dawning dawn morning early cockcrow sunrise morning-light early-day",
    "day": "midday daytime sunny day lunchtime sunlit daylight mid-day broad-daylight in-the-sun",
    "dusk": "sundown gloaming dusk evening sunset late evening-light twilit late-light",
    "night": (
        "nighttime moonlit nocturnal dark night nightly moonlight starlight night-time in-darkness darkness "
        "at-nighttime"
    ),
}

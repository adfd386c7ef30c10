"""Words by which people describe music, and what the composer can be told of them.

The values are those of `MusicRequest`: General MIDI programs, quarters a minute, notes in a quarter, mean pitches.
A genre or a mood also carries a mode, from which a key follows where none is named.
"""

from __future__ import annotations

from typing import Any

Settings = dict[str, Any]

INSTRUMENT_WORDS: dict[str, tuple[int, ...]] = {
    "piano|grand piano|pianoforte|keys": (0,),
    "electric piano|e-piano|e piano|rhodes|wurlitzer": (4,),
    "harpsichord|cembalo": (6,),
    "vibraphone|vibes": (11,),
    "organ|hammond": (16,),
    "church organ|pipe organ": (19,),
    "nylon guitar|classical guitar|spanish guitar|flamenco guitar": (24,),
    "guitar|acoustic guitar|steel guitar|folk guitar|western guitar": (25,),
    "jazz guitar": (26,),
    "electric guitar|e-guitar|clean guitar": (27,),
    "acoustic bass|upright bass": (32,),
    "bass|electric bass|bass guitar|bassline|bass line": (33,),
    "synth bass|808 bass|808": (38,),
    "violin|fiddle": (40,),
    "viola": (41,),
    "cello|celli|violoncello": (42,),
    "double bass|contrabass": (43,),
    "harp": (46,),
    "strings|string section|string ensemble": (48,),
    "string quartet": (40, 40, 41, 42),
    "string trio": (40, 41, 42),
    "choir|voices|chorus": (52,),
    "trumpet": (56,),
    "french horn|horn": (60,),
    "brass|brass section|horn section": (61,),
    "saxophone|sax": (65,),
    "oboe": (68,),
    "bassoon": (70,),
    "clarinet": (71,),
    "flute": (73,),
    "woodwinds|woodwind section": (73, 68, 71, 70),
    "synth|synth lead|synthesizer|synthesiser|lead synth": (81,),
    "pad|warm pad|synth pad": (89,),
    "orchestra|full orchestra": (73, 60, 40, 48, 43),
}
# Instruments that the composer does not have, and the one of its own that comes nearest.
NEAREST_WORDS: dict[str, int] = {
    "upright piano|honky-tonk piano": 0,
    "harmonium|accordion|harmonica|melodica": 16,
    "marimba|xylophone|glockenspiel|kalimba|music box|celesta|steel drum|steelpan|bell|chime": 11,
    "ukulele|lute|sitar|koto|balalaika": 24,
    "banjo|mandolin|bouzouki": 25,
    "distorted guitar|distortion guitar": 27,
    "slap bass|fretless bass": 33,
    "trombone|tuba": 61,
    "bugle|cornet|flugelhorn": 56,
    "english horn|cor anglais|bagpipe": 68,
    "piccolo|recorder|pan flute|pan pipes|ocarina|tin whistle|whistle": 73,
}
DRUM_WORDS = "drums|drum|drum kit|drum set|drumkit|percussion|drum machine|a beat under it"
DRUMS_ALONE_WORDS = (
    "drums only|only drums|drums solo|just drums|drum solo|drum loop|drum groove|drums alone|drummer alone|"
    "drum beat|drum pattern"
)

GENRES: dict[str, Settings] = {
    "lo-fi|lofi|lo fi|lo-fi hip hop|lofi hip hop|chillhop": {
        "style": "pop", "tempo": 78, "instruments": (4, 33), "drums": "yes", "density": 4.0,
    },
    "pop|pop song": {"style": "pop", "tempo": 112, "instruments": (0, 25, 33), "drums": "yes"},
    "rock|rock song": {"style": "pop", "tempo": 128, "instruments": (27, 33), "drums": "yes", "density": 7.0},
    "punk": {"style": "pop", "tempo": 170, "instruments": (27, 33), "drums": "yes", "mode": "major", "density": 8.0},
    "metal|heavy metal|death metal|thrash metal": {
        "style": "pop", "tempo": 150, "instruments": (27, 33), "drums": "yes", "mode": "minor", "density": 8.0,
    },
    "ballad|power ballad": {"style": "pop", "tempo": 70, "instruments": (0, 48, 33), "drums": "yes"},
    "jazz trio|piano trio|lounge|elevator": {"style": "pop", "tempo": 116, "instruments": (0, 32), "drums": "yes"},
    "jazz|swing|bebop": {"style": "pop", "tempo": 130, "instruments": (65, 0, 32), "drums": "yes"},
    "bossa nova|bossa": {"style": "pop", "tempo": 120, "instruments": (73, 24, 32), "drums": "yes"},
    "blues": {"style": "pop", "tempo": 88, "instruments": (27, 16, 33), "drums": "yes"},
    "funk|funky|groovy|disco": {
        "style": "pop", "tempo": 114, "instruments": (61, 27, 33), "drums": "yes", "density": 8.0,
    },
    "soul|r&b|rnb|motown": {"style": "pop", "tempo": 92, "instruments": (65, 4, 33), "drums": "yes"},
    "hip hop|hip-hop|rap|boom bap": {
        "style": "pop", "tempo": 86, "instruments": (4, 38), "drums": "yes", "mode": "minor",
    },
    "trap|dubstep": {"style": "pop", "tempo": 140, "instruments": (81, 38), "drums": "yes", "mode": "minor"},
    "drum and bass|drum & bass|drum n bass|drum'n'bass|dnb|jungle": {
        "style": "pop", "tempo": 172, "instruments": (81, 89, 38), "drums": "yes", "mode": "minor", "density": 8.0,
    },
    "chiptune|8-bit|8 bit|16-bit|video game|retro game|arcade": {
        "style": "pop", "tempo": 140, "instruments": (81, 38), "drums": "yes", "mode": "major",
    },
    "house|techno|edm|dance|dance music|club|electronic|trance|eurodance": {
        "style": "pop", "tempo": 126, "instruments": (81, 89, 38), "drums": "yes",
    },
    "synthwave|synth pop|synth-pop|retrowave|80s|1980s|eighties": {
        "style": "pop", "tempo": 104, "instruments": (81, 89, 38), "drums": "yes", "mode": "minor",
    },
    "60s|1960s|sixties": {"style": "pop", "tempo": 120, "instruments": (27, 16, 33), "drums": "yes"},
    "70s|1970s|seventies": {"style": "pop", "tempo": 112, "instruments": (61, 4, 33), "drums": "yes"},
    "90s|1990s|nineties": {"style": "pop", "tempo": 104, "instruments": (0, 27, 33), "drums": "yes"},
    "reggae|ska": {"style": "pop", "tempo": 84, "instruments": (16, 27, 33), "drums": "yes", "mode": "major"},
    "reggaeton|dancehall": {"style": "pop", "tempo": 94, "instruments": (81, 38), "drums": "yes", "mode": "minor"},
    "salsa|latin|mambo|cha-cha|cha cha|merengue": {
        "style": "pop", "tempo": 96, "instruments": (56, 0, 32), "drums": "yes", "density": 7.0,
    },
    "samba": {"style": "pop", "tempo": 104, "instruments": (73, 24, 32), "drums": "yes", "mode": "major"},
    "tango": {"meter": "2/4", "tempo": 64, "instruments": (40, 0, 43), "drums": "no", "mode": "minor"},
    "gospel": {"style": "pop", "tempo": 84, "instruments": (52, 16, 33), "drums": "yes", "mode": "major"},
    "ragtime|honky-tonk": {
        "style": "", "meter": "2/4", "tempo": 92, "instruments": (0,), "drums": "no", "mode": "major",
    },
    "christmas|carol|christmas carol": {
        "style": "chorales", "tempo": 92, "instruments": (52, 52, 52, 52), "drums": "no", "mode": "major",
    },
    "national anthem|anthem": {
        "style": "chorales", "meter": "4/4", "tempo": 84, "instruments": (56, 60, 61, 43), "drums": "no",
        "mode": "major",
    },
    "sea shanty|shanty|pirate": {"meter": "6/8", "tempo": 126, "instruments": (40, 16, 32), "drums": "no"},
    "medieval|renaissance|tavern": {"style": "", "tempo": 108, "instruments": (73, 24), "drums": "no", "mode": "minor"},
    "corporate|advert|commercial|jingle": {
        "style": "pop", "tempo": 112, "instruments": (0, 25, 33), "drums": "yes", "mode": "major",
    },
    "nursery rhyme|kids song|children's song|kids music|children's music": {
        "style": "", "tempo": 108, "instruments": (0,), "drums": "no", "mode": "major", "density": 3.0,
    },
    "country|bluegrass": {"style": "pop", "tempo": 116, "instruments": (40, 25, 33), "drums": "yes", "mode": "major"},
    "ambient|drone|soundscape": {
        "style": "", "tempo": 60, "instruments": (89, 48), "drums": "no", "density": 1.5,
    },
    "new age|meditation|spa": {"style": "", "tempo": 62, "instruments": (73, 46, 89), "drums": "no", "density": 2.0},
    "folk tune|jig|reel|irish|celtic": {"style": "", "tempo": 116, "instruments": (40,), "drums": "no"},
    "folk|folk song|singer-songwriter|singer songwriter": {
        "style": "pop", "tempo": 96, "instruments": (73, 25, 32), "drums": "no", "mode": "major",
    },
    "classical|romantic era|chamber music": {"style": "lieder", "tempo": 88, "instruments": (40, 0), "drums": "no"},
    "baroque": {"style": "chorales", "tempo": 84, "instruments": (40, 68, 6, 42), "drums": "no"},
    "art song|lied|lieder": {"style": "lieder", "tempo": 84, "instruments": (68, 0), "drums": "no"},
    "chorale|hymn|bach chorale|church music": {
        "style": "chorales", "tempo": 80, "meter": "4/4", "instruments": (52, 52, 52, 52), "drums": "no",
    },
    "orchestral|symphonic|film score|film music|movie score|soundtrack|trailer": {
        "style": "lieder", "tempo": 84, "instruments": (73, 60, 40, 48, 43), "drums": "no",
    },
    "waltz|viennese waltz": {"meter": "3/4", "tempo": 150, "drums": "no"},
    "march|marching band": {"meter": "2/4", "tempo": 116, "instruments": (56, 61, 73), "drums": "yes", "mode": "major"},
    "lullaby": {"meter": "3/4", "tempo": 66, "instruments": (0,), "drums": "no", "mode": "major", "density": 2.0},
}  # fmt: skip

MOOD_WORDS: dict[str, Settings] = {
    "sad|melancholy|melancholic|mournful|sorrowful|heartbroken|gloomy|blue|tearful|bittersweet|wistful": {
        "mode": "minor", "tempo": 70,
    },
    "happy|cheerful|joyful|joyous|bright|sunny|upbeat|uplifting|merry|fun|playful|carefree|optimistic|"
    "birthday|party|celebration|festive|summer|beach|sunshine": {
        "mode": "major", "tempo": 122,
    },
    "calm|peaceful|relaxing|relaxed|gentle|quiet|soft|soothing|tranquil|serene|mellow|chill|chilled|laid-back|"
    "laid back|sleepy|dreamy|tender|"
    "sleep|bedtime|study|studying|focus|concentration|yoga|morning": {"tempo": 74, "density": 3.0},
    "dark|ominous|mysterious|spooky|eerie|tense|scary|haunting|sinister|brooding|creepy|"
    "halloween|horror|midnight": {
        "mode": "minor", "tempo": 80, "register": 52,
    },
    "energetic|driving|exciting|powerful|intense|lively|angry|aggressive|wild|furious|"
    "workout|gym|battle|boss fight|fight|chase|action|heavy|road trip": {"tempo": 140, "density": 8.0},
    "epic|heroic|triumphant|majestic|cinematic|dramatic": {
        "tempo": 96, "instruments": (61, 60, 48, 43), "density": 7.0,
    },
    "romantic|loving|warm|nostalgic|hopeful|longing|love song|love theme|wedding": {"mode": "major", "tempo": 80},
    "solemn|serious|lonely|cold|rainy|funeral|grief|farewell|goodbye": {"mode": "minor", "tempo": 72},
}  # fmt: skip

TEMPO_WORDS: dict[str, int] = {
    "very slow|extremely slow|largo|grave": 52,
    "slow|slowly|adagio|lento|downtempo": 66,
    "not too slow|walking|walking pace|andante": 84,
    "mid-tempo|midtempo|mid tempo|medium|moderate|moderato|not too fast|medium tempo": 100,
    "fast|quick|quickly|allegro|rapid|uptempo|up-tempo|up tempo": 138,
    "vivace|lively tempo": 154,
    "very fast|extremely fast|presto|frantic": 172,
}
DENSITY_WORDS: dict[str, float] = {
    "sparse|minimal|minimalist|minimalistic|simple|few notes|empty": 2.0,
    "dense|busy|rich|full|complex|virtuosic|many notes": 9.0,
}
REGISTER_WORDS: dict[str, int] = {
    "high|high-pitched|high pitched|in a high register|sparkling": 74,
    "low|deep|low-pitched|low pitched|in a low register|bassy": 48,
}
METER_WORDS: dict[str, str] = {
    "in three|three four|three-four|triple time|triple meter": "3/4",
    "in two|two four|two-four": "2/4",
    "in four|four four|four-four|common time": "4/4",
    "six eight|six-eight": "6/8",
    "cut time|alla breve": "2/2",
}
TONICS = {"minor": "A minor", "major": "C major"}

# Asked for, and not to be had of a composer of notes.
SUNG_WORDS = (
    "vocal|vocals|lyrics|singer|singers|singing|sung|sing|sings|sang|acapella|a cappella|rapper|rapping|voice-over|"
    "voiceover|spoken word"
)

# Said around a description; nothing is lost when the composer is not told.
_FILLERS = """
    a an the and or but with in on of for at to by from into over under some any bit little kind sort like style
    piece music musical song songs tune track tracks composition instrumental melody beat beats groove feel feeling mood
    vibe vibes tempo bpm key played play playing featuring feat plus also as is it its that which this there please make
    me write compose create give want i would i'd want need something very really quite rather slightly somewhat little
    more less solo duo duet trio quartet band ensemble long about around roughly approximately circa only just alone
    time meter signature mainly mostly accompanied accompaniment background backing instruments instrument sound sounds
    nice good beautiful lovely pretty great cool catchy awesome amazing day night evening
    film movie light double
"""
FILLERS = frozenset(_FILLERS.split())

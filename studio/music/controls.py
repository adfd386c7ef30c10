"""The controls of the Music tab."""

from __future__ import annotations

from models.contracts import Task
from models.music.contracts import ACTIONS, MAX_ASKED_TRACKS, MAX_NEW_BARS, METER_NAMES, NEW_TEMPO
from models.music.instrument_names import INSTRUMENTS
from models.music.vocabulary import KEYS
from studio.page.fields import Choice, Choices, FieldList, Flag, Model, Numeric, Seed, Text, Upload
from studio.page.instruments import DRUMS, STYLES

ANY = ("As the model likes", "")
OWN = "own"  # what a piece has that an action goes on from; NEW of a new one
NEW = {"key": "C major", "meter": "4/4"}
METERS = tuple(name for name in ("4/4", "3/4", "2/4", "6/8", "9/8", "12/8", "2/2", "3/8") if name in METER_NAMES)

FIELDS = FieldList(
    (
        Choice(name="style", label="Style", default="pop", choices=STYLES, row="manner"),
        Choice(
            name="key",
            label="Key",
            default=OWN,
            choices=(("The piece's own; C major if it is new", OWN), ANY, *((key, key) for key in KEYS[:-1])),
            about='such as "A minor"; "own" is a given piece\'s, and C major for a new one; "" leaves it to the model',
            row="manner",
            options={"filterable": True},
        ),
        Numeric(
            name="tempo",
            label="Tempo",
            default=0,
            low=0,
            high=200,
            step=1,
            help=f"quarter notes a minute; 0 keeps a piece's own, and is {NEW_TEMPO:g} for a new one",
        ),
        Numeric(
            name="bars",
            label="Bars",
            default=16,
            low=4,
            high=MAX_NEW_BARS,
            step=1,
            is_whole=True,
            help="how many to write",
            place="bars",
        ),
        Choice(
            name="meter",
            label="Time signature",
            default=OWN,
            choices=(("The piece's own; 4/4 if it is new", OWN), ANY, *((meter, meter) for meter in METERS)),
            about='time signature; "own" is a given piece\'s, and 4/4 for a new one; "" leaves it to the model',
            place="more",
        ),
        Choices(
            name="instruments",
            label="Instruments",
            default=[0, 33],
            choices=INSTRUMENTS,
            most=MAX_ASKED_TRACKS,
            help="none chosen: the model decides",
            about="General MIDI programs from 0, such as [0, 33]; an empty list leaves them to the model",
        ),
        Choice(name="drums", label="Drums", default="yes", choices=DRUMS, radio=True),
        Numeric(
            name="density",
            label="Density",
            default=0,
            low=0,
            high=16,
            step=0.25,
            help="notes in a quarter, all together; 0 leaves it open",
        ),
        Text(
            name="chords",
            label="Chords",
            help="one for each new bar, over and over, such as Am F C G; left empty, the model chooses",
            about='one for each new bar, over and over, such as "Am F C G"; left empty, the model chooses',
            place="more",
            options={"placeholder": "Am F C G", "lines": 1},
        ),
        Flag(
            name="ends",
            label="End on a held chord",
            default=True,
            about="whether the last bar ends the music; else it may go on from there, as a loop does",
            place="more",
        ),
        Numeric(
            name="register",
            label="Register",
            default=0,
            low=0,
            high=84,
            step=1,
            help="mean pitch from 36 to 84, 60 is middle C; 0 leaves it open",
            place="more",
        ),
        Numeric(
            name="temperature",
            label="Temperature",
            default=1.0,
            low=0.0,
            high=2.0,
            step=0.05,
            help="lower keeps to the likely, higher is bolder",
            place="more",
        ),
        Numeric(
            name="top_p",
            label="Top-p",
            default=0.96,
            low=0.05,
            high=1.0,
            step=0.01,
            help="the share of likely notes to choose from",
            place="more",
        ),
        Numeric(
            name="repetition",
            label="Avoid repetition",
            default=0.0,
            low=0.0,
            high=3.0,
            step=0.1,
            help="0 does not",
            place="more",
        ),
        Seed(help="the same seed gives the same music"),
        Numeric(
            name="first_bar",
            label="From bar",
            default=1,
            low=1,
            slider=False,
            is_whole=True,
            about="the first bar that the action rewrite writes anew",
            place="rewritten",
            elem_id="music-first",
            options={"min_width": 80},
        ),
        Numeric(
            name="last_bar",
            label="To bar",
            default=4,
            low=1,
            slider=False,
            is_whole=True,
            about="the last bar that the action rewrite writes anew",
            place="rewritten",
            elem_id="music-last",
            options={"min_width": 80},
        ),
        Flag(
            name="probability",
            label="Show how sure the model was, as opacity",
            about="of the page's piano roll alone; changes no result",
            place="more",
            request=None,
            is_kept=False,
        ),
        Model(task=Task.MUSIC, place="model"),
        Upload(
            name="midi_file",
            label="MIDI file",
            file_types=(".mid", ".midi"),
            about="the piece that the actions continue, rewrite, harmonise and perform go on from",
            place="piece",
            elem_id="music-upload",
        ),
        Text(
            name="prompt",
            label="Description",
            help="for models that make sound from words; left empty, the controls below are put into words",
            about="for models that make sound from words; left empty, the other parameters are put into words",
            place="model",
            options={"placeholder": "A calm piano over soft strings, evening mood", "visible": False, "lines": 2},
        ),
        Choice(
            name="action",
            label="Action",
            default=ACTIONS[0],
            choices=tuple((action.capitalize(), action) for action in ACTIONS),
            about="what to do; of ideas, the first is returned",
            place="",
        ),
    )
)

"""More names of what the world shows, for the prompt parser (`training.video.prompt_parsing`).

Names that no caption of the training uses: synonyms, kinds, parts and neighbours of the thing, as a person might type
them. No word that only the held-out captions use is among them, but about one in 23 shares a stem with such a word
(other forms, compounds): held-out captions are somewhat easier than new words. They lie in `thesaurus.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

_NAMES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
SCENES: dict[str, list[str]] = _NAMES["scenes"]  # by kind of scene
ATTRIBUTES: dict[str, list[str]] = _NAMES["attributes"]  # by colour, direction, speed and time of day: single words

"""Names of the voices of the Kokoro family, as a person reads them in a menu."""

from __future__ import annotations

from models.contracts import Voice

KOKORO_LICENCE = "Apache-2.0 (Kokoro-82M)"
KOKORO_TRAINING = "its authors say that it was trained largely on synthetic speech of other systems"
KOKORO_CREDIT = f"a synthetic voice of Kokoro-82M by hexgrad; {KOKORO_TRAINING}"
ACCENTS = {"a": "American English", "b": "British English"}
PEOPLE = {"f": "a woman", "m": "a man"}
FIRST = ("af_heart", "af_bella", "am_michael", "am_fenrir", "bf_emma", "bm_fable")
"""What the menu begins with: voices that their authors grade best, or that learned longest."""
KOKORO_ENGLISH = (
    *("af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river"),
    *("af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx"),
    *("am_puck", "am_santa", "bf_alice", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george"),
    "bm_lewis",
)
"""Keys of the English voices of Kokoro-82M v1.0."""


def is_english(key: str) -> bool:
    """Return whether a key such as "af_heart" is that of an English voice."""
    return len(key) > 3 and key[0] in ACCENTS and key[1] in PEOPLE and key[2] == "_"


def is_british(key: str) -> bool:
    """Return whether a key is that of a British voice."""
    return is_english(key) and key[0] == "b"


def name_voice(key: str) -> str:
    """Return a title, such as "Heart, American English, a woman" of "af_heart"."""
    if not is_english(key):
        return key.replace("_", " ")
    return f"{key[3:].replace('_', ' ').title()}, {ACCENTS[key[0]]}, {PEOPLE[key[1]]}"


def make_kokoro_voices(keys: tuple[str, ...] | list[str]) -> tuple[Voice, ...]:
    """Return voices of Kokoro in the order of a menu: the best known first, then by name, Americans first."""
    order = {key: at for at, key in enumerate(FIRST)}
    known = sorted(set(keys), key=lambda key: (order.get(key, len(FIRST)), key))
    return tuple(Voice(key, name_voice(key), KOKORO_LICENCE, KOKORO_CREDIT) for key in known)

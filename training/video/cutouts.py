"""Make the pack of cut-outs: `models/weights/video_cutouts.zip` with the pictures, `video_cutouts.json` with the names.

    npm pack @lobehub/fluent-emoji-3d@1.1.0 emojibase-data@17.0.0      # and unpack both
    python -m training.video.cutouts --pictures FOLDER/assets --names FOLDER/en/data.json

Pictures are Microsoft's Fluent emoji (MIT), each brought down to SIDE pixels without its empty border. Names and
keywords are those of Unicode CLDR (Unicode licence v3) as emojibase-data lists them. `cutout_list.txt` says which are
taken, what people call them, how large they are, and what they do of themselves.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image

from models.registry.registry import WEIGHTS_DIR
from models.video.cutouts import CUTOUT_NAMES, CUTOUT_PICTURES
from models.video.thing_words import ACTS, PLACES, THINGS
from training.video.things import CODES

LIST = Path(__file__).with_name("cutout_list.txt")
SIDE, QUALITY = 192, 88
HEADER = re.compile(r"\[(\w+) (\w+) (\w+) (\w+) ([\d.]+)\]")
DATE = (2026, 1, 1, 0, 0, 0)  # of every file in the pack, so that equal pictures make equal packs
# Degrees, anticlockwise, that bring what is drawn aslant level; and what looks to the right.
TILTS = {"rocket": 45, "airplane": -38, "small airplane": -40, "skateboard": -48, "dolphin": 20}
RIGHT = ("airplane", "small airplane", "rocket", "telescope")

# Other pictures of a thing by what it does or rides, "run" for one that walks fast, by their CLDR names.
_PERSON = {
    "stand": "person standing", "walk": "person walking", "run": "person running", "hop": "person running",
    "swim": "person swimming", "bicycle": "person biking", "fly": "person running", "fall": "person cartwheeling",
    "spin": "person cartwheeling",
}  # fmt: skip
_MAN, _WOMAN = (
    {act: name.replace("person", sex) for act, name in _PERSON.items()} | {"dance": f"{sex} dancing"}
    for sex in ("man", "woman")
)
POSES = {
    "person": _PERSON, "man": _MAN, "woman": _WOMAN,
    "runner": {"stand": "person standing"},
}  # fmt: skip

# CLDR's keywords that are nouns for the thing itself; most of the others say what it is good for.
KEYWORDS = (
    "burgers burro cabbie carpenter cygnet eyeglasses firetruck frankfurter dynamite gander guanaco hotcake hinny "
    "honeypot joey lecturer maggot moneybag nectarine pail peahen pierogi potsticker rowboat sapling satchel scholar "
    "shinkansen snowboard sleuth sorceress squeezebox terrapin thespian timber vicuña videogame wisent yurt hatchet "
    "whirlwind"
)


def read_list(text: str) -> list[dict[str, Any]]:
    """Read the list: label, name, words, kind, pose, act, home and size of each line.

    Raises:
        ValueError: a line stands before the first header, or names an act that there is none.
    """
    found, usual = [], None
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if (header := HEADER.fullmatch(line)) is not None:
            usual = header.groups()
            continue
        if usual is None:
            raise ValueError(f"“{line}” stands under no header.")
        kind, pose, act, home, size = usual
        said, _, own = line.partition("|")
        for value in own.split():
            if value in ACTS:
                act = value
            elif value[0].isdigit():
                size = value
            else:
                home = value
        called, _, others = said.partition(":")
        label, _, name = (part.strip() for part in called.partition(">"))
        words = [word.strip() for word in others.split(",") if word.strip()]
        found.append(
            {"label": label, "name": (name or label).lower(), "words": words, "kind": kind, "pose": pose, "act": act,
             "home": home, "size": float(size)}
        )  # fmt: skip
    return found


def find_codes(data: list[dict[str, Any]], pictures: Path) -> dict[str, tuple[str, list[str]]]:
    """Find the picture's code and the CLDR keywords of each label."""
    have = {path.stem for path in pictures.glob("*.webp")}
    found = {}
    for entry in data:
        code = entry["hexcode"].lower()
        match = next((each for each in (code, code.replace("-fe0f", ""), f"{code}-fe0f") if each in have), None)
        if match is not None:
            found[entry["label"]] = match, entry.get("tags", [])
    return found


def list_entries(rows: list[dict[str, Any]], codes: dict[str, tuple[str, list[str]]]) -> list[dict[str, Any]]:
    """List what the names' file holds; names and words that a row before has are its own."""
    learned = {code: name for name, code in CODES.items()}
    entries, taken, names = list[dict[str, Any]](), set[str](), {row["name"] for row in rows}
    for row in rows:
        if row["label"] not in codes:
            print("no picture of", row["label"])
            continue
        code, keywords = codes[row["label"]]
        name = row["name"] if learned.get(code, row["name"]) in names else learned[code]
        words = [name, row["name"], *row["words"], *(THINGS[name][1] if name in THINGS else ())]
        own = [word for word in dict.fromkeys(words) if word not in taken and (word == name or word not in names)]
        if any(entry["code"] == code for entry in entries):
            print("twice:", name)
            continue
        taken.update(own)
        entries.append(
            {"name": name, "code": code, "words": own, "keywords": keywords, "kind": row["kind"], "pose": row["pose"],
             "act": row["act"], "home": row["home"], "size": row["size"], "tilt": TILTS.get(name, 0),
             "faces": "right" if name in RIGHT else "left",
             "poses": {act: codes[label][0] for act, label in POSES.get(name, {}).items() if label in codes}}
        )  # fmt: skip
    return add_keywords(entries)


def add_keywords(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take a CLDR keyword as a word for a thing where it is one of KEYWORDS."""
    taken = {word for entry in entries for word in entry["words"]}
    counts = Counter(word for entry in entries for word in entry["keywords"])
    allowed = set(KEYWORDS.split())
    for entry in entries:
        entry["words"] += [
            word for word in entry["keywords"] if word in allowed and word not in taken and counts[word] == 1
        ]
    return entries


def draw_cutout(path: Path) -> bytes:
    """Draw a cut-out without its empty border, its longer side at most SIDE, as WebP."""
    with Image.open(path) as picture:
        whole = picture.convert("RGBA")
    box = whole.getchannel("A").point(lambda value: 255 * (value > 12)).getbbox()
    if box is not None:
        whole = whole.crop(box)
    share = SIDE / max(whole.size)
    if share < 1:
        size = max(1, round(whole.width * share)), max(1, round(whole.height * share))
        whole = whole.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    made = io.BytesIO()
    whole.save(made, "WEBP", quality=QUALITY, alpha_quality=90, method=6)
    return made.getvalue()


def main() -> None:
    """Write the pack and its names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--names", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=WEIGHTS_DIR)
    options = parser.parse_args()
    data = json.loads(options.names.read_text(encoding="utf-8"))
    entries = list_entries(read_list(LIST.read_text(encoding="utf-8")), find_codes(data, options.pictures))
    unknown = {entry["home"] for entry in entries} - set(PLACES) - {"underwater"}
    missing = set(THINGS) - {entry["name"] for entry in entries}
    print(len(entries), "things; homes unknown:", unknown or "none", "; not in the list:", missing or "none")
    with zipfile.ZipFile(options.out / CUTOUT_PICTURES, "w", zipfile.ZIP_STORED) as pack:
        others = dict.fromkeys(code for entry in entries for code in entry["poses"].values())
        for code in dict.fromkeys([*(entry["code"] for entry in entries), *others]):
            info = zipfile.ZipInfo(f"{code}.webp", DATE)
            pack.writestr(info, draw_cutout(options.pictures / info.filename))
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries)
    (options.out / CUTOUT_NAMES).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    for name in (CUTOUT_PICTURES, CUTOUT_NAMES):
        print(name, f"{(options.out / name).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

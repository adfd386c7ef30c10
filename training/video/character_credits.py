"""Credits of the characters that the video model learned from: the list that ships beside its weights.

python -m training.video.character_credits FOLDER_OF_THE_SHEETS
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

from training.video.characters import SKINS

CREDITS = Path(__file__).resolve().parents[2] / "models" / "weights" / "video_characters_credits.txt"
HEAD = """Artists of the character sheets that video_unet3d.safetensors was trained on

The sheets belong to the Liberated Pixel Cup and its successors (Universal LPC Spritesheet Character Generator; "LPC"
collections on OpenGameArt.org). None of them is part of this repository. Where a sheet is offered under several
licences, it is used under CC0, CC BY or OGA-BY. Thanks to all who drew them.

OGA-BY 3.0: https://static.opengameart.org/OGA-BY-3.0.txt
CC BY 3.0:  https://creativecommons.org/licenses/by/3.0/
CC BY 4.0:  https://creativecommons.org/licenses/by/4.0/
CC0 1.0:    https://creativecommons.org/publicdomain/zero/1.0/
"""


def list_sheets(folder: Path) -> list[str]:
    """List the paths below `folder` of all sheets that `characters.draw_character` draws from."""
    used: list[Path] = []
    for sex in ("female", "male"):
        used += [path for path in folder.glob(f"body/{sex}/human/*.png") if path.stem in SKINS]
        used += folder.glob(f"torso/clothes/longsleeve/{sex}/*.png")
        used += folder.glob(f"hair/*/{sex}/*.png")
    used += folder.glob("legs/pantaloons/male/*.png")
    return sorted(path.relative_to(folder).as_posix() for path in used)


def write_credits(folder: Path) -> str:
    """Write the list: artists and licences, and below each the folders of their sheets with how many.

    Raises:
        ValueError: there are no sheets, or LICENSES.csv does not name one of them.
    """
    with (folder / "LICENSES.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    used = list_sheets(folder)
    missing = [sheet for sheet in used if sheet not in rows]
    if not used or missing:
        raise ValueError(f"LICENSES.csv does not name {', '.join(missing[:5]) or 'any sheet of this folder'}.")
    parts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for sheet in used:
        parts[rows[sheet]["authors"], rows[sheet]["licenses"]][sheet.rsplit("/", 1)[0]] += 1
    blocks = [
        "\n".join(
            [
                authors,
                f"  {licences.replace(', ', ',').replace(',', ', ')}",
                *(f"  {place} ({count})" for place, count in places.items()),
            ]
        )
        for (authors, licences), places in sorted(parts.items())
    ]
    return "\n".join([HEAD, "\n\n".join(blocks), ""])


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=CREDITS)
    options = parser.parse_args()
    options.out.write_text(write_credits(options.folder), encoding="utf-8")
    print(options.out)


if __name__ == "__main__":
    main()

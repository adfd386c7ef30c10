"""Pack weights of a recipe as a repository for the Hub, with a model card; it loads from a folder just as well.

    python -m training.pack speech/tacotron2 --weights models/weights --out my-voice --title "My voice" --licence MIT
    hf upload OWNER/my-voice my-voice

On the shelf (the Models tab) the folder's path or the repository's id is enough.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.backends.native_weights import NATIVE_KINDS, describe_folder, load
from models.errors import ModelError
from models.hub.detect import CARD
from models.hub.formats import BY_NAME
from models.weights_io import load_metadata

PIPELINE_TAGS = {"speech": "text-to-speech", "music": "text-to-audio", "video": "text-to-video"}


def pack_weights(
    kind: str,
    weights: Path,
    out: Path,
    *,
    title: str,
    licence: str,
    summary: str = "",
    credit: str = "",
    data: str = "",
    languages: Sequence[str] = (),
) -> Path:
    """Write weights, `auralume.json` and `README.md` into `out`, and load them once to see that they work.

    Args:
        kind: one of `own.KINDS`.
        weights: folder with the files that the recipe's `export` wrote.
        data: what it was trained on, for the card.
        languages: codes of ISO 639.

    Returns:
        the folder.

    Raises:
        ModelError: a file is missing or does not load.
    """
    own = NATIVE_KINDS.get(kind)
    if own is None:
        raise ModelError(f"{kind!r} is no kind of a recipe; known are {', '.join(NATIVE_KINDS)}.", "format")
    missing = [name for name in own.files if not (weights / name).is_file()]
    if missing:
        raise ModelError(f"{weights} lacks {', '.join(missing)}; run the recipe's export first.", "weights")
    names = [name for name in (*own.files, *own.optional) if (weights / name).is_file()]
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (weights / name).resolve() != (out / name).resolve():
            shutil.copyfile(weights / name, out / name)
    card: dict[str, Any] = {
        "kind": kind,
        "title": title,
        "summary": summary or BY_NAME[kind].summary,
        "licence": licence,
        "credit": credit or title,
        "voices": _voices(out / names[0], licence) if kind.startswith("speech/") else [],
        "files": names,
    }
    (out / CARD).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "README.md").write_text(model_card(card, out, data, languages), encoding="utf-8")
    spec = describe_folder(out)
    load({name: out / name for name in (CARD, *names)}, spec)
    return out


def _voices(path: Path, licence: str) -> list[dict[str, str]]:
    keys = json.loads(load_metadata(path).get("config", "{}")).get("voices", [])
    return [{"key": key, "title": key, "licence": licence, "credit": ""} for key in keys]


def model_card(card: dict[str, Any], folder: Path, data: str, languages: Sequence[str]) -> str:
    """Write the README of the repository: front matter for the Hub, and what a person should know."""
    task = str(card["kind"]).split("/")[0]
    lines = ["---", f"license: {card['licence'].lower()}", "library_name: auralume", "tags:", "- auralume", f"- {task}"]
    if task in PIPELINE_TAGS:
        lines.append(f"pipeline_tag: {PIPELINE_TAGS[task]}")
    if languages:
        lines += ["language:", *(f"- {code}" for code in languages)]
    lines += ["---", "", f"# {card['title']}", "", card["summary"], ""]
    lines += [f"Made by the recipe of the {card['kind']} model of Auralume. {card['credit']}.", ""]
    if data:
        lines += ["## Data", "", data, ""]
    if card["voices"]:
        lines += ["## Voices", "", ", ".join(voice["key"] for voice in card["voices"]), ""]
    lines += ["## Use", "", "In Auralume open the Models tab, type the id of this repository and press *Add*.", ""]
    lines += ["## Files", "", "| file | bytes | SHA-256 |", "|---|---|---|"]
    for name in card["files"]:
        content = (folder / name).read_bytes()
        lines.append(f"| `{name}` | {len(content):,} | `{hashlib.sha256(content).hexdigest()}` |")
    lines += ["", "What it makes is generated. Say so when you share it, and do not use a voice to deceive.", ""]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=sorted(NATIVE_KINDS))
    parser.add_argument("--weights", type=Path, required=True, help="folder of the recipe's exported files")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--title", required=True)
    parser.add_argument("--licence", required=True, help="of the weights, as an SPDX name: MIT, CC-BY-4.0 ...")
    parser.add_argument("--summary", default="")
    parser.add_argument("--credit", default="", help="whom to thank, or must be named")
    parser.add_argument("--data", default="", help="what it was trained on")
    parser.add_argument("--language", action="append", default=[], dest="languages")
    values = vars(parser.parse_args(arguments))
    try:
        folder = pack_weights(values.pop("kind"), values.pop("weights"), values.pop("out"), **values)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Packed into {folder}. To publish it: hf upload OWNER/{folder.name} {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

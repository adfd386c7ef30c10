"""Recipe of the prompt parser: captions with their attributes, words exchanged for near ones; some minutes.

    python -m training.video.prompt_parsing          # trains, measures on held-out wordings, exports

Captions are those of the video model's training. A third of their words give way to words with near vectors, some are
left out, and all vectors get noise, so that words which no caption has are read by what they are near to. A thesaurus
(`training.video.thesaurus`) names more things of each scene; sentences of far words are about no scene. No word that
only held-out captions have is among the exchanged or the thesaurus' words, so that these still measure what was never
trained on.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.video.prompt_parsing import (
    FIELDS,
    MAX_WORDS,
    PARSER_WEIGHTS,
    PromptParser,
    PromptParserNetwork,
    list_known_words,
)
from models.video.scene_words import COLOUR_WORDS, DIRECTION_WORDS, SPEED_WORDS, SUBJECTS, SUN_SUBJECTS, TIME_WORDS
from models.video.scenes import draw_spec, write_caption
from models.video.scenes.captions import tidy
from models.video.text_embedding import TEXT_WEIGHTS, TextTable, load_text_table, split_words
from models.weights_io import save_safetensors
from training.loop import TrainingLoop
from training.team import require_one_process
from training.video import characters
from training.video.thesaurus import ATTRIBUTES, SCENES

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "models" / "weights"
PARTS = ("colour", "direction", "speed", "time", "camera")
SAID = {"colour": 0.85, "direction": 0.6, "speed": 0.4, "time": 0.5, "camera": 0.3}
OTHER, FAR, THESAURUS_SHARE = 0.12, 0.12, 0.6
EXCHANGED, DROPPED, NOISE = 0.35, 0.1, 0.9
LEAST_COSINE = 0.4
STEPS, BATCH, RATE, CALM = 4000, 64, 2e-3, 0.4


def find_near_words(table: TextTable, banned: frozenset[str]) -> tuple[dict[int, list[int]], list[int]]:
    """Find for each piece of the training captions and the thesaurus the other whole words that are nearest to it.

    A word belongs to the one piece that it is nearest to; a piece without any word stands for itself. The second value
    are the words that are near to none.
    """
    named = {word for names in (*SCENES.values(), *ATTRIBUTES.values()) for word in split_words(", ".join(names))}
    pieces = sorted({piece for word in list_known_words() | named for piece in table.tokenize(word)})
    taken = set(pieces)
    free = [
        number
        for word, number in table.index.items()
        if word.isalpha() and len(word) > 2 and word not in banned and number not in taken
    ]
    unit = F.normalize(table.vectors, dim=1)
    cosines, whose = (unit[free] @ unit[pieces].T).max(dim=1)
    near: dict[int, list[int]] = {piece: [] for piece in pieces}
    far = []
    for number, cosine, place in zip(free, cosines.tolist(), whose.tolist(), strict=True):
        if cosine >= LEAST_COSINE:
            near[pieces[place]].append(number)
        else:
            far.append(number)
    return {piece: found or [piece] for piece, found in near.items()}, far


def draw_caption(rng: np.random.Generator) -> tuple[str, list[int]]:
    """Draw a caption and the number of each field's value."""
    if rng.random() < OTHER:
        return draw_distractor(rng), [0] * len(FIELDS)
    spec = draw_spec(rng)
    said = {name: float(rng.random() < SAID[name]) for name in PARTS}
    text = write_caption(spec, rng, said=said)
    values = {
        "kind": spec.kind,
        "colour": spec.colour,
        "direction": spec.direction if spec.direction != "none" else "",
        "speed": spec.speed if spec.speed != "normal" else "",
        "time": spec.time_of_day,
        "camera": spec.camera,
    }
    if values["camera"] == "still":
        values["camera"] = ""
    told = {name: value if name == "kind" or said[name] else "" for name, value in values.items()}
    if rng.random() < THESAURUS_SHARE:
        text = exchange_subject(text, spec.kind, told["colour"], rng)
    return exchange_words(text, told, rng), [FIELDS[name].index(told[name]) for name in FIELDS]


def exchange_subject(text: str, kind: str, colour: str, rng: np.random.Generator) -> str:
    """Replace the subject of the caption by a name of the thesaurus."""
    names = SCENES[kind]
    name = names[int(rng.integers(len(names)))]
    tint = str(rng.choice(COLOUR_WORDS[colour][0])) if colour else ""
    first, _, rest = name.partition(" ")
    tinted = f"{first} {tint} {rest}" if first in {"a", "the"} and rest else f"{tint} {name}"
    subjects = [*SUBJECTS[kind][0], *(each for both in SUN_SUBJECTS.values() for each in both[0])]
    for subject in subjects:
        for said in COLOUR_WORDS[colour][0] if colour else ("",):
            old = tidy(subject.replace("{c}", said))
            if old and old in text:
                return tidy(text.replace(old, tinted))
    return text


def exchange_words(text: str, told: dict[str, str], rng: np.random.Generator) -> str:
    """Replace some of the caption's colours, directions, speeds and times by names of the thesaurus."""
    for value in told.values():
        if value not in ATTRIBUTES or rng.random() >= THESAURUS_SHARE:
            continue
        for lists in (COLOUR_WORDS, DIRECTION_WORDS, SPEED_WORDS, TIME_WORDS):
            for old in sorted(lists.get(value, ((), ()))[0], key=len, reverse=True):
                if f" {old} " in f" {text} ":
                    text = tidy(f" {text} ".replace(f" {old} ", f" {rng.choice(ATTRIBUTES[value])} ", 1))
                    break
    return text


def draw_distractor(rng: np.random.Generator) -> str:
    """Draw a caption of a character, or words of the vocabulary in no order."""

    def draw_piece(values: tuple[str, ...]) -> str:
        return values[int(rng.integers(len(values)))]

    if rng.random() < 0.4:
        return " ".join(draw_piece(tuple(sorted(list_known_words()))) for _ in range(int(rng.integers(1, 4))))
    tints = ("pink", "blonde", "brown", "black", "blue", "red", "green", "white", "grey", "purple")
    who = draw_piece(tuple(each for both in characters.PEOPLE.values() for each in both[0]))
    what = draw_piece(tuple(each for both in characters.MOVE_WORDS.values() for each in both[0]))
    where = draw_piece(tuple(each for both in characters.FACING.values() for each in both[0]))
    return f"a {who} with {draw_piece(tints)} hair in a {draw_piece(tints)} shirt {what} {where}"


class CaptionBatches:
    """Captions with exchanged, missing and noisy words."""

    def __init__(self, table: TextTable, seed: int = 1) -> None:
        self.table, self.rng = table, np.random.default_rng(seed)
        self.near, self.far = find_near_words(table, list_known_words(held_out=True) - list_known_words())
        self.spread = float(table.vectors.std())

    def draw(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw words (B, L, E), said (B, L) and numbers of values (B, fields)."""
        rng, rows, labels = self.rng, [], []
        for _ in range(count):
            if self.far and rng.random() < FAR:
                rows.append(self._draw_elsewhere())
                labels.append([0] * len(FIELDS))
                continue
            text, values = draw_caption(rng)
            pieces = [piece for piece in self.table.tokenize(text) if rng.random() >= DROPPED][:MAX_WORDS]
            rows.append(
                [
                    self.near[piece][int(rng.integers(len(self.near[piece])))]
                    if piece in self.near and rng.random() < EXCHANGED
                    else piece
                    for piece in pieces
                ]
            )
            labels.append(values)
        words, said = self.table.embed_pieces(rows, MAX_WORDS)
        noise = torch.from_numpy(rng.standard_normal(words.shape, dtype=np.float32))
        return words + NOISE * self.spread * noise, said, torch.tensor(labels)

    def _draw_elsewhere(self) -> list[int]:
        """Draw a sentence about nothing of the world: words that are near to none of it, "a" and "on" between them."""
        words = [int(number) for number in self.rng.choice(self.far, int(self.rng.integers(1, 5)))]
        between = [
            piece for word in ("a", "the", "on", "with", "in", "of", "and") for piece in self.table.tokenize(word)
        ]
        return [piece for word in words for piece in (int(self.rng.choice(between)), word)] if between else words


class PromptParserTraining(TrainingLoop[PromptParserNetwork]):
    """Training of the parser on captions; short, so that it keeps no checkpoint."""

    def __init__(self, table: TextTable, steps: int, batch: int, seed: int) -> None:
        torch.manual_seed(seed)
        network = PromptParserNetwork(table.width)
        self.steps, self.batch, self.batches = steps, batch, CaptionBatches(table, seed)
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
        super().__init__(network, None, optimizer, checkpoint=None)

    def measure_progress(self) -> float:
        """Return the share of the steps that is done."""
        return self.step / self.steps

    def schedule_rates(self) -> tuple[float, ...]:
        """Return the learning rate: a plain, and a straight fall over the last share of the steps."""
        return (RATE * min(1.0, max(0.02, (self.steps - self.step + 1) / (CALM * self.steps))),)

    def train_step(self) -> dict[str, float]:
        """Do one step; return the loss."""
        words, said, labels = self.batches.draw(self.batch)
        logits = self.model(words, said)
        loss = torch.stack(
            [F.cross_entropy(found, labels[:, at], label_smoothing=0.05) for at, found in enumerate(logits.values())]
        ).sum()
        self.descend(loss, math.inf)
        return {"loss": float(loss.detach())}


def train(table: TextTable, steps: int = STEPS, batch: int = BATCH, seed: int = 1) -> PromptParserNetwork:
    """Return a trained network."""
    training = PromptParserTraining(table, steps, batch, seed)
    training.run(log_every=250)
    return training.model.eval()


def measure(parser: PromptParser, count: int = 600, seed: int = 5, held_out: bool = True) -> dict[str, float]:
    """Measure the shares of captions whose kind, colour and direction are read right."""
    rng = np.random.default_rng(seed)
    right: dict[str, list[bool]] = {"kind": [], "colour": [], "direction": []}
    for _ in range(count):
        spec = draw_spec(rng)
        parsed = parser.parse(write_caption(spec, rng, held_out=held_out, said=dict.fromkeys(PARTS, 1.0)))
        for name, found in right.items():
            wanted = getattr(spec, name)
            found.append(getattr(parsed, name) == ("" if wanted == "none" else wanted))
    return {name: round(float(np.mean(found)), 4) for name, found in right.items()}


def main() -> None:
    """Train, measure, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=WEIGHTS_FOLDER / PARSER_WEIGHTS)
    options = parser.parse_args()
    table = load_text_table(WEIGHTS_FOLDER / TEXT_WEIGHTS)
    network = train(table, options.steps)
    trained = PromptParser(network, table)
    print(json.dumps({"training": measure(trained, held_out=False), "held_out": measure(trained)}))
    config = {"text_width": network.text_width, "channels": network.channels}
    save_safetensors(options.out, network.state_dict(), {"config": json.dumps(config)})


if __name__ == "__main__":
    require_one_process()
    main()

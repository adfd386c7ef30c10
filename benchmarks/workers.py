"""Workers: what two gain over one, and what the way to a worker costs.

python -m benchmarks.workers [--sentences 24] [--repeats 5] [--json FILE]

Figures are ratios of one run, each part measured in turn with its counterpart. Every process computes on one thread
(`OMP_NUM_THREADS=1`), so that two workers on two cores have one each.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported, here and in the workers

from models.books.narrator import narrate
from models.books.read import read_pasted
from models.books.script import BookScript, Reading
from models.books.sentence_store import SentenceStore
from models.contracts import SpeechRequest, Task
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.workers.homes import settle

SENTENCE = "Number {} went down to the harbour, and nobody on the quay had seen so calm a sea."
SPOKEN = SpeechRequest("A short sentence, to hear how soon it begins.", seed=1)
KEY = next(spec.key for spec in CATALOG if spec.task == Task.SPEECH and not spec.is_remote)


@contextmanager
def open_shelf(workers: str = "") -> Iterator[Registry]:
    """Give a registry with so many workers, each of which has spoken once."""
    registry = Registry(CATALOG)
    settle(registry, workers)
    try:
        model = registry.load(KEY)
        streams = [model.stream(SPOKEN) for _ in range(registry.home.places)]
        for each in streams:
            next(each)
        for each in streams:
            list(each)
        yield registry
    finally:
        registry.home.close()


def time_book(registry: Registry, sentences: int) -> float:
    """Return the seconds that a book of so many sentences takes."""
    text = " ".join(SENTENCE.format(number) for number in range(sentences))
    script, model = BookScript(read_pasted(text), Reading(model=KEY, chapters=(0,))), registry.load(KEY)
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        steps = list(narrate(script, SentenceStore(Path(folder)), model.stream, places=registry.home.places))
        took_s = time.perf_counter() - began_s
    assert len(steps) >= sentences
    return took_s


def time_first_sound(registry: Registry) -> float:
    """Return the seconds until the first sound of a short sentence."""
    began_s = time.perf_counter()
    chunks = registry.load(KEY).stream(SPOKEN)
    next(chunk for chunk in chunks if chunk.samples.size)
    took_s = time.perf_counter() - began_s
    list(chunks)
    return took_s


def measure(sentences: int, repeats: int) -> dict[str, float]:
    """Return all figures."""
    with open_shelf() as here, open_shelf("cpu:1") as one, open_shelf("cpu:2") as two:
        books = [[time_book(shelf, sentences) for shelf in (here, one, two)] for _ in range(2)]
        firsts = [(time_first_sound(here), time_first_sound(one)) for _ in range(repeats)]
    local_s, remote_s = (statistics.median(each) for each in zip(*firsts, strict=True))
    return {
        "book.two_against_one": round(statistics.median(one / two for _, one, two in books), 3),
        "book.one_against_page": round(statistics.median(page / one for page, one, _ in books), 3),
        "first_sound.worker_against_page": round(remote_s / local_s, 3),
        "first_sound.later_ms": round(1000 * (remote_s - local_s), 1),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measure, print, and write the figures where they are wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    figures = measure(options.sentences, options.repeats)
    print(json.dumps(figures, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

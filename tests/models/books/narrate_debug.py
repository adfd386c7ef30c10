"""Narrates the tests' long tale in a process of its own, and writes down every sentence that the model is asked for.

python -m tests.models.books.narrate_debug FOLDER DELAY_S
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from models.books.narrator import narrate
from models.books.read import read_pasted
from models.books.script import BookScript, Reading
from models.books.sentence_store import SentenceStore
from models.contracts import SpeechChunk, SpeechRequest
from tests.studio.debug_speech import DebugSpeech

SENTENCES = 40
TALE = "Chapter 1\n\n" + "\n\n".join(f"This is the sentence of number {at}, and no other." for at in range(SENTENCES))


def make_script() -> BookScript:
    """Return the script of the tale."""
    return BookScript(read_pasted(TALE), Reading("speech/debug", "1", "low", {}, (0,)))


def write_line(path: Path, line: str) -> None:
    """Append a line that is there whatever happens next."""
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def main(folder: Path, delay_s: float) -> None:
    """Narrate the tale into a folder."""

    def speak(request: SpeechRequest) -> Iterator[SpeechChunk]:
        write_line(folder / "asked", request.text)
        for chunk in DebugSpeech().stream(request):
            time.sleep(delay_s)
            yield chunk

    for step in narrate(make_script(), SentenceStore(folder / "sentences"), speak):
        write_line(folder / "done", f"{int(step.is_new)} {step.passage.text}")
    write_line(folder / "ended", "ended")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))

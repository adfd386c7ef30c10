"""What the OpenAI route leaves for the library, where the caller asks for it, and the mark that its files carry."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.io import temp_folders, xmp
from studio.io.audio_files import write_wav
from studio.io.marking import SOURCE_TAG, mark_result
from studio.io.recipes import Recipe, write_recipe
from studio.library.store import Library
from studio.page.events import Files
from studio.page.keeping import Keeping
from studio.speech.take import file_stem

log = logging.getLogger(__name__)

MARK = ("-metadata", f"{SOURCE_TAG}={xmp.GENERATED}")  # what ffmpeg writes into a stream; AAC and PCM hold no words


@dataclass(frozen=True)
class KeptSpeech:
    """Takes sound into an owner's library once all of it is made."""

    library: Library
    owner: str

    def listen(self, pieces: Iterator[bytes], rate: int, recipe: Recipe) -> Iterator[bytes]:
        """Yield int16 sound as it comes; where nobody hears it to its end, nothing is kept."""
        heard = []
        with closing(pieces):  # type: ignore[type-var]
            for piece in pieces:
                heard.append(piece)
                yield piece
        try:
            self._keep(np.frombuffer(b"".join(heard), np.int16), rate, recipe)
        except (OSError, ValueError):  # the caller has the sound all the same
            log.warning("Speech could not be kept", exc_info=True)

    def _keep(self, samples: np.ndarray, rate: int, recipe: Recipe) -> None:
        with temp_folders.held() as folder:
            stem = file_stem(str(recipe.settings["text"]), recipe.seed)
            path = write_wav(Path(folder) / f"{stem}.wav", samples.astype(np.float32) / 32767.0, rate)
            write_recipe(path, recipe)
            mark_result(path)
            keeping = Keeping(self.library, self.owner, "speech", frozenset({"wav"}))
            keeping.add((Files({"wav": path}),))
            keeping.finish()

"""Load the default model while the person is still reading the page, so that the first Generate is quick."""

from __future__ import annotations

import logging
import threading

from models.contracts import SpeechRequest, Task
from models.errors import ModelError
from models.registry.registry import Registry

log = logging.getLogger(__name__)


class Warmer:
    """Loads the first speech model once, when it is on this machine; starts after the first page has been shown."""

    LATEST_START_S = 20.0  # after launch, if nobody has opened the page by then

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin in a thread of its own; later calls do nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._warm, name="auralume-warm", daemon=True)
                self._thread.start()

    def _warm(self) -> None:
        here = [spec for spec in self._registry.specs(Task.SPEECH) if self._registry.state(spec.key) != "absent"]
        if not here:
            return
        try:
            model = self._registry.load(here[0].key)
            for _ in model.stream(SpeechRequest(text="Hello.")):
                pass
        except (ModelError, ValueError) as error:
            log.info("The first model was not loaded ahead: %s", error)

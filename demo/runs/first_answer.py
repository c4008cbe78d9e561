"""What a page plays on arrival: the photo that greets, captioned with the model's own settings, once a server."""

from __future__ import annotations

import threading
from pathlib import Path

from captioner.search import SearchSettings
from demo.runs.engine import Engine
from demo.runs.updates import Captioning


class FirstAnswer:
    """The caption that a tab has which has asked for nothing yet.

    The page may show what the model found earlier; the model itself is asked when first somebody asks about it.

    Attributes:
        source: the photo. ``name``: of the example that it is.
        run: that brought it to every page; no run of a tab has this number, and all have higher ones.
    """

    def __init__(self, engine: Engine, source: Path, name: str, run: int) -> None:
        self.engine, self.source, self.name, self.run = engine, source, name, run
        self.settings = SearchSettings(engine.captioner.card.beam_size)
        self._found: Captioning | None = None
        self._lock = threading.Lock()

    @property
    def is_found(self) -> bool:
        """Whether the model was asked."""
        return self._found is not None

    def found(self) -> Captioning:
        """The finished search; the first who asks waits for the model, in turns with everybody else."""
        with self._lock:
            if self._found is None:
                shown = self.engine.show(self.source, self.name)
                found = Captioning(self.run, shown, self.settings, "looking")
                for guess in self.engine.search(self.engine.look(shown), self.settings):
                    found = found.grown(guess)
                self._found = found
            return self._found

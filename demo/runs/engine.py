"""The captioner that all share: photos opened a few at a time, steps computed in turn, looks and views kept.

And what a page plays on arrival: the photo that greets, captioned with the model's own settings, once a server.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL.Image import Image

from captioner.caption import Caption, Word
from captioner.override import AttentionOverride, Grid
from captioner.photo import Photo, PhotoSource, prepare
from captioner.pipeline import Captioner, Guess, Look
from captioner.search import SearchSettings
from demo.runs.kept import KeptPhotos
from demo.runs.updates import Captioning, PutAway, Shown
from demo.runs.waiting_line import PLACES, WaitingLine

VIEW_QUALITY = 90


class Engine:
    """A captioner for many tabs and programs.

    At most ``workers`` steps are computed at a time, each in a ``turn``, so that all who ask take turns
    step by step. Only runs of tabs stand in ``line``; programs wait in Gradio's queue.

    Args:
        folder: where views of photos, and files to download, are written.
        limit: bytes of photos and annotations that are kept in memory; by default `demo.runs.kept.budget`.
    """

    def __init__(self, captioner: Captioner, folder: Path, workers: int = 1, limit: int | None = None) -> None:
        self.captioner = captioner
        self.folder = folder
        self.line = WaitingLine()
        self.turn = threading.BoundedSemaphore(workers)
        self._opening = threading.BoundedSemaphore(PLACES)
        self.kept = KeptPhotos(self._encoded, limit)

    @property
    def grid(self) -> Grid:
        """Rows and columns of the attention maps."""
        return (self.captioner.encoder.config.grid,) * 2

    def open(self, source: PhotoSource) -> Shown:
        """Decode a photo for a program; few at a time, since a large one takes much memory.

        Raises:
            PhotoError: if it is none.
        """
        with self._opening:
            return self._shown(prepare(source, self.captioner.card.photo))

    def show(self, source: PhotoSource, name: str = "") -> Shown:
        """Decode a photo for a page, with a view to show; ``name`` is that of an example.

        Raises:
            PhotoError: if it is none.
        """
        with self._opening:
            photo = prepare(source, self.captioner.card.photo)
        return self.viewed(photo, name)

    def viewed(self, photo: Photo, name: str = "") -> Shown:
        """The photo with its view, for a page to show."""
        return self._shown(photo, keep_view(photo.view, self.folder), name)

    def painted(self, photo: Photo) -> Shown:
        """A photo that a program made of another."""
        return self._shown(photo)

    def look(self, shown: Shown) -> Look:
        """The photo's look; encoded, when it is one's turn, if it is not kept."""
        return self.kept.look(shown)

    def search(
        self,
        look: Look,
        settings: SearchSettings,
        beginning: str | Sequence[str] = "",
        attention: AttentionOverride | None = None,
    ) -> Iterator[Guess]:
        """What `Captioner.stream` yields, every step in a turn of its own."""
        guesses = self.captioner.stream(look, settings, beginning, attention)
        while True:
            with self.turn:
                guess = next(guesses, None)
            if guess is None:
                return
            yield guess

    def score(self, look: Look, sentence: str | Sequence[str], attention: AttentionOverride | None = None) -> Caption:
        """A sentence of one's own as `Captioner.score` sees it, in a turn."""
        with self.turn:
            return self.captioner.score(look, sentence, attention)

    def look_elsewhere(
        self, look: Look, caption: Caption, position: int, attention: AttentionOverride
    ) -> tuple[Word, Word]:
        """One word before and after, as `Captioner.look_elsewhere` sees it, in a turn."""
        with self.turn:
            return self.captioner.look_elsewhere(look, caption.words, position, attention)

    def _shown(self, photo: Photo, view: Path | None = None, name: str = "") -> Shown:
        away = PutAway(self.folder, self.captioner.card.photo)
        return self.kept.add(Shown(photo, self.grid, view, name, away))

    def _encoded(self, photo: Photo) -> Look:
        with self.turn:
            return self.captioner.look(photo)


def keep_view(view: Image, folder: Path) -> Path:
    """Write a photo as a page shows it, a JPEG file, under a name nobody can guess without the photo."""
    buffer = io.BytesIO()
    view.save(buffer, "JPEG", quality=VIEW_QUALITY)
    content = buffer.getvalue()
    path = folder / hashlib.sha256(content).hexdigest()[:32] / "photo.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


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

"""`Captioner`: look at a photo once, then caption, stream and score as often as you like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL.Image import Image

from captioner.attention import Annotations
from captioner.caption import Alternative, Caption
from captioner.card import Card
from captioner.checkpoint import Checkpoint, load_checkpoint
from captioner.photo import Photo, PhotoSource, prepare
from captioner.search import Hypothesis, SearchSettings, SettingsError, search
from captioner.vocabulary import SPECIALS, Vocabulary, tokenize

DEFAULT_CHECKPOINT = Path(__file__).resolve().parent.parent / "checkpoints" / "flickr8k"
MAX_SENTENCE_WORDS = 50


@dataclass(frozen=True, eq=False)
class Look:
    """A photo the model has looked at: encoded once, to be searched many times.

    Attributes:
        view: upright RGB photo at its own aspect; the whole of it is what the model saw.
        annotations: of this one photo.
        grid: rows and columns of the attention maps.
    """

    view: Image
    annotations: Annotations
    grid: tuple[int, int]


class Guess(NamedTuple):
    """What a search has so far, best caption first; the leader may still change until done."""

    captions: tuple[Caption, ...]
    done: bool

    @property
    def leader(self) -> Caption:
        """The leading guess, or the result once done."""
        return self.captions[0]


class Captioner:
    """A loaded model behind three verbs: `look`, then `caption` (or `stream`) and `score`."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.vocabulary: Vocabulary = checkpoint.vocabulary
        self.card: Card = checkpoint.card
        self.decoder = checkpoint.decoder.eval().to(self.device)
        self.encoder = checkpoint.encoder.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, folder: Path | str = DEFAULT_CHECKPOINT, device: torch.device | str = "cpu") -> Captioner:
        """Load a checkpoint folder, by default the bundled one.

        Raises:
            CheckpointError: if it is not a whole, unchanged checkpoint.
        """
        return cls(load_checkpoint(Path(folder)), device)

    def look(self, source: PhotoSource | Photo) -> Look:
        """Prepare and encode one photo.

        Raises:
            PhotoError: if it is not a photo that can be captioned.
        """
        return self.look_many([source])[0]

    @torch.inference_mode()
    def look_many(self, sources: Sequence[PhotoSource | Photo]) -> list[Look]:
        """Prepare and encode several photos in one batch."""
        if not sources:
            return []
        photos = [source if isinstance(source, Photo) else prepare(source, self.card.photo) for source in sources]
        batch = torch.stack([photo.tensor for photo in photos]).to(self.device)
        features = self.encoder(batch.contiguous(memory_format=torch.channels_last)).contiguous()
        annotations = self.decoder.annotate(features)
        grid = (self.encoder.config.grid, self.encoder.config.grid)
        return [
            Look(photo.view, Annotations(*(part[index : index + 1] for part in annotations)), grid)
            for index, photo in enumerate(photos)
        ]

    def stream(
        self, look: Look, settings: SearchSettings | None = None, beginning: str | Sequence[str] = ""
    ) -> Iterator[Guess]:
        """Search word by word; each guess replaces the one before.

        Args:
            beginning: first words that every caption must have; a sentence is tokenised, a
                sequence of words is taken as it is, so that any word of the vocabulary can be forced.

        Raises:
            SettingsError: if the beginning has a word the model does not know or never writes, or
                is too long; at the first guess, as a generator does.
        """
        settings = self._complete(settings)
        prefix = self._prefix(beginning, settings.max_length)
        snapshots = search(self.decoder, look.annotations, self.vocabulary, settings, prefix)
        for (snapshot,) in snapshots:
            captions = tuple(self._caption(hypothesis, look.grid) for hypothesis in snapshot.hypotheses)
            yield Guess(captions, snapshot.done)

    def captions(
        self, look: Look, settings: SearchSettings | None = None, beginning: str | Sequence[str] = ""
    ) -> tuple[Caption, ...]:
        """All captions that the search found, best first."""
        *_, last = self.stream(look, settings, beginning)
        return last.captions

    def caption(
        self, photo: Look | PhotoSource, settings: SearchSettings | None = None, beginning: str | Sequence[str] = ""
    ) -> Caption:
        """The best caption of a photo, looked at here if it was not before."""
        look = photo if isinstance(photo, Look) else self.look(photo)
        return self.captions(look, settings, beginning)[0]

    def score(self, look: Look, sentence: str | Sequence[str]) -> Caption:
        """The person's own sentence as a caption: each word's log-probability and attention.

        A sequence of words is taken as it is. A word the model does not know is scored and shown
        as ``<unk>``.

        Raises:
            SettingsError: if the sentence has no word or more than 50.
        """
        tokens = _tokens(sentence)
        if not 1 <= len(tokens) <= MAX_SENTENCE_WORDS:
            raise SettingsError(f"a sentence must have 1 to {MAX_SENTENCE_WORDS} words, got {len(tokens)}")
        prefix = self.vocabulary.encode(tokens)[1:]
        *_, last = search(self.decoder, look.annotations, self.vocabulary, self._complete(None), prefix)
        return self._caption(last[0].leader, look.grid)

    def _complete(self, settings: SearchSettings | None) -> SearchSettings:
        settings = settings or SearchSettings(beam_size=self.card.beam_size)
        if settings.length_penalty is None:
            settings = replace(settings, length_penalty=self.card.length_penalty)
        return settings

    def _prefix(self, beginning: str | Sequence[str], max_length: int) -> list[int]:
        tokens = _tokens(beginning)
        unknown = [token for token in tokens if token not in self.vocabulary or token in SPECIALS]
        if unknown:
            raise SettingsError(f"the model does not know the word {unknown[0]!r}; please begin with another")
        if len(tokens) >= max_length:
            raise SettingsError(f"a beginning must have fewer than {max_length} words, got {len(tokens)}")
        return self.vocabulary.encode(tokens)[1:-1]

    def _caption(self, hypothesis: Hypothesis, grid: tuple[int, int]) -> Caption:
        steps, word = hypothesis.steps, self.vocabulary.word
        return Caption(
            tuple(word(step.token) for step in steps),
            np.array([step.log_prob for step in steps], dtype=np.float32),
            np.array([step.alpha for step in steps], dtype=np.float32).reshape(-1, *grid),
            np.array([step.beta for step in steps], dtype=np.float32),
            tuple(tuple(Alternative(word(token), chance) for token, chance in step.alternatives) for step in steps),
            hypothesis.finished,
        )


def _tokens(text: str | Sequence[str]) -> list[str]:
    return tokenize(text) if isinstance(text, str) else list(text)

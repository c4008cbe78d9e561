"""`Captioner`: look at a photo once, then caption, stream and score as often as you like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL.Image import Image

from captioner.attention import Annotations
from captioner.caption import Alternative, Caption, Standing, Word
from captioner.card import Card
from captioner.checkpoint import Checkpoint, load_checkpoint
from captioner.encoder_form import EncoderInForm, Form
from captioner.equations import StepNumbers, before_and_after, explain
from captioner.familiarity import Familiar
from captioner.folded_decoder import FoldedAnnotations, FoldedDecoder, foldable
from captioner.override import AttentionOverride
from captioner.photo import Photo, PhotoSource, prepare
from captioner.search import Completion, Hypothesis, SearchSettings, Snapshot, complete, next_word, search
from captioner.vocabulary import Vocabulary, beginning_ids, ids_up_to, sentence_ids, unknown_words

HERE = Path(__file__).resolve().parent.parent
# Beside the package in a clone; an installed package has its own copy.
CHECKPOINTS = HERE / "checkpoints" if (HERE / "checkpoints").is_dir() else HERE / "captioner_checkpoints"
DEFAULT_CHECKPOINT = CHECKPOINTS / "everyday"


@dataclass(frozen=True, eq=False)
class Look:
    """A photo the model has looked at: encoded once, to be searched many times.

    Attributes:
        view: upright RGB photo at its own aspect; the whole of it is what the model saw.
        annotations: of this one photo.
        grid: rows and columns of the attention maps.
        folded: what a search reads of the annotations, if the decoder can be folded.
        incomplete: whether the photo's file lacked its end.
        familiar: how like the training photos it is, if the checkpoint knows.
    """

    view: Image
    annotations: Annotations
    grid: tuple[int, int]
    folded: FoldedAnnotations | None = None
    incomplete: bool = False
    familiar: Familiar | None = None


class Guess(NamedTuple):
    """What a search has so far, best caption first; the leader may still change until done."""

    captions: tuple[Caption, ...]
    done: bool
    familiar: Familiar | None = None  # what is known of the photo

    @property
    def leader(self) -> Caption:
        """The leading guess, or the result once done."""
        return self.captions[0]


class Captioner:
    """A loaded model behind three verbs: `look`, then `caption` (or `stream`) and `score`.

    Each takes an `AttentionOverride`, to ask "what if it had looked there?"; `look_elsewhere` and
    `explain` ask about a single word.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device | str = "cpu", form: Form | None = None) -> None:
        """``form``: of the encoder's arithmetic, see `EncoderInForm`; by default the fastest one here.

        Raises:
            FormError: if this form cannot be had here.
        """
        self.device = torch.device(device)
        self.vocabulary: Vocabulary = checkpoint.vocabulary
        self.card: Card = checkpoint.card
        self.decoder = checkpoint.decoder.eval().to(self.device)
        self.encoder = EncoderInForm(checkpoint.encoder, self.device, checkpoint.ranges, form)
        self.familiarity = checkpoint.familiarity
        self._folded = FoldedDecoder(self.decoder, exact=form == "exact") if foldable(self.decoder) else None

    @classmethod
    def load(
        cls,
        folder: Path | str = DEFAULT_CHECKPOINT,
        device: torch.device | str = "cpu",
        form: Form | None = None,
    ) -> Captioner:
        """Load a checkpoint folder, by default the bundled one.

        Raises:
            CheckpointError: if it is not a whole, unchanged checkpoint.
            FormError: if the form cannot be had here.
        """
        return cls(load_checkpoint(Path(folder)), device, form)

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
        annotations = self.decoder.annotate(self.encoder(batch))
        folded = self._folded.annotate(annotations) if self._folded else None
        grid = (self.encoder.config.grid, self.encoder.config.grid)
        looks = []
        for index, photo in enumerate(photos):
            own, own_folded = annotations, folded
            if len(photos) > 1:  # a copy of each, so that it can be forgotten without the others
                own, own_folded = annotations.select([index]), folded and folded.select([index])
            familiar = self._familiar(annotations, index)
            looks.append(Look(photo.view, own, grid, own_folded, photo.incomplete, familiar))
        return looks

    def _familiar(self, annotations: Annotations, index: int) -> Familiar | None:
        """What is known of the photo at ``index``; nothing of annotations that the training never had."""
        return self.familiarity.of(annotations.features[index].float().cpu().numpy()) if self.familiarity else None

    def stream(
        self,
        look: Look,
        settings: SearchSettings | None = None,
        beginning: str | Sequence[str] = "",
        attention: AttentionOverride | None = None,
    ) -> Iterator[Guess]:
        """Search word by word; each guess replaces the one before.

        Args:
            beginning: first words that every caption must have; a sentence is tokenised, a
                sequence of words is taken as it is, so that any word of the vocabulary can be
                forced, and ``<end>`` as the last.
            attention: maps that replace the model's own.

        Raises:
            SettingsError: if the beginning has a word the model does not know or never writes, or
                is too long, or the maps are not of the look's grid; at the first guess, as a
                generator does.
        """
        for (snapshot,) in self._search(look, settings, beginning, attention):
            yield Guess(self._captions(snapshot, look), snapshot.done, look.familiar)

    def captions(
        self,
        look: Look,
        settings: SearchSettings | None = None,
        beginning: str | Sequence[str] = "",
        attention: AttentionOverride | None = None,
    ) -> tuple[Caption, ...]:
        """All captions that the search found, best first."""
        return self._captions(_last(self._search(look, settings, beginning, attention)), look)

    def caption(
        self,
        photo: Look | PhotoSource,
        settings: SearchSettings | None = None,
        beginning: str | Sequence[str] = "",
        attention: AttentionOverride | None = None,
    ) -> Caption:
        """The best caption of a photo, looked at here if it was not before."""
        look = photo if isinstance(photo, Look) else self.look(photo)
        return self.captions(look, settings, beginning, attention)[0]

    def score(self, look: Look, sentence: str | Sequence[str], attention: AttentionOverride | None = None) -> Caption:
        """The person's own sentence as a caption: each word's log-probability and attention.

        A sequence of words is taken as it is; ``<end>`` is added where it is not the last. A word
        the model does not know stays as it is written and has no log-probability (nan), nor has
        the sentence then; the words after it are weighed as after ``<unk>``.

        Raises:
            SettingsError: if the sentence has no word or more than 50, or words after ``<end>``,
                or the maps of ``attention`` are not of the look's grid.
        """
        prefix = sentence_ids(self.vocabulary, sentence)
        snapshot = _last(self._searched(look, self._settled(None), prefix, attention))
        (caption,) = self._captions(snapshot, look)
        unknown = unknown_words(self.vocabulary, sentence)
        return caption.with_unknown(unknown, self.vocabulary.known) if unknown else caption

    def look_elsewhere(
        self,
        look: Look,
        words: str | Sequence[str],
        position: int,
        attention: AttentionOverride,
        instead_of: AttentionOverride | None = None,
    ) -> tuple[Word, Word]:
        """The word at ``position`` with the model's own attention (or ``instead_of``), and with the replaced one.

        Both are given the same previous ``words``, and name the same runners-up (the likeliest of
        either), so that each probability before has its counterpart after.

        Raises:
            SettingsError: as `explain` does.
        """
        ids = ids_up_to(self.vocabulary, words, position)
        for each in filter(None, (attention, instead_of)):
            each.check(look.grid)
        return before_and_after(self.decoder, look.annotations, self.vocabulary, ids, attention, look.grid, instead_of)

    def explain(
        self, look: Look, words: str | Sequence[str], position: int, attention: AttentionOverride | None = None
    ) -> StepNumbers:
        """The equations of the step that wrote the word at ``position``, in real numbers.

        Args:
            words: of a caption, as they are (or a sentence, tokenised), fed in one by one.
            position: 0 is the first word; the place after the last word is that of ``<end>``.

        Raises:
            SettingsError: if there is no such position, words follow ``<end>``, or the maps of
                ``attention`` are not of the look's grid.
        """
        ids = ids_up_to(self.vocabulary, words, position)
        if attention:
            attention.check(look.grid)
        return explain(self.decoder, look.annotations, self.vocabulary, ids, attention, look.grid)

    def complete(self, look: Look, before: Sequence[str], typed: str) -> Completion:
        """The words that begin with what was ``typed``, by their probability after the words ``before`` it.

        The step is the one that a search takes, so the probabilities are those of its alternatives.
        """
        ids = self.vocabulary.encode(before)[1:-1]
        if self._folded and look.folded:
            log_probs = next_word(self._folded, look.folded, self.vocabulary, ids)
        else:
            log_probs = next_word(self.decoder, look.annotations, self.vocabulary, ids)
        return complete(log_probs, self.vocabulary, typed)

    def _search(
        self,
        look: Look,
        settings: SearchSettings | None,
        beginning: str | Sequence[str],
        attention: AttentionOverride | None,
    ) -> Iterator[list[Snapshot]]:
        settings = self._settled(settings)
        prefix = beginning_ids(self.vocabulary, beginning, settings.max_length)
        return self._searched(look, settings, prefix, attention)

    def _searched(
        self, look: Look, settings: SearchSettings, prefix: list[int], attention: AttentionOverride | None
    ) -> Iterator[list[Snapshot]]:
        if attention:
            attention.check(look.grid)
        if self._folded and look.folded:
            return search(self._folded, look.folded, self.vocabulary, settings, prefix, attention)
        return search(self.decoder, look.annotations, self.vocabulary, settings, prefix, attention)

    def _settled(self, settings: SearchSettings | None) -> SearchSettings:
        return self.card.completed(settings or SearchSettings(beam_size=self.card.beam_size))

    def _captions(self, snapshot: Snapshot, look: Look) -> tuple[Caption, ...]:
        ranked = zip(snapshot.hypotheses, snapshot.standings, strict=True)
        return tuple(self._caption(hypothesis, standing, look.grid) for hypothesis, standing in ranked)

    def _caption(self, hypothesis: Hypothesis, standing: Standing, grid: tuple[int, int]) -> Caption:
        steps, word = hypothesis.steps, self.vocabulary.word
        return Caption(
            tuple(word(step.token) for step in steps),
            np.array([step.log_prob for step in steps], dtype=np.float32),
            np.array([step.alpha for step in steps], dtype=np.float32).reshape(-1, *grid),
            np.array([step.beta for step in steps], dtype=np.float32),
            tuple(tuple(Alternative(word(token), chance) for token, chance in step.alternatives) for step in steps),
            hypothesis.finished,
            standing=standing,
        )


def _last(snapshots: Iterator[list[Snapshot]]) -> Snapshot:
    """Of a search of one photo."""
    *_, (snapshot,) = snapshots
    return snapshot

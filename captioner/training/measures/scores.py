"""Captions decoded without teacher forcing, scored by pycocoevalcap; and which score decides.

METEOR 1.5 (Denkowski and Lavie 2014) is a Java program that comes with it, run with patience.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from captioner.decoder import Decoder
from captioner.search import SearchSettings, search
from captioner.settings import SEEDS
from captioner.training.data.datasets import Example, Tokens
from captioner.training.options import OptionError
from captioner.vocabulary import Vocabulary

METEOR_JAR = "meteor-1.5.jar"
METEOR_SECONDS = 120.0  # without an answer, until it is given up
METEOR_FIELD = " ||| "
Annotate = Callable[[Sequence[str]], Tensor]

DETERMINERS = ("a", "an", "the", "his", "her", "its", "their")
DANGLING = frozenset(
    (*DETERMINERS, "and", "or", "of", "in", "on", "at", "with", "to", "by", "for", "from", "is", "are")
)

NAMES = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr", "distinct captions")
TERM = re.compile(r"(?:([0-9.]+)\s*\*?\s+)?(.+)")


class Scored(NamedTuple):
    """The caption of each photo with what it scored over all of them."""

    captions: list[Tokens]
    scores: dict[str, float]


@torch.inference_mode()
def decode(
    decoder: Decoder, batches: Iterable[Tensor], vocabulary: Vocabulary, settings: SearchSettings
) -> list[Tokens]:
    """Best caption of each photo; ``batches`` of features ``(P, L, D)``.

    Above temperature 0 photo ``i`` is drawn with the seed ``settings.seed + i``: with one for all, the same
    luck would befall every caption, and their mean score would say little.
    """
    captions: list[Tokens] = []
    for features in batches:
        for part in torch.split(features, 1) if settings.temperature else [features]:
            drawn = replace(settings, seed=(settings.seed + len(captions)) % SEEDS)
            *_, snapshots = search(decoder, decoder.annotate(part), vocabulary, drawn)
            captions += [tuple(vocabulary.decode(snapshot.leader.tokens)) for snapshot in snapshots]
    return captions


def caption_scores(captions: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> dict[str, float]:
    """BLEU-1 to 4, ROUGE-L and CIDEr over the data set's own tokens.

    The tokens are lower case without punctuation on both sides, so no tokeniser comes between.
    """
    from pycocoevalcap.bleu.bleu import Bleu  # noqa: PLC0415
    from pycocoevalcap.cider.cider import Cider  # noqa: PLC0415
    from pycocoevalcap.rouge.rouge import Rouge  # noqa: PLC0415

    truth = {index: [" ".join(tokens) for tokens in tokens_list] for index, tokens_list in enumerate(references)}
    found = {index: [" ".join(tokens)] for index, tokens in enumerate(captions)}
    bleu, _ = Bleu(4).compute_score(truth, found, verbose=0)
    scores = {f"BLEU-{order}": 100 * float(value) for order, value in enumerate(bleu, 1)}
    scores["ROUGE-L"] = 100 * float(Rouge().compute_score(truth, found)[0])
    scores["CIDEr"] = float(Cider().compute_score(truth, found)[0])
    return scores


def diversity(captions: Sequence[Tokens]) -> dict[str, float]:
    """Signs of collapse: distinct captions and words, mean length, share ending in a dangling word."""
    words = Counter(word for caption in captions for word in caption)
    return {
        "distinct captions": len(set(captions)),
        "distinct words": len(words),
        "mean length": words.total() / len(captions),
        "dangling": sum(not caption or caption[-1] in DANGLING for caption in captions) / len(captions),
    }


def share_repeating(captions: Sequence[Tokens], may_repeat: AbstractSet[str]) -> float:
    """The share of captions that say a word twice which is not among ``may_repeat``."""
    return sum(says_twice(caption, may_repeat) for caption in captions) / len(captions)


def says_twice(caption: Tokens, may_repeat: AbstractSet[str]) -> bool:
    """Does it say a word twice which is not among ``may_repeat``?"""
    content = [word for word in caption if word not in may_repeat]
    return len(set(content)) < len(content)


def evaluate(
    decoder: Decoder,
    examples: Sequence[Example],
    annotate: Annotate,
    vocabulary: Vocabulary,
    settings: SearchSettings,
    *,
    batch_size: int = 25,
    may_repeat: AbstractSet[str] = frozenset(),
) -> Scored:
    """Decode and score examples; ``annotate`` gives the features of photos by file name.

    ``may_repeat``: the words that a caption may say twice; given, the share that says another twice is scored.
    """
    names = [example.filename for example in examples]
    starts = tqdm(range(0, len(names), batch_size), desc=f"beam {settings.beam_size}", leave=False)
    batches = (annotate(names[start : start + batch_size]) for start in starts)
    captions = decode(decoder, batches, vocabulary, settings)
    references = [example.captions for example in examples]
    scores = caption_scores(captions, references) | diversity(captions)
    if may_repeat:
        scores["says a word twice"] = share_repeating(captions, may_repeat)
    return Scored(captions, scores)


class Choice:
    """``flickr8k CIDEr + 0.5 everyday CIDEr`` as a function of the scores.

    Args:
        metric: terms with "+" between them, each the name of a score, with a factor before it if need be.
            Empty: the sum of every val's CIDEr.
        vals: names of the sources whose val is scored; a score's name is ``SOURCE CIDEr``, or ``CIDEr`` if
            there is one source without a name.

    Raises:
        OptionError: if a term names no score that there will be.
    """

    def __init__(self, metric: str, vals: Sequence[str]) -> None:
        known = {f"{val} {name}".strip() for val in vals for name in NAMES}
        self.metric = metric or " + ".join(f"{val} CIDEr".strip() for val in vals)
        self.terms = [_term(part.strip(), known) for part in self.metric.split("+")]

    def __call__(self, scores: Mapping[str, float]) -> float:
        """The weighted sum."""
        return sum(factor * scores[name] for factor, name in self.terms)


def _term(text: str, known: set[str]) -> tuple[float, str]:
    if text in known:
        return 1.0, text
    found = TERM.fullmatch(text)
    if found is None or found[2] not in known or not found[1]:
        raise OptionError(f"--metric: {text!r} is none of the scores ({', '.join(sorted(known))})")
    return float(found[1]), found[2]


class MeteorError(ValueError):
    """METEOR cannot be had; the message says why."""


def meteor(
    captions: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, seconds: float = METEOR_SECONDS
) -> float:
    """METEOR of English captions, times 100.

    Raises:
        MeteorError: if the references are not in Latin letters, or Java is missing, fails or does not answer.
    """
    if not _latin(references):
        raise MeteorError("it knows no words of this language")
    java = shutil.which("java")
    if java is None:
        raise MeteorError("it needs Java, which is not installed here")
    with tempfile.TemporaryDirectory(prefix="meteor-") as folder, _program(java, _linked(Path(folder))) as process:
        try:
            return 100 * _asked(process, captions, references, seconds)
        except (OSError, ValueError) as error:
            raise MeteorError(f"its Java program failed or gave no answer in {seconds:g} s") from error


@contextmanager
def _program(java: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [java, "-Xmx2G", "-jar", METEOR_JAR, "-", "-", "-stdio", "-l", "en", "-norm"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what it had not read is lost with it
                if pipe is not None:
                    pipe.close()


def _asked(
    process: subprocess.Popen[str], captions: Sequence[Tokens], references: Sequence[Sequence[Tokens]], seconds: float
) -> float:
    """The statistics of every caption, line by line, then the score of each and of all of them."""
    statistics = []
    for caption, own in zip(captions, references, strict=True):
        line = METEOR_FIELD.join(["SCORE", *(" ".join(tokens) for tokens in own), " ".join(caption)])
        statistics += _answers(process, line, 1, seconds)
    *_, score = _answers(process, METEOR_FIELD.join(["EVAL", *statistics]), len(captions) + 1, seconds)
    return float(score)


def _answers(process: subprocess.Popen[str], line: str, count: int, seconds: float) -> list[str]:
    """So many lines that answer one."""
    assert process.stdin is not None
    assert process.stdout is not None
    patience = threading.Timer(seconds, process.kill)
    patience.start()
    try:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        found = [process.stdout.readline().strip() for _ in range(count)]
    finally:
        patience.cancel()
    if not all(found):
        raise ValueError("no answer")
    return found


def _linked(folder: Path) -> Path:
    """The program copied to where no path has spaces: with them it would not find its data, nor through a link."""
    package = _package()
    shutil.copy(package / METEOR_JAR, folder)
    (folder / "data").symlink_to(package / "data")
    return folder


def _package() -> Path:
    found = find_spec("pycocoevalcap.meteor")
    if found is None or not found.submodule_search_locations:
        raise MeteorError("pycocoevalcap is not installed")
    return Path(found.submodule_search_locations[0]).resolve()


def _latin(references: Sequence[Sequence[Tokens]]) -> bool:
    letters = [char for own in references[:200] for tokens in own for word in tokens for char in word if char.isalpha()]
    latin = sum(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return latin * 2 >= len(letters)

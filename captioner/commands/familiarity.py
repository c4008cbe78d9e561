"""``python -m captioner familiarity``: what a checkpoint's training photos are like, and what that says of captions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pycocoevalcap.cider.cider import Cider
from tqdm import tqdm

from captioner.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from captioner.commands.train import add_data, sources_of
from captioner.encoder import without_identity_blocks
from captioner.pipeline import Captioner
from captioner.search import SearchSettings, search
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.features import FeatureCache, fingerprint
from captioner.training.data.sources import Source, read_mixture
from captioner.training.measures.familiarity import Tells, fit, tells

Floats = NDArray[np.float32]
BATCH = 25


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("familiarity", help="learn what the training photos are like; put it beside a model")
    add_data(parser)
    parser.add_argument("checkpoint", type=Path, help="folder of the model; the file is added to it")
    parser.add_argument("--features", type=Path, help="folder of cached features of --data")
    parser.add_argument("--report", action="store_true", help="only print how it goes with the captions of every val")
    parser.set_defaults(run=_run)


def _run(a: argparse.Namespace) -> int:
    checkpoint = load_checkpoint(a.checkpoint)
    mixture = read_mixture(sources_of(a))
    encoder = fingerprint(without_identity_blocks(checkpoint.encoder))
    if not a.report:
        means = [
            _means(_cache(a, source, encoder), dataset.of("train")) for source, dataset in mixture.with_split("train")
        ]
        checkpoint = checkpoint._replace(familiarity=fit(np.concatenate(means)))
        save_checkpoint(a.checkpoint, checkpoint)
    for source, dataset in mixture.with_split("val"):
        _report(source.name or dataset.name, checkpoint, _cache(a, source, encoder), dataset.of("val"))
    return 0


def _cache(a: argparse.Namespace, source: Source, encoder: str) -> FeatureCache:
    folder = a.features or source.features
    if folder is None:
        raise DatasetError("name the cached features: --features FOLDER, or `features` of every source")
    cache = FeatureCache(folder)
    if cache.encoder != encoder:
        raise DatasetError(f"{folder} holds the features of another encoder; name another folder")
    return cache


def _means(cache: FeatureCache, examples: Sequence[Example]) -> Floats:
    """Mean annotations ``(N, D)``."""
    photos = tqdm(examples, desc="photos", leave=False)
    return np.stack([cache.photo(example.filename).float().mean(dim=0).numpy() for example in photos])


def _report(name: str, checkpoint: Checkpoint, cache: FeatureCache, examples: Sequence[Example]) -> None:
    if checkpoint.familiarity is None:
        raise DatasetError("this checkpoint knows nothing of its training photos; run the command without --report")
    similar = checkpoint.familiarity.similarity(_means(cache, examples))
    captions, likelihoods = _captions(Captioner(checkpoint), cache, examples)
    truth = {row: [" ".join(tokens) for tokens in example.captions] for row, example in enumerate(examples)}
    _, scores = Cider().compute_score(truth, {row: [caption] for row, caption in enumerate(captions)})
    for measure, values in (("familiarity", similar), ("log-probability a word", likelihoods)):
        print(f"{name}, {len(examples)} photos, {measure}: {_said(tells(values.tolist(), scores.tolist()))}")


@torch.inference_mode()
def _captions(captioner: Captioner, cache: FeatureCache, examples: Sequence[Example]) -> tuple[list[str], Floats]:
    """The best caption of each photo, and its log-probability a word in nats."""
    settings = captioner.card.completed(SearchSettings(captioner.card.beam_size))
    captions, likelihoods = [], []
    for first in tqdm(range(0, len(examples), BATCH), desc="captions", leave=False):
        features = cache.read([example.filename for example in examples[first : first + BATCH]]).float()
        *_, snapshots = search(captioner.decoder, captioner.decoder.annotate(features), captioner.vocabulary, settings)
        for leader in (snapshot.leader for snapshot in snapshots):
            captions.append(" ".join(captioner.vocabulary.decode(leader.tokens)))
            likelihoods.append(leader.log_prob / len(leader.tokens))
    return captions, np.array(likelihoods, dtype=np.float32)


def _said(found: Tells) -> str:
    fifths = ", ".join(f"{each.score:.3f}" for each in found.fifths)
    low, high = found.interval
    return f"Spearman {found.correlation:.3f} [{low:.3f}, {high:.3f}] with CIDEr; by fifth, least first: {fifths}"

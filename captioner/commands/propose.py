"""``python -m captioner propose``: captions for photos that have none, to train on beside people's."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from captioner.checkpoint import load_checkpoint
from captioner.commands.train import add_data, sources_of
from captioner.encoder import without_identity_blocks
from captioner.photo import PhotoError
from captioner.pipeline import Captioner
from captioner.training.data.concepts import FUNCTION_WORDS
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.features import FeatureCache, fingerprint
from captioner.training.data.sources import Source, listed, read_mixture
from captioner.training.options import add_options, read_options
from captioner.training.proposals import ProposalConfig, Proposer, WordProbe, read_answers, read_sentences


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("propose", help="write captions for photos that have none")
    add_data(parser)  # captioned photos, from which the probe learns
    parser.add_argument("checkpoint", type=Path, help="of the model that proposes")
    parser.add_argument("--unlabelled", type=Path, required=True, help="folder of the photos without captions")
    parser.add_argument("--only", type=Path, help="list of those that are captioned, if not all")
    parser.add_argument("--features", type=Path, help="folder of their cached features")
    parser.add_argument("--people", type=Path, help="sentences of people about such photos, one a line")
    parser.add_argument("--answers", type=Path, help='JSON lines {"filename": …, "answers": [[question, answer], …]}')
    parser.add_argument("--output", type=Path, required=True, help="JSON lines to write; goes on where it was stopped")
    add_options(parser, ProposalConfig)
    parser.set_defaults(run=_run)


def _run(a: argparse.Namespace) -> int:
    checkpoint = load_checkpoint(a.checkpoint)
    captioner = Captioner(checkpoint)
    config: ProposalConfig = read_options(ProposalConfig, a)
    encoder = fingerprint(without_identity_blocks(checkpoint.encoder))
    may_repeat = frozenset(captioner.card.may_repeat) or frozenset(FUNCTION_WORDS.split())
    examples, means = _captioned(captioner, encoder, sources_of(a))
    sentences = [caption for example in examples for caption in example.captions]
    sentences += read_sentences(a.people) if a.people else []
    proposer = Proposer(
        captioner.decoder,
        captioner.vocabulary,
        WordProbe(examples, means, may_repeat, min_frequency=min(12, len(examples) // 4), seed=config.seed),
        may_repeat,
        sentences,
        config,
        captioner.card.length_penalty,
    )
    answers = read_answers(a.answers) if a.answers else {}
    names = sorted(listed(a.only)) if a.only else sorted(path.name for path in a.unlabelled.iterdir() if path.is_file())
    read = _reader(captioner, encoder, a.unlabelled, a.features)
    done = _done(a.output)
    count = 0
    with a.output.open("a", encoding="utf-8") as file:
        for name, features in _features(read, [name for name in names if name not in done]):
            proposals = proposer(features, answers.get(name, frozenset()))
            if proposals:
                line = {"filename": name, "captions": [each.as_json() for each in proposals]}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                count += 1
    print(f"{count} photos captioned in {a.output}")
    return 0


Read = Callable[[str], Tensor]  # file name → (1, L, D)


def _reader(captioner: Captioner, encoder: str, photos: Path, features: Path | None) -> Read:
    """Features from the cache where there is one, else encoded here."""
    if features is None:
        return lambda name: captioner.look(photos / name).annotations.features
    cache = FeatureCache(features)
    if cache.encoder != encoder:
        raise DatasetError(f"{features} holds the features of another encoder; leave it out")
    return lambda name: cache.photo(name).float().unsqueeze(0).to(captioner.device)


def _features(read: Read, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
    """Photos that cannot be read are named and left out."""
    for name in tqdm(names, unit="photo"):
        try:
            yield name, read(name)
        except PhotoError as error:
            tqdm.write(f"{name}: {error}")


def _captioned(captioner: Captioner, encoder: str, sources: Sequence[Source]) -> tuple[list[Example], Tensor]:
    """The training photos that people captioned, and their mean annotations ``(P, D)``."""
    mixture = read_mixture(sources)
    readers = {source.name: _reader(captioner, encoder, source.photos, source.features) for source in sources}
    examples, means = [], []
    for example in tqdm(mixture.train(), desc="probe", unit="photo"):
        if example.captions:
            examples.append(example)
            means.append(readers[example.source](example.filename).mean(dim=1).cpu())
    return examples, torch.cat(means).float()


def _done(output: Path) -> set[str]:
    """The photos that have their line; half a line, of a run that was killed, is cut off."""
    lines = output.read_bytes().splitlines(keepends=True) if output.exists() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    if len(whole) < len(lines):
        output.write_bytes(b"".join(whole))
    return {json.loads(line)["filename"] for line in whole}

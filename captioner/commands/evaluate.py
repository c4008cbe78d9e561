"""``python -m captioner evaluate``: scores of a checkpoint on data sets, printed and put on its card."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
from torch import Tensor

from captioner.checkpoint import CARD, load_checkpoint
from captioner.commands.caption import add_form, form_of
from captioner.commands.checkpoints import at_least_one
from captioner.commands.train import add_data, sources_of
from captioner.encoder import FEATURE_SIZE, Encoder, without_identity_blocks
from captioner.pipeline import Captioner
from captioner.search import SearchSettings
from captioner.training.data.concepts import Entities
from captioner.training.data.datasets import Dataset, DatasetError, Example, Tokens
from captioner.training.data.features import FeatureCache, fingerprint
from captioner.training.data.sources import Source, checked, read_mixture
from captioner.training.measures.attention import attention_table
from captioner.training.measures.scores import Annotate, MeteorError, evaluate, meteor
from captioner.training.options import OptionError

Table = dict[str, dict[str, float]]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("evaluate", help="score a checkpoint with BLEU, METEOR, ROUGE-L and CIDEr")
    add_data(parser)
    parser.add_argument("checkpoint", type=Path)
    add_form(parser)
    parser.add_argument("--features", type=Path, help="folder of cached features of --data")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=at_least_one, help="only the first so many photos of each set")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave out photos that are missing, damaged or without captions"
    )
    parser.add_argument("--beam-size", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--temperature", type=float, nargs="+", default=[0.0], help="each with every beam size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length-penalty", type=float, help="default: the card's")
    parser.add_argument(
        "--by-likelihood", action="store_true", help="rank a caption that says a word twice like any other"
    )
    parser.add_argument(
        "--attention", nargs="?", type=Path, const=True, metavar="ENTITIES",
        help="also score the maps on Entities boxes: of --data, or those that --sources names",
    )  # fmt: skip
    parser.add_argument("--no-meteor", dest="meteor", action="store_false", help="METEOR needs Java")
    parser.add_argument("--json", type=Path, help="write the captions and scores here")
    parser.add_argument("--write-card", action="store_true", help="put the scores on the checkpoint's card")
    parser.set_defaults(run=_run)


def _run(a: argparse.Namespace) -> int:
    checkpoint = load_checkpoint(a.checkpoint)
    captioner = Captioner(checkpoint, **form_of(a))
    table: Table = {}
    captions: dict[str, list[str]] = {}
    photos: dict[str, list[str]] = {}
    if a.sources and (a.features or isinstance(a.attention, Path)):
        raise OptionError("--sources names features and boxes itself; leave --features and the file of --attention out")
    mixture = read_mixture(sources_of(a))
    to_read = {source.name: _unknown(a, source, dataset) for source, dataset in mixture.with_split(a.split)}
    mixture = checked(mixture, [a.split], to_read, captioner.card.photo, skip_bad=a.skip_bad)
    for source, dataset in mixture.with_split(a.split):
        examples = dataset.split(a.split)[: a.limit]
        of_set = f"{source.name} {a.split}, {len(examples)} photos".strip()
        photos[of_set] = [example.filename for example in examples]
        annotate = _annotator(captioner, checkpoint.encoder, source, a.features or source.features, examples)
        scored, written = _score_captions(a, captioner, of_set, examples, annotate)
        table, captions = table | scored, captions | written
        if entities := _entities(a, source, dataset, captioner.card.encoder.grid):
            table |= _score_attention(a, captioner, of_set, examples, annotate, entities)
    if a.json:
        a.json.write_text(json.dumps({"photos": photos, "captions": captions, "scores": table}, indent=1), "utf-8")
    if a.write_card:
        replace(captioner.card, scores=captioner.card.scores | table).write(a.checkpoint / CARD)
    return 0


def _unknown(a: argparse.Namespace, source: Source, dataset: Dataset) -> list[str]:
    """The photos that will have to be encoded."""
    if a.features or source.features:
        return []
    return [example.filename for example in dataset.of(a.split)[: a.limit]]


def _entities(a: argparse.Namespace, source: Source, dataset: Dataset, grid: int) -> Entities | None:
    path = source.entities if a.attention is True else a.attention
    return Entities(path, dataset, grid) if path else None


def _score_captions(
    a: argparse.Namespace, captioner: Captioner, of_set: str, examples: Sequence[Example], annotate: Annotate
) -> tuple[Table, dict[str, list[str]]]:
    table: Table = {}
    captions: dict[str, list[str]] = {}
    for temperature, beam_size in product(a.temperature, a.beam_size):
        settings = _settings(a, captioner, SearchSettings(beam_size, temperature, a.seed))
        name = f"{of_set}, beam size {beam_size}, temperature {temperature:g}"
        scored = evaluate(
            captioner.decoder,
            examples,
            annotate,
            captioner.vocabulary,
            settings,
            may_repeat=frozenset(captioner.card.may_repeat),
        )
        table[name] = _shown(name, scored.scores | _meteor(a, scored.captions, examples))
        captions[name] = [" ".join(tokens) for tokens in scored.captions]
    return table, captions


def _meteor(a: argparse.Namespace, captions: Sequence[Tokens], examples: Sequence[Example]) -> dict[str, float]:
    """METEOR if it can be had; else a sentence, once."""
    if not a.meteor:
        return {}
    try:
        return {"METEOR": meteor(captions, [example.captions for example in examples])}
    except MeteorError as error:
        print(f"METEOR is left out: {error}", file=sys.stderr)
        a.meteor = False
        return {}


def _score_attention(
    a: argparse.Namespace,
    captioner: Captioner,
    of_set: str,
    examples: Sequence[Example],
    annotate: Annotate,
    entities: Entities,
) -> Table:
    """The model's own captions are those at its card's beam size."""
    settings = _settings(a, captioner, SearchSettings(captioner.card.beam_size))
    found = attention_table(captioner.decoder, examples, annotate, captioner.vocabulary, entities, settings)
    named = {f"{of_set}, {name}": scores for name, scores in found.items()}
    return {name: _shown(name, scores) for name, scores in named.items()}


def _settings(a: argparse.Namespace, captioner: Captioner, settings: SearchSettings) -> SearchSettings:
    """With the ranking that was asked for, or else the card's."""
    own = replace(settings, length_penalty=a.length_penalty, may_repeat=frozenset() if a.by_likelihood else None)
    return captioner.card.completed(own)


def _shown(name: str, scores: dict[str, float]) -> dict[str, float]:
    """The scores rounded for the card, printed on one line."""
    rounded = {key: round(value, 4) for key, value in scores.items()}
    print(f"{name}: " + ", ".join(f"{key} {value:g}" for key, value in rounded.items()), flush=True)
    return rounded


def _annotator(
    captioner: Captioner, encoder: Encoder, source: Source, features: Path | None, examples: Sequence[Example]
) -> Annotate:
    """Features of photos by name: from the cache if there is one, else encoded once and kept in a temporary file."""
    if features is not None:
        cache = FeatureCache(features)
        if cache.encoder != fingerprint(without_identity_blocks(encoder)):
            raise DatasetError(f"{features} holds the features of another encoder; leave it out")
        if missing := cache.missing([example.filename for example in examples]):
            raise DatasetError(
                f"{features} lacks the features of {len(missing)} photos, first {missing[0]}; leave it out"
            )
        return lambda filenames: cache.read(filenames).float()
    shape = (captioner.card.encoder.grid**2, FEATURE_SIZE)
    file = TemporaryFile()  # noqa: SIM115  # closed with the last use of what is read from it
    rows: dict[str, int] = {}

    def annotate(filenames: Sequence[str]) -> Tensor:
        if missing := [name for name in filenames if name not in rows]:
            paths = [source.photos / name for name in missing]
            for name, look in zip(missing, captioner.look_many(paths), strict=True):
                rows[name] = len(rows)
                file.write(look.annotations.features[0].half().cpu().numpy().tobytes())
            file.flush()
        known = np.memmap(file, np.float16, mode="r", shape=(len(rows), *shape))
        return torch.from_numpy(known[[rows[name] for name in filenames]].astype(np.float32))

    return annotate

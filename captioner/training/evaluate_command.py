"""``python -m captioner evaluate``: scores of a checkpoint on a data set, printed and put on its card."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
from torch import Tensor

from captioner.checkpoint import CARD, load_checkpoint
from captioner.encoder import FEATURE_SIZE, Encoder, without_identity_blocks
from captioner.pipeline import Captioner
from captioner.search import SearchSettings
from captioner.training.attention_table import attention_table
from captioner.training.entities import Entities
from captioner.training.evaluation import Annotate, evaluate
from captioner.training.features import FeatureCache, fingerprint
from captioner.training.karpathy import DatasetError, Example, read_dataset

Table = dict[str, dict[str, float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options beside those of the data."""
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="only the first so many photos")
    parser.add_argument("--beam-size", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--temperature", type=float, nargs="+", default=[0.0], help="each with every beam size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length-penalty", type=float, help="default: the card's")
    parser.add_argument("--attention", type=Path, metavar="ENTITIES", help="also score the maps on Entities boxes")
    parser.add_argument("--no-meteor", dest="meteor", action="store_false", help="METEOR needs Java")
    parser.add_argument("--json", type=Path, help="write the captions and scores here")
    parser.add_argument("--write-card", action="store_true", help="put the scores on the checkpoint's card")
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    a = arguments
    checkpoint = load_checkpoint(a.checkpoint)
    captioner = Captioner(checkpoint)
    dataset = read_dataset(a.data, a.photos)
    examples = dataset.split(a.split)[: a.limit]
    annotate = _annotator(captioner, checkpoint.encoder, a.photos, a.features)
    table, captions = _score_captions(a, captioner, examples, annotate)
    if a.attention:
        entities = Entities(a.attention, dataset, captioner.card.encoder.grid)
        table |= _score_attention(a, captioner, examples, annotate, entities)
    if a.json:
        names = [example.filename for example in examples]
        a.json.write_text(json.dumps({"photos": names, "captions": captions, "scores": table}, indent=1), "utf-8")
    if a.write_card:
        replace(captioner.card, scores=captioner.card.scores | table).write(a.checkpoint / CARD)
    return 0


def _score_captions(
    a: argparse.Namespace, captioner: Captioner, examples: Sequence[Example], annotate: Annotate
) -> tuple[Table, dict[str, list[str]]]:
    table: Table = {}
    captions: dict[str, list[str]] = {}
    for temperature, beam_size in product(a.temperature, a.beam_size):
        settings = SearchSettings(beam_size, temperature, a.seed, length_penalty=_penalty(a, captioner))
        name = f"{a.split}, {len(examples)} photos, beam size {beam_size}, temperature {temperature:g}"
        scored = evaluate(captioner.decoder, examples, annotate, captioner.vocabulary, settings, meteor=a.meteor)
        table[name] = _shown(name, scored.scores)
        captions[name] = [" ".join(tokens) for tokens in scored.captions]
    return table, captions


def _score_attention(
    a: argparse.Namespace,
    captioner: Captioner,
    examples: Sequence[Example],
    annotate: Annotate,
    entities: Entities,
) -> Table:
    """The model's own captions are those at its card's beam size."""
    settings = SearchSettings(captioner.card.beam_size, length_penalty=_penalty(a, captioner))
    found = attention_table(captioner.decoder, examples, annotate, captioner.vocabulary, entities, settings)
    named = {f"{a.split}, {len(examples)} photos, {name}": scores for name, scores in found.items()}
    return {name: _shown(name, scores) for name, scores in named.items()}


def _penalty(a: argparse.Namespace, captioner: Captioner) -> float:
    return captioner.card.length_penalty if a.length_penalty is None else float(a.length_penalty)


def _shown(name: str, scores: dict[str, float]) -> dict[str, float]:
    """The scores rounded for the card, printed on one line."""
    rounded = {key: round(value, 4) for key, value in scores.items()}
    print(f"{name}: " + ", ".join(f"{key} {value:g}" for key, value in rounded.items()), flush=True)
    return rounded


def _annotator(captioner: Captioner, encoder: Encoder, photos: Path, features: Path | None) -> Annotate:
    """Features of photos by name: from the cache if one is given, else encoded once and kept in a temporary file."""
    if features is not None:
        cache = FeatureCache(features)
        if cache.encoder != fingerprint(without_identity_blocks(encoder)):
            raise DatasetError(f"{features} holds the features of another encoder; leave --features out")
        return lambda filenames: cache.read(filenames).float()
    shape = (captioner.card.encoder.grid**2, FEATURE_SIZE)
    file = TemporaryFile()  # noqa: SIM115  # closed with the last use of what is read from it
    rows: dict[str, int] = {}

    def annotate(filenames: Sequence[str]) -> Tensor:
        if missing := [name for name in filenames if name not in rows]:
            for name, look in zip(missing, captioner.look_many([photos / name for name in missing]), strict=True):
                rows[name] = len(rows)
                file.write(look.annotations.features[0].half().cpu().numpy().tobytes())
            file.flush()
        known = np.memmap(file, np.float16, mode="r", shape=(len(rows), *shape))
        return torch.from_numpy(known[[rows[name] for name in filenames]].astype(np.float32))

    return annotate

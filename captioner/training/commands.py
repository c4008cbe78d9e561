"""``python -m captioner train`` and ``evaluate``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from captioner.checkpoint import CARD
from captioner.pipeline import Captioner
from captioner.quantization import Storage
from captioner.search import SearchSettings
from captioner.training.batches import BatchPlan
from captioner.training.entities import Entities
from captioner.training.evaluation import Annotate, evaluate
from captioner.training.features import FeatureCache, fingerprint
from captioner.training.grounding import attention_scores
from captioner.training.grow import without_identity_blocks
from captioner.training.karpathy import DatasetError, Example, read_dataset
from captioner.training.objective import ObjectiveConfig
from captioner.training.run import RunConfig, train
from captioner.training.trainer import TrainerConfig

Subparsers = Any  # argparse keeps the type of its sub-parsers private


def add_parsers(subparsers: Subparsers) -> None:
    """Register the two commands."""
    _add_train(subparsers.add_parser("train", help="train a model on a Karpathy split JSON and a photo folder"))
    _add_evaluate(subparsers.add_parser("evaluate", help="score a checkpoint with BLEU, METEOR, ROUGE-L and CIDEr"))


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="Karpathy split JSON")
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos")
    parser.add_argument("--features", type=Path, help="folder of cached encoder features")


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--output", type=Path, required=True, help="run folder; an interrupted run goes on from it")
    parser.add_argument("--start-from", type=Path, help="checkpoint folder to go on from")
    parser.add_argument("--encoder-weights", help="ResNet-50/101 .safetensors[.xz], or a ResNet101_Weights name")
    parser.add_argument("--tune-encoder", action="store_true", help="train the encoder too")
    parser.add_argument("--entities", type=Path, help="Flickr30k Entities boxes, for --region-weight")
    parser.add_argument("--pool", type=int, default=1, help="average so many cells a side while training")
    parser.add_argument("--min-frequency", type=int, default=5)
    for size in ("embedding", "hidden", "attention"):
        parser.add_argument(f"--{size}-size", type=int, default=512)
    parser.add_argument("--output-form", dest="output_form", choices=("deep", "plain"), default="deep")
    parser.add_argument("--gate", choices=("scalar", "feature"), default="scalar")
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--storage", choices=get_args(Storage), default="float16")
    parser.add_argument("--precision", choices=("no", "bf16", "fp16"), default="bf16")
    parser.add_argument("--val-photos", type=int, default=300)
    parser.add_argument("--val-beam-size", type=int, default=3)
    parser.add_argument("--licence", default="")
    _add_optimization(parser)
    parser.set_defaults(run=_train)


def _add_optimization(parser: argparse.ArgumentParser) -> None:
    plan, trainer, objective = BatchPlan(), TrainerConfig(), ObjectiveConfig()
    parser.add_argument("--batch-photos", type=int, default=plan.photos, help="photos a batch, over all processes")
    parser.add_argument("--captions-per-photo", type=int, default=plan.captions_per_photo)
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--epochs", type=int, default=trainer.epochs)
    parser.add_argument("--learning-rate", type=float, default=trainer.learning_rate)
    parser.add_argument("--encoder-learning-rate", type=float, default=trainer.encoder_learning_rate)
    parser.add_argument("--weight-decay", type=float, default=trainer.weight_decay)
    parser.add_argument("--clip", type=float, default=trainer.clip)
    parser.add_argument("--patience", type=int, default=trainer.patience)
    parser.add_argument("--metric", default=trainer.metric)
    parser.add_argument("--save-every", type=int, default=trainer.save_every, help="steps between resumable states")
    parser.add_argument(
        "--self-critical", type=int, default=0, metavar="SAMPLES", help="train on CIDEr, on drawn captions"
    )
    parser.add_argument("--workers", type=int, default=trainer.workers)
    parser.add_argument("--label-smoothing", type=float, default=objective.label_smoothing)
    parser.add_argument("--doubly-stochastic", type=float, default=objective.doubly_stochastic)
    parser.add_argument("--region-weight", type=float, default=objective.region)


def _train(arguments: argparse.Namespace) -> int:
    a = arguments
    progress = train(
        RunConfig(
            dataset=a.data, photos=a.photos, output=a.output, start_from=a.start_from,
            encoder_weights=a.encoder_weights, tuned=a.tune_encoder, features=a.features, entities=a.entities,
            pool=a.pool, min_frequency=a.min_frequency, sizes=_sizes(a), storage=a.storage, precision=a.precision,
            val_photos=a.val_photos, val_beam_size=a.val_beam_size, licence=a.licence,
            plan=BatchPlan(a.batch_photos, a.captions_per_photo, a.seed),
            trainer=TrainerConfig(
                a.epochs, a.learning_rate, a.encoder_learning_rate, weight_decay=a.weight_decay, clip=a.clip,
                patience=a.patience, metric=a.metric, save_every=a.save_every, workers=a.workers,
                samples=a.self_critical,
            ),
            objective=ObjectiveConfig(a.label_smoothing, a.doubly_stochastic, a.region_weight),
        )
    )  # fmt: skip
    print(f"{progress.epoch} epochs; best val {a.metric} {progress.best:.4f}; checkpoint in {a.output / 'checkpoint'}")
    return 0


def _sizes(a: argparse.Namespace) -> dict[str, Any]:
    return {
        "embedding_size": a.embedding_size,
        "hidden_size": a.hidden_size,
        "attention_size": a.attention_size,
        "output": a.output_form,
        "gate": a.gate,
        "dropout": a.dropout,
    }


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path)
    _add_data(parser)
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="only the first so many photos")
    parser.add_argument("--beam-size", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--length-penalty", type=float, help="default: the card's")
    parser.add_argument("--attention", type=Path, metavar="ENTITIES", help="also score the maps on Entities boxes")
    parser.add_argument("--no-meteor", dest="meteor", action="store_false", help="METEOR needs Java")
    parser.add_argument("--json", type=Path, help="write the captions and scores here")
    parser.add_argument("--write-card", action="store_true", help="put the scores on the checkpoint's card")
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    a = arguments
    captioner = Captioner.load(a.checkpoint)
    dataset = read_dataset(a.data, a.photos)
    examples = dataset.split(a.split)[: a.limit]
    annotate = _annotator(captioner, a.photos, a.features)
    table, captions = _score_captions(a, captioner, examples, annotate)
    if a.attention:
        entities = Entities(a.attention, dataset, captioner.card.encoder.grid)
        found = attention_scores(captioner.decoder, examples, annotate, captioner.vocabulary, entities)
        table[f"{a.split}, {len(examples)} photos, attention on reference head nouns"] = _shown("attention", found)
    if a.json:
        names = [example.filename for example in examples]
        a.json.write_text(json.dumps({"photos": names, "captions": captions, "scores": table}, indent=1), "utf-8")
    if a.write_card:
        replace(captioner.card, scores=captioner.card.scores | table).write(a.checkpoint / CARD)
    return 0


def _score_captions(
    a: argparse.Namespace, captioner: Captioner, examples: Sequence[Example], annotate: Annotate
) -> tuple[dict[str, dict[str, float]], dict[str, list[str]]]:
    penalty = captioner.card.length_penalty if a.length_penalty is None else a.length_penalty
    table: dict[str, dict[str, float]] = {}
    captions: dict[str, list[str]] = {}
    for beam_size in a.beam_size:
        settings = SearchSettings(beam_size, a.temperature, a.seed, length_penalty=penalty)
        name = f"{a.split}, {len(examples)} photos, beam size {beam_size}, temperature {a.temperature:g}"
        scored = evaluate(captioner.decoder, examples, annotate, captioner.vocabulary, settings, meteor=a.meteor)
        table[name] = _shown(name, scored.scores)
        captions[name] = [" ".join(tokens) for tokens in scored.captions]
    return table, captions


def _shown(name: str, scores: dict[str, float]) -> dict[str, float]:
    """The scores rounded for the card, printed on one line."""
    rounded = {key: round(value, 4) for key, value in scores.items()}
    print(f"{name}: " + ", ".join(f"{key} {value:g}" for key, value in rounded.items()), flush=True)
    return rounded


def _annotator(captioner: Captioner, photos: Path, features: Path | None) -> Annotate:
    """Features of photos by name: from the cache if one is given, else encoded once and kept."""
    if features is not None:
        cache = FeatureCache(features)
        if cache.encoder != fingerprint(without_identity_blocks(captioner.encoder)):
            raise DatasetError(f"{features} holds the features of another encoder; leave --features out")
        return lambda filenames: cache.read(filenames).float()
    known: dict[str, Tensor] = {}

    def annotate(filenames: Sequence[str]) -> Tensor:
        if missing := [name for name in filenames if name not in known]:
            looks = captioner.look_many([photos / name for name in missing])
            known.update({name: look.annotations.features[0].half() for name, look in zip(missing, looks, strict=True)})
        return torch.stack([known[name] for name in filenames]).float()

    return annotate

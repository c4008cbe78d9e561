"""The options of ``python -m captioner train``, which are those of a recipe's stage too."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

from captioner.quantization import Storage
from captioner.training.batches import BatchPlan
from captioner.training.lessons import LessonConfig
from captioner.training.model import STAGES
from captioner.training.objective import ObjectiveConfig
from captioner.training.run_config import RunConfig
from captioner.training.schedule import TrainerConfig
from captioner.training.views import Views


def add_data(parser: argparse.ArgumentParser) -> None:
    """Where the data are."""
    parser.add_argument("--data", type=Path, required=True, help="Karpathy split JSON")
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos")
    parser.add_argument("--features", type=Path, help="folder of cached encoder features")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options of a training run."""
    add_data(parser)
    parser.add_argument("--output", type=Path, required=True, help="run folder; an interrupted run goes on from it")
    parser.add_argument("--start-from", type=Path, help="checkpoint folder to go on from")
    parser.add_argument("--encoder-weights", help="ResNet-50/101 .safetensors[.xz], or a ResNet101_Weights name")
    parser.add_argument("--layer3-blocks", type=int, default=0, help="grow the encoder's third stage to so many blocks")
    parser.add_argument("--tune-encoder", action="store_true", help="train the encoder too")
    parser.add_argument("--tune-from", choices=STAGES, default=STAGES[0], help="first stage of it that is trained")
    parser.add_argument("--coarse", action="store_true", help="tune on a grid half as fine: several times faster")
    parser.add_argument("--attention-only", action="store_true", help="train where it looks, hold what it says of it")
    parser.add_argument("--concept-weight", type=float, default=0.0, help="tune it to tell what is in each cell, too")
    parser.add_argument(
        "--teacher-weight", type=float, default=0.0, help="tune it to tell the --teacher's features, too"
    )
    parser.add_argument("--text-weight", type=float, default=0.0, help="train the decoder on --text, too")
    parser.add_argument("--text", type=Path, help="sentences without photos, one a line")
    parser.add_argument("--teacher", type=Path, help="DenseNet-169 .safetensors")
    parser.add_argument("--on-the-fly", action="store_true", help="encode at every step instead of caching features")
    parser.add_argument(
        "--entities", type=Path, help="Flickr30k Entities boxes, for --region-weight and --concept-weight"
    )
    parser.add_argument("--pool", type=int, default=1, help="average so many cells a side while training")
    parser.add_argument("--mirror", action="store_true", help="show photos left for right half the time")
    parser.add_argument("--cells", type=int, default=0, help="show so many cells of the grid, others each time; 0: all")
    parser.add_argument("--crops", type=float, default=1.0, help="show windows of at least this share of a photo")
    parser.add_argument("--feature-dropout", type=float, default=0.0, help="drop feature channels of a photo")
    parser.add_argument("--min-frequency", type=int, default=5)
    for size in ("embedding", "hidden", "attention"):
        parser.add_argument(f"--{size}-size", type=int, default=512)
    parser.add_argument("--output-form", dest="output_form", choices=("deep", "plain"), default="deep")
    parser.add_argument("--gate", choices=("scalar", "feature"), default="scalar")
    parser.add_argument("--dropout", type=float, help="default: 0.5, or that of --start-from")
    parser.add_argument("--storage", choices=get_args(Storage), default="float16")
    parser.add_argument("--precision", choices=("no", "bf16", "fp16"), default="bf16")
    parser.add_argument("--val-photos", type=int, default=300)
    parser.add_argument("--val-beam-size", type=int, default=3)
    parser.add_argument("--licence", default="")
    _add_optimization(parser)


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
    parser.add_argument("--bleu-weight", type=float, default=0.0, help="of BLEU-4 beside CIDEr in --self-critical")
    parser.add_argument(
        "--reference-weight", type=float, default=trainer.reference_weight, help="of references in --self-critical"
    )
    parser.add_argument("--ema", type=float, default=trainer.ema, help="judge and keep a moving average of this decay")
    parser.add_argument("--workers", type=int, default=trainer.workers)
    parser.add_argument("--label-smoothing", type=float, default=objective.label_smoothing)
    parser.add_argument("--doubly-stochastic", type=float, default=objective.doubly_stochastic)
    parser.add_argument("--region-weight", type=float, default=objective.region)


def run_config(a: argparse.Namespace) -> RunConfig:
    """The run that the parsed options describe."""
    return RunConfig(
        dataset=a.data, photos=a.photos, output=a.output, start_from=a.start_from,
        encoder_weights=a.encoder_weights, layer3_blocks=a.layer3_blocks,
        tuned=a.tune_encoder, tune_from=a.tune_from, coarse=a.coarse, teacher=a.teacher,
        attention_only=a.attention_only,
        lessons=LessonConfig(a.concept_weight, a.teacher_weight, a.text_weight), text=a.text,
        features=a.features, on_the_fly=a.on_the_fly, entities=a.entities,
        pool=a.pool, min_frequency=a.min_frequency, sizes=_sizes(a), storage=a.storage, precision=a.precision,
        feature_dropout=a.feature_dropout, val_photos=a.val_photos, val_beam_size=a.val_beam_size, licence=a.licence,
        plan=BatchPlan(a.batch_photos, a.captions_per_photo, a.seed), views=Views(a.mirror, a.cells, a.crops),
        trainer=TrainerConfig(
            a.epochs, a.learning_rate, a.encoder_learning_rate, weight_decay=a.weight_decay, clip=a.clip,
            patience=a.patience, metric=a.metric, save_every=a.save_every, workers=a.workers,
            samples=a.self_critical, bleu_weight=a.bleu_weight, reference_weight=a.reference_weight, ema=a.ema,
        ),
        objective=ObjectiveConfig(a.label_smoothing, a.doubly_stochastic, a.region_weight),
    )  # fmt: skip


def _sizes(a: argparse.Namespace) -> dict[str, Any]:
    return {
        "embedding_size": a.embedding_size,
        "hidden_size": a.hidden_size,
        "attention_size": a.attention_size,
        "output": a.output_form,
        "gate": a.gate,
        **({} if a.dropout is None else {"dropout": a.dropout}),
    }

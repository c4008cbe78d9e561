"""Assembles a training run: data, model, features, validation, and what is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torchvision.models import ResNet101_Weights

from captioner.card import Card
from captioner.checkpoint import BUNDLED, Checkpoint, load_checkpoint, save_checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import Encoder, torchvision_trunk, without_identity_blocks
from captioner.photo import PhotoFormat
from captioner.quantization import Storage, as_stored
from captioner.search import SearchSettings
from captioner.training.batches import BatchPlan, Loader
from captioner.training.entities import Entities
from captioner.training.evaluation import evaluate
from captioner.training.features import FeatureCache, compute_features, load_photos
from captioner.training.grow import encoder_from_resnet
from captioner.training.karpathy import Dataset, DatasetError, Example, read_dataset
from captioner.training.model import CaptionModel
from captioner.training.objective import ObjectiveConfig
from captioner.training.progress import Progress
from captioner.training.trainer import Data, Trainer, TrainerConfig
from captioner.training.views import Views
from captioner.vocabulary import Vocabulary


@dataclass(frozen=True)
class RunConfig:
    """Everything a training run is made from.

    Attributes:
        start_from: checkpoint folder to go on from, or None for a new decoder.
        sizes: of a new decoder, by the names of `DecoderConfig`; one that is gone on from keeps its
            own, and takes ``dropout`` alone if it is named.
        encoder_weights: a ResNet file, or the name of a torchvision ``ResNet101_Weights`` entry.
        tuned: train the encoder too; else it is frozen and its features are cached.
        features: folder of the cached features; computed there if absent. Those of mirrored photos lie
            beside it, in the folder of that name with ``-mirrored``.
        on_the_fly: encode photos at every step instead of caching features of a frozen encoder.
        pool: average ``pool × pool`` cells of the grid while training.
        feature_dropout: see `CaptionModel`.
        storage: form of the kept checkpoint; a frozen encoder is rounded to it *first*, so that
            the decoder learns on the very features that will be served.
        val_photos: photos of val decoded after each epoch, at the length penalty of ``start_from``'s card;
            0 keeps the last epoch.
    """

    dataset: Path
    photos: Path
    output: Path
    start_from: Path | None = None
    encoder_weights: str | None = None
    tuned: bool = False
    features: Path | None = None
    on_the_fly: bool = False
    entities: Path | None = None
    pool: int = 1
    feature_dropout: float = 0.0
    min_frequency: int = 5
    sizes: dict[str, Any] = field(default_factory=dict)
    storage: Storage = "float16"
    precision: str = "bf16"
    val_photos: int = 300
    val_beam_size: int = 3
    licence: str = ""
    plan: BatchPlan = field(default_factory=BatchPlan)
    views: Views = field(default_factory=Views)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)


def train(config: RunConfig) -> Progress:
    """Run, or take up again, one training run; the best checkpoint is ``output/checkpoint``."""
    dataset = read_dataset(config.dataset, config.photos)
    accelerator = Accelerator(mixed_precision=config.precision, cpu=not torch.cuda.is_available())
    start = _starting_point(config, dataset)
    if not config.tuned:
        rounded = as_stored(start.encoder.state_dict(), config.storage)
        start.encoder.load_state_dict(rounded)
    cache = None if config.tuned or config.on_the_fly else _features(config, start, dataset, accelerator)
    model = CaptionModel(
        start.encoder, start.decoder, tuned=config.tuned, pool=config.pool, feature_dropout=config.feature_dropout
    )
    model.encoder.to(memory_format=torch.channels_last)
    regions = None
    if config.entities is not None:
        regions = Entities(config.entities, dataset, start.encoder.config.grid // config.pool).regions
    load = cache.read if cache is not None else partial(load_photos, config.photos, start.card.photo)
    data = Data(dataset.split("train"), start.vocabulary, load, regions, config.views)
    trainer = Trainer(
        model,
        data,
        config.plan,
        config.trainer,
        config.objective,
        config.output,
        validate=partial(_validate, config, dataset, start, load) if config.val_photos else None,
        keep=partial(_keep, config, start),
        accelerator=accelerator,
    )
    return trainer.run()


def _starting_point(config: RunConfig, dataset: Dataset) -> Checkpoint:
    if config.start_from is not None:
        return _with_dropout(load_checkpoint(config.start_from), config.sizes.get("dropout"))
    torch.manual_seed(config.plan.seed)
    examples = dataset.split("train")
    vocabulary = Vocabulary.build((caption for each in examples for caption in each.captions), config.min_frequency)
    encoder = _encoder(config.encoder_weights)
    decoder = Decoder(DecoderConfig(len(vocabulary), **config.sizes))
    return Checkpoint(encoder, decoder, vocabulary, Card(dataset.name, encoder.config, decoder.config, PhotoFormat()))


def _with_dropout(start: Checkpoint, dropout: float | None) -> Checkpoint:
    if dropout is None:
        return start
    decoder = Decoder(replace(start.decoder.config, dropout=dropout))
    decoder.load_state_dict(start.decoder.state_dict())
    return start._replace(decoder=decoder)


def _encoder(weights: str | None) -> Encoder:
    if weights is None:
        raise DatasetError("a new model needs --encoder-weights: a ResNet file, or a name such as IMAGENET1K_V2")
    if weights not in ResNet101_Weights.__members__:
        return encoder_from_resnet(Path(weights))
    encoder = Encoder()
    encoder.trunk.load_state_dict(torchvision_trunk(weights))
    return encoder


def _features(config: RunConfig, start: Checkpoint, dataset: Dataset, accelerator: Accelerator) -> FeatureCache:
    folder = config.features or config.output / "features"
    turned = folder.with_name(f"{folder.name}-mirrored")
    encoder = without_identity_blocks(start.encoder)

    def fill(folder: Path, splits: tuple[str, ...], *, mirrored: bool) -> None:
        compute_features(
            encoder,
            start.card.photo,
            config.photos,
            sorted(example.filename for example in dataset.examples if example.split in splits),
            folder,
            device=accelerator.device,
            workers=config.trainer.workers,
            process=(accelerator.process_index, accelerator.num_processes),
            mirrored=mirrored,
        )
        accelerator.wait_for_everyone()

    fill(folder, ("train", "val"), mirrored=False)
    if not config.views.mirror:
        return FeatureCache(folder)
    fill(turned, ("train",), mirrored=True)
    return FeatureCache(folder, FeatureCache(turned))


def _validate(
    config: RunConfig, dataset: Dataset, start: Checkpoint, load: Loader, model: CaptionModel
) -> dict[str, float]:
    examples: tuple[Example, ...] = dataset.split("val")[: config.val_photos]
    settings = SearchSettings(config.val_beam_size, length_penalty=start.card.length_penalty)

    @torch.inference_mode()
    def annotate(filenames: Any) -> Tensor:
        device = next(model.parameters()).device
        return model.annotate(load(filenames).to(device))

    return evaluate(model.decoder, examples, annotate, start.vocabulary, settings).scores


def _keep(config: RunConfig, start: Checkpoint, model: CaptionModel, scores: dict[str, float]) -> None:
    recipe = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    card = replace(
        start.card,
        decoder=model.decoder.config,
        storage=config.storage,
        encoder_weights=BUNDLED,
        licence=config.licence or start.card.licence,
        training={"recipe": recipe},
        scores={"val while training": scores},
    )
    save_checkpoint(config.output / "checkpoint", Checkpoint(model.encoder, model.decoder, start.vocabulary, card))

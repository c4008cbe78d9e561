"""Assembles a training run: data, model, features, validation, and what is kept."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor
from torchvision.models import ResNet101_Weights

from captioner.card import Card
from captioner.checkpoint import BUNDLED, Checkpoint, load_checkpoint, save_checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import (
    FEATURE_SIZE,
    RESNET_101,
    Encoder,
    EncoderConfig,
    torchvision_trunk,
    without_identity_blocks,
)
from captioner.photo import PhotoFormat
from captioner.quantization import as_stored
from captioner.search import SearchSettings
from captioner.training.batches import Loader
from captioner.training.concepts import Concepts
from captioner.training.entities import Entities
from captioner.training.evaluation import evaluate
from captioner.training.features import FeatureCache, compute_features, load_photos
from captioner.training.grow import coarse, encoder_from_resnet, grown
from captioner.training.karpathy import Dataset, DatasetError, Example, read_dataset
from captioner.training.lessons import Lessons
from captioner.training.model import CaptionModel
from captioner.training.progress import Progress
from captioner.training.run_config import RunConfig
from captioner.training.teacher import FEATURE_SIZE as TAUGHT_SIZE
from captioner.training.teacher import Teacher
from captioner.training.text import TextOnly
from captioner.training.trainer import Data, Trainer
from captioner.vocabulary import Vocabulary

LESSONS = "lessons.safetensors"  # beside the checkpoint: its heads, for a run that goes on from it
TEACHER_SAMPLE = 512  # photos from which the teacher's mean and deviation are taken


def train(config: RunConfig) -> Progress:
    """Run, or take up again, one training run; the best checkpoint is ``output/checkpoint``."""
    dataset = read_dataset(config.dataset, config.photos)
    accelerator = Accelerator(mixed_precision=config.precision, cpu=not torch.cuda.is_available())
    start = _starting_point(config, dataset)
    if not config.tuned:
        rounded = as_stored(start.encoder.state_dict(), config.storage)
        start.encoder.load_state_dict(rounded)
    cache = None if config.tuned or config.on_the_fly else _features(config, start, dataset, accelerator)
    encoder = coarse(start.encoder) if config.coarse else start.encoder
    form = replace(start.card.photo, size=start.card.photo.size * 7 // 8) if config.coarse else start.card.photo
    load = cache.read if cache is not None else partial(load_photos, config.photos, form)
    data = _data(config, dataset, start.vocabulary, load, encoder.config.grid // config.pool)
    model = CaptionModel(
        encoder,
        start.decoder,
        tuned=config.tuned,
        tune_from=config.tune_from,
        pool=config.pool,
        feature_dropout=config.feature_dropout,
        lessons=_lessons(config, data),
        text_weight=config.lessons.text,
        attention_only=config.attention_only,
    )
    model.encoder.to(memory_format=torch.channels_last)
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


def _data(config: RunConfig, dataset: Dataset, vocabulary: Vocabulary, load: Loader, grid: int) -> Data:
    examples = dataset.split("train")
    entities = Entities(config.entities, dataset, grid) if config.entities else None
    concepts = Concepts(examples, entities) if entities and config.lessons.concepts else None
    teacher = Teacher(config.teacher) if config.teacher and config.lessons.teacher else None
    if teacher is not None:
        teacher.standardise(load([example.filename for example in examples[:TEACHER_SAMPLE]]))
    regions = entities.regions if entities else None
    text = TextOnly(config.text, vocabulary) if config.text and config.lessons.text else None
    return Data(examples, vocabulary, load, regions, config.views, concepts, teacher, text)


def _lessons(config: RunConfig, data: Data) -> Lessons | None:
    if not config.lessons.of_encoder:
        return None
    torch.manual_seed(config.plan.seed)
    frequency = data.concepts.frequency if data.concepts else torch.ones(1)
    lessons = Lessons(config.lessons, FEATURE_SIZE, frequency, TAUGHT_SIZE)
    learnt = config.start_from.with_name(LESSONS) if config.start_from else None
    if learnt is not None and learnt.exists():
        own = lessons.state_dict()
        known = {name: value for name, value in load_file(learnt).items() if value.shape == own[name].shape}
        lessons.load_state_dict(own | known)  # heads of another data set's concepts begin anew
    return lessons


def _starting_point(config: RunConfig, dataset: Dataset) -> Checkpoint:
    if config.start_from is not None:
        start = _with_dropout(load_checkpoint(config.start_from), config.sizes.get("dropout"))
        blocks = config.layer3_blocks or start.encoder.config.blocks[2]
        encoder = grown(start.encoder, blocks)
        return start._replace(encoder=encoder, card=replace(start.card, encoder=encoder.config))
    torch.manual_seed(config.plan.seed)
    examples = dataset.split("train")
    vocabulary = Vocabulary.build((caption for each in examples for caption in each.captions), config.min_frequency)
    encoder = _encoder(config.encoder_weights, config.layer3_blocks or RESNET_101[2])
    decoder = Decoder(DecoderConfig(len(vocabulary), **config.sizes))
    return Checkpoint(encoder, decoder, vocabulary, Card(dataset.name, encoder.config, decoder.config, PhotoFormat()))


def _with_dropout(start: Checkpoint, dropout: float | None) -> Checkpoint:
    if dropout is None:
        return start
    decoder = Decoder(replace(start.decoder.config, dropout=dropout))
    decoder.load_state_dict(start.decoder.state_dict())
    return start._replace(decoder=decoder)


def _encoder(weights: str | None, blocks: int) -> Encoder:
    if weights is None:
        raise DatasetError("a new model needs --encoder-weights: a ResNet file, or a name such as IMAGENET1K_V2")
    if weights not in ResNet101_Weights.__members__:
        first, second, _, last = RESNET_101
        return encoder_from_resnet(Path(weights), EncoderConfig((first, second, blocks, last)))
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
    if model.lessons is not None:
        save_file(model.lessons.state_dict(), config.output / LESSONS)
    encoder = model.encoder
    if config.coarse:
        encoder = Encoder(start.encoder.config)  # it is served in its own form
        encoder.load_state_dict(model.encoder.state_dict())
    save_checkpoint(config.output / "checkpoint", Checkpoint(encoder, model.decoder, start.vocabulary, card))

"""Assembles a training run: data, model, features, validation, and what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor

from captioner.checkpoint import BUNDLED, Checkpoint, save_checkpoint
from captioner.encoder import FEATURE_SIZE, fast_dtype, without_identity_blocks
from captioner.quantization import as_stored
from captioner.search import SearchSettings
from captioner.training.data.concepts import Concepts, Entities
from captioner.training.data.datasets import Dataset, Example
from captioner.training.data.features import (
    INDEX,
    MIRRORED,
    CachedFeatures,
    FeatureCache,
    Loader,
    PhotoFiles,
    compute_features,
)
from captioner.training.data.sources import Mixture, Source, checked, read_mixture
from captioner.training.measures.scores import Choice, evaluate
from captioner.training.model import CaptionModel
from captioner.training.objective import AuxiliaryLosses
from captioner.training.options import OptionError
from captioner.training.progress import STATE, Progress, agree
from captioner.training.run_config import RunConfig
from captioner.training.start import starting_point
from captioner.training.teachers import FileTeacher, NetworkTeacher
from captioner.training.trainer import Data, Trainer

HEADS = "auxiliary.safetensors"  # beside the checkpoint: for a run that goes on from it
TEACHER_SAMPLE = 512  # photos from which a teacher's mean and deviation are taken


def train(config: RunConfig) -> Progress:
    """Run, or take up again, one training run; the best checkpoint is ``output/checkpoint``."""
    mixture = read_mixture(config.sources)
    _check_names(config)
    mixture.train()
    names = [source.name for source, _ in mixture.with_split("val")] if config.val_photos else []
    choice = Choice(config.trainer.metric, names) if names else None
    accelerator = _accelerator(config)
    start = starting_point(config, mixture)
    if not config.tune_encoder:
        start.encoder.load_state_dict(as_stored(start.encoder.state_dict(), config.storage))
    agree(config.output, _settings(config, mixture, start))
    mixture = _checked(config, mixture, start)
    vals = mixture.with_split("val") if config.val_photos else []
    load = _loader(config, start, mixture, accelerator)
    data = _data(config, mixture, start, load)
    model = CaptionModel(
        start.encoder,
        start.decoder,
        tuned=config.tune_encoder,
        tune_from=config.tune_from,
        feature_dropout=config.feature_dropout,
        auxiliary=_auxiliary(config, data),
    )
    model.encoder.to(memory_format=torch.channels_last)
    trainer = Trainer(
        model,
        data,
        config.plan,
        config.trainer,
        config.objective,
        config.output,
        validate=partial(_validate, config, vals, start, load) if vals else None,
        choice=choice,
        keep=partial(_keep, config, start),
        accelerator=accelerator,
    )
    return trainer.run()


def _check_names(config: RunConfig) -> None:
    known = {source.name for source in config.sources}
    for option, named in (
        ("mirror", {*config.augmentation.mirror} - {"all"}),
        ("caption-weights", config.trainer.caption_weights or ()),
    ):
        if unknown := sorted(set(named) - known):
            raise OptionError(
                f"--{option} names {unknown[0]!r}, which is none of the sources ({', '.join(sorted(known))})"
            )


def _settings(config: RunConfig, mixture: Mixture, start: Checkpoint) -> dict[str, Any]:
    """All that decides what a run makes: its options, photos and captions, and the weights it begins with."""
    apart = ("sources", "output", "start_from", "features", "teachers", "licence", "precision", "skip_bad")
    described = {name: value for name, value in config.described().items() if name not in apart}
    trainer = {name: value for name, value in described.pop("trainer").items() if name not in ("workers", "save_every")}
    data = hashlib.sha256(repr(mixture.train()).encode()).hexdigest()
    return {**described, **trainer, "data": data, "start": start.card.sha256}


def _checked(config: RunConfig, mixture: Mixture, start: Checkpoint) -> Mixture:
    """Bad photos are named before any work. A run that is taken up again has looked at its photos before."""
    splits = ("train", "val") if config.val_photos else ("train",)
    resumed = (config.output / STATE).exists() and config.tune_encoder
    to_read = {}
    for source, dataset in zip(mixture.sources, mixture.datasets, strict=True):
        names = [example.filename for split in splits for example in dataset.of(split)]
        to_read[source.name] = [] if resumed else names if config.tune_encoder else _uncached(config, source, names)
    return checked(mixture, splits, to_read, start.card.photo, skip_bad=config.skip_bad)


def _uncached(config: RunConfig, source: Source, names: list[str]) -> list[str]:
    """Those whose features have to be computed. Whether the cache is of this encoder is seen later."""
    folder = _cache_folder(config, source)
    return FeatureCache(folder).missing(names) if (folder / INDEX).exists() else names


def _cache_folder(config: RunConfig, source: Source) -> Path:
    return source.features or (config.features or config.output / "features") / source.name


def _accelerator(config: RunConfig) -> Accelerator:
    processor = not torch.cuda.is_available()
    precision = config.precision
    if precision == "auto":
        device = torch.device("cpu" if processor else "cuda")
        precision = "bf16" if fast_dtype(device) is torch.bfloat16 else "no"
    return Accelerator(mixed_precision=precision, cpu=processor)


def _data(config: RunConfig, mixture: Mixture, start: Checkpoint, load: Loader) -> Data:
    examples = mixture.train()
    grid = start.encoder.config.grid
    entities = {
        source.name: Entities(source.entities, dataset, grid)
        for source, dataset in zip(mixture.sources, mixture.datasets, strict=True)
        if source.entities is not None and (config.objective.region or config.auxiliary.concepts)
    }
    concepts = Concepts(examples, entities, grid) if config.auxiliary.concepts else None
    boxes = entities if config.objective.region else {}
    networks, files = _teachers(config, examples, load)
    return Data(examples, start.vocabulary, load, grid, boxes, config.augmentation, concepts, networks, files)


def _teachers(
    config: RunConfig, examples: Sequence[Example], load: Loader
) -> tuple[tuple[NetworkTeacher, ...], tuple[FileTeacher, ...]]:
    """Networks, and features in folders; their mean and deviation are those of a sample of the photos."""
    if not (config.auxiliary.teacher and config.teachers):
        return (), ()
    sample = examples[:: max(1, len(examples) // TEACHER_SAMPLE)]
    names = [source.name for source in config.sources]
    paths = {name: Path(path) for name, path in config.teachers.items()}
    files = tuple(FileTeacher(path, names) for path in paths.values() if path.is_dir())
    networks = tuple(NetworkTeacher(name, path) for name, path in paths.items() if not path.is_dir())
    for told in files:
        told.learn(sample)
    for network in networks:
        network.learn(load(sample))
    return networks, files


def _auxiliary(config: RunConfig, data: Data) -> AuxiliaryLosses | None:
    if not config.auxiliary.any:
        return None
    torch.manual_seed(config.plan.seed)
    frequency = data.concepts.frequency if data.concepts else torch.ones(1)
    sizes = [*(each.size for each in data.teachers), *(each.size for each in data.file_teachers)]
    losses = AuxiliaryLosses(config.auxiliary, FEATURE_SIZE, frequency, sizes)
    learnt = config.start_from.with_name(HEADS) if config.start_from else None
    if learnt is not None and learnt.exists():
        own = losses.state_dict()
        known = {
            name: value for name, value in load_file(learnt).items() if name in own and value.shape == own[name].shape
        }
        losses.load_state_dict(own | known)  # heads of another data set's concepts begin anew
    return losses


def _loader(config: RunConfig, start: Checkpoint, mixture: Mixture, accelerator: Accelerator) -> Loader:
    if config.tune_encoder:
        return PhotoFiles({source.name: source.photos for source in mixture.sources}, start.card.photo)
    pairs = zip(mixture.sources, mixture.datasets, strict=True)
    return CachedFeatures(
        {source.name: _cache(config, start, source, dataset, accelerator) for source, dataset in pairs}
    )


def _cache(
    config: RunConfig, start: Checkpoint, source: Source, dataset: Dataset, accelerator: Accelerator
) -> FeatureCache:
    folder = _cache_folder(config, source)
    encoder = without_identity_blocks(start.encoder)

    def fill(folder: Path, splits: tuple[str, ...], *, mirrored: bool) -> FeatureCache:
        compute_features(
            encoder,
            start.card.photo,
            source.photos,
            sorted(example.filename for example in dataset.examples if example.split in splits),
            folder,
            device=accelerator.device,
            workers=config.trainer.workers,
            process=(accelerator.process_index, accelerator.num_processes),
            mirrored=mirrored,
        )
        accelerator.wait_for_everyone()
        return FeatureCache(folder)

    cache = fill(folder, ("train", "val"), mirrored=False)
    if not config.augmentation.mirrors(source.name):
        return cache
    return FeatureCache(folder, fill(folder.with_name(f"{folder.name}{MIRRORED}"), ("train",), mirrored=True))


def _validate(
    config: RunConfig, vals: list[tuple[Source, Dataset]], start: Checkpoint, load: Loader, model: CaptionModel
) -> dict[str, float]:
    """The scores of every val apart, those of a named source with its name before them."""
    settings = start.card.completed(SearchSettings(config.val_beam_size))

    @torch.inference_mode()
    def annotate(known: Mapping[str, Example], filenames: Sequence[str]) -> Tensor:
        photos = load([known[name] for name in filenames])
        return model.annotate(photos.to(next(model.parameters()).device))

    scores: dict[str, float] = {}
    for source, dataset in vals:
        examples = dataset.split("val")[: config.val_photos]
        of_these = partial(annotate, {example.filename: example for example in examples})
        found = evaluate(model.decoder, examples, of_these, start.vocabulary, settings).scores
        scores |= {f"{source.name} {name}".strip(): score for name, score in found.items()}
    return scores


def _keep(config: RunConfig, start: Checkpoint, model: CaptionModel, scores: dict[str, float]) -> None:
    card = replace(
        start.card,
        decoder=model.decoder.config,
        storage=config.storage,
        encoder_weights=BUNDLED,
        licence=config.licence or start.card.licence,
        training={"recipe": config.described()},
        scores={"val while training": scores},
    )
    if model.auxiliary is not None:
        save_file(model.auxiliary.state_dict(), config.output / HEADS)
    save_checkpoint(config.output / "checkpoint", Checkpoint(model.encoder, model.decoder, start.vocabulary, card))

"""Where a run begins: a checkpoint to go on from, or a new decoder on an encoder that has learnt before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torchvision.models import ResNet101_Weights

from captioner.card import Card
from captioner.checkpoint import Checkpoint, load_checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import RESNET_101, Encoder, torchvision_trunk
from captioner.photo import PhotoFormat
from captioner.training.data.sources import Mixture
from captioner.training.deepen import deepened, encoder_from_resnet
from captioner.training.options import OptionError
from captioner.training.run_config import NewDecoder, RunConfig
from captioner.vocabulary import Vocabulary


def starting_point(config: RunConfig, mixture: Mixture) -> Checkpoint:
    """The checkpoint that is gone on from, or a new model with a vocabulary of all the sources.

    Raises:
        OptionError: if options contradict the one that is gone on from, or a new encoder has no weights.
        DatasetError, CheckpointError: if its file cannot be read.
    """
    if config.start_from is not None:
        loaded = load_checkpoint(config.start_from)
        _check_start(config, loaded.decoder.config)
        start = _with_dropout(loaded, config.decoder.dropout)
        encoder = deepened(start.encoder, config.deepen or start.encoder.config.blocks[2])
        return start._replace(encoder=encoder, card=replace(start.card, encoder=encoder.config))
    torch.manual_seed(config.plan.seed)
    words = (caption for each in mixture.train() for caption in each.captions)
    vocabulary = Vocabulary.build(words, config.decoder.min_frequency)
    encoder = _encoder(config.encoder_weights, config.deepen or RESNET_101[2])
    decoder = Decoder(config.decoder.config(len(vocabulary)))
    name = " + ".join(dataset.name for dataset in mixture.datasets)
    return Checkpoint(encoder, decoder, vocabulary, Card(name, encoder.config, decoder.config, PhotoFormat()))


def _check_start(config: RunConfig, found: DecoderConfig) -> None:
    """Options of a new model that contradict the one that is gone on from."""
    if config.encoder_weights is not None:
        raise OptionError("--encoder-weights is for a new model; leave it or --start-from out")
    asked, usual = config.decoder, NewDecoder()
    for name, own in (
        ("embedding_size", found.embedding_size),
        ("hidden_size", found.hidden_size),
        ("attention_size", found.attention_size),
        ("output_form", found.output),
        ("gate", found.gate),
    ):
        if getattr(asked, name) not in (own, getattr(usual, name)):
            raise OptionError(f"--{name.replace('_', '-')} is that of --start-from's decoder, {own}; leave it out")


def _with_dropout(start: Checkpoint, dropout: float | None) -> Checkpoint:
    if dropout is None:
        return start
    decoder = Decoder(replace(start.decoder.config, dropout=dropout))
    decoder.load_state_dict(start.decoder.state_dict())
    return start._replace(decoder=decoder)


def _encoder(weights: str | None, blocks: int) -> Encoder:
    if weights is None:
        raise OptionError("a new model needs --encoder-weights: a ResNet file, or a name such as IMAGENET1K_V2")
    if weights not in ResNet101_Weights.__members__:
        return encoder_from_resnet(Path(weights), blocks)
    encoder = Encoder()
    try:
        encoder.trunk.load_state_dict(torchvision_trunk(weights))
    except (OSError, RuntimeError) as error:
        raise OptionError(
            f"--encoder-weights {weights}: torchvision's weights could not be downloaded ({error}); connect to the "
            "network once, or give a file"
        ) from error
    return encoder

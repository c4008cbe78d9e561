"""Where a run begins: a checkpoint to go on from, or a new decoder on an encoder that has learnt before.

A ResNet-50 can become the ResNet-101 that computes exactly the same, ready to learn more.
"""

from __future__ import annotations

import lzma
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor
from torchvision.models import ResNet101_Weights

from captioner.card import Card
from captioner.checkpoint import Checkpoint, load_checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import RESNET_101, Encoder, EncoderConfig, torchvision_trunk
from captioner.photo import PhotoFormat
from captioner.training.data.datasets import DatasetError
from captioner.training.data.sources import Mixture
from captioner.training.options import OptionError
from captioner.training.run_config import NewDecoder, RunConfig
from captioner.vocabulary import Vocabulary

LAYER3_BLOCK = re.compile(r"layer3\.(\d+)\.(.+)")


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


def read_trunk(path: Path) -> dict[str, Tensor]:
    """ResNet weights in torchvision's key names from a ``.safetensors``, ``.safetensors.xz`` or ``.pth`` file.

    Raises:
        DatasetError: if it holds none.
    """
    try:
        state = _read(path)
    except (
        OSError,
        lzma.LZMAError,
        SafetensorError,
        pickle.UnpicklingError,
        RuntimeError,
        ValueError,
        EOFError,
    ) as error:
        reason = (str(error).splitlines() or [repr(error)])[0]
        raise DatasetError(f"{path} holds no ResNet weights as .safetensors[.xz] or .pth ({reason})") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DatasetError(f"{path} holds no ResNet weights as .safetensors[.xz] or .pth, but something else")
    return {
        key: value.float() if value.is_floating_point() else value
        for key, value in state.items()
        if not key.startswith("fc.")
    }


def _read(path: Path) -> Any:
    if path.suffix in (".pth", ".pt"):
        return torch.load(path, map_location="cpu", weights_only=True)
    return load(lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes())


def filled_up(state: dict[str, Tensor], blocks: int = RESNET_101[2]) -> dict[str, Tensor]:
    """Fill up stage 3 to ``blocks`` with copies of its blocks that start as the identity.

    A bottleneck block adds ``bn3(…)`` to its input; with that BatchNorm's weight and bias zero it
    passes its input through (He et al. 2016), so ResNet-50 and the grown ResNet-101 agree exactly.
    """
    present = sorted({int(match[1]) for key in state if (match := LAYER3_BLOCK.match(key))})
    deeper = dict(state)
    for new in range(len(present), blocks):
        source = present[1 + (new - 1) % (len(present) - 1)]  # block 0 has a downsampling branch
        for key, value in state.items():
            match = LAYER3_BLOCK.match(key)
            if match and int(match[1]) == source:
                silent = match[2] in ("bn3.weight", "bn3.bias")
                deeper[f"layer3.{new}.{match[2]}"] = torch.zeros_like(value) if silent else value.clone()
    return deeper


def encoder_from_resnet(path: Path, blocks: int = RESNET_101[2]) -> Encoder:
    """An encoder from ResNet weights, of as many blocks as they have, its third stage filled up to ``blocks``.

    Raises:
        DatasetError: if the file holds none.
    """
    state = read_trunk(path)
    try:
        first, second, third, last = (_blocks(state, stage) for stage in (1, 2, 3, 4))
        encoder = Encoder(EncoderConfig((first, second, max(third, blocks), last)))
        encoder.trunk.load_state_dict(filled_up(state, encoder.config.blocks[2]))
    except (RuntimeError, IndexError, ZeroDivisionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DatasetError(f"{path} holds no ResNet weights of bottleneck blocks ({reason})") from error
    return encoder


def _blocks(state: dict[str, Tensor], stage: int) -> int:
    return len({key.split(".")[1] for key in state if key.startswith(f"layer{stage}.")})


def deepened(encoder: Encoder, blocks: int) -> Encoder:
    """An encoder that computes the same, with ``blocks`` in its stage 3; itself if it has them.

    Raises:
        DatasetError: if it has more.
    """
    first, second, present, last = encoder.config.blocks
    if blocks < present:
        raise DatasetError(f"the encoder has {present} blocks in its third stage; it can grow, but not to {blocks}")
    if blocks == present:
        return encoder
    larger = Encoder(replace(encoder.config, blocks=(first, second, blocks, last)))
    larger.trunk.load_state_dict(filled_up(encoder.trunk.state_dict(), blocks))
    return larger

"""Save a model as a folder of three files or more, and load it back verified. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor
from torchvision.models import ResNet101_Weights

from captioner.card import Card, CheckpointError, parse_json, read_card, read_file
from captioner.compiled_encoder import Ranges, checked_ranges
from captioner.decoder import Decoder
from captioner.encoder import Encoder, torchvision_trunk
from captioner.familiarity import Familiarity
from captioner.quantization import pack, unpack
from captioner.vocabulary import Vocabulary, VocabularyError

CARD, VOCABULARY, MODEL = "card.json", "vocabulary.json", "model.safetensors"
FAMILIARITY, RANGES = "familiarity.safetensors", "ranges.safetensors"
MAX_BYTES = {VOCABULARY: 100_000_000, MODEL: 4_000_000_000}
MAX_FAMILIARITY_BYTES, MAX_RANGES_BYTES = 100_000_000, 1_000_000
BUNDLED = "bundled"

__all__ = ["Checkpoint", "CheckpointError", "load_checkpoint", "save_checkpoint"]


class Checkpoint(NamedTuple):
    """A loaded model with its word map and card."""

    encoder: Encoder
    decoder: Decoder
    vocabulary: Vocabulary
    card: Card
    familiarity: Familiarity | None = None  # what its training photos are like, if that is known
    ranges: Ranges | None = None  # of its encoder's activations, if it can run in int8


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Card:
    """Write the files; the card's configurations, storage form and hashes are filled in."""
    encoder, decoder, vocabulary, card, familiarity, ranges = checkpoint
    folder.mkdir(parents=True, exist_ok=True)
    state = {f"decoder.{name}": value for name, value in decoder.state_dict().items()}
    if card.encoder_weights == BUNDLED:
        state |= {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    contents = {
        VOCABULARY: json.dumps(vocabulary.word_map, ensure_ascii=False, indent=0).encode(),
        MODEL: save_tensors(pack(state, card.storage)),
    }
    if familiarity is not None:
        known = {name: torch.from_numpy(value) for name, value in familiarity._asdict().items()}
        contents[FAMILIARITY] = save_tensors(pack(known, "float16"))
    if ranges is not None:
        contents[RANGES] = save_tensors(
            {name: torch.tensor(ends, dtype=torch.float32) for name, ends in ranges.items()}
        )
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    card = replace(card, encoder=encoder.config, decoder=decoder.config, sha256=hashes)
    card.write(folder / CARD)
    return card


def card_of(folder: Path) -> Card:
    """The card of a checkpoint folder.

    Raises:
        CheckpointError: if there is no such folder, or its card cannot be used.
    """
    if folder.is_file():
        raise CheckpointError(
            f"{folder}: expected a checkpoint folder, found a file; import it first: "
            f"python -m captioner import {folder} WORDMAP.json FOLDER"
        )
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: expected a checkpoint folder, found none; please check the path")
    return read_card(folder / CARD)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Load and verify: schema, hashes, vocabulary size, then a strict state dict of finite weights.

    Raises:
        CheckpointError: naming the file, what was expected, what was found and the remedy.
    """
    card = card_of(folder)
    words, weights = (_verified(folder / name, card, limit) for name, limit in MAX_BYTES.items())
    vocabulary = _vocabulary(folder / VOCABULARY, words, card.decoder.vocabulary_size)
    packed = _packed(folder / MODEL, weights)
    del weights  # as large as the model; what follows needs the room
    state = _state(folder / MODEL, packed)
    with torch.device("meta"):  # no memory is taken for shapes that a wrong card claims
        encoder, decoder = Encoder(card.encoder), Decoder(card.decoder)
    if card.encoder_weights != BUNDLED:
        state |= _torchvision_encoder(card.encoder_weights, folder / CARD)
    _fill(encoder, "encoder.", state, folder / MODEL)
    _fill(decoder, "decoder.", state, folder / MODEL)
    if state:
        raise CheckpointError(f"{folder / MODEL}: found the unknown tensor {min(state)}; restore the original file")
    familiarity = _familiarity(folder / FAMILIARITY, card) if FAMILIARITY in card.sha256 else None
    ranges = _ranges(folder / RANGES, card, encoder) if RANGES in card.sha256 else None
    return Checkpoint(encoder.eval(), decoder.eval(), vocabulary, card, familiarity, ranges)


def _verified(path: Path, card: Card, limit: int) -> bytes:
    content = read_file(path, limit)
    found, expected = hashlib.sha256(content).hexdigest(), card.sha256.get(path.name)
    if expected is None:
        raise CheckpointError(f"{path}: expected its SHA-256 in {CARD}, found none; restore the original card")
    if found != expected:
        raise CheckpointError(
            f"{path}: expected SHA-256 {str(expected)[:12]}…, found {found[:12]}…; "
            "the file was changed or is incomplete: download it again"
        )
    return content


def _familiarity(path: Path, card: Card) -> Familiarity:
    state = _state(path, _packed(path, _verified(path, card, MAX_FAMILIARITY_BYTES)))
    try:
        return Familiarity.checked(**{name: value.numpy() for name, value in state.items()})
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: expected mean, components, centres and quantiles that fit together, found others ({error}); "
            "restore the original file"
        ) from None


def _ranges(path: Path, card: Card, encoder: Encoder) -> Ranges:
    stored = _packed(path, _verified(path, card, MAX_RANGES_BYTES))
    try:
        return checked_ranges({name: _ends(value) for name, value in stored.items()}, encoder)
    except ValueError as error:
        raise CheckpointError(
            f"{path}: expected a range for what each convolution reads, found others ({error}); "
            "restore the original file, or make it again with: python -m captioner quantize"
        ) from None


def _ends(value: Tensor) -> tuple[float, float]:
    """Raises ``ValueError`` if these are not two numbers."""
    low, high = value.flatten().tolist()
    return low, high


def _vocabulary(path: Path, content: bytes, size: int) -> Vocabulary:
    try:
        vocabulary = Vocabulary(parse_json(path, content))
    except VocabularyError as error:
        raise CheckpointError(f"{path}: {error}; restore the vocabulary this model was trained with") from None
    if len(vocabulary) != size:
        raise CheckpointError(
            f"{path}: expected {size} words, found {len(vocabulary)}; restore the one this model was trained with"
        )
    return vocabulary


def _packed(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        return load_tensors(content)
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: expected safetensors, found something else ({error}); download it again"
        ) from None


def _state(path: Path, packed: dict[str, Tensor]) -> dict[str, Tensor]:
    try:
        state = unpack(packed)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: expected whole weights, found that {error}; restore the original file"
        ) from None
    for name, value in state.items():
        if not _finite(value):
            raise CheckpointError(
                f"{path}: expected finite weights, found some in {name} that are not; restore the original file"
            )
    return state


def _finite(value: Tensor) -> bool:
    """Whether no value is infinite or NaN; in one pass, since every start waits for it."""
    if not value.is_floating_point() or not value.numel():
        return True
    return all(bound.isfinite() for bound in value.aminmax())


def _fill(module: Encoder | Decoder, prefix: str, state: dict[str, Tensor], path: Path) -> None:
    own = {name.removeprefix(prefix): state.pop(name) for name in list(state) if name.startswith(prefix)}
    for name, expected in module.state_dict().items():
        if name in own and own[name].dtype != expected.dtype:
            raise CheckpointError(
                f"{path}: expected {expected.dtype} in {prefix}{name}, found {own[name].dtype}; "
                "restore the original file"
            )
    try:
        module.load_state_dict(own, strict=True, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"{path}: expected the weights that the card describes, found others ({reason}); "
            "restore both from one source"
        ) from None


def _torchvision_encoder(name: str, path: Path) -> dict[str, Tensor]:
    if name not in ResNet101_Weights.__members__:
        raise CheckpointError(
            f"{path}: expected encoder_weights to be {BUNDLED!r} or one of {list(ResNet101_Weights.__members__)}, "
            f"found {name!r}; restore the original card"
        )
    try:
        state = torchvision_trunk(name)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: expected to download torchvision's {name}, found {error}; connect to the network once, "
            "or use a checkpoint that bundles its encoder"
        ) from None
    return {f"encoder.trunk.{key}": value for key, value in state.items()}

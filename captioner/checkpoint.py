"""Save a model as a folder of three files, and load it back verified. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor
from torchvision.models import ResNet101_Weights

from captioner.card import Card, CheckpointError, read_card, read_json
from captioner.decoder import Decoder
from captioner.encoder import Encoder
from captioner.quantization import pack, unpack
from captioner.vocabulary import Vocabulary, VocabularyError

CARD, VOCABULARY, MODEL = "card.json", "vocabulary.json", "model.safetensors"
BUNDLED = "bundled"
MAX_VOCABULARY_BYTES = 50_000_000

__all__ = ["Checkpoint", "CheckpointError", "load_checkpoint", "save_checkpoint"]


class Checkpoint(NamedTuple):
    """A loaded model with its word map and card."""

    encoder: Encoder
    decoder: Decoder
    vocabulary: Vocabulary
    card: Card


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Card:
    """Write the three files; the card's configurations, storage form and hashes are filled in."""
    encoder, decoder, vocabulary, card = checkpoint
    folder.mkdir(parents=True, exist_ok=True)
    state = {f"decoder.{name}": value for name, value in decoder.state_dict().items()}
    if card.encoder_weights == BUNDLED:
        state |= {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    contents = {
        VOCABULARY: json.dumps(vocabulary.word_map, ensure_ascii=False, indent=0).encode(),
        MODEL: save_tensors(pack(state, card.storage)),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    card = replace(card, encoder=encoder.config, decoder=decoder.config, sha256=hashes)
    card.write(folder / CARD)
    return card


def load_checkpoint(folder: Path) -> Checkpoint:
    """Load and verify: schema, hashes, vocabulary size, then a strict state dict.

    Raises:
        CheckpointError: naming the file, what was expected, what was found and the remedy.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: there is no such checkpoint folder; please check the path")
    card = read_card(folder / CARD)
    _verified(folder / VOCABULARY, card)
    content = _verified(folder / MODEL, card)
    vocabulary = _vocabulary(folder / VOCABULARY, card.decoder.vocabulary_size)
    state = _state(folder / MODEL, content)
    encoder, decoder = Encoder(card.encoder), Decoder(card.decoder)
    if card.encoder_weights == BUNDLED:
        _fill(encoder, "encoder.", state, folder / MODEL)
    else:
        encoder.trunk.load_state_dict(_torchvision_trunk(card.encoder_weights, folder / CARD), strict=True)
    _fill(decoder, "decoder.", state, folder / MODEL)
    if state:
        raise CheckpointError(f"{folder / MODEL}: holds the unknown tensor {min(state)}; restore the original file")
    return Checkpoint(encoder.eval(), decoder.eval(), vocabulary, card)


def _verified(path: Path, card: Card) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise CheckpointError(
            f"{path}: the file is missing or unreadable; restore it (with Git, `git checkout -- {path.name}`)"
        ) from None
    found, expected = hashlib.sha256(content).hexdigest(), card.sha256.get(path.name)
    if found != expected:
        raise CheckpointError(
            f"{path}: expected SHA-256 {str(expected)[:12]}…, found {found[:12]}…; "
            "the file was changed or is incomplete: download it again"
        )
    return content


def _vocabulary(path: Path, size: int) -> Vocabulary:
    try:
        vocabulary = Vocabulary(read_json(path, MAX_VOCABULARY_BYTES))
    except VocabularyError as error:
        raise CheckpointError(f"{path}: {error}; restore the vocabulary this model was trained with") from None
    if len(vocabulary) != size:
        raise CheckpointError(
            f"{path}: expected {size} words, found {len(vocabulary)}; restore the one this model was trained with"
        )
    return vocabulary


def _state(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        return unpack(load_tensors(content))
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: expected safetensors, found something else ({error}); download it again"
        ) from None


def _fill(module: Encoder | Decoder, prefix: str, state: dict[str, Tensor], path: Path) -> None:
    own = {name.removeprefix(prefix): state.pop(name) for name in list(state) if name.startswith(prefix)}
    try:
        module.load_state_dict(own, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"{path}: the weights do not fit the card ({reason}); restore both from one source"
        ) from None


def _torchvision_trunk(name: str, path: Path) -> dict[str, Tensor]:
    if name not in ResNet101_Weights.__members__:
        raise CheckpointError(
            f"{path}: encoder_weights must be {BUNDLED!r} or one of {list(ResNet101_Weights.__members__)}, "
            f"found {name!r}; restore the original card"
        )
    state: dict[str, Tensor] = dict(ResNet101_Weights[name].get_state_dict(check_hash=True))
    return {key: value for key, value in state.items() if not key.startswith("fc.")}

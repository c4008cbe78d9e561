"""The card beside a checkpoint's weights: what they are, how to use them, where they come from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from captioner.decoder import DecoderConfig
from captioner.encoder import EncoderConfig
from captioner.photo import PhotoFormat
from captioner.quantization import Storage

SCHEMA = 1
MAX_CARD_BYTES = 1_000_000


class CheckpointError(ValueError):
    """A checkpoint that cannot be used: which file, what was expected, what was found, what to do."""


@dataclass(frozen=True)
class Card:
    """Everything about a checkpoint that is not a weight.

    Attributes:
        encoder_weights: ``bundled``, or the name of a torchvision ``ResNet101_Weights`` entry.
        length_penalty: of `captioner.hypotheses.rank`, chosen on val.
        sha256: of the files beside the card, by name.
        training: data and recipe, free form. ``scores``: measured, with split and beam size.
    """

    name: str
    encoder: EncoderConfig
    decoder: DecoderConfig
    photo: PhotoFormat
    storage: Storage = "float32"
    encoder_weights: str = "bundled"
    length_penalty: float = 0.0
    beam_size: int = 3
    licence: str = ""
    sha256: dict[str, str] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    limits: str = ""

    def write(self, path: Path) -> None:
        """Write the card as readable JSON."""
        content = {"schema": SCHEMA, **asdict(self)}
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_card(path: Path) -> Card:
    """Read and check ``card.json``.

    Raises:
        CheckpointError: if it is missing, no JSON, of an unknown schema, or lacks a field.
    """
    content = read_json(path, MAX_CARD_BYTES)
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise CheckpointError(
            f"{path}: this program reads cards of schema {SCHEMA}, found {schema!r}; "
            "update the program, or use a checkpoint made for it"
        )
    try:
        return _card(content)
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: a field is missing or wrong ({error}); restore the original card") from None


def read_json(path: Path, limit: int) -> dict[str, Any]:
    """A JSON object from a file of at most ``limit`` bytes, or `CheckpointError`."""
    try:
        if path.stat().st_size > limit:
            raise CheckpointError(
                f"{path}: expected at most {limit} bytes, found {path.stat().st_size}; restore the original"
            )
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: the file is missing; a checkpoint folder holds card.json, vocabulary.json and model.safetensors"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: expected JSON in UTF-8, found something else ({error}); restore the original"
        ) from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a JSON object, found {type(content).__name__}; restore the original")
    return content


def _card(content: dict[str, Any]) -> Card:
    known = {each.name for each in fields(Card)}
    if unknown := sorted(set(content) - known):
        raise ValueError(f"unknown field {unknown[0]!r}")
    encoder = dict(content["encoder"])
    encoder["blocks"] = tuple(_sized("encoder.blocks", value, 64) for value in encoder["blocks"])
    decoder = dict(content["decoder"])
    for name, value in decoder.items():
        if name.endswith("_size"):
            _sized(f"decoder.{name}", value, 1_000_000)
    photo = dict(content["photo"])
    photo["mean"], photo["std"] = tuple(photo["mean"]), tuple(photo["std"])
    _sized("photo.size", photo["size"], 2048)
    _sized("encoder.grid", encoder["grid"], 64)
    if content.get("storage", "float32") not in get_args(Storage):
        raise ValueError(f"storage must be one of {get_args(Storage)}")
    if not all(isinstance(content.get(name, {}), dict) for name in ("sha256", "training", "scores")):
        raise ValueError("sha256, training and scores must be objects")
    parts = {"encoder": EncoderConfig(**encoder), "decoder": DecoderConfig(**decoder), "photo": PhotoFormat(**photo)}
    return Card(**{**content, **parts})


def _sized(name: str, value: object, limit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
        raise ValueError(f"{name} must be a whole number from 1 to {limit}, got {value!r}")
    return value

"""The card beside a checkpoint's weights: what they are, how to use them, where they come from."""

from __future__ import annotations

import json
import stat
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from captioner.decoder import DecoderConfig
from captioner.encoder import FEATURE_SIZE, EncoderConfig
from captioner.photo import PhotoFormat
from captioner.quantization import Storage
from captioner.settings import SearchSettings, shown

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
        may_repeat: words that a caption may say twice (articles, prepositions …): of the captions that a
            search found, one that says another word twice comes last. Empty: the ranking does not ask.
        sha256: of the files beside the card, by name.
        training: data and recipe, free form. ``scores``: measured, with split and beam size.
        failures: where it fails: what a photo shows → what the model wrote.
    """

    name: str
    encoder: EncoderConfig
    decoder: DecoderConfig
    photo: PhotoFormat
    storage: Storage = "float32"
    encoder_weights: str = "bundled"
    length_penalty: float = 0.0
    may_repeat: tuple[str, ...] = ()
    beam_size: int = 3
    licence: str = ""
    sha256: dict[str, str] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    limits: str = ""
    failures: dict[str, str] = field(default_factory=dict)

    def completed(self, settings: SearchSettings) -> SearchSettings:
        """The settings with the card's own ranking where they leave it open."""
        if settings.length_penalty is None:
            settings = replace(settings, length_penalty=self.length_penalty)
        if settings.may_repeat is None:
            settings = replace(settings, may_repeat=frozenset(self.may_repeat))
        return settings

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
    except KeyError as error:
        raise CheckpointError(f"{path}: expected the field {error}, found none; restore the original card") from None
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: a field is missing or wrong ({error}); restore the original card") from None


def read_json(path: Path, limit: int) -> dict[str, Any]:
    """A JSON object from a file of at most ``limit`` bytes, or `CheckpointError`."""
    return parse_json(path, read_file(path, limit))


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of an ordinary file of at most ``limit`` of them, or `CheckpointError`."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe or a device could keep us waiting for ever
            raise CheckpointError(f"{path}: expected an ordinary file, found another kind; restore the original")
        if found.st_size > limit:
            raise CheckpointError(
                f"{path}: expected at most {limit} bytes, found {found.st_size}; restore the original"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: expected this file, found none; restore it "
            "(a checkpoint folder holds card.json, vocabulary.json and model.safetensors)"
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path}: expected a readable file, found {error}; restore the original") from None


def parse_json(path: Path, content: bytes) -> dict[str, Any]:
    """The JSON object that ``path`` was read as, or `CheckpointError`."""
    try:
        parsed = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: expected JSON in UTF-8, found something else ({error}); restore the original"
        ) from None
    if not isinstance(parsed, dict):
        raise CheckpointError(f"{path}: expected a JSON object, found {type(parsed).__name__}; restore the original")
    return parsed


def _card(content: dict[str, Any]) -> Card:
    _only_known(Card, content)
    parts = {
        "encoder": EncoderConfig(**_part(EncoderConfig, content["encoder"])),
        "decoder": DecoderConfig(**_part(DecoderConfig, content["decoder"])),
        "photo": PhotoFormat(**_part(PhotoFormat, content["photo"])),
    }
    card = Card(**{**content, **parts, "may_repeat": _words(content.get("may_repeat", []))})
    _check_top(card)
    _check_encoder(card.encoder)
    _check_decoder(card.decoder)
    _check_photo(card.photo)
    return card


def _part(kind: type, values: object) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"{kind.__name__} must be an object, got {values!r}")
    _only_known(kind, values)
    # A default would be a guess here, and weights of the other form would load all the same.
    if missing := sorted({each.name for each in fields(kind)} - set(values)):
        raise KeyError(missing[0])
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _words(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise ValueError(f"may_repeat must be a list of words, got {shown(values)}")
    return tuple(values)


def _only_known(kind: type, values: dict[str, Any]) -> None:
    if unknown := sorted(set(values) - {each.name for each in fields(kind)}):
        raise ValueError(f"unknown field {unknown[0]!r}")


def _check_top(card: Card) -> None:
    for name in ("name", "encoder_weights", "licence", "limits"):
        _typed(name, getattr(card, name), str)
    for name in ("sha256", "training", "scores", "failures"):
        _typed(name, getattr(card, name), dict)
    if card.storage not in get_args(Storage):
        raise ValueError(f"storage must be one of {get_args(Storage)}, got {card.storage!r}")
    SearchSettings(beam_size=card.beam_size, length_penalty=card.length_penalty)


def _check_encoder(encoder: EncoderConfig) -> None:
    _typed("encoder.blocks", encoder.blocks, tuple)
    if len(encoder.blocks) != 4:
        raise ValueError(f"encoder.blocks must name 4 stages, got {len(encoder.blocks)}")
    for stage in encoder.blocks:
        _whole("encoder.blocks", stage, 64)
    _typed("encoder.dilated", encoder.dilated, bool)
    _whole("encoder.grid", encoder.grid, 64)


def _check_decoder(decoder: DecoderConfig) -> None:
    for name, value in asdict(decoder).items():
        if name.endswith("_size"):
            _whole(f"decoder.{name}", value, 1_000_000)
    if decoder.feature_size != FEATURE_SIZE:
        raise ValueError(f"decoder.feature_size must be the encoder's {FEATURE_SIZE}, got {decoder.feature_size}")
    _number("decoder.dropout", decoder.dropout, 0, 1)


def _check_photo(photo: PhotoFormat) -> None:
    _whole("photo.size", photo.size, 2048)
    for name, lowest in (("mean", 0.0), ("std", 1e-6)):
        values = getattr(photo, name)
        _typed(f"photo.{name}", values, tuple)
        if len(values) != 3:
            raise ValueError(f"photo.{name} must have 3 numbers, got {len(values)}")
        for value in values:
            _number(f"photo.{name}", value, lowest, 1000)


def _typed(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be of type {kind.__name__}, got {value!r}")


def _whole(name: str, value: object, limit: int) -> None:
    if type(value) is not int or not 1 <= value <= limit:
        raise ValueError(f"{name} must be a whole number from 1 to {limit}, got {value!r}")


def _number(name: str, value: object, low: float, high: float) -> None:
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, got {value!r}")

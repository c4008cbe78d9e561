"""What a training run is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from captioner.decoder import DecoderConfig, GateForm, OutputForm
from captioner.quantization import Storage
from captioner.training.data.augmentation import Augmentation
from captioner.training.data.batches import BatchPlan
from captioner.training.data.sources import Source
from captioner.training.model import Stage
from captioner.training.objective import AuxiliaryConfig, ObjectiveConfig
from captioner.training.optimization import TrainerConfig
from captioner.training.options import OptionError, check_options, option, pairs

Precision = Literal["auto", "no", "bf16", "fp16"]


@dataclass(frozen=True)
class NewDecoder:
    """The form of a new decoder; one that is gone on from keeps its own, and takes ``dropout`` alone."""

    embedding_size: int = option(512, "of a word", least=1)
    hidden_size: int = option(512, "of the LSTM", least=1)
    attention_size: int = option(512, "of the attention's hidden layer", least=1)
    output_form: OutputForm = option("deep", "the paper's equation 7, or one layer on the hidden state")
    gate: GateForm = option("scalar", "the paper's one number, or one a feature")
    dropout: float | None = option(None, "default: 0.5, or that of --start-from", least=0, most=0.99)
    min_frequency: int = option(5, "words seen so often are in a new vocabulary", least=1)

    def __post_init__(self) -> None:
        check_options(self)

    def config(self, vocabulary_size: int) -> DecoderConfig:
        """That of the decoder's layers."""
        made = DecoderConfig(
            vocabulary_size,
            embedding_size=self.embedding_size,
            hidden_size=self.hidden_size,
            attention_size=self.attention_size,
            output=self.output_form,
            gate=self.gate,
        )
        return made if self.dropout is None else replace(made, dropout=self.dropout)


@dataclass(frozen=True)
class RunConfig:
    """Where a run begins, what it trains and what it keeps.

    Attributes:
        sources: the data sets.
        tune_encoder: else it is frozen, and its features are cached.
        storage: a frozen encoder is rounded to it *first*, so that the decoder learns on the very features
            that will be served.
        val_photos: decoded after each epoch, at the length penalty of ``start_from``'s card.
    """

    sources: tuple[Source, ...]
    output: Path
    start_from: Path | None = option(None, "checkpoint folder to go on from")
    encoder_weights: str | None = option(None, "of a new model: ResNet-50/101 file, or a ResNet101_Weights name")
    deepen: int = option(
        0, "fill the encoder's third stage up to so many blocks; 0: as it is, or 23 of a new one", least=0
    )
    tune_encoder: bool = option(False, "train the encoder too")
    tune_from: Stage = option("conv1", "first stage of it that is trained")
    feature_dropout: float = option(0.0, "chance of a photo's feature channels to be hidden", least=0, most=0.99)
    features: Path | None = option(
        None, "folder of cached features, of sources that name none; computed there (default: in the run's folder)"
    )
    teachers: Mapping[str, str] | None = option(
        None,
        "for --teacher-weight: torchvision networks and their .safetensors, or features in the form of the cache: "
        "densenet169=FILE,NAME=FOLDER",
        parse=pairs,
    )
    storage: Storage = option("float16", "form of the kept checkpoint")
    precision: Precision = option("auto", "of the arithmetic; auto: bf16 where the device has it")
    val_photos: int = option(
        300, "photos of each source's val decoded after each epoch; 0 keeps the last epoch", least=0
    )
    val_beam_size: int = option(3, "of that", least=1, most=20)
    skip_bad: bool = option(False, "leave photos out that are missing, damaged or without captions")
    licence: str = option("", "what the card says of it")
    decoder: NewDecoder = field(default_factory=NewDecoder)
    plan: BatchPlan = field(default_factory=BatchPlan)
    augmentation: Augmentation = field(default_factory=Augmentation)
    auxiliary: AuxiliaryConfig = field(default_factory=AuxiliaryConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)

    def __post_init__(self) -> None:
        check_options(self)
        if not self.tune_encoder and self.auxiliary.any:
            raise OptionError(
                "--concept-weight and --teacher-weight are for an encoder that is trained; add --tune-encoder"
            )
        if not self.tune_encoder and self.augmentation.crops < 1:
            raise OptionError("--crops needs photos, not cached features; add --tune-encoder")
        if self.tune_encoder and self.augmentation.cells:
            raise OptionError("--cells chooses among cached features; leave it or --tune-encoder out")
        if self.objective.region and not any(source.entities for source in self.sources):
            raise OptionError("--region-weight needs boxes; give --entities, or `entities` of a source")
        if self.auxiliary.teacher and not self.teachers:
            raise OptionError("--teacher-weight needs --teachers: densenet169=FILE.safetensors")

    def described(self) -> dict[str, Any]:
        """All of it as JSON can hold it, for a card."""
        return dict(_plain(asdict(self)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value

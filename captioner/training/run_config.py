"""What a training run is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from captioner.quantization import Storage
from captioner.training.batches import BatchPlan
from captioner.training.karpathy import DatasetError
from captioner.training.lessons import LessonConfig
from captioner.training.model import STAGES
from captioner.training.objective import ObjectiveConfig
from captioner.training.schedule import TrainerConfig
from captioner.training.views import Views


@dataclass(frozen=True)
class RunConfig:
    """Everything a training run is made from.

    Attributes:
        start_from: checkpoint folder to go on from, or None for a new decoder.
        sizes: of a new decoder, by the names of `DecoderConfig`; one that is gone on from keeps its
            own, and takes ``dropout`` alone if it is named.
        encoder_weights: a ResNet file, or the name of a torchvision ``ResNet101_Weights`` entry.
        layer3_blocks: grow the encoder's stage 3 to so many blocks first; 0 leaves it, or makes 23 of a new one.
        tuned: train the encoder too, from its stage ``tune_from`` on; else it is frozen and its features are cached.
        attention_only: train the decoder's attention alone: where it looks, and hold what it makes of that.
        coarse: train and judge on a grid half as fine, without dilation, of photos of 7/8 of their size; not
            with cached features.
        lessons: what is learnt beside captions; concepts need ``entities``, the others ``teacher`` and ``text``.
        teacher: DenseNet-169 weights as safetensors.
        text: sentences without photos, one a line.
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
    layer3_blocks: int = 0
    tuned: bool = False
    tune_from: str = STAGES[0]
    coarse: bool = False
    attention_only: bool = False
    lessons: LessonConfig = field(default_factory=LessonConfig)
    teacher: Path | None = None
    text: Path | None = None
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

    def __post_init__(self) -> None:
        lessons = self.lessons
        if self.attention_only and self.start_from is None:
            raise DatasetError("--attention-only is for a model that has learnt to caption; add --start-from")
        if not self.tuned and lessons.of_encoder:
            raise DatasetError("concepts and a teacher are for an encoder that is trained; add --tune-encoder")
        if self.trainer.samples and (lessons.of_encoder or lessons.text):
            raise DatasetError("--self-critical has no lessons; leave --concept-, --teacher- and --text-weight out")
        if not (self.tuned or self.on_the_fly) and (self.coarse or self.views.smallest_crop < 1):
            raise DatasetError("--coarse and --crops need photos, not features; add --on-the-fly or --tune-encoder")
        if (lessons.concepts or self.objective.region) and self.entities is None:
            raise DatasetError("--concept-weight and --region-weight need the boxes of --entities")
        if lessons.text and self.text is None:
            raise DatasetError("--text-weight needs the sentences of --text")
        if lessons.teacher and self.teacher is None:
            raise DatasetError("--teacher-weight needs the DenseNet-169 of --teacher")

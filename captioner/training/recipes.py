"""A whole training from one file: stages that follow each other, each a run of the trainer or a mean of weights."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import torch
from accelerate import PartialState

from captioner.card import read_card
from captioner.checkpoint import CARD, save_checkpoint
from captioner.training import train_options
from captioner.training.averaging import mean_checkpoint
from captioner.training.run import train

CHECKPOINT, DONE = "checkpoint", "done.json"
NOT_OF_A_STAGE = (
    "data",
    "photos",
    "output",
    "entities",
    "teacher",
    "text",
    "encoder-weights",
    "precision",
    "start-from",
)


class RecipeError(ValueError):
    """A recipe that cannot be followed; the message names the stage and the remedy."""


@dataclass(frozen=True)
class Stage:
    """One stage; its checkpoint is ``OUTPUT/NAME/checkpoint``.

    Attributes:
        start_from: name of the earlier stage it goes on from, or None for the beginning.
        train: options of ``python -m captioner train`` without their dashes, flags as ``true``;
            ``features`` names a folder of ``OUTPUT`` that stages with one frozen encoder share.
        mean: names of the earlier stages whose weights are averaged, instead of training.
    """

    name: str
    start_from: str | None = None
    train: dict[str, Any] = field(default_factory=dict)
    mean: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """What a recipe does not hold: the raw files, and what the machine computes in.

    Attributes:
        entities: for the stages that have a ``region-weight`` or a ``concept-weight``.
        teacher, text: for those that have a ``teacher-weight``, or a ``text-weight``.
        encoder_weights, start_from: for the stages that go on from no other; see `RunConfig`.
    """

    dataset: Path
    photos: Path
    precision: str = "bf16"
    entities: Path | None = None
    encoder_weights: str | None = None
    start_from: Path | None = None
    teacher: Path | None = None
    text: Path | None = None


def read_recipe(path: Path) -> tuple[Stage, ...]:
    """Read a recipe, ``{"stages": [{"name": …, "start_from": …, "train": {…}}, {"name": …, "mean": […]}]}``.

    Raises:
        RecipeError: if it is no such JSON, an option is none of ``train``'s, or a stage is named
            before it is made.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["stages"]
        stages = tuple(Stage(**{**each, "mean": tuple(each.get("mean", ()))}) for each in found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(f"{path} is not a training recipe ({error!r})") from error
    for number, stage in enumerate(stages):
        _check(stage, {earlier.name for earlier in stages[:number]})
    if not stages:
        raise RecipeError(f"{path} has no stages; a recipe needs at least one")
    return stages


def reproduce(stages: Sequence[Stage], sources: Sources, output: Path) -> Path:
    """Follow the recipe from where it was left; the result is the last stage's checkpoint.

    A finished stage is left as it is; an interrupted one goes on as `captioner.training.run.train` does.

    Raises:
        RecipeError: if a finished stage was made by another recipe.
    """
    machine = PartialState(cpu=not torch.cuda.is_available())
    for stage in stages:
        if _is_done(stage, output / stage.name):
            continue
        if not stage.mean:
            train(train_options.run_config(_parsed(stage, _arguments(stage, sources, output))))
        if machine.is_main_process:
            _finish(stage, stages, output)
        machine.wait_for_everyone()
    return output / stages[-1].name / CHECKPOINT


def _finish(stage: Stage, stages: Sequence[Stage], output: Path) -> None:
    folder = output / stage.name
    if stage.mean:
        save_checkpoint(folder / CHECKPOINT, mean_checkpoint([output / name / CHECKPOINT for name in stage.mean]))
    path = folder / CHECKPOINT / CARD
    made_by = [asdict(each) for each in stages[: stages.index(stage) + 1]]
    replace(read_card(path), training={"recipe": made_by}).write(path)
    (folder / DONE).write_text(json.dumps(asdict(stage), indent=1), encoding="utf-8")


def _is_done(stage: Stage, folder: Path) -> bool:
    if not (folder / DONE).exists():
        return False
    if json.loads((folder / DONE).read_text(encoding="utf-8")) != json.loads(json.dumps(asdict(stage))):
        raise RecipeError(f"{folder} was made by another recipe; remove it and what follows it, or name another folder")
    return True


def _arguments(stage: Stage, sources: Sources, output: Path) -> dict[str, Any]:
    """The stage's options, completed with what is not the recipe's to say."""
    start = output / stage.start_from / CHECKPOINT if stage.start_from else sources.start_from
    own = dict(stage.train)
    if "features" in own:
        own["features"] = output / own["features"]
    return {
        **own,
        "data": sources.dataset,
        "photos": sources.photos,
        "output": output / stage.name,
        "precision": sources.precision,
        "start-from": start,
        "encoder-weights": None if start else sources.encoder_weights,
        "entities": sources.entities if own.get("region-weight") or own.get("concept-weight") else None,
        "teacher": sources.teacher if own.get("teacher-weight") else None,
        "text": sources.text if own.get("text-weight") else None,
    }


def _check(stage: Stage, earlier: set[str]) -> None:
    if stage.name in earlier or not stage.name or Path(stage.name).name != stage.name:
        raise RecipeError(f"stage {stage.name!r}: each stage needs a folder name of its own")
    if missing := {*stage.mean, *([stage.start_from] if stage.start_from else [])} - earlier:
        raise RecipeError(f"stage {stage.name!r} needs {min(missing)!r}, which no earlier stage makes")
    if stage.mean and (stage.train or stage.start_from):
        raise RecipeError(f"stage {stage.name!r} is a mean: it cannot train too; make it two stages")
    if wrong := sorted(set(stage.train) & set(NOT_OF_A_STAGE)):
        raise RecipeError(f"stage {stage.name!r}: {wrong[0]!r} is not an option of a stage; give it to the command")
    here = Path()
    _parsed(stage, _arguments(stage, Sources(here, here), here))


def _parsed(stage: Stage, options: dict[str, Any]) -> argparse.Namespace:
    parser = _Parser(stage.name)
    train_options.add_arguments(parser)
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    return parser.parse_args([f"--{name}" if value is True else f"--{name}={value}" for name, value in given.items()])


class _Parser(argparse.ArgumentParser):
    def __init__(self, stage: str) -> None:
        super().__init__(allow_abbrev=False, add_help=False)
        self.stage = stage

    def error(self, message: str) -> NoReturn:
        raise RecipeError(f"stage {self.stage!r}: {message}")

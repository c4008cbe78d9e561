"""A whole training from one file: stages that follow each other, each a run of the trainer or a mean of weights."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import torch
from accelerate import PartialState

from captioner.card import read_card
from captioner.checkpoint import CARD, MODEL, save_checkpoint
from captioner.training.data.sources import Source
from captioner.training.optimization import mean_checkpoint
from captioner.training.options import add_options, read_options
from captioner.training.run import train
from captioner.training.run_config import RunConfig

CHECKPOINT, DONE = "checkpoint", "done.json"
NOT_OF_A_STAGE = ("teachers", "encoder-weights", "precision", "start-from", "workers")


class RecipeError(ValueError):
    """A recipe that cannot be followed; the message names the stage or file and the remedy."""


@dataclass(frozen=True)
class Stage:
    """One stage; its checkpoint is ``OUTPUT/NAME/checkpoint``.

    Attributes:
        start_from: name of the earlier stage it goes on from, or None for the beginning.
        train: options of ``python -m captioner train`` without their dashes: flags as ``true``, lists and maps
            as JSON has them; ``features`` names a folder of ``OUTPUT`` that stages with one frozen encoder share.
        mean: names of the earlier stages whose weights are averaged, instead of training.
        ran: that it was run elsewhere: what, on what, how long. Whoever has its result begins with that
            (`Files.start_from`) and the stage is left out, like all before it.
    """

    name: str
    start_from: str | None = None
    train: dict[str, Any] = field(default_factory=dict)
    mean: tuple[str, ...] = ()
    ran: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecipeFile:
    """A file that is not in the repository: what it must be, and where it comes from."""

    sha256: str
    origin: str


@dataclass(frozen=True)
class Recipe:
    """Stages, and the files they need by what they are: see `Files.by_role`."""

    stages: tuple[Stage, ...]
    files: Mapping[str, RecipeFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Files:
    """What a recipe does not hold: the raw files, and what the machine computes in.

    Attributes:
        encoder_weights, start_from: for the stages that go on from no other; see `RunConfig`.
        teachers: for the stages that have a ``teacher-weight``.
    """

    sources: tuple[Source, ...]
    precision: str = "auto"
    encoder_weights: str | None = None
    start_from: Path | None = None
    teachers: Mapping[str, str] = field(default_factory=dict)
    workers: int = 0

    def by_role(self) -> dict[str, Path]:
        """Every single file: ``NAME captions``, ``NAME entities``, ``NAME only``, ``teacher NAME``, …"""
        found = {
            f"{source.name} {part}".strip(): getattr(source, part)
            for source in self.sources
            for part in ("captions", "entities", "only")
        }
        found |= {f"teacher {name}": Path(path) for name, path in self.teachers.items()}
        found["encoder weights"] = Path(self.encoder_weights) if self.encoder_weights else None
        found["start"] = self.start_from / MODEL if self.start_from else None
        return {role: path for role, path in found.items() if path is not None}


def read_recipe(path: Path) -> Recipe:
    """Read a recipe, ``{"files": {ROLE: {"sha256": …, "origin": …}}, "stages": [{"name": …, "train": {…}}, …]}``.

    Raises:
        RecipeError: if it is no such JSON, an option is none of ``train``'s, or a stage is named
            before it is made.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stages = tuple(Stage(**{**each, "mean": tuple(each.get("mean", ()))}) for each in content["stages"])
        files = {role: RecipeFile(**each) for role, each in content.get("files", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(f"{path} is not a training recipe ({error!r})") from error
    for number, stage in enumerate(stages):
        _check(stage, {earlier.name for earlier in stages[:number]})
    if not stages:
        raise RecipeError(f"{path} has no stages; a recipe needs at least one")
    return Recipe(stages, files)


def check_files(recipe: Recipe, files: Files) -> None:
    """Are the given files those of the recipe?

    Raises:
        RecipeError: naming all that are not, or are missing, and where they come from. What only stages need
            that were run elsewhere may be missing.
    """
    given = files.by_role()
    elsewhere = {"start"} if files.start_from is None else {"encoder weights"}
    wrong = []
    for role, expected in recipe.files.items():
        if role not in given:
            if role not in elsewhere and not (files.start_from and role.startswith("teacher ")):
                wrong.append(f"{role}: not given; it comes from {expected.origin}")
        elif not given[role].is_file():
            wrong.append(f"{role}: {given[role]} is no file; it comes from {expected.origin}")
        elif (found := _sha256(given[role])) != expected.sha256:
            wrong.append(
                f"{role}: {given[role]} has SHA-256 {found[:12]}…, the recipe's {expected.sha256[:12]}…; "
                f"it comes from {expected.origin}"
            )
    if wrong:
        raise RecipeError("\n".join([*wrong, "(to follow the recipe with other files, add --other-files)"]))


def reproduce(recipe: Recipe, files: Files, output: Path) -> Path:
    """Follow the recipe from where it was left; the result is the last stage's checkpoint.

    A finished stage is left as it is; an interrupted one goes on as `captioner.training.run.train` does.

    Raises:
        RecipeError: if a finished stage was made by another recipe, or one was run elsewhere and its result
            is not given.
    """
    machine = PartialState(cpu=not torch.cuda.is_available())
    stages = to_run(recipe.stages, files)
    for stage in stages:
        if _is_done(stage, output / stage.name):
            continue
        if not stage.mean:
            train(_run_config(stage, files, output))
        if machine.is_main_process:
            _finish(stage, recipe.stages, output)
        machine.wait_for_everyone()
    return output / stages[-1].name / CHECKPOINT


def to_run(stages: Sequence[Stage], files: Files) -> tuple[Stage, ...]:
    """The stages after the last that was run elsewhere, which begin with its result; all, if that is not given."""
    ran = [number for number, stage in enumerate(stages) if stage.ran]
    if not ran:
        return tuple(stages)
    if files.start_from is None:
        if wanting := [stage.name for stage in stages if stage.ran and not stage.train and not stage.mean]:
            raise RecipeError(f"stage {wanting[0]!r} ran elsewhere; give its result as --start-from")
        return tuple(stages)
    before = {stage.name for stage in stages[: ran[-1] + 1]}
    rest = stages[ran[-1] + 1 :]
    return tuple(replace(stage, start_from=None) if stage.start_from in before else stage for stage in rest)


def _finish(stage: Stage, stages: Sequence[Stage], output: Path) -> None:
    folder = output / stage.name
    if stage.mean:
        save_checkpoint(folder / CHECKPOINT, mean_checkpoint([output / name / CHECKPOINT for name in stage.mean]))
    path = folder / CHECKPOINT / CARD
    number = [each.name for each in stages].index(stage.name)
    made_by = [asdict(each) for each in stages[: number + 1]]
    replace(read_card(path), training={"recipe": made_by}).write(path)
    (folder / DONE).write_text(json.dumps(asdict(stage), indent=1), encoding="utf-8")


def _is_done(stage: Stage, folder: Path) -> bool:
    if not (folder / DONE).exists():
        return False
    if json.loads((folder / DONE).read_text(encoding="utf-8")) != json.loads(json.dumps(asdict(stage))):
        raise RecipeError(f"{folder} was made by another recipe; remove it and what follows it, or name another folder")
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(stage: Stage, earlier: set[str]) -> None:
    if stage.name in earlier or not stage.name or Path(stage.name).name != stage.name:
        raise RecipeError(f"stage {stage.name!r}: each stage needs a folder name of its own")
    if missing := {*stage.mean, *([stage.start_from] if stage.start_from else [])} - earlier:
        raise RecipeError(f"stage {stage.name!r} needs {min(missing)!r}, which no earlier stage makes")
    if stage.mean and (stage.train or stage.start_from):
        raise RecipeError(f"stage {stage.name!r} is a mean: it cannot train too; make it two stages")
    if wrong := sorted(set(stage.train) & set(NOT_OF_A_STAGE)):
        raise RecipeError(f"stage {stage.name!r}: {wrong[0]!r} is not an option of a stage; give it to the command")
    _parsed(stage.name, stage.train)


def _run_config(stage: Stage, files: Files, output: Path) -> RunConfig:
    """The stage's options, completed with what is not the recipe's to say."""
    start = output / stage.start_from / CHECKPOINT if stage.start_from else files.start_from
    own = dict(stage.train)
    if "features" in own:
        own["features"] = output / own["features"]
    others = {
        "precision": files.precision,
        "workers": files.workers,
        "start-from": start,
        "encoder-weights": None if start else files.encoder_weights,
        "teachers": files.teachers if own.get("teacher-weight") else None,
    }
    given = _parsed(stage.name, {**own, **others})
    return read_options(RunConfig, given, sources=files.sources, output=output / stage.name)


def _parsed(stage: str, options: Mapping[str, Any]) -> argparse.Namespace:
    parser = _Parser(stage)
    add_options(parser, RunConfig)
    given = {
        name: value for name, value in options.items() if not (value is None or value is False or value in ({}, []))
    }
    return parser.parse_args([f"--{name}{_spelled(value)}" for name, value in given.items()])


def _spelled(value: Any) -> str:
    """As the command line has it: ``{"a": 1}`` is ``=a=1``, ``["a", "b"]`` is ``=a,b``, true is nothing."""
    if isinstance(value, Mapping):
        return "=" + ",".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, list):
        return "=" + ",".join(map(str, value))
    return "" if value is True else f"={value}"


class _Parser(argparse.ArgumentParser):
    def __init__(self, stage: str) -> None:
        super().__init__(allow_abbrev=False, add_help=False)
        self.stage = stage

    def error(self, message: str) -> NoReturn:
        raise RecipeError(f"stage {self.stage!r}: {message}")

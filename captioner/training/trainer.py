"""The training loop: resumable at any step, on one process or several, evaluated by decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, send_to_device
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader
from tqdm import tqdm

from captioner.training.data.augmentation import Augmentation
from captioner.training.data.batches import Batch, BatchDataset, BatchPlan
from captioner.training.data.concepts import Concepts, Entities
from captioner.training.data.datasets import Example
from captioner.training.data.features import Loader
from captioner.training.measures.scores import Choice
from captioner.training.model import CaptionModel
from captioner.training.objective import AuxiliaryTargets, Loss, ObjectiveConfig, Shares, objective
from captioner.training.optimization import MovingAverage, TrainerConfig, parameter_groups
from captioner.training.options import OptionError
from captioner.training.progress import LOSSES, STATE, Interruption, LossLog, Progress, RunError
from captioner.training.teachers import FileTeacher, NetworkTeacher
from captioner.vocabulary import Vocabulary

SENSELESS = 1e4  # a loss in nats a word, hundreds of times that of knowing nothing

Validate = Callable[[CaptionModel], dict[str, float]]
Keep = Callable[[CaptionModel, dict[str, float]], None]


class Data(NamedTuple):
    """What to train on; ``grid`` is that of the features, ``entities`` are by the name of their source."""

    examples: tuple[Example, ...]
    vocabulary: Vocabulary
    load: Loader
    grid: int
    entities: Mapping[str, Entities]
    augmentation: Augmentation = Augmentation()
    concepts: Concepts | None = None
    teachers: tuple[NetworkTeacher, ...] = ()
    file_teachers: tuple[FileTeacher, ...] = ()


class Trainer:
    """Trains a `CaptionModel`; the same seed gives the same run, interrupted or not.

    Several processes share every batch and take the same step as one process would, but for the
    draws of dropout, which follow from seed, step and process.

    Raises:
        OptionError: if there are more processes than photos in a batch.
    """

    def __init__(
        self,
        model: CaptionModel,
        data: Data,
        plan: BatchPlan,
        config: TrainerConfig,
        objective_config: ObjectiveConfig,
        output: Path,
        *,
        validate: Validate | None = None,
        choice: Choice | None = None,
        keep: Keep | None = None,
        accelerator: Accelerator | None = None,
    ) -> None:
        self.data, self.plan, self.config, self.objective_config = data, plan, config, objective_config
        self.output, self.validate, self.choice, self.keep = output, validate, choice, keep
        self.accelerator = accelerator or Accelerator()
        self.progress, self.saved = Progress(), 0
        self.interruption = Interruption()
        self.losses = LossLog(output / LOSSES)
        model.to(self.accelerator.device)
        optimizer = torch.optim.AdamW(parameter_groups(model, config), weight_decay=config.weight_decay)
        self.steps = config.epochs * self._batches_an_epoch()
        self.average = MovingAverage(model, config.ema) if config.ema else None
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.scheduler = OneCycleLR(
            optimizer,
            [group["lr"] for group in optimizer.param_groups],
            total_steps=self.steps + 1,
            pct_start=config.warmup,
        )

    @property
    def bare(self) -> CaptionModel:
        """The model without the wrapper of several processes."""
        model: CaptionModel = self.accelerator.unwrap_model(self.model)
        return model

    @property
    def served(self) -> CaptionModel:
        """The model that is judged and kept: the moving average if there is one."""
        return self.average.model if self.average else self.bare

    def run(self) -> Progress:
        """Train to the end, from where the state in ``output`` left off if there is one.

        Ctrl-C leaves a state to go on from.

        Raises:
            RunError: if the loss is no number any more.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        self._resume()
        bar = tqdm(total=self.steps, initial=self.progress.step, unit="batch", disable=not self.is_main)
        try:
            with self.interruption:
                while self.progress.epoch < self.config.epochs and self.progress.stale <= self.config.patience:
                    for loss in self._epoch():
                        bar.set_description(f"epoch {self.progress.epoch + 1} loss {loss['words']:.3f}")
                        bar.update()
                    self._finish_epoch()
        except KeyboardInterrupt:
            self._save()
            raise
        finally:
            bar.close()
        self.accelerator.wait_for_everyone()  # else one could read the checkpoint while another writes it
        return self.progress

    @property
    def is_main(self) -> bool:
        """True in the one process that writes and shows."""
        return bool(self.accelerator.is_main_process)

    def _batches_an_epoch(self) -> int:
        batches, processes = self.plan.epoch(self.data.examples, 0), self.accelerator.num_processes
        if (smallest := min(map(len, batches))) < processes:
            raise OptionError(f"a batch of {smallest} photos is too small for {processes} processes; enlarge it")
        return len(batches)

    def _epoch(self) -> Iterator[dict[str, float]]:
        self.model.train()
        batches = self.plan.epoch(self.data.examples, self.progress.epoch)
        share = [self._share(batch) for batch in batches[self.progress.batch :]]
        data = self.data
        dataset = BatchDataset(
            data.examples,
            share,
            data.vocabulary,
            data.load,
            grid=data.grid,
            entities=data.entities,
            augmentation=data.augmentation,
            concepts=data.concepts,
            weights=self.config.caption_weights,
            taught=data.file_teachers,
        )
        own = torch.Generator()  # else the loader would draw from the numbers of the model's initial weights
        for batch in DataLoader(dataset, batch_size=None, num_workers=self.config.workers, generator=own):
            with self.interruption.held():  # a step is whole or has not been taken
                loss = self._step(batch)
            yield loss

    def _step(self, batch: Batch) -> dict[str, float]:
        torch.manual_seed(self._step_seed())
        loss = self._train_on(batch)
        if self.average:
            self.average.update(self.bare, self.progress.step)
        self._log(loss)
        self.progress.batch += 1
        self.progress.step += 1
        return loss

    def _share(self, batch: list[Any]) -> list[Any]:
        return batch[self.accelerator.process_index :: self.accelerator.num_processes]

    def _step_seed(self) -> int:
        """Drawn numbers follow from the step alone: nothing of them need be saved, on any device."""
        entropy = [self.plan.seed, self.progress.step, self.accelerator.process_index]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0])

    def _train_on(self, batch: Batch) -> dict[str, float]:
        """One step; the result is the loss over the shares of all processes."""
        batch = send_to_device(batch, self.accelerator.device)
        with self.accelerator.autocast():
            loss = self._loss(batch)
        whole = self.accelerator.reduce(torch.stack(loss).detach(), reduction="mean")
        if not whole.isfinite().all() or whole[0] > SENSELESS:
            raise RunError(self._blown_up(float(whole[0])))
        if self.progress.step % self.config.save_every == 0 and self.progress.step > self.saved:
            self._save()  # not earlier: only now are the weights of the step before known to be good
        self.accelerator.backward(loss.total)
        if self.config.clip:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.scheduler.step()
        return dict(zip(Loss._fields, whole.tolist(), strict=True))

    def _blown_up(self, loss: float) -> str:
        rate = self.scheduler.get_last_lr()[0]
        kept = f"the state before, of step {self.saved}, is in {self.output}" if self.saved else "no state was written"
        return (
            f"the loss is {loss} at step {self.progress.step + 1}, at a learning rate of {rate:g} (--learning-rate "
            f"{self.config.learning_rate:g}, --clip {self.config.clip:g}); {kept}. Begin anew with a lower rate"
        )

    def _shares(self, batch: Batch) -> Shares:
        boxed = len(batch.regions.rows) if batch.regions else 0
        counts = [torch.dot(batch.weights, (batch.lengths - 1).float()), len(batch.lengths), boxed]
        own = torch.stack([torch.as_tensor(count, device=self.accelerator.device) for count in counts]).float()
        mean = self.accelerator.reduce(own, reduction="mean")
        return Shares(*(own / mean.clamp_min(1e-9)))  # 0 of a kind that nobody has

    def _loss(self, batch: Batch) -> Loss:
        taught = [teacher(batch.inputs) for teacher in self.data.teachers]
        targets = AuxiliaryTargets(batch.concepts, (*taught, *batch.taught))
        forced, auxiliary = self.model(batch.inputs, batch.captions, batch.lengths, targets)
        return objective(forced, self.objective_config, batch.regions, self._shares(batch), auxiliary, batch.weights)

    def _log(self, loss: dict[str, float]) -> None:
        if self.is_main:
            where = {"step": self.progress.step, "epoch": self.progress.epoch}
            self.losses.add({**where, **loss, "learning_rate": self.scheduler.get_last_lr()[0]})

    def _finish_epoch(self) -> None:
        try:
            scores = [self.validate(self.served.eval())] if self.validate else None
        except FloatingPointError as error:
            raise RunError(self._blown_up(float("nan"))) from error
        with self.interruption.held():
            self.progress.epoch, self.progress.batch = self.progress.epoch + 1, 0
            if scores is None:
                self._keep({})
            else:
                self._judge(*broadcast_object_list(scores))  # rounding may differ, but whether to stop must not
            self._save()

    def _judge(self, scores: dict[str, float]) -> None:
        """Keep the model if its decoded score is the best so far; count the epochs since then."""
        listed = ", ".join(f"{name} {score:.4f}" for name, score in scores.items())
        if self.is_main:
            tqdm.write(f"epoch {self.progress.epoch}: {listed}")
        self.progress.stale += 1
        score = self.choice(scores) if self.choice else 0.0
        if score > self.progress.best:
            self.progress.best, self.progress.stale = score, 0
            self._keep(scores)

    def _keep(self, scores: dict[str, float]) -> None:
        if self.keep is not None and self.is_main:
            self.keep(self.served, scores)

    def _save(self) -> None:
        if not self.is_main:
            return
        state = {
            "model": self.bare.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "progress": asdict(self.progress),
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else {},
            "average": self.average.state_dict() if self.average else {},
        }
        torch.save(state, self.output / f"{STATE}.partial")
        (self.output / f"{STATE}.partial").replace(self.output / STATE)
        self.saved = self.progress.step

    def _resume(self) -> None:
        path = self.output / STATE
        if path.exists():
            self._load(torch.load(path, map_location="cpu", weights_only=True))
        if self.is_main:
            self.losses.resume(self.progress.step)

    def _load(self, state: dict[str, Any]) -> None:
        self.bare.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.progress = Progress(**state["progress"])
        self.saved = self.progress.step
        if self.accelerator.scaler:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        if self.average:
            self.average.load_state_dict(state.get("average") or self.bare.state_dict())

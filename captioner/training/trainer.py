"""The training loop: resumable at any step, on one process or several, evaluated by decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader
from tqdm import tqdm

from captioner.training.batches import Batch, BatchDataset, BatchPlan, Loader, RegionSource
from captioner.training.karpathy import Example
from captioner.training.model import CaptionModel
from captioner.training.objective import Loss, ObjectiveConfig, objective
from captioner.training.self_critical import SelfCritic
from captioner.vocabulary import Vocabulary

Validate = Callable[[CaptionModel], dict[str, float]]
Keep = Callable[[CaptionModel, dict[str, float]], None]
STATE = "state.pt"


@dataclass(frozen=True)
class TrainerConfig:
    """How to train; data and model sizes are given elsewhere.

    Attributes:
        learning_rate: peak of the one-cycle schedule for the decoder.
        encoder_learning_rate: the same for a fine-tuned encoder.
        clip: largest norm of the gradient.
        patience: epochs without a better score before stopping early.
        samples: captions drawn a photo for self-critical training; 0 is teacher forcing.
        metric: the decoded score that decides, as `evaluation` names it.
        save_every: steps between resumable states.
    """

    epochs: int = 24
    learning_rate: float = 1e-3
    encoder_learning_rate: float = 1e-4
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 5.0
    patience: int = 5
    metric: str = "CIDEr"
    save_every: int = 250
    workers: int = 0
    samples: int = 0


class Data(NamedTuple):
    """What to train on."""

    examples: tuple[Example, ...]
    vocabulary: Vocabulary
    load: Loader
    regions: RegionSource | None


@dataclass
class Progress:
    """Where a run stands; all of it is in the resumable state."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = float("-inf")
    stale: int = 0


class Trainer:
    """Trains a `CaptionModel`; the same seed gives the same run, interrupted or not."""

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
        keep: Keep | None = None,
        accelerator: Accelerator | None = None,
    ) -> None:
        self.data, self.plan, self.config, self.objective_config = data, plan, config, objective_config
        self.output, self.validate, self.keep = output, validate, keep
        self.accelerator = accelerator or Accelerator()
        self.progress = Progress()
        self.critic = SelfCritic(data.examples, data.vocabulary, config.samples) if config.samples else None
        optimizer = torch.optim.AdamW(parameter_groups(model, config), weight_decay=config.weight_decay)
        self.steps = config.epochs * len(plan.epoch(data.examples, 0))
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

    def run(self) -> Progress:
        """Train to the end, from where the state in ``output`` left off if there is one."""
        self.output.mkdir(parents=True, exist_ok=True)
        self._resume()
        bar = tqdm(total=self.steps, initial=self.progress.step, unit="batch", disable=not self.is_main)
        while self.progress.epoch < self.config.epochs and self.progress.stale <= self.config.patience:
            for loss in self._epoch():
                bar.set_description(f"epoch {self.progress.epoch + 1} loss {loss.words.item():.3f}")
                bar.update()
            self._finish_epoch()
        bar.close()
        return self.progress

    @property
    def is_main(self) -> bool:
        """True in the one process that writes and shows."""
        return bool(self.accelerator.is_main_process)

    def _epoch(self) -> Iterator[Loss]:
        self.model.train(self.critic is None)  # drawn captions are judged as they would be served: without dropout
        batches = self.plan.epoch(self.data.examples, self.progress.epoch)
        if self.progress.batch == 0:
            torch.manual_seed(self.plan.seed * 1_000_003 + self.progress.epoch)
        share = [self._share(batch) for batch in batches[self.progress.batch :]]
        dataset = BatchDataset(self.data.examples, share, self.data.vocabulary, self.data.load, self.data.regions)
        own = torch.Generator()  # else the loader would draw from dropout's numbers, and only once an epoch
        for batch in DataLoader(dataset, batch_size=None, num_workers=self.config.workers, generator=own):
            yield self._train_on(batch)
            self.progress.batch += 1
            self.progress.step += 1
            if self.progress.step % self.config.save_every == 0:
                self._save()

    def _share(self, batch: list[Any]) -> list[Any]:
        return batch[self.accelerator.process_index :: self.accelerator.num_processes]

    def _train_on(self, batch: Batch) -> Loss:
        batch = _to(batch, self.accelerator.device)
        with self.accelerator.autocast():
            loss = self._drawn_loss(batch, self.critic) if self.critic else self._forced_loss(batch)
        self.accelerator.backward(loss.total)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.scheduler.step()
        return loss

    def _forced_loss(self, batch: Batch) -> Loss:
        count = self.accelerator.reduce((batch.lengths - 1).sum().float(), reduction="mean")
        forced = self.model(batch.inputs, batch.captions, batch.lengths)
        return objective(forced, self.objective_config, batch.regions, count)

    def _drawn_loss(self, batch: Batch, critic: SelfCritic) -> Loss:
        with torch.no_grad():
            features = self.bare.annotate(batch.inputs)
        captions, lengths, advantage = critic.draw(self.bare.decoder, features, batch.photos)
        forced = self.model(batch.inputs, captions, lengths)
        return critic.loss(forced, advantage, self.objective_config.doubly_stochastic)

    def _finish_epoch(self) -> None:
        progress = self.progress
        progress.epoch, progress.batch = progress.epoch + 1, 0
        if self.validate is None:
            self._keep({})
        else:
            self._judge(self.validate(self.bare.eval()))
        self._save()

    def _judge(self, scores: dict[str, float]) -> None:
        """Keep the model if its decoded score is the best so far; count the epochs since then."""
        listed = ", ".join(f"{name} {score:.4f}" for name, score in scores.items())
        tqdm.write(f"epoch {self.progress.epoch}: {listed}")
        self.progress.stale += 1
        if scores[self.config.metric] > self.progress.best:
            self.progress.best, self.progress.stale = scores[self.config.metric], 0
            self._keep(scores)

    def _keep(self, scores: dict[str, float]) -> None:
        if self.keep is not None and self.is_main:
            self.keep(self.bare, scores)

    def _save(self) -> None:
        if not self.is_main:
            return
        state = {
            "model": self.bare.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "progress": asdict(self.progress),
            "random": torch.get_rng_state(),
        }
        torch.save(state, self.output / f"{STATE}.partial")
        (self.output / f"{STATE}.partial").replace(self.output / STATE)

    def _resume(self) -> None:
        path = self.output / STATE
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.bare.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.progress = Progress(**state["progress"])
        torch.set_rng_state(state["random"])


def parameter_groups(model: CaptionModel, config: TrainerConfig) -> list[dict[str, Any]]:
    """The decoder at its rate and, if fine-tuned, the encoder at its own smaller one."""
    groups: list[dict[str, Any]] = [{"params": list(model.decoder.parameters()), "lr": config.learning_rate}]
    if model.tuned:
        groups.append({"params": list(model.encoder.parameters()), "lr": config.encoder_learning_rate})
    return groups


def _to(batch: Batch, device: torch.device) -> Batch:
    regions = batch.regions and type(batch.regions)(*(part.to(device) for part in batch.regions))
    inputs, captions, lengths = (part.to(device) for part in batch[:3])
    return Batch(inputs, captions, lengths, regions, batch.photos)

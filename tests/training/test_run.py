import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from captioner.checkpoint import load_checkpoint
from captioner.pipeline import Captioner
from captioner.quantization import as_stored
from captioner.training import trainer as trainer_module
from captioner.training.batches import BatchPlan
from captioner.training.commands import add_parsers
from captioner.training.karpathy import DatasetError, read_dataset
from captioner.training.run import RunConfig, train
from captioner.training.trainer import STATE, TrainerConfig


def config(collection, output, **changes):
    trainer = TrainerConfig(epochs=2, learning_rate=5e-3, save_every=2, **changes.pop("trainer", {}))
    defaults = {"start_from": collection.checkpoint, "precision": "no", "val_photos": 3, "storage": "float32"}
    plan = BatchPlan(photos=4, captions_per_photo=2, seed=3)
    return RunConfig(
        collection.dataset, collection.photos, output, plan=plan, trainer=trainer, **{**defaults, **changes}
    )


def weights(output):
    return torch.load(output / STATE, weights_only=True)["model"]


class KilledError(Exception):
    pass


@pytest.mark.parametrize("tuned", [False, True])
def test_a_killed_run_goes_on_exactly(collection, tmp_path, monkeypatch, tuned):
    whole, broken = (config(collection, tmp_path / name, tuned=tuned) for name in ("whole", "broken"))
    train(whole)
    step = trainer_module.Trainer._train_on

    def killed_at_step_five(self, batch):
        if self.progress.step == 5:  # the second batch of the second epoch; the last state is of step 4
            raise KilledError
        return step(self, batch)

    monkeypatch.setattr(trainer_module.Trainer, "_train_on", killed_at_step_five)
    with pytest.raises(KilledError):
        train(broken)
    monkeypatch.undo()
    progress = train(broken)
    assert progress.step == 6
    expected, found = weights(whole.output), weights(broken.output)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_frozen_training_changes_the_decoder_alone(collection, tmp_path):
    train(config(collection, tmp_path))
    start, end = load_checkpoint(collection.checkpoint), weights(tmp_path)
    assert all(torch.equal(end[f"encoder.{name}"], value) for name, value in start.encoder.state_dict().items())
    assert not torch.equal(end["decoder.output.words.weight"], start.decoder.output.words.weight)


def test_tuning_holds_batch_norm_statistics_and_trains_every_layer(collection, tmp_path):
    train(config(collection, tmp_path, tuned=True))
    start, end = load_checkpoint(collection.checkpoint), weights(tmp_path)
    for name, value in start.encoder.state_dict().items():
        held = "running" in name or "num_batches" in name
        assert torch.equal(end[f"encoder.{name}"], value) == held, name


def surprise(checkpoint, collection):
    """Mean cross-entropy in nats a word of the training captions under a saved checkpoint."""
    captioner = Captioner.load(checkpoint)
    scores = [
        captioner.score(captioner.look(collection.photos / example.filename), " ".join(caption)).log_probs
        for example in read_dataset(collection.dataset, collection.photos).split("train")
        for caption in example.captions
    ]
    return -np.concatenate(scores).mean()


def test_training_makes_the_captions_less_surprising(collection, tmp_path):
    longer = TrainerConfig(epochs=10, learning_rate=1e-2, save_every=1000)
    train(replace(config(collection, tmp_path, val_photos=0), trainer=longer))
    before, after = surprise(collection.checkpoint, collection), surprise(tmp_path / "checkpoint", collection)
    assert before > 2.2  # close to log(13), a model that knows nothing
    assert after < before - 0.8


def test_a_frozen_encoder_is_rounded_before_its_features_are_computed(collection, tmp_path):
    train(config(collection, tmp_path, storage="int8"))
    start = load_checkpoint(collection.checkpoint)
    kept = load_checkpoint(tmp_path / "checkpoint")
    rounded = as_stored(start.encoder.state_dict(), "int8")
    found = kept.encoder.state_dict()
    assert all(torch.equal(found[name], value) for name, value in rounded.items())


def test_features_of_another_encoder_are_refused(collection, tmp_path):
    train(config(collection, tmp_path / "first", features=tmp_path / "features"))
    with pytest.raises(DatasetError, match="another encoder"):
        train(config(collection, tmp_path / "second", features=tmp_path / "features", storage="int8"))


def test_evaluate_command_scores_and_writes_the_card(collection, tmp_path, capsys):
    train(config(collection, tmp_path))
    parser = argparse.ArgumentParser()
    add_parsers(parser.add_subparsers())
    checkpoint = tmp_path / "checkpoint"
    call = ["evaluate", str(checkpoint), "--data", str(collection.dataset), "--photos", str(collection.photos)]
    arguments = parser.parse_args(
        [*call, "--beam-size", "1", "2", "--no-meteor", "--write-card", "--json", str(tmp_path / "out.json")]
    )
    assert arguments.run(arguments) == 0
    assert "BLEU-4" in capsys.readouterr().out
    scores = load_checkpoint(checkpoint).card.scores
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["photos"] == ["12.png", "13.png", "14.png"]
    for name, table in written["scores"].items():
        assert scores[name] == table
    captioner = Captioner.load(checkpoint)
    one = [captioner.caption(collection.photos / photo).text for photo in written["photos"]]
    two = written["captions"]["val, 3 photos, beam size 1, temperature 0"]
    assert len(one) == len(two) == 3

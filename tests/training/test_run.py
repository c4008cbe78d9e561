import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import densenet169

from captioner.__main__ import main
from captioner.checkpoint import load_checkpoint, save_checkpoint
from captioner.encoder import Encoder, EncoderConfig
from captioner.pipeline import Captioner
from captioner.quantization import as_stored
from captioner.training import trainer as trainer_module
from captioner.training.batches import BatchPlan
from captioner.training.commands import add_parsers
from captioner.training.concepts import Concepts
from captioner.training.karpathy import DatasetError, read_dataset
from captioner.training.lessons import LessonConfig
from captioner.training.progress import LOSSES, STATE
from captioner.training.run import train
from captioner.training.run_config import RunConfig
from captioner.training.schedule import TrainerConfig
from captioner.training.views import Views


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


@pytest.mark.parametrize(("tuned", "ema"), [(False, 0.0), (True, 0.0), (False, 0.9)])
def test_a_killed_run_goes_on_exactly(collection, tmp_path, monkeypatch, tuned, ema):
    whole, broken = (
        config(collection, tmp_path / name, tuned=tuned, trainer={"ema": ema}) for name in ("whole", "broken")
    )
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
    kept = [load_checkpoint(run.output / "checkpoint").decoder.state_dict() for run in (whole, broken)]
    assert all(torch.equal(kept[0][name], kept[1][name]) for name in kept[0])


def test_the_moving_average_is_what_is_kept(collection, tmp_path):
    train(config(collection, tmp_path, val_photos=0, trainer={"ema": 0.9}))
    state = torch.load(tmp_path / STATE, weights_only=True)
    kept = load_checkpoint(tmp_path / "checkpoint").decoder.state_dict()
    for name, value in kept.items():
        assert torch.equal(value, state["average"][f"decoder.{name}"])
    assert not torch.equal(kept["output.words.weight"], state["model"]["decoder.output.words.weight"])


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


@pytest.fixture
def boxes(tmp_path):
    sentences = [{"tokens": ["a", "red", "square"], "phrases": [{"first": 0, "last": 2, "boxes": [[0, 0, 0.5, 1]]}]}]
    path = tmp_path / "entities.jsonl"
    path.write_text(json.dumps({"filename": "0.png", "sentences": sentences}))
    return path


@pytest.fixture(scope="module")
def densenet(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "densenet.safetensors"
    torch.manual_seed(0)
    save_file(densenet169(weights=None).features.state_dict(), path)
    return path


def taught(collection, output, boxes, densenet, **changes):
    """The 64 px photos give a coarse grid of 2×2 cells, as the teacher's is."""
    start = load_checkpoint(collection.checkpoint)
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 1, 2, 1), grid=4))  # a first block, which differs, cannot be copied
    card = replace(start.card, encoder=encoder.config, photo=replace(start.card.photo, size=74))
    folder = output.with_name(f"{output.name}-start")
    save_checkpoint(folder, start._replace(encoder=encoder, card=card))
    settings = {
        "start_from": folder, "tuned": True, "tune_from": "layer3", "coarse": True, "entities": boxes,
        "teacher": densenet, "lessons": LessonConfig(0.5, 1.0), "layer3_blocks": 3, "views": Views(True, 0, 0.6),
    }  # fmt: skip
    return config(collection, output, **{**settings, **changes})


def test_an_encoder_learns_its_lessons_and_is_served_in_its_own_form(
    collection, tmp_path, boxes, densenet, monkeypatch
):
    monkeypatch.setattr(Concepts.__init__, "__defaults__", (1,))
    longer = TrainerConfig(epochs=8, learning_rate=5e-3, encoder_learning_rate=1e-3, save_every=1000)
    run = taught(collection, tmp_path / "run", boxes, densenet, trainer={}, val_photos=0)
    train(replace(run, trainer=longer))
    losses = [json.loads(line)["lessons"] for line in (run.output / LOSSES).open()]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    start, kept = load_checkpoint(run.start_from), load_checkpoint(run.output / "checkpoint")
    assert kept.card.encoder == replace(start.card.encoder, blocks=(1, 1, 3, 1))
    assert kept.card.photo == start.card.photo
    assert kept.encoder.trunk.layer3[2].bn3.weight.any()
    before, after = start.encoder.state_dict(), kept.encoder.state_dict()
    assert torch.equal(after["trunk.layer2.0.conv1.weight"], before["trunk.layer2.0.conv1.weight"])
    assert not torch.equal(after["trunk.layer4.0.conv1.weight"], before["trunk.layer4.0.conv1.weight"])
    again = replace(run, start_from=run.output / "checkpoint", output=tmp_path / "again", layer3_blocks=0)
    train(replace(again, trainer=replace(longer, epochs=1)))
    goes_on = [json.loads(line)["lessons"] for line in (again.output / LOSSES).open()]
    assert goes_on[0] < np.mean(losses[:3]) - 0.5 * (np.mean(losses[:3]) - losses[-1])  # its heads are known
    train(
        replace(again, lessons=LessonConfig(teacher=1.0), output=tmp_path / "teacher", trainer=TrainerConfig(epochs=1))
    )


def test_sentences_without_photos_are_learnt_too(collection, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the green square all over\n" * 3)
    longer = TrainerConfig(epochs=6, learning_rate=5e-3, save_every=1000)
    run = replace(config(collection, tmp_path / "run", val_photos=0), text=text, lessons=LessonConfig(text=0.5))
    train(replace(run, trainer=longer))
    lines = [json.loads(line) for line in (run.output / LOSSES).open()]
    assert lines[-1]["lessons"] < 0.9 * lines[0]["lessons"]  # with half of everything dropped
    parts = ("words", "doubly_stochastic", "region", "lessons")
    assert all(line["total"] == pytest.approx(sum(line[part] for part in parts), rel=1e-4) for line in lines)


def test_a_decoder_can_learn_on_crops_of_a_frozen_encoder(collection, tmp_path, boxes, densenet):
    changes = {"tuned": False, "on_the_fly": True, "lessons": LessonConfig(), "storage": "int8", "layer3_blocks": 0}
    run = taught(collection, tmp_path / "run", boxes, densenet, **changes)
    train(run)
    start, kept = load_checkpoint(run.start_from), load_checkpoint(run.output / "checkpoint")
    rounded = as_stored(start.encoder.state_dict(), "int8")
    assert all(torch.equal(kept.encoder.state_dict()[name], value) for name, value in rounded.items())
    assert not torch.equal(kept.decoder.output.words.weight, start.decoder.output.words.weight)


def test_attention_trained_alone_leaves_every_other_weight_as_it_was(collection, tmp_path):
    run = config(collection, tmp_path, attention_only=True, trainer={"ema": 0.5, "weight_decay": 0.1})
    train(run)
    start, kept = (load_checkpoint(path) for path in (run.start_from, run.output / "checkpoint"))
    before = {**start.encoder.state_dict(), **start.decoder.state_dict()}
    after = {**kept.encoder.state_dict(), **kept.decoder.state_dict()}
    changed = {name for name, value in before.items() if not torch.equal(after[name], value)}
    # the energies' bias moves every cell's energy alike, which their softmax does not see
    assert changed | {"attention.energy.bias"} == {name for name in before if name.startswith("attention.")}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"coarse": True}, "--on-the-fly"),
        ({"attention_only": True, "start_from": None}, "--start-from"),
        ({"views": Views(smallest_crop=0.5)}, "--on-the-fly"),
        ({"lessons": LessonConfig(concepts=1)}, "--tune-encoder"),
        ({"lessons": LessonConfig(text=1)}, "--text"),
        ({"lessons": LessonConfig(text=1), "trainer": {"samples": 2}}, "--self-critical has no lessons"),
        ({"tuned": True, "lessons": LessonConfig(concepts=1)}, "--entities"),
        ({"tuned": True, "lessons": LessonConfig(teacher=1)}, "DenseNet-169"),
    ],
)
def test_lessons_without_what_they_need_are_refused(collection, tmp_path, changes, complaint):
    with pytest.raises(DatasetError, match=complaint):
        train(config(collection, tmp_path, **changes))


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


def test_encoding_on_the_fly_learns_like_cached_features(collection, tmp_path):
    cached, live = (config(collection, tmp_path / name, on_the_fly=name == "live") for name in ("cached", "live"))
    train(cached)
    train(live)
    assert not (tmp_path / "live" / "features").exists()
    losses = [[json.loads(line)["total"] for line in (run.output / LOSSES).open()] for run in (cached, live)]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)  # the cache is computed in bfloat16


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
    again = parser.parse_args([*call, "--beam-size", "2", "--temperature", "1", "--no-meteor", "--write-card"])
    assert again.run(again) == 0  # adds its row and keeps the others
    assert set(load_checkpoint(checkpoint).card.scores) == {*scores, "val, 3 photos, beam size 2, temperature 1"}
    captioner = Captioner.load(checkpoint)
    one = [captioner.caption(collection.photos / photo).text for photo in written["photos"]]
    two = written["captions"]["val, 3 photos, beam size 1, temperature 0"]
    assert len(one) == len(two) == 3


def test_evaluate_command_scores_the_attention(collection, tmp_path, capsys):
    sentence = {"tokens": ["a", "red", "square"], "phrases": [{"first": 0, "last": 2, "boxes": [[0, 0, 0.5, 0.5]]}]}
    entities = tmp_path / "entities.jsonl"
    entities.write_text(json.dumps({"filename": "12.png", "sentences": [sentence]}))
    start = load_checkpoint(collection.checkpoint)
    with torch.no_grad():
        start.decoder.output.words.bias[start.vocabulary.end] -= 2  # an untrained model has little to say
    save_checkpoint(tmp_path / "start", start)
    call = ["evaluate", tmp_path / "start", "--data", collection.dataset, "--photos", collection.photos]
    call += ["--beam-size", 1, "--no-meteor", "--attention", entities, "--json", tmp_path / "out.json"]
    assert main([*map(str, call)]) == 0
    scores = json.loads((tmp_path / "out.json").read_text())["scores"]
    references = scores["val, 3 photos, attention on reference head nouns"]
    assert references["phrases"] == 1
    assert references["correctness, uniform map"] == 0.25
    assert scores["val, 3 photos, log-probability as cells are deleted"]["words"] == 1
    assert 0 < scores["val, 3 photos, attention maps of its own captions"]["normalised entropy"] <= 1
    assert "attention on nouns of its own captions" in capsys.readouterr().out

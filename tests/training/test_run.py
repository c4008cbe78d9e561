import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet18

from captioner.__main__ import main
from captioner.checkpoint import load_checkpoint, save_checkpoint
from captioner.encoder import Encoder, EncoderConfig
from captioner.pipeline import Captioner
from captioner.quantization import as_stored
from captioner.training import trainer as trainer_module
from captioner.training.data.augmentation import Augmentation
from captioner.training.data.batches import BatchPlan
from captioner.training.data.concepts import Concepts
from captioner.training.data.datasets import DatasetError, read_dataset
from captioner.training.data.sources import Source
from captioner.training.objective import AuxiliaryConfig, ObjectiveConfig
from captioner.training.optimization import TrainerConfig
from captioner.training.options import OptionError
from captioner.training.progress import LOSSES, STATE
from captioner.training.run import train
from captioner.training.run_config import RunConfig

pytestmark = pytest.mark.slow  # whole runs


def config(collection, output, **changes):
    trainer = TrainerConfig(**{"epochs": 2, "learning_rate": 5e-3, "save_every": 2, **changes.pop("trainer", {})})
    source = Source("", collection.dataset, collection.photos, changes.pop("entities", None))
    defaults = {
        "start_from": collection.checkpoint, "precision": "no", "val_photos": 3, "storage": "float32",
        "plan": BatchPlan(photos=4, captions_per_photo=2, seed=3),
    }  # fmt: skip
    return RunConfig((source,), output, trainer=trainer, **{**defaults, **changes})


def weights(output):
    return torch.load(output / STATE, weights_only=True)["model"]


class KilledError(Exception):
    pass


@pytest.mark.parametrize(
    ("tuned", "ema"), [(False, 0.0), pytest.param(True, 0.0, marks=pytest.mark.slow), (False, 0.9)]
)
def test_a_killed_run_goes_on_exactly(collection, tmp_path, monkeypatch, tuned, ema):
    whole, broken = (
        config(collection, tmp_path / name, tune_encoder=tuned, trainer={"ema": ema}) for name in ("whole", "broken")
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


@pytest.mark.slow
def test_tuning_holds_batch_norm_statistics_and_trains_every_layer(collection, tmp_path):
    train(config(collection, tmp_path, tune_encoder=True))
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
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "resnet18.safetensors"
    torch.manual_seed(0)
    save_file(resnet18(weights=None).state_dict(), path)
    return path


def taught(collection, output, boxes, network, **changes):
    """A first block of a stage differs from the others and cannot be copied: there are two."""
    start = load_checkpoint(collection.checkpoint)
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 1, 2, 1), grid=4))
    folder = output.with_name(f"{output.name}-start")
    save_checkpoint(folder, start._replace(encoder=encoder, card=replace(start.card, encoder=encoder.config)))
    settings = {
        "start_from": folder, "tune_encoder": True, "tune_from": "layer3", "entities": boxes,
        "teachers": {"resnet18": str(network)},
        "auxiliary": AuxiliaryConfig(0.5, 1.0), "deepen": 3, "augmentation": Augmentation(("all",), 0, 0.6),
    }  # fmt: skip
    return config(collection, output, **{**settings, **changes})


@pytest.mark.slow
def test_an_encoder_is_deepened_and_learns_words_and_features(collection, tmp_path, boxes, network, monkeypatch):
    monkeypatch.setattr(Concepts.__init__, "__defaults__", (1,))
    longer = {"epochs": 8, "encoder_learning_rate": 1e-3, "save_every": 1000}
    run = taught(collection, tmp_path / "run", boxes, network, trainer=longer, val_photos=0)
    train(run)
    losses = [json.loads(line)["auxiliary"] for line in (run.output / LOSSES).open()]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    start, kept = load_checkpoint(run.start_from), load_checkpoint(run.output / "checkpoint")
    assert kept.card.encoder == replace(start.card.encoder, blocks=(1, 1, 3, 1))
    assert kept.card.photo == start.card.photo
    assert kept.encoder.trunk.layer3[2].bn3.weight.any()
    before, after = start.encoder.state_dict(), kept.encoder.state_dict()
    assert torch.equal(after["trunk.layer2.0.conv1.weight"], before["trunk.layer2.0.conv1.weight"])
    assert not torch.equal(after["trunk.layer4.0.conv1.weight"], before["trunk.layer4.0.conv1.weight"])
    again = replace(run, start_from=run.output / "checkpoint", output=tmp_path / "again", deepen=0)
    train(replace(again, trainer=replace(run.trainer, epochs=1)))
    goes_on = [json.loads(line)["auxiliary"] for line in (again.output / LOSSES).open()]
    assert goes_on[0] < np.mean(losses[:3]) - 0.5 * (np.mean(losses[:3]) - losses[-1])  # its heads are known


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"augmentation": Augmentation(crops=0.5)}, "--tune-encoder"),
        ({"auxiliary": AuxiliaryConfig(concepts=1)}, "--tune-encoder"),
        ({"tune_encoder": True, "augmentation": Augmentation(cells=3)}, "--cells"),
        ({"tune_encoder": True, "auxiliary": AuxiliaryConfig(teacher=1)}, "--teachers"),
        ({"objective": ObjectiveConfig(region=1)}, "boxes"),
        ({"start_from": None}, "--encoder-weights"),
        ({"trainer": {"metric": "Bleu_4"}}, "'Bleu_4' is none of the scores"),
        ({"plan": BatchPlan({"flickr": 3})}, "'flickr', of which there are no training photos"),
        ({"augmentation": Augmentation(("flickr",))}, "--mirror names 'flickr'"),
        ({"trainer": {"caption_weights": {"flickr": 1}}}, "--caption-weights names 'flickr'"),
    ],
)
def test_options_without_what_they_need_are_refused(collection, tmp_path, changes, complaint):
    with pytest.raises(OptionError, match=complaint):
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


@pytest.mark.slow
def test_training_makes_the_captions_less_surprising(collection, tmp_path):
    longer = {"epochs": 10, "learning_rate": 1e-2, "save_every": 1000}
    train(config(collection, tmp_path, val_photos=0, trainer=longer))
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
    checkpoint = tmp_path / "checkpoint"
    call = ["evaluate", checkpoint, "--data", collection.dataset, "--photos", collection.photos, "--no-meteor"]
    call = [*map(str, call), "--write-card"]
    assert main([*call, "--beam-size", "1", "2", "--json", str(tmp_path / "out.json")]) == 0
    assert "BLEU-4" in capsys.readouterr().out
    scores = load_checkpoint(checkpoint).card.scores
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["photos"] == {"val, 3 photos": ["12.png", "13.png", "14.png"]}
    for name, table in written["scores"].items():
        assert scores[name] == table
    assert main([*call, "--beam-size", "2", "--temperature", "1"]) == 0  # adds its row and keeps the others
    assert set(load_checkpoint(checkpoint).card.scores) == {*scores, "val, 3 photos, beam size 2, temperature 1"}
    captioner = Captioner.load(checkpoint)
    one = [captioner.caption(collection.photos / photo).text for photo in written["photos"]["val, 3 photos"]]
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

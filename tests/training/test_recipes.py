import json
from dataclasses import replace

import pytest
import torch

from captioner.__main__ import main
from captioner.checkpoint import load_checkpoint, save_checkpoint
from captioner.pipeline import DEFAULT_CHECKPOINT
from captioner.training import recipes
from captioner.training import trainer as trainer_module
from captioner.training.recipes import RecipeError, Sources, Stage, read_recipe, reproduce

SMALL = {"batch-photos": 4, "epochs": 1, "val-photos": 0, "storage": "float32"}
STAGES = [
    {"name": "decoder", "train": {**SMALL, "dropout": 0.2, "features": "features"}},
    {"name": "tuned", "start_from": "decoder", "train": {**SMALL, "tune-encoder": True, "ema": 0.5}},
    {"name": "rewarded", "start_from": "tuned", "train": {**SMALL, "self-critical": 2}},
    {"name": "mean", "mean": ["tuned", "rewarded"]},
]


class KilledError(Exception):
    pass


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"stages": STAGES}))
    return path


def weights(folder):
    return load_checkpoint(folder).decoder.state_dict()


def test_three_stages_end_to_end_and_taken_up_again_in_between(collection, recipe, tmp_path, monkeypatch):
    call = ["reproduce", recipe, "--data", collection.dataset, "--photos", collection.photos]
    call += ["--start-from", collection.checkpoint, "--precision", "no"]
    whole, broken = ([*map(str, call), "--output", str(tmp_path / name)] for name in ("whole", "broken"))
    assert main(whole) == 0

    step = trainer_module.Trainer._train_on

    def killed_in_the_second_stage(self, batch):
        if self.progress.step == 1 and self.output.name == "tuned":
            raise KilledError
        return step(self, batch)

    monkeypatch.setattr(trainer_module.Trainer, "_train_on", killed_in_the_second_stage)
    with pytest.raises(KilledError):
        main(broken)
    monkeypatch.undo()
    first = (tmp_path / "broken" / "decoder" / "checkpoint" / "card.json").stat().st_mtime_ns
    assert main(broken) == 0
    assert (tmp_path / "broken" / "decoder" / "checkpoint" / "card.json").stat().st_mtime_ns == first
    for stage in STAGES:
        expected = weights(tmp_path / "whole" / stage["name"] / "checkpoint")
        found = weights(tmp_path / "broken" / stage["name"] / "checkpoint")
        assert all(torch.equal(found[name], value) for name, value in expected.items()), stage["name"]

    last = load_checkpoint(tmp_path / "whole" / "mean" / "checkpoint")
    assert [stage["name"] for stage in last.card.training["recipe"]] == [stage["name"] for stage in STAGES]
    assert last.decoder.config.dropout == 0.2
    tuned, rewarded = (weights(tmp_path / "whole" / name / "checkpoint") for name in ("tuned", "rewarded"))
    assert not torch.equal(tuned["embedding.weight"], rewarded["embedding.weight"])
    mean = (tuned["embedding.weight"] + rewarded["embedding.weight"]) / 2
    torch.testing.assert_close(last.decoder.state_dict()["embedding.weight"], mean)


def test_a_stage_made_by_another_recipe_is_not_taken_for_this_ones(tmp_path):
    stage = Stage("decoder", train={"epochs": 2})
    (tmp_path / "decoder").mkdir()
    (tmp_path / "decoder" / "done.json").write_text(
        json.dumps({"name": "decoder", "start_from": None, "train": {"epochs": 1}, "mean": []})
    )
    with pytest.raises(RecipeError, match="another recipe"):
        reproduce([stage], Sources(tmp_path, tmp_path), tmp_path)


def test_a_stage_gets_the_files_of_its_lessons_and_no_others(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(recipes, "train", asked.append)
    monkeypatch.setattr(recipes, "_finish", lambda *_: None)
    files = {name: tmp_path / name for name in ("entities", "teacher", "text")}
    stages = [
        Stage("plain"),
        Stage("tuned", train={"tune-encoder": True, "concept-weight": 0.5, "teacher-weight": 1.0}),
        Stage("talked-to", train={"text-weight": 0.3}),
    ]
    reproduce(stages, Sources(tmp_path, tmp_path, **files), tmp_path)
    found = [{name for name in files if getattr(config, name) == files[name]} for config in asked]
    assert found == [set(), {"entities", "teacher"}, {"text"}]
    assert (asked[1].lessons.concepts, asked[1].lessons.teacher, asked[2].lessons.text) == (0.5, 1.0, 0.3)


@pytest.mark.parametrize(
    ("stages", "complaint"),
    [
        ([], "at least one"),
        ([{"name": "a", "train": {"epoch": 3}}], "unrecognized arguments: --epoch=3"),
        ([{"name": "a", "train": {"epochs": "many"}}], "stage 'a': argument --epochs"),
        ([{"name": "a", "start_from": "b"}], "needs 'b'"),
        ([{"name": "a", "mean": ["a"]}], "needs 'a'"),
        ([{"name": "a"}, {"name": "a"}], "name of its own"),
        ([{"name": "../a"}], "name of its own"),
        ([{"name": "a", "train": {"output": "x"}}], "give it to the command"),
        ([{"name": "a"}, {"name": "b", "mean": ["a"], "train": {"epochs": 1}}], "make it two stages"),
        ([{"called": "a"}], "not a training recipe"),
    ],
)
def test_a_wrong_recipe_is_refused_before_anything_is_trained(tmp_path, stages, complaint):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"stages": stages}))
    with pytest.raises(RecipeError, match=complaint):
        read_recipe(path)


def test_the_bundled_models_recipe_can_be_followed():
    stages = read_recipe(DEFAULT_CHECKPOINT / "recipe.json")
    assert stages[-1].mean
    trained = [stage.train for stage in stages if not stage.mean]
    card = load_checkpoint(DEFAULT_CHECKPOINT).card
    assert (trained[-1]["storage"], trained[-1]["dropout"]) == (card.storage, card.decoder.dropout)


def test_average_command(saved_checkpoint, tmp_path, capsys):
    start = load_checkpoint(saved_checkpoint)
    with torch.no_grad():
        start.decoder.gate.bias.add_(1)
    other = save_checkpoint(tmp_path / "other", start._replace(card=replace(start.card, scores={"val": {"CIDEr": 1}})))
    assert main(["average", str(saved_checkpoint), str(tmp_path / "other"), "--output", str(tmp_path / "mean")]) == 0
    found, first = load_checkpoint(tmp_path / "mean"), load_checkpoint(saved_checkpoint)
    torch.testing.assert_close(found.decoder.gate.bias, first.decoder.gate.bias + 0.5, rtol=0, atol=1e-3)
    assert torch.equal(found.encoder.trunk.conv1.weight, first.encoder.trunk.conv1.weight)
    assert found.card.storage == other.storage
    assert found.card.scores == {}
    unlike = start._replace(card=replace(start.card, photo=replace(start.card.photo, size=96)))
    save_checkpoint(tmp_path / "unlike", unlike)
    assert main(["average", str(saved_checkpoint), str(tmp_path / "unlike"), "--output", str(tmp_path / "no")]) == 1
    assert "average checkpoints of one training" in capsys.readouterr().err

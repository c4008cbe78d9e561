import hashlib
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision.models import resnet18
from torchvision.models.resnet import Bottleneck, ResNet

from captioner.__main__ import main
from captioner.checkpoint import load_checkpoint, save_checkpoint
from captioner.training import recipes
from captioner.training import trainer as trainer_module
from captioner.training.data.sources import Source
from captioner.training.recipes import (
    Files,
    Recipe,
    RecipeError,
    RecipeFile,
    Stage,
    check_files,
    read_recipe,
    reproduce,
    to_run,
)

SMALL = {"batch-photos": 4, "epochs": 1, "val-photos": 0, "storage": "float32"}
STAGES = [
    {"name": "decoder", "train": {**SMALL, "dropout": 0.2, "features": "features"}},
    {"name": "tuned", "start_from": "decoder", "train": {**SMALL, "tune-encoder": True, "ema": 0.5}},
    {"name": "again", "start_from": "tuned", "train": {**SMALL, "mirror": ["all"], "caption-weights": {}}},
    {"name": "mean", "mean": ["tuned", "again"]},
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


@pytest.mark.slow
def test_stages_end_to_end_and_taken_up_again_in_between(collection, recipe, tmp_path, monkeypatch):
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
    tuned, again = (weights(tmp_path / "whole" / name / "checkpoint") for name in ("tuned", "again"))
    assert not torch.equal(tuned["embedding.weight"], again["embedding.weight"])
    mean = (tuned["embedding.weight"] + again["embedding.weight"]) / 2
    torch.testing.assert_close(last.decoder.state_dict()["embedding.weight"], mean)


def test_a_stage_made_by_another_recipe_is_not_taken_for_this_ones(tmp_path):
    stage = Stage("decoder", train={"epochs": 2})
    (tmp_path / "decoder").mkdir()
    (tmp_path / "decoder" / "done.json").write_text(
        json.dumps({"name": "decoder", "start_from": None, "train": {"epochs": 1}, "mean": [], "ran": {}})
    )
    with pytest.raises(RecipeError, match="another recipe"):
        reproduce(Recipe((stage,)), Files(()), tmp_path)


def test_a_stage_gets_the_files_of_its_losses_and_no_others(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(recipes, "train", asked.append)
    monkeypatch.setattr(recipes, "_finish", lambda *_: None)
    stages = [
        Stage("plain"),
        Stage("tuned", train={"tune-encoder": True, "concept-weight": 0.5, "teacher-weight": 1.0}),
    ]
    reproduce(Recipe(tuple(stages)), Files((), teachers={"resnet18": "here"}), tmp_path)
    assert [config.teachers for config in asked] == [None, {"resnet18": "here"}]
    assert (asked[1].auxiliary.concepts, asked[1].auxiliary.teacher) == (0.5, 1.0)


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
        ([{"name": "a", "train": {"start-from": "x"}}], "give it to the command"),
        ([{"name": "a"}, {"name": "b", "mean": ["a"], "train": {"epochs": 1}}], "make it two stages"),
        ([{"called": "a"}], "not a training recipe"),
    ],
)
def test_a_wrong_recipe_is_refused_before_anything_is_trained(tmp_path, stages, complaint):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"stages": stages}))
    with pytest.raises(RecipeError, match=complaint):
        read_recipe(path)


def test_the_files_of_a_recipe_are_checked(collection, tmp_path):
    digest = hashlib.sha256(collection.dataset.read_bytes()).hexdigest()
    right = {"captions": RecipeFile(digest, "our drawer"), "teacher net": RecipeFile("0" * 64, "their drawer")}
    files = Files((Source("", collection.dataset, collection.photos),), start_from=collection.checkpoint)
    check_files(Recipe((), right), files)  # a teacher is for stages that ran elsewhere
    with pytest.raises(RecipeError, match="teacher net: not given; it comes from their drawer"):
        check_files(Recipe((), right), replace(files, start_from=None))
    wrong = {
        "captions": RecipeFile("1" * 64, "our drawer"),
        "start": RecipeFile("2" * 64, "the web"),
        "entities": right["teacher net"],
    }
    with pytest.raises(RecipeError) as refusal:
        check_files(Recipe((), wrong), files)
    assert f"has SHA-256 {digest[:12]}…, the recipe's {'1' * 12}…; it comes from our drawer" in str(refusal.value)
    assert "start: " in str(refusal.value)
    assert "entities: not given" in str(refusal.value)


RAN = [
    {"name": "encoder", "ran": {"on": "one H200", "seconds": 380}, "train": {**SMALL, "tune-encoder": True}},
    {"name": "decoder", "start_from": "encoder", "ran": {"on": "one H200"}, "train": SMALL},
    {"name": "finish", "start_from": "decoder", "train": SMALL},
]


def test_what_ran_elsewhere_is_left_out_where_its_result_is_given(tmp_path):
    stages = tuple(Stage(**each) for each in RAN)
    left = to_run(stages, Files((), start_from=tmp_path))
    assert [(stage.name, stage.start_from) for stage in left] == [("finish", None)]
    assert to_run(stages, Files(())) == stages
    with pytest.raises(RecipeError, match="'encoder' ran elsewhere; give its result as --start-from"):
        to_run((replace(stages[0], train={}), *stages[1:]), Files(()))


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


@pytest.mark.slow
def test_a_whole_recipe_from_a_plain_network_on(collection, tmp_path):
    """As the bundled model's: an encoder deepened and tuned with all its losses, then the decoder alone, and a mean."""
    torch.manual_seed(0)
    save_file(ResNet(Bottleneck, [1, 1, 2, 1]).state_dict(), tmp_path / "small.safetensors")
    save_file(resnet18(weights=None).state_dict(), tmp_path / "resnet18.safetensors")
    sentence = {"tokens": ["a", "red", "square"], "phrases": [{"first": 0, "last": 2, "boxes": [[0, 0, 0.5, 1]]}]}
    boxes = "\n".join(json.dumps({"filename": f"{number}.png", "sentences": [sentence]}) for number in range(0, 12, 3))
    (tmp_path / "boxes.jsonl").write_text(boxes)
    proposed = {"filename": "4.png", "captions": [{"raw": "a green square"}]}
    (tmp_path / "proposed.jsonl").write_text(json.dumps(proposed) + "\n")
    own = {"photos": str(collection.photos)}
    sources = [
        {"name": "people", "captions": str(collection.dataset), "entities": "boxes.jsonl", **own},
        {"name": "machine", "captions": "proposed.jsonl", **own},
    ]
    (tmp_path / "sources.json").write_text(json.dumps({"sources": sources}))
    mixed = {"batch-photos": {"people": 4, "machine": 1}, "caption-weights": {"machine": 0.5}}
    mixed |= {"epochs": 1, "val-photos": 2}
    small = {"hidden-size": 16, "embedding-size": 16, "attention-size": 8, "min-frequency": 1}
    finish = {**mixed, "storage": "int8", "features": "features", "mirror": ["people"], "cells": 64, "ema": 0.9}
    stages = [
        {
            "name": "encoder",
            "ran": {"what": "the encoder, end to end", "on": "one accelerator", "seconds": 380},
            "train": {
                **mixed, **small, "tune-encoder": True, "tune-from": "layer2", "deepen": 3, "crops": 0.45,
                "mirror": ["all"], "concept-weight": 0.1, "teacher-weight": 1.0, "feature-dropout": 0.2,
                "captions-per-photo": 1,
            },
        },
        {"name": "one", "start_from": "encoder", "train": {**finish, "region-weight": 0.3}},
        {"name": "two", "start_from": "one", "train": {**finish, "seed": 2, "feature-dropout": 0.35}},
        {"name": "mean", "mean": ["one", "two"]},
    ]  # fmt: skip
    files = {
        "people captions": collection.dataset, "people entities": tmp_path / "boxes.jsonl",
        "machine captions": tmp_path / "proposed.jsonl", "teacher resnet18": tmp_path / "resnet18.safetensors",
        "encoder weights": tmp_path / "small.safetensors",
    }  # fmt: skip
    digests = {role: hashlib.sha256(path.read_bytes()).hexdigest() for role, path in files.items()}
    described = {role: {"sha256": digest, "origin": "made here"} for role, digest in digests.items()}
    (tmp_path / "recipe.json").write_text(json.dumps({"files": described, "stages": stages}))
    call = ["reproduce", tmp_path / "recipe.json", "--sources", tmp_path / "sources.json"]
    call += [
        "--teachers",
        f"resnet18={tmp_path / 'resnet18.safetensors'}",
        "--encoder-weights",
        files["encoder weights"],
    ]
    assert main([*map(str, call), "--output", str(tmp_path / "run")]) == 0
    made = load_checkpoint(tmp_path / "run" / "mean" / "checkpoint")
    assert made.encoder.config.blocks == (1, 1, 3, 1)
    assert made.card.storage == "int8"
    assert made.card.training["recipe"][0]["ran"]["on"] == "one accelerator"
    encoder = load_checkpoint(tmp_path / "run" / "encoder" / "checkpoint").encoder.state_dict()
    plain = load_file(tmp_path / "small.safetensors")
    assert not torch.equal(encoder["trunk.layer4.0.conv1.weight"], plain["layer4.0.conv1.weight"])
    assert torch.allclose(encoder["trunk.layer1.0.conv1.weight"], plain["layer1.0.conv1.weight"], atol=1e-3)
    # whoever has the encoder begins with it, and comes to the same
    start = ["--sources", str(tmp_path / "sources.json")]
    start += ["--start-from", str(tmp_path / "run" / "encoder" / "checkpoint")]
    assert main(["reproduce", str(tmp_path / "recipe.json"), *start, "--output", str(tmp_path / "finish")]) == 0
    assert not (tmp_path / "finish" / "encoder").exists()
    again = weights(tmp_path / "finish" / "mean" / "checkpoint")
    assert all(torch.equal(again[name], value) for name, value in made.decoder.state_dict().items())

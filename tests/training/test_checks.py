"""Everything that is wrong is said at once, before any work; and options that make no sense are refused."""

import json
import shutil

import pytest

from captioner.__main__ import main


@pytest.fixture
def damaged(collection, tmp_path):
    """The squares, where photo 1 is missing, 2 and 13 cut off in the middle, and 4 has no caption."""
    photos = tmp_path / "photos"
    shutil.copytree(collection.photos, photos)
    (photos / "1.png").unlink()
    for number in (2, 13):
        content = (photos / f"{number}.png").read_bytes()
        (photos / f"{number}.png").write_bytes(content[: len(content) // 2])
    data = json.loads(collection.dataset.read_text())
    data["images"][4]["sentences"] = []
    (tmp_path / "dataset.json").write_text(json.dumps(data))
    return tmp_path


def call(damaged, collection, *more):
    options = ["train", "--data", damaged / "dataset.json", "--photos", damaged / "photos", "--output", damaged / "run"]
    options += ["--start-from", collection.checkpoint, "--epochs", 1, "--batch-photos", 4, "--val-photos", 3]
    return main([*map(str, options), *map(str, more)])


def test_all_bad_photos_are_named_and_can_be_left_out(damaged, collection, capsys):
    assert call(damaged, collection) == 1
    said = capsys.readouterr().err
    assert "4.png: has no caption" in said
    assert "1.png: is not in" in said
    assert "2.png: cannot be read" in said
    assert "13.png: cannot be read" in said
    assert "--skip-bad" in said
    assert not (damaged / "run" / "features").exists()
    assert call(damaged, collection, "--skip-bad") == 0
    assert "left out:\n4.png: has no caption" in capsys.readouterr().err
    index = json.loads((damaged / "run" / "features" / "index.json").read_text())
    assert len(index["filenames"]) == 11
    evaluation = ["evaluate", damaged / "run" / "checkpoint", "--data", damaged / "dataset.json", "--photos"]
    evaluation = [*map(str, [*evaluation, damaged / "photos", "--beam-size", 1, "--no-meteor"])]
    assert main(evaluation) == 1
    assert "13.png: cannot be read" in capsys.readouterr().err
    assert main([*evaluation, "--skip-bad"]) == 0
    assert "val, 2 photos" in capsys.readouterr().out


def test_without_val_it_says_what_to_do(collection, tmp_path, capsys):
    data = json.loads(collection.dataset.read_text())
    for image in data["images"]:
        image["split"] = "train"
    (tmp_path / "dataset.json").write_text(json.dumps(data))
    (tmp_path / "val.txt").write_text("3.png\n5.png\n\n")
    options = [
        "train",
        "--data",
        tmp_path / "dataset.json",
        "--photos",
        collection.photos,
        "--output",
        tmp_path / "run",
    ]
    options = [*map(str, options), "--start-from", str(collection.checkpoint), "--epochs", "1"]
    assert main(options) == 1
    assert (
        "no photos in the split 'val'; name them (--val LIST), or train without: --val-photos 0"
        in capsys.readouterr().err
    )
    assert main([*options, "--val", str(tmp_path / "val.txt")]) == 0
    index = json.loads((tmp_path / "run" / "features" / "index.json").read_text())
    assert len(index["filenames"]) == 15


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        (("--metric", "Bleu_4"), "'Bleu_4' is none of the scores (BLEU-1, "),
        (("--batch-photos", 0), "--batch-photos must be at least 1, got 0"),
        (("--captions-per-photo", 0), "--captions-per-photo must be at least 1, got 0"),
        (("--epochs", 0), "--epochs must be at least 1"),
        (("--learning-rate", 0), "--learning-rate must be above 0"),
        (("--dropout", 1), "--dropout must be at most 0.99"),
        (("--crops", 0), "--crops must be above 0"),
        (("--hidden-size", 64), "--hidden-size is that of --start-from's decoder, 16"),
        (("--gate", "feature"), "--gate is that of --start-from's decoder, scalar"),
        (("--encoder-weights", "IMAGENET1K_V2"), "--encoder-weights is for a new model"),
    ],
)
def test_options_that_make_no_sense_are_refused(collection, tmp_path, capsys, option, complaint):
    options = ["train", "--data", collection.dataset, "--photos", collection.photos, "--output", tmp_path / "run"]
    options += ["--start-from", collection.checkpoint, *option]
    assert main([*map(str, options)]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "run" / "features").exists()


@pytest.mark.parametrize("limit", ["0", "-1", "x"])
def test_a_limit_of_nothing_is_refused(collection, capsys, limit):
    with pytest.raises(SystemExit):
        main(["evaluate", str(collection.checkpoint), "--data", "x", "--photos", "x", f"--limit={limit}"])
    assert "must be a whole number of at least 1" in capsys.readouterr().err

import json

import numpy as np
import pytest
import torch

from captioner.training.data.batches import BatchDataset, BatchPlan, pad_captions
from captioner.training.data.concepts import Entities, coverage
from captioner.training.data.datasets import DatasetError, read_dataset
from captioner.vocabulary import Vocabulary


def write_split(folder, images, name="tiny"):
    path = folder / "dataset.json"
    path.write_text(json.dumps({"dataset": name, "images": images}), encoding="utf-8")
    return path


def image(filename, split, *captions, **more):
    return {"filename": filename, "split": split, "sentences": [{"tokens": text.split()} for text in captions], **more}


def test_refuses_a_missing_photo_folder(tmp_path):
    with pytest.raises(DatasetError, match="--photos"):
        read_dataset(write_split(tmp_path, []), tmp_path / "nowhere")


@pytest.fixture
def examples(tmp_path):
    images = [image(f"{n}.jpg", "train", *(f"w{n} c{k}" for k in range(5))) for n in range(11)]
    return read_dataset(write_split(tmp_path, images), tmp_path).split("train")


def test_an_epoch_has_every_photo_once_with_different_captions(examples):
    batches = BatchPlan(photos=4, captions_per_photo=3, seed=7).epoch(examples, 2)
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert [len(batch) for batch in BatchPlan(photos=5).epoch(examples, 0)] == [4, 4, 3]  # not 5, 5, 1
    assert sorted(choice.example for batch in batches for choice in batch) == list(range(11))
    assert all(len(set(choice.captions)) == 3 for batch in batches for choice in batch)


def test_epochs_follow_from_the_seed_alone(examples):
    plan = BatchPlan(photos=4, seed=7)
    assert plan.epoch(examples, 2) == BatchPlan(photos=4, seed=7).epoch(examples, 2)
    assert plan.epoch(examples, 2) != plan.epoch(examples, 3)
    assert plan.epoch(examples, 2) != BatchPlan(photos=4, seed=8).epoch(examples, 2)


def test_more_captions_wanted_than_there_are_repeats_them(examples):
    (choice, *_), *_ = BatchPlan(photos=4, captions_per_photo=7).epoch(examples, 0)
    assert len(choice.captions) == 7
    assert set(choice.captions) == set(range(5))


def test_batches_hold_the_chosen_captions_photo_major(examples):
    vocabulary = Vocabulary.build(caption for each in examples for caption in each.captions)
    batches = BatchPlan(photos=4, captions_per_photo=2).epoch(examples, 0)
    dataset = BatchDataset(
        examples, batches, vocabulary, lambda photos, _: torch.tensor([int(each.filename[:-4]) for each in photos])
    )
    batch = dataset[0]
    for row, caption in enumerate(batch.captions):
        photo = int(batch.inputs[row // 2])
        chosen = batches[0][row // 2].captions[row % 2]
        assert vocabulary.decode(caption.tolist()[1:]) == [f"w{photo}", f"c{chosen}"]
    assert batch.lengths.tolist() == [4] * 8


def test_padding():
    padded, lengths = pad_captions([[1, 2], [3, 4, 5]], pad=9)
    assert padded.tolist() == [[1, 2, 9], [3, 4, 5]]
    assert lengths.tolist() == [2, 3]


def test_coverage_against_a_fine_raster():
    box = (0.13, 0.4, 0.52, 0.95)
    fine = np.zeros((1400, 1400))
    fine[560:1330, 182:728] = 1
    expected = fine.reshape(7, 200, 7, 200).mean(axis=(1, 3))
    np.testing.assert_allclose(coverage([box], 7), expected, atol=1e-6)
    np.testing.assert_allclose(coverage([(0, 0, 1, 1), box], 7), np.ones((7, 7)), atol=1e-6)


def test_entities_find_the_words_of_a_phrase(tmp_path):
    dataset = read_dataset(
        write_split(tmp_path, [image("a.jpg", "train", "no boxes here", "a man s t shirt in the snow")]), tmp_path
    )
    photo = {
        "filename": "a.jpg",
        "sentences": [
            {
                "tokens": ["A", "man", "'s", "t-shirt", "in", "the", "snow", "."],
                "phrases": [
                    {"first": 0, "last": 3, "type": "clothing", "boxes": [[0.0, 0.0, 0.5, 0.5]]},
                    {"first": 5, "last": 6, "type": "scene", "boxes": []},
                ],
            }
        ],
    }
    path = tmp_path / "entities.jsonl"
    path.write_text(json.dumps(photo) + "\n")
    entities = Entities(path, dataset, grid=2)
    found = entities.regions("a.jpg", 1)
    assert [step for step, _ in found] == [1, 2, 3, 4]  # man s t shirt; neither "a" nor the boxless snow
    assert all(inside.tolist() == [1, 0, 0, 0] for _, inside in found)
    assert entities.regions("a.jpg", 0) == []
    path.write_text("{}")
    with pytest.raises(DatasetError, match="Entities"):
        Entities(path, dataset, grid=2)

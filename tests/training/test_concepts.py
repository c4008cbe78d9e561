import json

import numpy as np
import pytest
import torch

from captioner.training.data.augmentation import WHOLE, Crop, View
from captioner.training.data.concepts import Concepts, Entities
from captioner.training.data.datasets import Dataset, DatasetError, Example

GRID = 4
DOG_BOX, BALL_BOX = [0.0, 0.0, 0.5, 0.5], [0.75, 0.5, 1.0, 1.0]


@pytest.fixture
def examples():
    return (
        Example("a.jpg", "train", (("a", "left", "dog", "runs"), ("the", "dog", "bites", "a", "ball"))),
        Example("b.jpg", "train", (("a", "right", "turn"), ("a", "ball"))),
    )


@pytest.fixture
def concepts(examples, tmp_path):
    sentences = [
        {"tokens": ["a", "left", "dog", "runs"], "phrases": [{"first": 0, "last": 2, "boxes": [DOG_BOX]}]},
        {"tokens": ["the", "dog", "bites", "a", "ball"], "phrases": [{"first": 3, "last": 4, "boxes": [BALL_BOX]}]},
    ]
    path = tmp_path / "entities.jsonl"
    path.write_text(json.dumps({"filename": "a.jpg", "sentences": sentences}))
    boxes = Entities(path, Dataset("pets", tmp_path, examples), GRID)
    return Concepts(examples, {"": boxes}, GRID, min_frequency=1)


def view(mirrored=False, crop=WHOLE):
    return View(mirrored, crop)


def of_word(concepts, word, part):
    return part[..., concepts.words.index(word)]


def test_shares_boxes_and_what_is_known(concepts):
    present, inside, placed = concepts.targets([0, 1], [view(), view()])
    assert "a" not in concepts.words
    assert of_word(concepts, "dog", present).tolist() == [1.0, 0.0]
    assert of_word(concepts, "ball", present).tolist() == [0.5, 0.5]
    expected = np.zeros((GRID, GRID))
    expected[:2, :2] = 1
    assert of_word(concepts, "dog", inside)[0].view(GRID, GRID).tolist() == expected.tolist()
    assert of_word(concepts, "dog", placed).tolist() == [True, True]  # boxed; on no caption, so in no cell
    assert of_word(concepts, "runs", placed).tolist() == [False, True]  # somewhere, nobody said where
    assert not of_word(concepts, "runs", inside).any()
    torch.testing.assert_close(of_word(concepts, "ball", concepts.frequency), torch.tensor(1.0))


def test_a_mirrored_photo_shows_the_same_on_the_other_side(concepts):
    present, inside, placed = concepts.targets([0], [view(mirrored=True)])
    assert of_word(concepts, "dog", inside)[0].view(GRID, GRID)[0].tolist() == [0, 0, 1, 1]
    assert of_word(concepts, "right", present)[0] == 0.5  # what was the left dog
    assert of_word(concepts, "left", present)[0] == 0
    assert torch.equal(of_word(concepts, "right", inside), of_word(concepts, "dog", inside))
    assert of_word(concepts, "right", placed)[0]


def test_a_crop_enlarges_its_boxes_and_loses_what_is_outside(concepts):
    inside = concepts.targets([0], [view(crop=Crop(0.0, 0.0, 0.5, 1.0))]).inside
    assert of_word(concepts, "dog", inside)[0].view(GRID, GRID).sum(dim=1).tolist() == [4, 4, 0, 0]
    assert not of_word(concepts, "ball", inside).any()


def test_rare_words_are_no_concepts(examples, tmp_path):
    path = tmp_path / "entities.jsonl"
    path.write_text("")
    with pytest.raises(DatasetError, match="100 times"):
        Concepts(examples, {}, GRID, min_frequency=100)

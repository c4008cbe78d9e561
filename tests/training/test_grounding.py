import json

import numpy as np
import pytest
import torch

from captioner.decoder import Decoder, DecoderConfig
from captioner.training.entities import Entities
from captioner.training.grounding import attention_scores, points_at, strongest
from captioner.training.karpathy import read_dataset
from captioner.vocabulary import Vocabulary

WHOLE, CORNER = [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5]


def test_strongest_cell_and_pointing():
    alpha = np.zeros((2, 4), dtype=np.float32)
    alpha[1, 2] = 1
    assert strongest(alpha) == (0.625, 0.75)
    assert points_at((0.625, 0.75), [(0, 0, 0.1, 0.1), (0.6, 0.7, 0.7, 0.8)])
    assert not points_at((0.625, 0.75), [(0, 0, 0.6, 1)])


@pytest.fixture
def one_photo(tmp_path):
    sentence = {"tokens": ["a", "dog", "on", "grass"]}
    (tmp_path / "data.json").write_text(
        json.dumps({"images": [{"filename": "a.jpg", "split": "val", "sentences": [sentence]}]})
    )
    phrases = [{"first": 0, "last": 1, "boxes": [CORNER]}, {"first": 3, "last": 3, "boxes": [WHOLE]}]
    boxed = {"filename": "a.jpg", "sentences": [{**sentence, "phrases": phrases}]}
    (tmp_path / "entities.jsonl").write_text(json.dumps(boxed))
    dataset = read_dataset(tmp_path / "data.json", tmp_path)
    return dataset, Entities(tmp_path / "entities.jsonl", dataset, grid=4)


def test_scores_are_those_of_the_head_nouns_own_map(one_photo):
    dataset, entities = one_photo
    torch.manual_seed(0)
    vocabulary = Vocabulary.build([["a", "dog", "on", "grass"]])
    decoder = Decoder(DecoderConfig(len(vocabulary), 5, 4, 6, 3)).eval()
    features = torch.randn(1, 16, 5) * 4
    found = attention_scores(decoder, dataset.split("val"), lambda names: features, vocabulary, entities)

    annotations = decoder.annotate(features)
    first = decoder.step(annotations, decoder.start(annotations), torch.tensor([vocabulary.start]))
    second = decoder.step(annotations, first.state, torch.tensor([vocabulary.id("a")]))
    alpha = second.alpha.detach().view(4, 4)  # of "dog": the word after "a"
    assert found["phrases"] == 1  # the grass covers the whole photo
    assert found["correctness"] == pytest.approx(float(alpha[:2, :2].sum()), rel=1e-5)
    assert found["correctness, uniform map"] == pytest.approx(0.25)
    row, column = divmod(int(alpha.argmax()), 4)
    assert found["pointing"] == (row < 2 and column < 2)
    assert found["pointing, middle of the photo"] == 1  # the corner's edge is the middle

import json

import numpy as np
import pytest
import torch
from scipy.stats import norm

from captioner.decoder import Decoder, DecoderConfig
from captioner.search import SearchSettings, search
from captioner.training.data.concepts import Entities
from captioner.training.data.datasets import read_dataset
from captioner.training.measures.attention import (
    CaptionMaps,
    Named,
    centre_map,
    grounding_scores,
    own_nouns,
    points_at,
    reference_nouns,
    strongest,
    teacher_forced_maps,
)
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


@pytest.fixture
def vocabulary():
    return Vocabulary.build([["a", "dog", "on", "grass"]])


@pytest.fixture
def decoder(vocabulary):
    torch.manual_seed(0)
    return Decoder(DecoderConfig(len(vocabulary), 5, 4, 6, 3)).eval()


def test_scores_are_those_of_the_head_nouns_own_map(one_photo, decoder, vocabulary):
    dataset, entities = one_photo
    features = torch.randn(1, 16, 5) * 4
    (example,) = dataset.split("val")
    maps = teacher_forced_maps(decoder, example.filename, example.captions, lambda names: features, vocabulary)
    found = grounding_scores(reference_nouns(maps, entities))

    annotations = decoder.annotate(features)
    first = decoder.step(annotations, decoder.start(annotations), torch.tensor([vocabulary.start]))
    second = decoder.step(annotations, first.state, torch.tensor([vocabulary.id("a")]))
    alpha = second.alpha.detach().view(4, 4)  # of "dog": the word after "a"
    assert found["phrases"] == 1  # the grass covers the whole photo
    assert found["correctness"] == pytest.approx(float(alpha[:2, :2].sum()), rel=1e-5)
    assert found["correctness, uniform map"] == pytest.approx(0.25)
    assert found["correctness, centre map"] == pytest.approx(0.25)  # a quarter of a symmetric map
    row, column = divmod(int(alpha.argmax()), 4)
    assert found["pointing"] == (row < 2 and column < 2)
    assert found["pointing, middle of the photo"] == 1  # the corner's edge is the middle


def test_two_nouns_by_hand():
    """Alphas of a 2×2 grid: the first noun is in the left half, the second in the lower right cell."""
    alphas = np.array([[[0.4, 0.3], [0.2, 0.1]], [[0.1, 0.2], [0.1, 0.6]]], dtype=np.float32)
    caption = CaptionMaps("a.jpg", (7, 1, 8), alphas)
    nouns = [Named(caption, 0, ((0.0, 0.0, 0.5, 1.0),)), Named(caption, 1, ((0.5, 0.5, 1.0, 1.0),))]
    found = grounding_scores(nouns)
    assert found["correctness"] == pytest.approx((0.6 + 0.6) / 2)
    assert found["correctness, uniform map"] == pytest.approx((0.5 + 0.25) / 2)
    assert found["correctness, centre map"] == pytest.approx((0.5 + 0.25) / 2)
    assert found["correctness, another photo's map"] == pytest.approx((0.2 + 0.1) / 2)
    assert found["correctness over uniform"] == pytest.approx(0.6 / 0.375)
    assert found["pointing"] == 1
    assert found["pointing, another photo's map"] == 0
    assert grounding_scores([]) == {"phrases": 0}


def test_centre_map_is_the_gaussian_of_the_photo():
    grid = 14
    density = norm(0.5, 0.25).pdf((np.arange(grid) + 0.5) / grid)
    expected = density[:, None] * density[None]
    np.testing.assert_allclose(centre_map(grid), expected / expected.sum(), rtol=1e-5)


def test_the_models_own_nouns_have_the_boxes_of_all_phrases_they_head(tmp_path, decoder, vocabulary):
    texts = (["a", "dog", "on", "grass"], ["a", "dog"])
    boxes = ([CORNER, [0.5, 0.5, 1.0, 1.0]], [CORNER])
    sentences = [
        {"tokens": tokens, "phrases": [{"first": 0, "last": 1, "boxes": own}]}
        for tokens, own in zip(texts, boxes, strict=True)
    ]
    images = [{"filename": "a.jpg", "split": "val", "sentences": sentences}]
    (tmp_path / "data.json").write_text(json.dumps({"images": images}))
    (tmp_path / "entities.jsonl").write_text(json.dumps({"filename": "a.jpg", "sentences": sentences}))
    dataset = read_dataset(tmp_path / "data.json", tmp_path)
    entities = Entities(tmp_path / "entities.jsonl", dataset, grid=2)
    (example,) = dataset.split("val")
    caption = CaptionMaps("a.jpg", tuple(vocabulary.encode(["grass", "dog"])), np.full((3, 2, 2), 0.25, np.float32))
    (noun,) = own_nouns(caption, example, entities, vocabulary)  # grass heads no boxed phrase
    assert noun.position == 1
    assert noun.boxes == (tuple(CORNER), (0.5, 0.5, 1.0, 1.0))
    assert np.shares_memory(noun.alpha, caption.alphas[1])


def test_own_maps_are_those_of_the_search(decoder, vocabulary):
    """Teacher-forced on its own words, the model looks where it looked when it wrote them."""
    features = torch.randn(1, 16, 5) * 4
    *_, (snapshot,) = search(decoder, decoder.annotate(features), vocabulary, SearchSettings(3, max_length=8))
    words = vocabulary.decode(snapshot.leader.tokens)
    (maps,) = teacher_forced_maps(decoder, "a.jpg", [tuple(words)], lambda names: features, vocabulary)
    expected = np.array([step.alpha for step in snapshot.leader.steps]).reshape(-1, 4, 4)
    np.testing.assert_allclose(maps.alphas[: len(expected)], expected, rtol=1e-4, atol=1e-6)

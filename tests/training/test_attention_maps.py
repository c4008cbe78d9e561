import numpy as np
import pytest
from scipy.spatial.distance import cityblock
from scipy.stats import entropy

from captioner.training.measures.attention import CaptionMaps, mean_distance, normalised_entropy, sharpness_scores


def draws(*shape):
    alphas = np.random.default_rng(0).gamma(0.3, size=shape).astype(np.float32)
    return alphas / alphas.sum(axis=-1, keepdims=True)


def test_entropy_is_scipys_over_that_of_the_uniform_map():
    alphas = draws(5, 12)
    np.testing.assert_allclose(normalised_entropy(alphas), entropy(alphas, axis=1) / np.log(12), rtol=1e-5)
    ends = np.array([np.full(12, 1 / 12), np.eye(12)[3]], dtype=np.float32)
    np.testing.assert_allclose(normalised_entropy(ends), [1, 0], atol=1e-6)


def test_distance_is_half_the_city_block_over_all_pairs():
    alphas = draws(4, 12)
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    expected = np.mean([cityblock(alphas[one], alphas[other]) / 2 for one, other in pairs])
    assert mean_distance(alphas) == pytest.approx(expected, rel=1e-5)
    assert mean_distance(np.eye(3, dtype=np.float32)) == 1
    assert mean_distance(np.repeat(draws(1, 12), 3, axis=0)) == 0


def test_the_end_is_no_word_and_a_single_word_has_no_distance():
    cells = np.eye(4, dtype=np.float32).reshape(4, 2, 2)
    long = CaptionMaps("a.jpg", (7, 1, 2, 8), np.stack([cells[0], cells[1], cells[0]]))
    short = CaptionMaps("b.jpg", (7, 1, 8), np.stack([np.full((2, 2), 0.25, np.float32), cells[3]]))
    found = sharpness_scores([long, short])
    empty = CaptionMaps("c.jpg", (7, 8), np.full((1, 2, 2), 0.25, np.float32))
    assert sharpness_scores([long, empty, short]) == found
    assert sharpness_scores([empty]) == {"words": 0}
    assert found == pytest.approx({"words": 3, "normalised entropy": 1 / 3, "distance between words": 1})

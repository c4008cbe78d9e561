"""Captions as values: text, sums, entropy, and parts that must fit."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.stats import entropy

from captioner.caption import Alternative, Caption, attention_entropy


def make_caption(words=("a", "dog", "<end>"), **parts):
    count = len(words)
    random = np.random.default_rng(0)
    alphas = random.dirichlet(np.ones(6), count).reshape(count, 3, 2).astype(np.float32)
    values = {
        "words": words,
        "log_probs": np.log(random.uniform(0.1, 0.9, count)).astype(np.float32),
        "alphas": alphas,
        "betas": random.uniform(size=count).astype(np.float32),
        "alternatives": tuple((Alternative(word, 0.5),) for word in words),
        "finished": words[-1:] == ("<end>",),
    }
    return Caption(**{**values, **parts})


def test_text_leaves_out_the_end_and_keeps_markup_and_scripts():
    assert make_caption().text == str(make_caption()) == "a dog"
    assert make_caption(("<img src=x onerror=alert(1)>", "${1}", "개가", "كلب")).text == (
        "<img src=x onerror=alert(1)> ${1} 개가 كلب"
    )


def test_log_prob_is_the_sum_in_double_precision():
    many = np.full(10_000, -0.1, dtype=np.float32)
    parts = {
        "alphas": np.zeros((10_000, 1, 1)),
        "betas": np.zeros(10_000),
        "log_probs": many,
        "alternatives": ((),) * 10_000,
    }
    caption = make_caption(("a",) * 10_000, **parts)
    assert caption.log_prob == pytest.approx(math.fsum(many.tolist()), abs=1e-9)


def test_words_carry_their_own_map_gate_and_runners_up():
    caption = make_caption()
    assert len(caption) == len(list(caption)) == 3
    for index, word in enumerate(caption):
        assert word.text == caption.words[index]
        assert word.probability == pytest.approx(math.exp(caption.log_probs[index]))
        assert word.alpha is not caption.alphas
        np.testing.assert_array_equal(word.alpha, caption.alphas[index])
        assert word.beta == caption.betas[index]
        assert word.alternatives[0].word == word.text


def test_entropy_is_scipys_and_its_bounds_are_reached():
    for word in make_caption():
        assert word.entropy == pytest.approx(entropy(word.alpha.ravel()), abs=1e-5)
    one_cell = np.zeros((14, 14), dtype=np.float32)
    one_cell[3, 4] = 1
    assert attention_entropy(one_cell) == 0
    assert attention_entropy(np.full((14, 14), 1 / 196, dtype=np.float32)) == pytest.approx(math.log(196), abs=1e-5)


@pytest.mark.parametrize("part", ["log_probs", "alphas", "betas"])
def test_parts_of_another_length_are_refused(part):
    with pytest.raises(ValueError, match="one entry a word"):
        make_caption(**{part: getattr(make_caption(("a", "<end>")), part)})


def test_captions_are_frozen_and_compare_by_identity():
    caption = make_caption()
    with pytest.raises(FrozenInstanceError):
        caption.finished = False
    assert caption in (caption,)
    assert caption != make_caption()


def test_an_empty_caption_is_possible():
    empty = make_caption((), alphas=np.zeros((0, 3, 2)))
    assert (empty.text, empty.log_prob, list(empty)) == ("", 0.0, [])

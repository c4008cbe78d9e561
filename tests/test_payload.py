"""The payload against the caption it was made from, and its size."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.caption import Alternative, Caption
from captioner.pipeline import Guess
from demo.payload import VERSION, caption_json, decode_alpha, encode_alpha, guess_payload, word_payload

ROWS, COLUMNS = 3, 2


def make_caption(words: tuple[str, ...], finished: bool = True, grid: tuple[int, int] = (ROWS, COLUMNS)) -> Caption:
    random = np.random.default_rng(1)
    alphas = random.random((len(words), *grid)).astype(np.float32)
    alphas /= alphas.sum(axis=(1, 2), keepdims=True)
    return Caption(
        words,
        np.log(random.random(len(words))).astype(np.float32),
        alphas,
        random.random(len(words)).astype(np.float32),
        tuple(tuple(Alternative(f"word{rank}", 0.5**rank) for rank in range(1, 6)) for _ in words),
        finished,
    )


@given(st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6))
def test_alpha_survives_to_half_a_level(weights):
    alpha = np.array(weights, dtype=np.float32).reshape(ROWS, COLUMNS)
    peak = float(alpha.max())
    back = decode_alpha(encode_alpha(alpha), peak, (ROWS, COLUMNS))
    assert np.abs(back - alpha).max() <= peak / 255 / 2 * 1.001


def test_a_map_of_196_cells_takes_264_characters():
    assert len(encode_alpha(np.full((14, 14), 1 / 196, np.float32))) == 264


def test_a_word_costs_less_than_one_kilobyte():
    caption = make_caption(("hot-air-balloonist's",), grid=(14, 14))
    assert len(json.dumps(word_payload(caption.word(0)))) < 600


def test_a_word_says_what_the_caption_knows():
    caption = make_caption(("a", "dog", "<end>"))
    word, end = word_payload(caption.word(1)), word_payload(caption.word(2))
    assert (word["w"], word["end"], end["end"]) == ("dog", False, True)
    assert word["p"] == pytest.approx(float(np.exp(caption.log_probs[1])), rel=1e-3)
    assert word["b"] == pytest.approx(float(caption.betas[1]), rel=1e-3)
    entropy = -sum(weight * np.log(weight) for weight in caption.alphas[1].ravel().tolist())
    assert word["h"] == pytest.approx(entropy, rel=1e-3)
    assert word["alt"][0] == ["word1", 0.5]


def test_the_runners_up_travel_only_when_the_search_is_done():
    best, second = make_caption(("a", "<end>")), make_caption(("b", "c"), finished=False)
    running = guess_payload(Guess((best, second), done=False), (ROWS, COLUMNS))
    done = guess_payload(Guess((best, second), done=True), (ROWS, COLUMNS))
    assert running["captions"] == []
    assert [caption["finished"] for caption in done["captions"]] == [True, False]
    assert [word["w"] for word in done["words"]] == ["a", "<end>"]


def test_the_answer_for_programs_is_plain_json():
    answer = json.loads(json.dumps(caption_json(make_caption(("a", "<end>")), (ROWS, COLUMNS), done=True)))
    assert (answer["version"], answer["caption"], answer["grid"], answer["done"]) == (VERSION, "a", [3, 2], True)

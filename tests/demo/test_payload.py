"""The payload against the caption it was made from, and its size."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import decode_alpha, gradient, make_caption
from test_search import enumerate_captions
from tiny import make_checkpoint, make_decoder, make_vocabulary

from captioner.caption import Alternative, Word
from captioner.familiarity import Familiar
from captioner.pipeline import Captioner, Guess
from captioner.search import SearchSettings
from demo.protocol.answers import caption_answer, guess_answer
from demo.protocol.payload import (
    VERSION,
    change_message,
    encode_alpha,
    guess_message,
    word_message,
)
from demo.runs.updates import Change

ROWS, COLUMNS = 3, 2


@settings(deadline=None)
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
    assert len(json.dumps(word_message(caption.word(0)))) < 600


def test_a_word_says_what_the_caption_knows():
    caption = make_caption(("a", "dog", "<end>"))
    word, end = word_message(caption.word(1)), word_message(caption.word(2))
    assert (word["w"], word["end"], end["end"]) == ("dog", False, True)
    assert word["p"] == pytest.approx(float(np.exp(caption.log_probs[1])), rel=1e-3)
    assert word["b"] == pytest.approx(float(caption.betas[1]), rel=1e-3)
    entropy = -sum(weight * np.log(weight) for weight in caption.alphas[1].ravel().tolist())
    assert word["h"] == pytest.approx(entropy, rel=1e-3)
    assert word["alt"][0] == ["word1", 0.5]


def test_the_runners_up_travel_only_when_the_search_is_done():
    best, second = make_caption(("a", "<end>")), make_caption(("b", "c"), finished=False)
    running = guess_message(Guess((best, second), done=False), (ROWS, COLUMNS))
    done = guess_message(Guess((best, second), done=True), (ROWS, COLUMNS))
    assert running["captions"] == []
    assert [caption["finished"] for caption in done["captions"]] == [True, False]
    assert [word["w"] for word in done["words"]] == ["a", "<end>"]


def test_the_answer_for_programs_is_plain_json():
    answer = json.loads(json.dumps(caption_answer(make_caption(("a", "<end>")))))
    assert (answer["version"], answer["caption"], answer["grid"], answer["done"]) == (VERSION, "a", [3, 2], True)


def test_how_familiar_a_photo_is_travels_only_if_it_is_known():
    captions = (make_caption(("a", "<end>")),)
    known, unknown = (Guess(captions, True, familiar) for familiar in (Familiar(0.123456, "unlike"), None))
    assert guess_answer(known)["familiarity"] == {"level": "unlike", "stranger": 0.1235}
    assert guess_message(known, (ROWS, COLUMNS))["familiar"] == {"level": "unlike", "stranger": 0.1235}
    assert guess_answer(unknown) == {**caption_answer(captions[0]), "familiarity": None}
    assert guess_message(unknown, (ROWS, COLUMNS))["familiar"] == {}


def make_word(text: str, probability: float, *others: tuple[str, float]) -> Word:
    alpha = np.full((ROWS, COLUMNS), 1 / 6, np.float32)
    return Word(text, float(np.log(probability)), alpha, 0.5, tuple(Alternative(*each) for each in others))


def test_a_change_names_the_likeliest_of_either_first():
    before = make_word("dog", 0.01, ("cat", 0.4), ("cow", 0.3), ("fox", 0.05), ("hen", 0.2))
    after = make_word("dog", 0.02, ("hen", 0.6), ("cow", 0.1), ("fox", 0.25), ("cat", 0.04))
    change = change_message(Change(3, before, after))
    assert (change["position"], change["word"]) == (3, "dog")
    assert change["words"] == [
        ["hen", 0.2, 0.6],
        ["cat", 0.4, 0.04],
        ["cow", 0.3, 0.1],
        ["fox", 0.05, 0.25],
        ["dog", 0.01, 0.02],
    ], "neither the order before nor that after, but by the larger of both; the written word too"


def test_the_word_that_was_written_is_named_once_where_it_was_likely():
    before = make_word("dog", 0.5, ("dog", 0.5), ("cat", 0.1))
    after = make_word("dog", 0.2, ("cat", 0.7), ("dog", 0.2))
    assert change_message(Change(0, before, after))["words"] == [["cat", 0.1, 0.7], ["dog", 0.5, 0.2]]


def test_the_answer_for_programs_says_what_the_player_is_told_with_its_keys_spelled_out():
    names = {"w": "word", "p": "probability", "a": "attention", "m": "largest", "h": "entropy", "b": "gate"}
    names |= {"alt": "alternatives"}
    caption = make_caption(("a", "dog", "<end>"))
    for answer, word in zip(caption_answer(caption)["words"], caption, strict=True):
        told = word_message(word)
        del told["end"]
        assert answer == {names[key]: value for key, value in told.items()}


PENALTY = 0.8


def ranked_payload(seed: int) -> tuple[list, list]:
    """The captions of a search that is wide enough to miss none, as the page gets them; and all there are.

    The latter as (words, log-probability), enumerated with single steps of the decoder.
    """
    vocabulary, whole = make_vocabulary("a", "b"), make_checkpoint(seed=seed)
    decoder = make_decoder(len(vocabulary), seed, sharpness=2.0, feature_size=2048)
    card = replace(whole.card, decoder=decoder.config, length_penalty=PENALTY, may_repeat=("a",))
    captioner = Captioner(whole._replace(decoder=decoder, vocabulary=vocabulary, card=card), form="exact")
    look = captioner.look(gradient())
    (*_, guess) = captioner.stream(look, SearchSettings(20, max_length=3))
    sent = json.loads(json.dumps(guess_message(guess, look.grid)))["captions"]
    enumerated = enumerate_captions(decoder, look.annotations, vocabulary, 3)
    named = [([vocabulary.word(token) for token in tokens], value[0]) for tokens, value in enumerated.items()]
    return sent, [(words, value) for words, value in named if words[-1] == "<end>"]


@pytest.mark.slow
def test_the_score_that_travels_is_what_ranks_all_captions_there_are():
    moved = 0
    for seed in range(12):
        sent, every = ranked_payload(seed)
        by_score = sorted(every, key=lambda each: each[1] / len(each[0]) ** PENALTY, reverse=True)
        expected = sorted(by_score, key=lambda each: each[0].count("b") > 1)  # stable: otherwise by the score
        assert len(expected) == 7
        assert [[word["w"] for word in caption["words"]] for caption in sent] == [words for words, _ in expected]
        for caption, (words, log_prob) in zip(sent, expected, strict=True):
            assert caption["rank"] == {
                "score": pytest.approx(log_prob / len(words) ** PENALTY, rel=1e-3),
                "words": len(words),
                "penalty": PENALTY,
                "repeats": words.count("b") > 1,
            }
        moved += expected != by_score
    assert moved, "the rule of repetition must be able to change a place"


def test_a_search_without_the_rule_of_repetition_says_so():
    captioner = Captioner(make_checkpoint())
    (*_, guess) = captioner.stream(captioner.look(gradient()), SearchSettings(3, max_length=6))
    assert [each["rank"]["repeats"] for each in guess_message(guess, (3, 3))["captions"]] == [None] * 3
    assert [each["rank"]["penalty"] for each in guess_message(guess, (3, 3))["captions"]] == [0] * 3


def test_a_sentence_with_an_unknown_word_has_no_score():
    captioner = Captioner(make_checkpoint())
    look = captioner.look(gradient())
    for sentence, known in (("a dog", True), ("a zxqv", False)):
        (sent,) = guess_message(Guess((captioner.score(look, sentence),), True), look.grid)["captions"]
        assert (sent["rank"]["score"] is not None) == known
        assert sent["rank"]["words"] == 3

"""What travels, unfolded again, is what was folded; and nothing of it travels twice."""

import json
from dataclasses import replace

import numpy as np
from gradio.utils import diff
from pages import make_caption, unfold

from captioner.caption import Caption
from captioner.pipeline import Guess
from captioner.search import Branch, SearchTree
from demo.protocol.payload import WordPool, guess_message, tree_message

GRID = (14, 14)
WORD_BYTES = 1024
ENVELOPE_BYTES = 300  # of a Gradio message around its data


def beginnings(whole):
    """The leading guess after each step that leads to this caption."""
    for count in range(1, len(whole) + 1):
        parts = (whole.words, whole.log_probs, whole.alphas, whole.betas, whole.alternatives)
        yield Caption(*(part[:count] for part in parts), finished=whole.words[count - 1] == "<end>")


def test_unfolding_gives_back_every_word_of_every_caption():
    captions = (make_caption(("a", "dog", "<end>")), make_caption(("a", "cat"), finished=False))
    for done in (False, True):
        payload = guess_message(Guess(captions, done), (3, 2))
        message = json.loads(json.dumps(WordPool().fold(payload)))
        assert unfold(message) == {key: payload[key] for key in ("words", "captions")}


def test_each_message_only_adds_to_the_words_before():
    pool, before, one = WordPool(), [], make_caption(("a", "red", "dog"), grid=GRID)
    other = replace(one, words=("a", "man", "dog"))
    for caption in [*beginnings(one), *beginnings(other), *beginnings(one)]:
        words = pool.fold(guess_message(Guess((caption,), done=False), GRID))["words"]
        assert words[: len(before)] == before
        before = words
    assert [word[0] for word in before] == ["a", "red", "dog", "man"]


def test_words_of_one_step_share_their_map():
    one, other = make_caption(("dog",)), make_caption(("cat",))
    words = WordPool().fold(guess_message(Guess((one, other), done=True), (3, 2)))["words"]
    assert words[1] == ["cat", words[0][1], 0]


def test_a_streamed_word_of_the_longest_spelling_costs_less_than_a_kilobyte():
    words = (*(f"hot-air-balloonists-{place}" for place in range(12)), "<end>")
    pool, before, spent = WordPool(), None, []
    for caption in beginnings(make_caption(words, grid=GRID)):
        payload = guess_message(Guess((caption,), done=caption.finished), GRID)
        message = [json.loads(json.dumps({**pool.fold(payload), "tree": tree_message(SearchTree())}))]
        if before is not None:
            spent.append(len(json.dumps(diff(before, message), separators=(",", ":"))) + ENVELOPE_BYTES)
        before = message
    assert len(spent) == 12
    assert max(spent) < WORD_BYTES


def test_a_step_of_the_tree_costs_less_than_a_kilobyte_a_hypothesis():
    size, before, branches = 10, None, []
    for depth in range(12):
        for place in range(size):
            parent = len(branches) - size - place if depth else -1
            branches.append(Branch(parent, "hot-air-balloonists", -float(np.pi) * (depth + 1)))
        tree = SearchTree(tuple(branches), tuple(range(len(branches) - size, len(branches))))
        message = [{"tree": json.loads(json.dumps(tree_message(tree)))}]
        if before is not None:
            assert len(json.dumps(diff(before, message))) < size * 160
        before = message


def test_a_single_line_of_words_is_no_tree():
    line = SearchTree((Branch(-1, "a", -1.0), Branch(0, "dog", -2.0)), (1,))
    assert tree_message(line) == {"branches": [], "race": []}
    fork = SearchTree((Branch(-1, "a", -1.0), Branch(-1, "the", -2.0)), (0,))
    assert tree_message(fork) == {"branches": [[-1, "a", -1.0], [-1, "the", -2.0]], "race": [0]}

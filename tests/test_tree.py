"""The beam as a tree, against a list-based beam search over the enumerated log-probabilities."""

from itertools import pairwise

import numpy as np
import pytest
from test_search import MORE_WORDS, enumerate_captions
from tiny import make_annotations, make_decoder

from captioner.caption import END, Caption
from captioner.search import ROOT, SearchSettings, SearchTree, search

LENGTH = 4


def caption(hypothesis):
    words = tuple(MORE_WORDS.word(token) for token in hypothesis.tokens)
    log_probs = np.array([step.log_prob for step in hypothesis.steps])
    count = len(words)
    return Caption(words, log_probs, np.zeros((count, 3, 2)), np.zeros(count), ((),) * count, hypothesis.finished)


def trees(decoder, annotations, **settings):
    """The tree after every step of a search."""
    tree, grown = SearchTree(), []
    for (snapshot,) in search(decoder, annotations, MORE_WORDS, SearchSettings(**settings, max_length=LENGTH)):
        tree = tree.grown([caption(each) for each in snapshot.hypotheses])
        grown.append(tree)
    return grown


def beginning(tree, tip):
    return tuple(MORE_WORDS.encode([tree.branches[index].word])[1] for index in tree.path(tip))


@pytest.mark.parametrize("seed", range(8))
def test_the_tree_holds_every_beginning_the_textbook_beam_kept(seed):
    decoder, size = make_decoder(len(MORE_WORDS), seed, sharpness=3), 2 + seed % 3
    annotations = make_annotations(decoder, seed=seed)
    known = {}
    for stop in range(1, LENGTH + 1):
        known |= enumerate_captions(decoder, annotations, MORE_WORDS, stop)
    grown = trees(decoder, annotations, beam_size=size)
    live, done, ever = [()], [], set()
    for step, tree in enumerate(grown):
        longer = sorted((words for words in known if words[:-1] in live), key=lambda words: -known[words][0])
        kept = longer[: size - len(done)]
        done += [words for words in kept if words[-1] == MORE_WORDS.end]
        live = [words for words in kept if words[-1] != MORE_WORDS.end]
        racing = [*live, *done] if step + 1 < len(grown) else done or live
        ever |= {words[:stop] for words in racing for stop in range(1, len(words) + 1)}
        assert [beginning(tree, tip) for tip in tree.race] == sorted(racing, key=lambda words: -known[words][0])
        assert {beginning(tree, index) for index in range(len(tree.branches))} == ever
    for index, branch in enumerate(grown[-1].branches):
        assert branch.log_prob == pytest.approx(known[beginning(grown[-1], index)][0], abs=1e-5)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_later_tree_only_adds(temperature):
    decoder = make_decoder(len(MORE_WORDS), 2, sharpness=2)
    grown = trees(decoder, make_annotations(decoder), beam_size=4, temperature=temperature, seed=7)
    assert len(grown) > 2
    for earlier, later in pairwise(grown):
        assert later.branches[: len(earlier.branches)] == earlier.branches
        assert all(branch.parent < index for index, branch in enumerate(later.branches))


def test_a_beam_of_one_is_a_single_line():
    decoder = make_decoder(len(MORE_WORDS), 1)
    tree = trees(decoder, make_annotations(decoder), beam_size=1)[-1]
    assert [branch.parent for branch in tree.branches] == list(range(ROOT, len(tree.branches) - 1))
    assert tree.race == (len(tree.branches) - 1,)


def test_a_caption_of_no_words_grows_nothing():
    nothing = Caption((), np.zeros(0), np.zeros((0, 3, 2)), np.zeros(0), (), finished=False)
    assert SearchTree().grown([nothing]) == SearchTree((), (ROOT,))
    assert SearchTree((), (ROOT,)).path(ROOT) == ()


def test_words_of_equal_spelling_after_other_words_are_other_branches():
    def of(*words):
        count = len(words)
        parts = np.full(count, -1.0), np.zeros((count, 3, 2)), np.zeros(count), ((),) * count
        return Caption(words, *parts, finished=words[-1] == END)

    tree = SearchTree().grown([of("a", "a", END), of("b", "a")])
    assert [(branch.parent, branch.word, branch.log_prob) for branch in tree.branches] == [
        (ROOT, "a", -1),
        (0, "a", -2),
        (1, END, -3),
        (ROOT, "b", -1),
        (3, "a", -2),
    ]
    assert (tree.path(2), tree.path(4)) == ((0, 1, 2), (3, 4))

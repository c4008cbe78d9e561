"""Any word that is typed: the words that begin so, in the order of the whole softmax of the step."""

import numpy as np
import pytest
import torch
from pages import GREEDY, gradient
from tiny import make_checkpoint

from captioner.pipeline import Captioner
from captioner.search import MOST_COMPLETIONS, complete
from captioner.vocabulary import SPECIALS, Vocabulary

WORDS = ["dog", "dogs", "door", "Ärger", "한국어", "ball", "bat", "d", *(f"x{number}" for number in range(20))]


@pytest.fixture
def captioner():
    return Captioner(make_checkpoint())


@torch.inference_mode()
def softmax(captioner, look, before):
    """Every word's probability after these, by the definition of the decoder."""
    vocabulary, decoder = captioner.vocabulary, captioner.decoder
    state = decoder.start(look.annotations)
    for word in vocabulary.encode(before)[:-1]:
        step = decoder.step(look.annotations, state, torch.tensor([word]))
        state = step.state
    chances = step.logits[0].double().softmax(0).tolist()
    return {vocabulary.word(each): chances[each] for each in range(len(vocabulary))}


@pytest.mark.parametrize("before", [[], ["a"], ["a", "dog", "runs"]], ids=str)
@pytest.mark.parametrize("typed", ["", "r", "d", "<", "zz"])
def test_the_order_is_that_of_the_whole_softmax(captioner, before, typed):
    look = captioner.look(gradient())
    chances = softmax(captioner, look, before)
    written = {word: chance for word, chance in chances.items() if word not in SPECIALS or word == "<end>"}
    expected = sorted((word for word in written if word.startswith(typed)), key=lambda word: -written[word])[
        :MOST_COMPLETIONS
    ]
    found = captioner.complete(look, before, typed)
    assert [each.word for each in found.words] == expected
    assert [each.probability for each in found.words] == pytest.approx([written[word] for word in expected], rel=2e-3)
    assert found.known == captioner.vocabulary.known


def test_the_likeliest_are_the_searchs_own_alternatives(captioner):
    look = captioner.look(gradient())
    caption = captioner.caption(look, GREEDY)
    for position, alternatives in enumerate(caption.alternatives):
        found = captioner.complete(look, caption.words[:position], "").words
        assert [each.word for each in found[: len(alternatives)]] == [each.word for each in alternatives]
        assert [each.probability for each in found[: len(alternatives)]] == pytest.approx(
            [each.probability for each in alternatives]
        )


def test_a_long_vocabulary_gives_the_likeliest_that_begin_so():
    vocabulary = Vocabulary.build([WORDS])
    log_probs = np.log(np.random.default_rng(4).dirichlet(np.ones(len(vocabulary))))
    for special in vocabulary.never_written:
        log_probs[special] = -np.inf
    by_chance = sorted(
        (word for word in WORDS if word.startswith("x")), key=lambda word: -log_probs[vocabulary.id(word)]
    )
    assert [each.word for each in complete(log_probs, vocabulary, " X").words] == by_chance[:MOST_COMPLETIONS]
    assert {each.word for each in complete(log_probs, vocabulary, "do").words} == {"dog", "dogs", "door"}


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("dog", "dog"),
        (" Dog ", "dog"),
        ("do", None),
        ("ärger", "Ärger"),
        ("A\u0308rger", "Ärger"),
        ("한국어", "한국어"),
        ("hot dog", None),
        ("", None),
        ("<end>", "<end>"),
        ("<unk>", None),
        ("<start>", None),
        ("<pad>", None),
    ],
)
def test_a_word_that_is_known_is_spelled_as_the_vocabulary_does(typed, word):
    vocabulary = Vocabulary.build([WORDS])
    found = complete(np.zeros(len(vocabulary)), vocabulary, typed)
    assert (found.word, found.known) == (word, len(WORDS))

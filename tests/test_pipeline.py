"""`Captioner` on a tiny whole model: look once, then caption, stream and score."""

import itertools
import math

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import make_checkpoint

from captioner.checkpoint import save_checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.photo import PhotoError, prepare
from captioner.pipeline import Captioner
from captioner.search import SearchSettings, SettingsError
from captioner.vocabulary import MAX_SENTENCE_WORDS

ROUNDING = 1e-2  # searching in half precision, with weights three times as large
MARKUP = "<img src=x onerror=alert(1)>"
CORNERS = [SearchSettings(1), SearchSettings(4), SearchSettings(1, 1.0), SearchSettings(4, 1.0, seed=5)]


@pytest.fixture(scope="module")
def captioner():
    return Captioner(make_checkpoint(sharpness=3))


def photo(seed):
    return np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def look(captioner):
    return captioner.look(photo(0))


def same(one, other, tolerance=0.0):
    assert one.words == other.words
    assert one.finished == other.finished
    for part in ("log_probs", "alphas", "betas"):
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), rtol=0, atol=tolerance)


def test_loads_from_a_folder(tmp_path):
    save_checkpoint(tmp_path, make_checkpoint())
    loaded, direct = Captioner.load(tmp_path), Captioner(make_checkpoint())
    same(loaded.caption(photo(1)), direct.caption(photo(1)))


def test_look_keeps_the_view_and_a_grid_of_annotations(look):
    assert look.view.size == (60, 40)
    assert look.grid == (3, 3)
    assert look.annotations.features.shape == (1, 9, 2048)


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_looks_of_a_batch_equal_single_ones(captioner, settings):
    sources = [photo(0), Image.fromarray(photo(1)), prepare(photo(2), captioner.card.photo)]
    for look, source in zip(captioner.look_many(sources), sources, strict=True):
        for ours, theirs in zip(
            captioner.captions(look, settings), captioner.captions(captioner.look(source), settings), strict=True
        ):
            same(ours, theirs, tolerance=1e-4)
    assert captioner.look_many([]) == []


def test_one_bad_photo_is_named(captioner):
    with pytest.raises(PhotoError):
        captioner.look_many([photo(0), b"no photo"])


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_caption_is_the_streams_last_leader(captioner, look, settings):
    guesses = list(captioner.stream(look, settings))
    same(guesses[-1].leader, captioner.caption(look, settings))
    assert [guess.done for guess in guesses] == [False] * (len(guesses) - 1) + [True]
    for step, guess in enumerate(guesses, start=1):
        if not guess.done:  # the last guess leaves out what did not finish
            assert max(len(caption) for caption in guess.captions) == step
        for caption in guess.captions:
            np.testing.assert_allclose(caption.alphas.sum((1, 2)), 1, atol=1e-5)
            assert caption.alphas.shape == (len(caption), 3, 3)


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_score_equals_what_search_reported(captioner, look, settings):
    for caption in captioner.captions(look, settings):
        if caption.finished and len(caption) > 1:
            same(captioner.score(look, caption.words[:-1]), caption, tolerance=1e-5)


def test_score_of_a_sentence_is_the_decoders_arithmetic(captioner, look):
    caption = captioner.score(look, "A dog, a ZEBRA runs!")
    assert caption.words == ("a", "dog", "a", "zebra", "runs", "<end>")
    assert caption.unknown == (("zebra",), len(captioner.vocabulary) - 4)
    assert math.isnan(caption.log_prob)
    ids = [captioner.vocabulary.start, *(captioner.vocabulary.id(word) for word in caption.words)]
    with torch.inference_mode():
        state = captioner.decoder.start(look.annotations)
        for place, (word, following) in enumerate(itertools.pairwise(ids)):
            step = captioner.decoder.step(look.annotations, state, torch.tensor([word]))
            state = step.state
            known = following != captioner.vocabulary.unk
            expected = step.logits[0].log_softmax(0)[following].item() if known else math.nan
            assert caption.log_probs[place] == pytest.approx(expected, abs=ROUNDING, nan_ok=True)
            np.testing.assert_allclose(caption.alphas[place].ravel(), step.alpha[0], atol=ROUNDING)


@pytest.mark.parametrize("sentence", ["", " ,.! ", [], "a " * (MAX_SENTENCE_WORDS + 1)])
def test_sentences_of_no_or_too_many_words(captioner, look, sentence):
    with pytest.raises(SettingsError, match="1 to 50 words"):
        captioner.score(look, sentence)
    assert len(captioner.score(look, "a " * MAX_SENTENCE_WORDS)) == MAX_SENTENCE_WORDS + 1


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_forced_beginning(captioner, look, settings):
    for beginning, words in [("A dog", ("a", "dog")), ([MARKUP, "개가"], (MARKUP, "개가")), ("", ())]:
        for caption in captioner.captions(look, settings, beginning):
            assert caption.words[: len(words)] == words


@pytest.mark.parametrize(
    ("beginning", "message"),
    [
        ("a zebra", "'zebra'"),
        (["<pad>"], "'<pad>'"),
        (["<end>", "a"], "'<end>'"),
        (["<end>", "<end>"], "'<end>'"),
        (["<unk>"], "'<unk>'"),
        ("a " * 41, "at most 40 words, got 41"),
        ([*["a"] * 40, "<end>"], "at most 40 words, got 41"),
    ],
)
def test_beginnings_that_cannot_be(captioner, look, beginning, message):
    with pytest.raises(SettingsError, match=message):
        captioner.caption(look, beginning=beginning)


def test_a_beginning_may_fill_all_but_the_last_word_or_all(captioner, look):
    caption = captioner.caption(look, SearchSettings(2, max_length=4), "a a dog")
    assert len(caption) == 4
    caption = captioner.caption(look, SearchSettings(2, max_length=4), "a a dog dog")
    assert caption.words == ("a", "a", "dog", "dog")
    assert not caption.finished


def test_without_settings_the_cards_own_hold(captioner, look):
    card = captioner.card
    expected = SearchSettings(card.beam_size, length_penalty=card.length_penalty, may_repeat=frozenset())
    same(captioner.caption(look), captioner.caption(look, expected))
    assert len(captioner.captions(look)) <= card.beam_size


def test_same_seed_bit_for_bit_from_the_photo_on(captioner):
    settings = SearchSettings(3, 1.2, seed=9)
    one, other = (captioner.captions(captioner.look(photo(4)), settings) for _ in range(2))
    assert [caption.alphas.tobytes() for caption in one] == [caption.alphas.tobytes() for caption in other]
    assert [caption.words for caption in one] == [caption.words for caption in other]
    drawn = {
        captioner.captions(captioner.look(photo(4)), SearchSettings(3, 1.2, seed=seed))[0].words for seed in range(6)
    }
    assert len(drawn) > 1


def test_captions_cut_short_say_so(captioner, look):
    captions = captioner.captions(look, SearchSettings(1, max_length=1), "")
    for caption in captions:
        assert caption.finished == (caption.words[-1] == "<end>")
        assert len(caption) == 1


@pytest.fixture
def encoded(captioner, monkeypatch):
    """The shapes of all that is encoded."""
    shapes, compute = [], captioner.encoder._compute
    monkeypatch.setattr(
        captioner.encoder, "_compute", lambda photos: shapes.append(tuple(photos.shape)) or compute(photos)
    )
    return shapes


def test_a_model_on_another_photo_size_sees_that_size(captioner, encoded):
    captioner.look(photo(0))
    assert encoded == [(1, 3, 64, 64)]


def test_a_photo_is_encoded_once_for_many_searches(captioner, encoded):
    look = captioner.look(photo(0))
    for settings in CORNERS:
        captioner.captions(look, settings)
    list(captioner.stream(look))
    captioner.score(look, "a dog runs")
    assert len(encoded) == 1


def test_only_the_stream_builds_the_captions_on_the_way(captioner, look, monkeypatch):
    built, build = [], Captioner._caption
    monkeypatch.setattr(Captioner, "_caption", lambda *inputs: built.append(inputs) or build(*inputs))
    found = captioner.captions(look, SearchSettings(3))
    assert len(built) == len(found)


def test_a_model_that_cannot_be_folded_is_searched_as_it_is():
    whole = make_checkpoint()
    torch.manual_seed(1)
    decoder = Decoder(DecoderConfig(len(whole.vocabulary), hidden_size=12, attention_size=7, gate="feature")).eval()
    captioner = Captioner(whole._replace(decoder=decoder))
    look = captioner.look(photo(0))
    caption = captioner.caption(look, SearchSettings(1, max_length=3))
    ids = [captioner.vocabulary.id(word) for word in caption.words]
    with torch.inference_mode():
        step = decoder.step(look.annotations, decoder.start(look.annotations), torch.tensor([whole.vocabulary.start]))
    assert caption.log_probs[0] == pytest.approx(step.logits[0].log_softmax(0)[ids[0]].item(), abs=1e-5)

"""The folded decoder against `Decoder`, step by step and through whole searches."""

import numpy as np
import pytest
import torch
from tiny import COLUMNS, ROWS, make_annotations, make_decoder, make_vocabulary

from captioner.decoder import DecoderState
from captioner.folded_decoder import FoldedDecoder, foldable
from captioner.search import SearchSettings, search

WORDS = make_vocabulary("a", "b", "c", "d", "e")
FORMS = [{"output": output, "activation": each} for output in ("deep", "plain") for each in ("tanh", "relu")]


def state_of(rows, size=6):
    random = torch.Generator().manual_seed(2)
    return DecoderState(*(torch.randn(rows, size, generator=random) for _ in range(2)))


def pair(seed=0, photos=3, exact=True, **forms):
    """A decoder and its folded form, each with its annotations of the same photos."""
    decoder = make_decoder(len(WORDS), seed, sharpness=2, **forms)
    annotations, folded = make_annotations(decoder, photos), FoldedDecoder(decoder, exact=exact)
    return decoder, annotations, folded, folded.annotate(annotations)


@pytest.mark.parametrize("forms", FORMS, ids=str)
@pytest.mark.parametrize("forced", [False, True], ids=["own", "forced"])
@pytest.mark.parametrize(("exact", "tolerance"), [(True, 2e-5), (False, 0.03)], ids=["exact", "fast"])
@torch.no_grad()
def test_a_step_is_the_decoders(forms, forced, exact, tolerance):
    decoder, annotations, folded, folded_annotations = pair(exact=exact, **forms)
    state, words = state_of(3 * 4), torch.arange(3 * 4) % len(WORDS)
    alpha = torch.rand(ROWS * COLUMNS).softmax(0) if forced else None
    expected = decoder.step(annotations, state, words, alpha)
    found = folded.step(folded_annotations, state, words, alpha)
    for ours, theirs in zip((*found[:3], *found.state), (*expected[:3], *expected.state), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=tolerance)
    if forced:
        np.testing.assert_allclose(found.alpha, alpha.expand(12, -1))


@torch.no_grad()
def test_the_first_state_is_the_decoders():
    decoder, annotations, folded, folded_annotations = pair()
    for ours, theirs in zip(folded.start(folded_annotations), decoder.start(annotations), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("settings", [SearchSettings(1), SearchSettings(4), SearchSettings(3, 1.0, seed=3)], ids=str)
@pytest.mark.parametrize("forms", FORMS[::3], ids=str)
def test_a_search_finds_the_same(settings, forms):
    for seed in range(5):
        decoder, annotations, folded, folded_annotations = pair(seed, **forms)
        *_, expected = search(decoder, annotations, WORDS, settings)
        *_, found = search(folded, folded_annotations, WORDS, settings)
        for ours, theirs in zip(found, expected, strict=True):
            assert [each.tokens for each in ours.hypotheses] == [each.tokens for each in theirs.hypotheses]
            for our, their in zip(ours.hypotheses, theirs.hypotheses, strict=True):
                assert our.log_prob == pytest.approx(their.log_prob, abs=1e-3)


def test_photos_are_selected_whole():
    _, annotations, _, folded_annotations = pair(photos=4)
    for whole in (annotations, folded_annotations):
        selected = whole.select([3, 1])
        assert type(selected) is type(whole)
        for part, some in zip(whole, selected, strict=True):
            assert torch.equal(some, torch.stack([part[3], part[1]]))


def test_one_gate_a_feature_cannot_be_folded():
    decoder = make_decoder(len(WORDS), gate="feature")
    assert not foldable(decoder)
    with pytest.raises(ValueError, match="gate"):
        FoldedDecoder(decoder)

"""Facts about the checkpoint that comes with the project; its captions themselves are not asserted."""

import re

import numpy as np
import pytest
from skimage import data

from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from captioner.search import SearchSettings
from captioner.training.recipes import read_recipe

pytestmark = pytest.mark.skipif(not DEFAULT_CHECKPOINT.is_dir(), reason=f"no checkpoint in {DEFAULT_CHECKPOINT}")


@pytest.fixture(scope="module")
def captioner():
    return Captioner.load()


@pytest.fixture(scope="module")
def looks(captioner):
    return captioner.look_many([data.astronaut(), data.chelsea(), data.rocket()])


def test_is_a_dilated_resnet_101_on_a_14_by_14_grid(captioner, looks):
    assert captioner.card.encoder.blocks == (3, 4, 23, 3)
    assert captioner.card.encoder.dilated
    assert looks[0].grid == (14, 14)
    assert captioner.card.photo.size == 256
    assert captioner.card.decoder.output == "deep"


def test_fits_into_one_file_under_60_mb(captioner):
    # A float16 checkpoint, the fallback where int8 costs too much, must stay under what a Git host accepts.
    limit = 60e6 if captioner.card.storage == "int8" else 95e6
    assert (DEFAULT_CHECKPOINT / "model.safetensors").stat().st_size < limit


def test_different_photos_get_different_captions(captioner, looks):
    texts = {captioner.caption(look).text for look in looks}
    assert len(texts) == len(looks)


def test_captions_are_whole_sentences_of_known_words(captioner, looks):
    for look in looks:
        for caption in captioner.captions(look):
            assert caption.finished
            assert caption.words[-1] == "<end>"
            assert 3 <= len(caption.words) <= 40
            assert all(word in captioner.vocabulary for word in caption.words)
            assert not {"<unk>", "<pad>", "<start>"} & set(caption.words)


def test_different_words_get_different_maps_that_sum_to_one(captioner, looks):
    caption = captioner.caption(looks[0])
    np.testing.assert_allclose(caption.alphas.sum((1, 2)), 1, atol=1e-5)
    assert caption.alphas.shape == (len(caption), 14, 14)
    for one, other in zip(caption.alphas, caption.alphas[1:], strict=False):
        assert np.abs(one - other).sum() > 0.01
    assert caption.alphas.max() > 2 / 196, "no map prefers any cell"
    assert ((caption.betas > 0) & (caption.betas < 1)).all()


def test_same_photo_settings_and_seed_give_the_same_bit_for_bit(captioner):
    settings = SearchSettings(3, 1.0, seed=4)
    results = [captioner.captions(captioner.look(data.astronaut()), settings) for _ in range(2)]
    for one, other in zip(*results, strict=True):
        assert one.words == other.words
        assert one.alphas.tobytes() == other.alphas.tobytes()
        assert one.log_probs.tobytes() == other.log_probs.tobytes()


def test_score_equals_what_the_search_reported(captioner, looks):
    caption = captioner.caption(looks[1])
    scored = captioner.score(looks[1], caption.text)
    assert scored.words == caption.words
    np.testing.assert_allclose(scored.log_probs, caption.log_probs, atol=1e-4)
    np.testing.assert_allclose(scored.alphas, caption.alphas, atol=1e-5)


def test_the_caption_belongs_to_its_photo(captioner, looks):
    """Each photo's caption is likelier for it than for the others: the model reads the photo."""
    texts = [captioner.caption(look).text for look in looks]
    scores = np.array([[captioner.score(look, text).log_prob for text in texts] for look in looks])
    assert (scores.argmax(axis=0) == np.arange(len(looks))).all()


def test_its_recipe_can_be_followed(captioner):
    """Its options are `train`'s, it ends with what is bundled, and every file that it needs is named with its hash."""
    recipe = read_recipe(DEFAULT_CHECKPOINT / "recipe.json")
    last = recipe.stages[-1]
    assert not last.ran, "what ships was made by a stage that anyone can run"
    assert last.train["storage"] == captioner.card.storage
    assert [stage.name for stage in recipe.stages if stage.ran] == ["encoder", "begun"]
    assert "start" in recipe.files
    assert all(re.fullmatch("[0-9a-f]{64}", each.sha256) and each.origin for each in recipe.files.values())

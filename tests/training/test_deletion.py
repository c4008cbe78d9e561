import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid

from captioner.decoder import Decoder, DecoderConfig
from captioner.training.measures.attention import CURVE_STEPS, CaptionMaps, Named, deletion_curve, deletion_scores

WORDS = (10, 1, 4, 2, 11)  # <start>, three words, <end>


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    decoder = Decoder(DecoderConfig(12, 5, 4, 6, 3)).eval()
    with torch.no_grad():
        for weights in decoder.parameters():
            weights.mul_(4)
    return decoder


def make_noun(decoder, features, filename="a.jpg", position=1):
    with torch.inference_mode():
        alphas = decoder(features[None], torch.tensor([WORDS]), torch.tensor([len(WORDS)])).alphas[0]
    return Named(CaptionMaps(filename, WORDS, alphas.view(4, 2, 3).numpy()), position, ((0.0, 0.0, 0.5, 0.5),))


def log_prob(decoder, features, position):
    """Of the word at ``position``, by the teacher-forced pass over the whole caption."""
    with torch.inference_mode():
        forced = decoder(features[None], torch.tensor([WORDS]), torch.tensor([len(WORDS)]))
    return float(forced.logits.log_softmax(1)[position, WORDS[position + 1]])


def by_hand(decoder, features, order, position):
    """One cell after the other; on 6 cells the 15 shares fall on these numbers of deleted cells."""
    values = []
    for step in range(CURVE_STEPS + 1):
        changed = features.clone()
        for cell in order[: round(6 * step / CURVE_STEPS)]:
            changed[cell] = features.mean(dim=0)
        values.append(log_prob(decoder, changed, position))
    return values


@pytest.mark.parametrize("position", [0, 1, 3])
@torch.inference_mode()
def test_the_curve_is_that_of_deleting_cell_by_cell(decoder, position):
    features = torch.randn(6, 5)
    order = [3, 0, 5, 1, 4, 2]
    found = deletion_curve(decoder, features, make_noun(decoder, features, position=position), torch.tensor(order))
    np.testing.assert_allclose(found, by_hand(decoder, features, order, position), rtol=1e-4, atol=1e-5)


def test_areas_are_by_the_trapezoid_rule_in_the_orders_of_the_map(decoder):
    features = torch.randn(6, 5)
    noun = make_noun(decoder, features)
    found = deletion_scores(decoder, [noun], lambda names: features[None])
    order = sorted(range(6), key=lambda cell: -noun.alpha.ravel()[cell])
    deletion, insertion = (by_hand(decoder, features, each, 1) for each in (order, order[::-1]))
    assert found["deletion"] == pytest.approx(trapezoid(deletion, dx=1 / CURVE_STEPS), rel=1e-4)
    assert found["insertion"] == pytest.approx(trapezoid(insertion, dx=1 / CURVE_STEPS), rel=1e-4)
    assert found["whole photo"] == pytest.approx(log_prob(decoder, features, 1), rel=1e-4)
    alone = features.mean(dim=0).expand(6, 5)
    assert found["mean annotation alone"] == pytest.approx(log_prob(decoder, alone, 1), rel=1e-4)


def test_the_sample_follows_from_the_seed(decoder):
    photos = {f"{number}.jpg": torch.randn(6, 5) for number in range(6)}
    nouns = [make_noun(decoder, features, name) for name, features in photos.items()]

    def scores(seed, sample):
        annotate = lambda names: torch.stack([photos[name] for name in names])
        return deletion_scores(decoder, nouns, annotate, sample=sample, seed=seed)

    assert scores(0, 2)["words"] == 2
    assert scores(0, 2) == scores(0, 2)
    assert scores(0, 2) != scores(1, 2)
    assert scores(0, 6)["deletion"] == pytest.approx(scores(1, 6)["deletion"])  # all nouns, the same orders
    assert scores(0, 6)["random order"] != scores(1, 6)["random order"]
    assert deletion_scores(decoder, [], lambda names: torch.zeros(0)) == {"words": 0}

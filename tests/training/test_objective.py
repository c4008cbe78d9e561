import math

import numpy as np
import pytest
import torch

from captioner.decoder import Decoder, DecoderConfig, TeacherForced
from captioner.training.data.concepts import Regions
from captioner.training.objective import ObjectiveConfig, doubly_stochastic, objective, region_loss

PLAIN = ObjectiveConfig(label_smoothing=0.0, doubly_stochastic=0.0)


def forced(logits, targets, alphas):
    return TeacherForced(torch.tensor(logits), torch.tensor(targets), torch.tensor(alphas), torch.zeros(len(targets)))


def test_cross_entropy_is_the_hand_calculation():
    # softmax(0, ln 3) = (1/4, 3/4); softmax(ln 9, 0) = (9/10, 1/10)
    two_words = forced([[0.0, math.log(3)], [math.log(9), 0.0]], [1, 1], np.full((1, 2, 4), 0.25).tolist())
    loss = objective(two_words, PLAIN)
    assert float(loss.words) == pytest.approx(-(math.log(3 / 4) + math.log(1 / 10)) / 2)
    assert float(loss.total) == float(loss.words)


def test_label_smoothing_is_the_hand_calculation():
    smoothed = objective(
        forced([[0.0, math.log(3)]], [1], np.full((1, 1, 4), 0.25).tolist()), ObjectiveConfig(0.2, 0.0)
    )
    # the target has 0.8 + 0.2/2, the other word 0.2/2
    assert float(smoothed.words) == pytest.approx(-(0.9 * math.log(3 / 4) + 0.1 * math.log(1 / 4)))


def test_doubly_stochastic_term_is_the_hand_calculation():
    alphas = torch.tensor([[[0.5, 0.5, 0.0], [0.2, 0.2, 0.6]]])  # sums over time: 0.7, 0.7, 0.6
    assert float(doubly_stochastic(alphas)) == pytest.approx((0.3**2 + 0.3**2 + 0.4**2) / 3)
    loss = objective(
        TeacherForced(torch.zeros(2, 5), torch.tensor([0, 1]), alphas, torch.zeros(2)), ObjectiveConfig(0.0, 2.0)
    )
    assert float(loss.total - loss.words) == pytest.approx(2 * (0.3**2 + 0.3**2 + 0.4**2) / 3)


def test_uniform_attention_over_as_many_steps_as_cells_gives_no_penalty():
    assert float(doubly_stochastic(torch.full((3, 6, 6), 1 / 6))) == pytest.approx(0, abs=1e-12)
    assert float(doubly_stochastic(torch.full((3, 5, 6), 1 / 6))) == pytest.approx((1 / 6) ** 2)


def test_region_loss_is_the_hand_calculation():
    alphas = torch.tensor([[[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]])
    regions = Regions(torch.tensor([0, 0]), torch.tensor([0, 1]), torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    assert float(region_loss(alphas, regions)) == pytest.approx(-(math.log(0.65) + math.log(0.8)) / 2)
    assert float(region_loss(alphas, None)) == 0


def test_padding_changes_nothing():
    torch.manual_seed(0)
    decoder = Decoder(DecoderConfig(9, 5, 4, 6, 3)).eval()
    features = torch.randn(2, 6, 5)
    captions = torch.tensor([[7, 1, 2, 8, 0], [7, 3, 8, 0, 0]])
    lengths = torch.tensor([4, 3])
    short = objective(decoder(features, captions, lengths), ObjectiveConfig())
    wider = torch.nn.functional.pad(captions, (0, 7), value=5)  # other ids past the end
    wider[1, 3:] = 4
    long = objective(decoder(features, wider, lengths), ObjectiveConfig())
    assert [part.item() for part in long] == pytest.approx([part.item() for part in short], rel=1e-6)


def test_words_are_the_mean_over_real_words_of_the_step_loop():
    torch.manual_seed(1)
    decoder = Decoder(DecoderConfig(9, 5, 4, 6, 3)).eval()
    features = torch.randn(2, 6, 5)
    captions = torch.tensor([[7, 1, 2, 4, 8], [7, 3, 8, 0, 0]])
    lengths = torch.tensor([5, 3])
    surprises = []
    for row in range(2):
        annotations = decoder.annotate(features[row : row + 1])
        state = decoder.start(annotations)
        for position in range(int(lengths[row]) - 1):
            step = decoder.step(annotations, state, captions[row, position : position + 1])
            state = step.state
            surprises.append(-float(step.logits.log_softmax(1)[0, captions[row, position + 1]].detach()))
    assert objective(decoder(features, captions, lengths), PLAIN).words.item() == pytest.approx(np.mean(surprises))

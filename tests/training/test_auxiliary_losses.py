import numpy as np
import pytest
import torch

from captioner.training.data.concepts import ConceptTargets
from captioner.training.objective import AuxiliaryConfig, AuxiliaryLosses, AuxiliaryTargets
from captioner.training.teachers import on_one_grid

PHOTOS, CELLS, SIZE, CONCEPTS, TAUGHT = 2, 3, 5, 4, 6


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cross_entropy(logits, targets):
    chance = sigmoid(logits)
    return -(targets * np.log(chance) + (1 - targets) * np.log(1 - chance))


def test_the_loss_is_the_one_stated():
    torch.manual_seed(0)
    losses = AuxiliaryLosses(AuxiliaryConfig(concepts=0.5, teacher=2.0), SIZE, torch.rand(CONCEPTS), [TAUGHT]).eval()
    features, taught = torch.randn(PHOTOS, CELLS, SIZE), 3 * torch.randn(PHOTOS, CELLS, TAUGHT)
    placed = torch.tensor([[True, False, True, True], [False, True, True, False]])
    targets = ConceptTargets(torch.rand(PHOTOS, CONCEPTS), torch.rand(PHOTOS, CELLS, CONCEPTS), placed)
    with torch.no_grad():
        found = losses(features, AuxiliaryTargets(targets, (taught,))).item()
        cells = (features @ losses.cells.weight.T + losses.cells.bias).double().numpy()
        mean = (features.mean(1) @ losses.photo.weight.T + losses.photo.bias).double().numpy()
        told = (features @ losses.teachers[0].weight.T + losses.teachers[0].bias).double().numpy()
    whole = mean + 0.5 * np.log(np.exp(cells).mean(axis=1))
    concepts = cross_entropy(whole, targets.present.double().numpy()).sum(axis=1).mean()
    known = placed.numpy()[:, None].repeat(CELLS, axis=1)
    concepts += (cross_entropy(cells, targets.inside.double().numpy()) * known).sum(axis=2).mean()
    apart = np.abs(told - taught.double().numpy())
    huber = np.where(apart < 1, apart**2 / 2, apart - 0.5).mean()
    assert found == pytest.approx(0.5 * concepts / 2 + 2.0 * huber, rel=1e-5)


def test_a_concept_begins_at_its_frequency():
    frequency = torch.tensor([0.01, 0.3])
    losses = AuxiliaryLosses(AuxiliaryConfig(concepts=1.0), SIZE, frequency).eval()
    features = torch.zeros(1, CELLS, SIZE)
    logits = losses.photo_logits(features, losses.cells(features))
    torch.testing.assert_close(logits.sigmoid()[0], frequency)


def test_what_is_not_taught_costs_nothing():
    losses = AuxiliaryLosses(AuxiliaryConfig(), SIZE, torch.ones(1))
    assert losses(torch.randn(1, CELLS, SIZE), AuxiliaryTargets(None)) == 0
    assert not AuxiliaryConfig().any


def test_features_are_compared_on_the_coarser_grid():
    fine = torch.arange(16.0).view(1, 16, 1)
    coarse = torch.zeros(1, 4, 1)
    for first, second in (on_one_grid(fine, coarse), reversed(on_one_grid(coarse, fine))):
        assert first[0, :, 0].tolist() == [2.5, 4.5, 10.5, 12.5]  # means of 2×2 cells
        assert second.shape == (1, 4, 1)

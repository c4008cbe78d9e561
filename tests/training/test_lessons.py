import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import densenet169

from captioner.training.concepts import ConceptTargets
from captioner.training.karpathy import DatasetError
from captioner.training.lessons import LessonConfig, Lessons, LessonTargets
from captioner.training.teacher import Teacher

PHOTOS, CELLS, SIZE, CONCEPTS, TAUGHT = 2, 3, 5, 4, 6


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cross_entropy(logits, targets):
    chance = sigmoid(logits)
    return -(targets * np.log(chance) + (1 - targets) * np.log(1 - chance))


def test_the_loss_is_the_one_stated():
    torch.manual_seed(0)
    lessons = Lessons(LessonConfig(concepts=0.5, teacher=2.0), SIZE, torch.rand(CONCEPTS), TAUGHT).eval()
    features, taught = torch.randn(PHOTOS, CELLS, SIZE), 3 * torch.randn(PHOTOS, CELLS, TAUGHT)
    placed = torch.tensor([[True, False, True, True], [False, True, True, False]])
    targets = ConceptTargets(torch.rand(PHOTOS, CONCEPTS), torch.rand(PHOTOS, CELLS, CONCEPTS), placed)
    with torch.no_grad():
        found = lessons(features, LessonTargets(targets, taught)).item()
        cells = (features @ lessons.cells.weight.T + lessons.cells.bias).double().numpy()
        mean = (features.mean(1) @ lessons.photo.weight.T + lessons.photo.bias).double().numpy()
        told = (features @ lessons.teacher.weight.T + lessons.teacher.bias).double().numpy()
    whole = mean + 0.5 * np.log(np.exp(cells).mean(axis=1))
    concepts = cross_entropy(whole, targets.present.double().numpy()).sum(axis=1).mean()
    known = placed.numpy()[:, None].repeat(CELLS, axis=1)
    concepts += (cross_entropy(cells, targets.inside.double().numpy()) * known).sum(axis=2).mean()
    apart = np.abs(told - taught.double().numpy())
    huber = np.where(apart < 1, apart**2 / 2, apart - 0.5).mean()
    assert found == pytest.approx(0.5 * concepts / 2 + 2.0 * huber, rel=1e-5)


def test_a_concept_begins_at_its_frequency():
    frequency = torch.tensor([0.01, 0.3])
    lessons = Lessons(LessonConfig(concepts=1.0), SIZE, frequency, 1).eval()
    features = torch.zeros(1, CELLS, SIZE)
    logits = lessons.photo_logits(features, lessons.cells(features))
    torch.testing.assert_close(logits.sigmoid()[0], frequency)


def test_what_is_not_taught_costs_nothing():
    lessons = Lessons(LessonConfig(), SIZE, torch.ones(1), 1)
    assert lessons(torch.randn(1, CELLS, SIZE), LessonTargets(None, None)) == 0
    assert not LessonConfig(text=1.0).of_encoder


def test_the_teacher_is_torchvisions_densenet_standardised(tmp_path):
    torch.manual_seed(0)
    network = densenet169(weights=None).eval()
    save_file(network.features.state_dict(), tmp_path / "teacher.safetensors")
    teacher = Teacher(tmp_path / "teacher.safetensors")
    photos = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        expected = network.features(photos).relu().flatten(2).transpose(1, 2)
    torch.testing.assert_close(teacher(photos), expected.clamp(-5, 5))
    teacher.standardise(photos)
    cells = expected.flatten(0, 1)
    standardised = (expected - cells.mean(dim=0)) / (cells.std(dim=0) + 0.01)
    torch.testing.assert_close(teacher(photos), standardised.clamp(-5, 5), atol=1e-4, rtol=1e-4)


def test_another_file_is_refused_as_a_teacher(tmp_path):
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(DatasetError, match="holds no DenseNet-169"):
        Teacher(tmp_path / "other.safetensors")

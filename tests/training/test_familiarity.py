"""Familiarity: fitted to training photos, stored beside a model, and weighed against scores."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.stats import spearmanr
from tiny import make_checkpoint

from captioner.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from captioner.familiarity import Familiarity, directions
from captioner.pipeline import Captioner
from captioner.training.measures.familiarity import fit, tells


def clusters(count, seed=0):
    """Means in three directions of 40 dimensions, with a little noise."""
    random = np.random.default_rng(seed)
    axes = np.random.default_rng(99).normal(size=(3, 40))
    return (axes[random.integers(3, size=count)] * 5 + random.normal(size=(count, 40))).astype(np.float32)


@pytest.fixture(scope="module")
def known():
    return fit(clusters(600), components=8, centres=5)


def test_components_are_the_principal_ones(known):
    means = clusters(600)
    values, vectors = np.linalg.eigh(np.cov(means.T))
    agreement = np.abs(known.components @ vectors[:, ::-1][:, :2])
    np.testing.assert_allclose(np.linalg.norm(agreement, axis=0), 1, atol=1e-2)  # the two that hold the clusters
    assert values[-2] > 5 * values[-3]
    np.testing.assert_allclose(known.components @ known.components.T, np.eye(8), atol=1e-2)


def test_what_lies_elsewhere_is_stranger_than_what_was_seen(known):
    seen = known.similarity(clusters(200, seed=1))
    elsewhere = known.similarity(np.random.default_rng(2).normal(size=(200, 40)).astype(np.float32) * 5)
    assert np.median(elsewhere) < np.quantile(seen, 0.05)
    direct = directions(clusters(200, seed=1), known.mean, known.components) @ known.centres.T
    np.testing.assert_array_equal(seen, direct.max(axis=1))


def test_the_share_of_stranger_photos_is_that_of_the_training_photos(known):
    means = clusters(600)
    similarity = known.similarity(means)
    for row in range(0, 600, 37):
        share = (similarity < similarity[row]).mean()
        found = known.of(np.stack([means[row]] * 6))
        assert found.stranger == pytest.approx(share, abs=0.02)
        assert found.level == ("unlike" if found.stranger < 0.1 else "like" if found.stranger < 0.5 else "much like")


def test_a_measure_is_weighed_as_scipy_weighs_it():
    random = np.random.default_rng(0)
    measure = random.normal(size=400)
    scores = measure + random.normal(size=400)
    found = tells(measure, scores)
    assert found.correlation == pytest.approx(spearmanr(measure, scores).statistic)
    assert found.interval[0] < found.correlation < found.interval[1]
    error = (1 - found.correlation**2) * ((1 + found.correlation**2 / 2) / 397) ** 0.5  # Bonett and Wright (2000)
    assert (found.interval[1] - found.interval[0]) / 2 == pytest.approx(1.96 * error, rel=0.2)
    assert found.holds
    assert not tells(random.normal(size=400), random.normal(size=400)).holds
    order = np.argsort(measure)
    assert [each.photos for each in found.fifths] == [80] * 5
    assert found.fifths[0].score == pytest.approx(scores[order[:80]].mean())
    assert found.fifths[4].score == pytest.approx(scores[order[320:]].mean())


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    known = fit(random.normal(size=(50, 2048)).astype(np.float32) ** 2, components=4, centres=3)
    save_checkpoint(tmp_path, make_checkpoint()._replace(familiarity=known))
    return tmp_path


def test_it_is_stored_beside_the_model_and_read_back(folder):
    loaded = load_checkpoint(folder)
    photo = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    look = Captioner(loaded).look(photo)
    expected = loaded.familiarity.of(look.annotations.features[0].numpy())
    assert look.familiar == expected
    again = load_checkpoint(folder.parent / "again") if save_checkpoint(folder.parent / "again", loaded) else None
    for one, other in zip(loaded.familiarity, again.familiarity, strict=True):
        np.testing.assert_array_equal(one, other)
    assert Captioner(make_checkpoint()).look(photo).familiar is None


def test_a_changed_byte_is_refused(folder):
    path = folder / "familiarity.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"familiarity\.safetensors: expected SHA-256"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts.update(mean=np.zeros(7, np.float32)),
        lambda parts: parts.update(centres=np.zeros((3, 5), np.float32)),
        lambda parts: parts.update(quantiles=np.array([1, 0], np.float32)),
        lambda parts: parts.update(quantiles=np.zeros((2, 2), np.float32)),
    ],
)
def test_parts_that_do_not_fit_are_refused(known, change):
    parts = known._asdict()
    change(parts)
    with pytest.raises(ValueError, match=r"shapes|ascend"):
        Familiarity.checked(**parts)


def test_a_tensor_of_another_name_is_refused(folder):
    path = folder / "familiarity.safetensors"
    save_file({**load_file(path), "more": torch.zeros(1)}, path)
    card = json.loads((folder / "card.json").read_text())
    card["sha256"]["familiarity.safetensors"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match="expected mean, components"):
        load_checkpoint(folder)

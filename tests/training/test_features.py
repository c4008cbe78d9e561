"""Features computed once: exact, taken up again, grown, and read by path in another process."""

import json
import pickle
from functools import partial

import numpy as np
import pytest
import torch

from captioner.encoder import Encoder, EncoderConfig
from captioner.photo import PhotoFormat, prepare
from captioner.training.data.batches import BatchDataset, BatchPlan
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.features import CachedFeatures, FeatureCache, compute_features, fingerprint
from captioner.vocabulary import Vocabulary

FORM = PhotoFormat(64)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return Encoder(EncoderConfig((1, 1, 1, 1), grid=4)).eval()


def names(count, first=0):
    return [f"{number}.png" for number in range(first, first + count)]


@torch.inference_mode()
def exact(encoder, collection, filenames):
    return encoder(torch.stack([prepare(collection.photos / name, FORM).tensor for name in filenames]))


def test_features_are_the_encoders_and_are_taken_up_again(encoder, collection, tmp_path):
    made = partial(compute_features, encoder, FORM, collection.photos, names(5), tmp_path, batch_size=2)
    made(photos_a_shard=2, process=(1, 2))  # the second of the shards of 2, 2 and 1 photos
    assert [path.name for path in tmp_path.glob("*.npy")] == ["features-00001.npy"]
    assert FeatureCache(tmp_path).missing(names(5)) == ["0.png", "1.png", "4.png"]
    with pytest.raises(DatasetError, match=r"lacks the features of 0.png"):
        FeatureCache(tmp_path).photo("0.png")
    untouched = (tmp_path / "features-00001.npy").stat().st_mtime_ns
    made(workers=1)
    assert (tmp_path / "features-00001.npy").stat().st_mtime_ns == untouched
    cache = FeatureCache(tmp_path)
    expected = exact(encoder, collection, names(5))
    assert (cache.read(names(5)).float() - expected).norm() / expected.norm() < 0.03  # bfloat16 has 8 bits
    assert cache.encoder == fingerprint(encoder)
    assert torch.equal(cache.photo("3.png"), cache.read(names(5))[3])
    some = np.array([0, 5, 9])
    assert torch.equal(cache.photo("3.png", cells=some), cache.photo("3.png")[some])


def test_a_cache_may_hold_more_photos_than_are_asked_for_and_grows_by_those_it_lacks(encoder, collection, tmp_path):
    def fill(filenames):
        compute_features(encoder, FORM, collection.photos, filenames, tmp_path, photos_a_shard=3)

    fill(names(5, first=2))
    before = FeatureCache(tmp_path).read(names(5, first=2))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    fill(names(3, first=3))  # two photos were removed from the data set
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    fill(names(8))  # 0, 1 and 7 are new: the half-full second shard is filled up
    cache = FeatureCache(tmp_path)
    assert torch.equal(cache.read(names(5, first=2)), before)
    expected = exact(encoder, collection, names(8))
    assert (cache.read(names(8)).float() - expected).norm() / expected.norm() < 0.03
    assert [len(np.load(path)) for path in sorted(tmp_path.glob("*.npy"))] == [3, 3, 2]


def test_another_encoders_features_are_refused(encoder, collection, tmp_path):
    compute_features(encoder, FORM, collection.photos, names(2), tmp_path)
    other = Encoder(EncoderConfig((1, 1, 1, 1), grid=4))
    with pytest.raises(DatasetError, match="another encoder"):
        compute_features(other, FORM, collection.photos, names(2), tmp_path)
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(DatasetError, match="no feature cache"):
        FeatureCache(tmp_path)


def test_a_cache_travels_to_another_process_as_its_path(encoder, collection, tmp_path):
    for folder, mirrored in (("plain", False), ("turned", True)):
        compute_features(encoder, FORM, collection.photos, names(6), tmp_path / folder, mirrored=mirrored)
    cache = FeatureCache(tmp_path / "plain", FeatureCache(tmp_path / "turned"))
    expected = cache.read(names(6), [True, False] * 3)
    sent = pickle.dumps(cache)
    assert len(sent) < 1000 < expected.numel()
    assert torch.equal(pickle.loads(sent).read(names(6), [True, False] * 3), expected)


def test_batches_of_cached_features_travel_without_them(encoder, collection, tmp_path):
    """As to a worker that was spawned."""
    compute_features(encoder, FORM, collection.photos, names(12), tmp_path)
    examples = [Example(name, "train", (("a", "square"),)) for name in names(12)]
    load = CachedFeatures({"": FeatureCache(tmp_path)})
    load(examples)  # all is mapped
    vocabulary = Vocabulary.build([["a", "square"]])
    dataset = BatchDataset(examples, BatchPlan(4).epoch(examples, 0), vocabulary, load, grid=4)
    sent = pickle.dumps(dataset)
    assert len(sent) < 5_000 < (tmp_path / "features-00000.npy").stat().st_size
    assert torch.equal(pickle.loads(sent)[1].inputs, dataset[1].inputs)


def test_the_index_says_which_photos(encoder, collection, tmp_path):
    compute_features(encoder, FORM, collection.photos, names(2), tmp_path, mirrored=True)
    assert json.loads((tmp_path / "index.json").read_text()) == {
        "encoder": fingerprint(encoder), "filenames": names(2), "mirrored": True, "photos_a_shard": 256,
    }  # fmt: skip

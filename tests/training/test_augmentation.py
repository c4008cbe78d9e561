import numpy as np
import pytest
import torch

from captioner.encoder import Encoder, EncoderConfig
from captioner.photo import PhotoFormat
from captioner.training.data.augmentation import WHOLE, Augmentation, Crop, View, framed, mirrored_caption, mirrored_map
from captioner.training.data.batches import BatchDataset, BatchPlan
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.features import CachedFeatures, FeatureCache, PhotoFiles, compute_features
from captioner.vocabulary import Vocabulary

GRID = 4
EXAMPLES = [
    Example(f"{number}.jpg", "train", (("a", "dog", "on", "the", "left"), ("a", "right", "turn")))
    for number in range(40)
]
VOCABULARY = Vocabulary.build(caption for each in EXAMPLES for caption in each.captions)
INSIDE = torch.zeros(GRID, GRID)
INSIDE[1, 0] = 1.0  # the dog is at the left edge


class Cells:
    """A cache of features that say which photo, which side and which cell they are of."""

    def photo(self, filename, mirrored, cells):
        shown = torch.arange(GRID * GRID).float() if cells is None else torch.from_numpy(cells).float()
        number = float(filename.split(".")[0])
        return torch.stack([shown, torch.full_like(shown, number), torch.full_like(shown, float(mirrored))], 1)


class Boxes:
    def regions(self, filename, caption, crop):
        return [(1, INSIDE.flatten())] if caption == 0 else []


def batches(augmentation, epoch=0, captions=2):
    plan = BatchPlan(photos=8, captions_per_photo=captions, seed=3)
    load = CachedFeatures({"": Cells()})
    dataset = BatchDataset(
        EXAMPLES,
        plan.epoch(EXAMPLES, epoch),
        VOCABULARY,
        load,
        grid=GRID,
        entities={"": Boxes()},
        augmentation=augmentation,
    )
    return [dataset[index] for index in range(len(dataset))]


def test_a_mirrored_photo_has_mirrored_words_and_boxes():
    turned = 0
    for batch in batches(Augmentation(mirror=("all",))):
        for row, (caption, length) in enumerate(zip(batch.captions.tolist(), batch.lengths.tolist(), strict=True)):
            mirrored = bool(batch.inputs[row // 2, 0, 2])
            words = VOCABULARY.decode(caption[1 : length - 1])
            assert ("left" in words) == (("dog" in words) != mirrored)
            if "dog" in words:
                turned += mirrored
                inside = batch.regions.inside[batch.regions.rows.tolist().index(row)].view(GRID, GRID)
                assert inside.nonzero().tolist() == [[1, GRID - 1 if mirrored else 0]]
    assert 10 <= turned <= 30  # of 40: a fair coin


def test_only_so_many_cells_are_shown_with_the_boxes_of_those():
    shown = set()
    for batch in batches(Augmentation(cells=5)):
        assert batch.inputs.shape[1] == 5
        cells = batch.inputs[:, :, 0].int()
        assert all(len(set(row)) == 5 for row in cells.tolist())
        shown |= {tuple(row) for row in cells.tolist()}
        boxed = {int(row) for row in batch.regions.rows} if batch.regions else set()
        for row in range(len(batch.captions)):
            here = cells[row // 2]
            expected = INSIDE.flatten()[here.long()]
            dog = VOCABULARY.word_map["dog"] in batch.captions[row].tolist()
            assert (row in boxed) == (dog and bool(expected.any()))
            if row in boxed:
                assert torch.equal(batch.regions.inside[batch.regions.rows.tolist().index(row)], expected)
    assert len(shown) > 30  # others each time


def test_views_follow_from_seed_and_epoch():
    again, other = (batches(Augmentation(("all",), 5), epoch) for epoch in (0, 1))
    for first, second in zip(batches(Augmentation(("all",), 5)), again, strict=True):
        assert torch.equal(first.inputs, second.inputs)
    assert not all(torch.equal(first.inputs, second.inputs) for first, second in zip(again, other, strict=True))


def test_left_and_right_change_places_and_nothing_else():
    assert mirrored_caption(("left", "of", "the", "right", "leftover")) == ("right", "of", "the", "left", "leftover")
    grid = torch.arange(9.0)
    assert mirrored_map(grid).tolist() == np.fliplr(np.arange(9).reshape(3, 3)).ravel().tolist()


def test_the_mirrored_cache_holds_the_features_of_the_mirrored_photos(collection, tmp_path):
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 1, 1, 1), grid=2)).eval()
    names = ["0.png", "1.png", "2.png"]
    photos = [Example(name, "train", ()) for name in names]
    form = PhotoFormat(64)
    for folder, mirrored in (("plain", False), ("turned", True)):
        compute_features(encoder, form, collection.photos, names, tmp_path / folder, mirrored=mirrored)
    cache = FeatureCache(tmp_path / "plain", FeatureCache(tmp_path / "turned"))
    wanted = [True, False, True]
    with torch.inference_mode():
        expected = encoder(PhotoFiles({"": collection.photos}, form)(photos, [View(turned) for turned in wanted]))
    found = cache.read(names, wanted).float()
    assert torch.nn.functional.cosine_similarity(found, expected, dim=2).min() > 0.999
    assert not torch.equal(found, cache.read(names).float())
    with pytest.raises(DatasetError, match="without --mirror"):
        FeatureCache(tmp_path / "plain").read(names, wanted)
    with pytest.raises(DatasetError, match="of other photos"):
        compute_features(encoder, form, collection.photos, names, tmp_path / "plain", mirrored=True)


def view(crop, mirrored=False, contrast=1.0, brightness=0.0):
    return View(mirrored, crop, contrast, brightness)


def test_a_crop_is_the_window_enlarged():
    """A quarter of the photo, at twice the size: every other pixel is exactly between its neighbours."""
    ramp = torch.arange(8.0).repeat(8, 1)
    photo = torch.stack([ramp, ramp.T, ramp + ramp.T])
    shown = framed(photo[None], [view(Crop(0.5, 0.25, 0.5, 0.5))])[0]
    across = 4 + (torch.arange(8) + 0.5) / 2 - 0.5
    inner = slice(1, 7)  # at the rim the ramp is reflected
    torch.testing.assert_close(shown[0, :, inner], across.repeat(8, 1)[:, inner])
    torch.testing.assert_close(shown[1, inner], (2 + (torch.arange(8) + 0.5) / 2 - 0.5).view(-1, 1).repeat(1, 8)[inner])


def test_a_mirrored_photo_is_cropped_where_the_crop_was():
    photo = torch.rand(1, 3, 16, 16)
    crop = Crop(0.1, 0.3, 0.6, 0.5)
    turned = framed(photo.flip(3), [view(crop, mirrored=True)])
    torch.testing.assert_close(turned, framed(photo, [view(crop)]).flip(3), atol=1e-5, rtol=1e-5)


def test_light_changes_contrast_and_brightness():
    photo = torch.randn(2, 3, 8, 8)
    whole = Crop(0.0, 0.0, 1.0, 0.999999)
    shown = framed(photo, [view(whole, contrast=1.2, brightness=-0.1), view(WHOLE)])
    torch.testing.assert_close(shown[0], photo[0] * 1.2 - 0.1, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(shown[1], photo[1], atol=1e-5, rtol=1e-5)


def test_crops_stay_on_the_photo_and_are_as_large_as_asked():
    drawn = [Augmentation(crops=0.5).draw(seed) for seed in range(200)]
    crops = np.array([each.crop for each in drawn])
    assert (crops[:, :2] >= 0).all()
    assert (crops[:, :2] + crops[:, 2:] <= 1 + 1e-9).all()
    areas = crops[:, 2] * crops[:, 3]
    assert 0.5 - 1e-9 <= areas.min() < 0.6
    assert areas.max() > 0.9
    assert len({each.contrast for each in drawn}) == 200
    assert Augmentation(mirror=("all",)).draw(1).crop == WHOLE


def test_a_box_is_where_its_pixels_are():
    crop = Crop(0.25, 0.5, 0.5, 0.4)
    photo = torch.zeros(1, 3, 200, 200)
    photo[:, :, 120:160, 80:120] = 1
    left, top, right, bottom = (round(200 * edge) for edge in crop.box((0.4, 0.6, 0.6, 0.8)))
    shown = framed(photo, [view(crop)])[0, 0] > 0.5
    rows, columns = shown.nonzero().T
    found = [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]
    np.testing.assert_allclose(found, [left, top, right, bottom], atol=1)

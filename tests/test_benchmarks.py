import pytest
import torch

from benchmarks.training import Options, coco_hours, measure
from captioner.encoder import EncoderConfig


@pytest.mark.slow
def test_every_stage_is_measured():
    speeds = measure(Options(torch.device("cpu"), 1, 2, 1, vocabulary_size=20), EncoderConfig((1, 1, 1, 1), grid=2))
    assert len(speeds) == 5
    assert all(speed > 0 for speed in speeds.values())
    assert all(hours > 0 for hours in coco_hours(speeds, 3).values())


def test_hours_are_photos_over_speed():
    names = ("encode", "step on cached features", "step through the encoder", "greedy captions")
    speeds = {f"{name}, photos/s": speed for name, speed in zip(names, (10, 20, 5, 100), strict=True)}
    hours = coco_hours(speeds, 6)
    assert hours["features once"] == pytest.approx((113_287 + 5_000) / 10 / 3600)
    assert hours["6 epochs on cached features"] == pytest.approx(6 * 113_287 / 20 / 3600)
    assert hours["2 epochs through the encoder"] == pytest.approx(2 * 113_287 / 5 / 3600)

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v3_small, resnet18

from captioner.training.data.augmentation import Crop, View
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.features import FeatureCache
from captioner.training.teachers import FileTeacher, NetworkTeacher


def test_a_network_is_torchvisions_standardised(tmp_path):
    torch.manual_seed(0)
    network = resnet18(weights=None).eval()
    save_file(network.state_dict(), tmp_path / "resnet18.safetensors")
    teacher = NetworkTeacher("resnet18", tmp_path / "resnet18.safetensors")
    photos = torch.randn(4, 3, 64, 64)
    maps = []
    network.layer4.register_forward_hook(lambda *seen: maps.append(seen[2]))
    with torch.no_grad():
        network(photos)
    expected = maps[0].flatten(2).transpose(1, 2)
    torch.testing.assert_close(teacher(photos), expected.clamp(-5, 5), atol=1e-4, rtol=1e-4)
    teacher.learn(photos)
    cells = expected.flatten(0, 1)
    standardised = (expected - cells.mean(dim=0)) / (cells.std(dim=0) + 0.01)
    torch.testing.assert_close(teacher(photos), standardised.clamp(-5, 5), atol=1e-4, rtol=1e-4)


def test_weights_are_found_with_and_without_their_prefix(tmp_path):
    torch.manual_seed(0)
    network = mobilenet_v3_small(weights=None).eval()
    save_file(network.state_dict(), tmp_path / "whole.safetensors")
    save_file(network.features.state_dict(), tmp_path / "features.safetensors")
    photos = torch.randn(1, 3, 64, 64)
    first, second = (
        NetworkTeacher("mobilenet_v3_small", tmp_path / f"{name}.safetensors") for name in ("whole", "features")
    )
    assert torch.equal(first(photos), second(photos))


@pytest.mark.parametrize("name", ["resnet18", "no_such_network", "vit_b_16"])
def test_another_file_or_network_is_refused(tmp_path, name):
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(DatasetError, match=f"holds no weights of torchvision's {name}"):
        NetworkTeacher(name, tmp_path / "other.safetensors")


def test_features_of_a_file_are_seen_as_the_photo_is(tmp_path):
    folder = tmp_path / "flickr"
    folder.mkdir()
    maps = torch.rand(2, 16, 3).half()
    np.save(folder / "features-00000.npy", maps.numpy())
    (folder / "index.json").write_text(
        '{"encoder": "lite", "filenames": ["a.jpg", "b.jpg"], "mirrored": false, "photos_a_shard": 256}'
    )
    assert FeatureCache(folder).photo("b.jpg").shape == (16, 3)
    photos = [Example(name, "train", (), "flickr") for name in ("b.jpg", "a.jpg")]
    teacher = FileTeacher(tmp_path, ["flickr"])
    teacher.learn(photos)
    whole = teacher(photos, [View(), View()])
    cells = maps.flip(0).float().flatten(0, 1)
    expected = ((cells - cells.mean(dim=0)) / (cells.std(dim=0) + 0.01)).view(2, 16, 3)
    torch.testing.assert_close(whole, expected, atol=1e-5, rtol=1e-5)
    turned = teacher(photos, [View(mirrored=True), View()])
    torch.testing.assert_close(turned[0].view(4, 4, 3), whole[0].view(4, 4, 3).flip(1))
    torch.testing.assert_close(turned[1], whole[1])
    quarter = teacher(photos, [View(crop=Crop(0.0, 0.0, 0.5, 0.5), contrast=3.0), View()])[0].view(4, 4, 3)
    own = whole[0].view(4, 4, 3)
    share = torch.tensor([0.75, 0.25])  # the middle of cell 1 lies a quarter past that of the photo's cell 0
    torch.testing.assert_close(quarter[1, 1], torch.einsum("r,c,rct->t", share, share, own[:2, :2]))

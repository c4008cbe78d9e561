import json
import lzma
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet50

from captioner.encoder import Encoder, EncoderConfig, without_identity_blocks
from captioner.photo import PhotoFormat, prepare
from captioner.training.features import FeatureCache, compute_features, fingerprint
from captioner.training.grow import coarse, encoder_from_resnet, grow, grown
from captioner.training.karpathy import DatasetError


@pytest.fixture(scope="module")
def short():
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 1, 2, 1), grid=4)).eval()
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.running_mean.uniform_(-0.2, 0.2)
    return encoder


@torch.inference_mode()
def test_a_grown_encoder_computes_the_same(short):
    grown = Encoder(EncoderConfig((1, 1, 5, 1), grid=4)).eval()
    grown.trunk.load_state_dict(grow(short.trunk.state_dict(), 5))
    photos = torch.randn(2, 3, 64, 64)
    assert torch.equal(grown(photos), short(photos))
    assert torch.equal(without_identity_blocks(grown)(photos), short(photos))


@torch.inference_mode()
def test_an_encoder_can_be_grown_later(short):
    larger = grown(short, 6)
    assert larger.config.blocks == (1, 1, 6, 1)
    photos = torch.randn(2, 3, 64, 64)
    assert torch.equal(larger.eval()(photos), short(photos))
    assert grown(short, 2).config == short.config
    with pytest.raises(DatasetError, match="not to 1"):
        grown(short, 1)


@torch.inference_mode()
def test_a_coarse_encoder_computes_every_other_cell_of_the_dilated_one():
    torch.manual_seed(0)
    fine = Encoder(EncoderConfig((1, 1, 1, 1), grid=16)).eval()  # of 256 px: no pooling
    photos = torch.randn(1, 3, 256, 256)
    half = coarse(fine).eval()
    assert (half.config.grid, half.config.dilated) == (8, False)
    torch.testing.assert_close(
        half(photos).view(8, 8, -1), fine(photos).view(16, 16, -1)[::2, ::2], atol=1e-4, rtol=1e-4
    )


def test_grown_blocks_learn(short):
    grown = Encoder(EncoderConfig((1, 1, 4, 1), grid=4)).eval()
    grown.trunk.load_state_dict(grow(short.trunk.state_dict(), 4))
    grown(torch.randn(1, 3, 64, 64)).square().mean().backward()
    assert grown.trunk.layer3[3].bn3.weight.grad.abs().sum() > 0


def test_reads_a_resnet_50_with_its_classifier(tmp_path):
    torch.manual_seed(1)
    network = resnet50(weights=None).eval()
    half = {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    save_file(half, tmp_path / "plain.safetensors")
    packed = tmp_path / "packed.safetensors.xz"
    packed.write_bytes(lzma.compress((tmp_path / "plain.safetensors").read_bytes(), preset=0))
    encoder = encoder_from_resnet(packed)
    assert len(encoder.trunk.layer3) == 23
    assert torch.equal(encoder.trunk.conv1.weight, network.conv1.weight.half().float())


def test_refuses_what_holds_no_weights(tmp_path):
    for name in ("a.safetensors", "b.safetensors.xz"):
        (tmp_path / name).write_text("nothing of the kind")
        with pytest.raises(DatasetError, match="holds no ResNet weights"):
            encoder_from_resnet(tmp_path / name)


def test_features_are_the_encoders_and_are_taken_up_again(short, collection, tmp_path):
    names = [f"{number}.png" for number in range(5)]
    made = partial(compute_features, short, PhotoFormat(64), collection.photos, names, tmp_path, batch_size=2)
    made(photos_a_shard=2, process=(1, 2))  # the second of the shards of 2, 2 and 1 photos
    assert [path.name for path in tmp_path.glob("*.npy")] == ["features-00001.npy"]
    with pytest.raises(DatasetError, match="unfinished"):
        FeatureCache(tmp_path)
    untouched = (tmp_path / "features-00001.npy").stat().st_mtime_ns
    made(workers=1)
    assert (tmp_path / "features-00001.npy").stat().st_mtime_ns == untouched
    cache = FeatureCache(tmp_path)
    with torch.inference_mode():
        exact = short(torch.stack([prepare(collection.photos / name, PhotoFormat(64)).tensor for name in names]))
    assert (cache.read(names).float() - exact).norm() / exact.norm() < 0.03  # bfloat16 has 8 bits
    assert cache.encoder == fingerprint(short)
    assert torch.equal(cache.read(["3.png"])[0], cache.read(names)[3])
    single = tmp_path / "single"  # as earlier versions wrote it
    single.mkdir()
    np.save(single / "features.npy", cache.read(names).numpy())
    (single / "index.json").write_text(json.dumps({"encoder": fingerprint(short), "filenames": names, "done": 5}))
    compute_features(short, PhotoFormat(64), collection.photos, names, single)
    assert torch.equal(FeatureCache(single).read(names[::-1]), cache.read(names).flip(0))

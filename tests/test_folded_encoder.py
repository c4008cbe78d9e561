"""The folded encoder against the one it was made from."""

import pytest
import torch
from torch import nn

from captioner.encoder import Encoder, EncoderConfig
from captioner.folded_encoder import FoldedEncoder, fast_dtype

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=[True, False], ids=["dilated", "undilated"])
def encoder(request):
    """Random statistics in every BatchNorm, and one block that is the identity."""
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 2, 3, 2), dilated=request.param, grid=4)).eval()
    with torch.no_grad():
        for layer in encoder.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.3, 0.3)
                layer.running_var.uniform_(0.3, 2)
                layer.weight.uniform_(0.5, 1.5)
                layer.bias.uniform_(-0.3, 0.3)
        encoder.trunk.layer3[2].bn3.weight.zero_()
        encoder.trunk.layer3[2].bn3.bias.zero_()
    return encoder


def photos(count=3):
    return torch.randn(count, 3, 96, 96, generator=torch.Generator().manual_seed(1))


def deviation(ours, theirs):
    return float((ours - theirs).norm() / theirs.norm())


@torch.no_grad()
def test_computes_the_same(encoder):
    expected = encoder(photos())
    assert len(expected.flatten().unique()) > 1000, "a dead net would make this test vacuous"
    assert deviation(FoldedEncoder(encoder, CPU, torch.float32)(photos()), expected) < 1e-5


@torch.no_grad()
def test_bfloat16_deviates_by_its_rounding_only(encoder):
    features = FoldedEncoder(encoder, CPU, torch.bfloat16)(photos())
    assert features.dtype == torch.float32
    assert 1e-4 < deviation(features, encoder(photos())) < 0.05


def test_leaves_the_encoder_as_it_was(encoder):
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    folded = FoldedEncoder(encoder, CPU)
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())
    assert all(weights.requires_grad for weights in encoder.parameters())
    assert not any(weights.requires_grad for weights in folded.parameters())
    assert folded.config is encoder.config


def test_no_batch_norm_and_no_identity_block_is_left(encoder):
    folded = FoldedEncoder(encoder, CPU)
    assert not [layer for layer in folded.modules() if isinstance(layer, nn.BatchNorm2d)]
    convolutions = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    assert len([layer for layer in folded.modules() if isinstance(layer, nn.Conv2d)]) == len(convolutions) - 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_same_photos_same_features_bit_for_bit(encoder, dtype):
    one, other = FoldedEncoder(encoder, CPU, dtype), FoldedEncoder(encoder, CPU, dtype)
    assert torch.equal(one(photos()), one(photos()))
    assert torch.equal(one(photos()), other(photos()))


def test_batched_is_single(encoder):
    folded = FoldedEncoder(encoder, CPU, torch.float32)
    singles = torch.cat([folded(photo[None]) for photo in photos()])
    assert deviation(folded(photos()), singles) < 1e-5


@pytest.mark.parametrize(
    ("able", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": False}, torch.bfloat16),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({"architecture": "arm64", "neon": True}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_bfloat16_only_where_the_processor_computes_in_it(monkeypatch, able, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    assert fast_dtype(CPU) == expected


def test_an_older_pytorch_that_does_not_tell_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert fast_dtype(CPU) == torch.float32


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_gpu_is_asked_the_same(monkeypatch, native, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native)
    assert fast_dtype(torch.device("cuda")) == expected


def test_other_devices_compute_in_float32():
    assert fast_dtype(torch.device("mps")) == torch.float32

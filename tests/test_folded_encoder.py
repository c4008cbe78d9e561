"""The folded encoder against the one it was made from."""

import pytest
import torch
from random_encoder import deviation, random_encoder, random_photos
from torch import nn

from captioner.encoder import FoldedEncoder, fast_dtype

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=[True, False], ids=["dilated", "undilated"])
def encoder(request):
    return random_encoder(request.param)


@torch.no_grad()
def test_computes_the_same(encoder):
    expected = encoder(random_photos())
    assert len(expected.flatten().unique()) > 1000, "a dead net would make this test vacuous"
    assert deviation(FoldedEncoder(encoder, CPU, torch.float32)(random_photos()), expected) < 1e-5


@torch.no_grad()
def test_bfloat16_deviates_by_its_rounding_only(encoder):
    features = FoldedEncoder(encoder, CPU, torch.bfloat16)(random_photos())
    assert features.dtype == torch.float32
    assert 1e-4 < deviation(features, encoder(random_photos())) < 0.05


def test_leaves_the_encoder_as_it_was(encoder):
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    folded = FoldedEncoder(encoder, CPU, torch.float32)
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())
    assert all(weights.requires_grad for weights in encoder.parameters())
    assert not any(weights.requires_grad for weights in folded.parameters())
    assert folded.config is encoder.config


def test_no_batch_norm_and_no_identity_block_is_left(encoder):
    folded = FoldedEncoder(encoder, CPU, torch.float32)
    assert not [layer for layer in folded.modules() if isinstance(layer, nn.BatchNorm2d)]
    convolutions = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    assert len([layer for layer in folded.modules() if isinstance(layer, nn.Conv2d)]) == len(convolutions) - 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_same_photos_same_features_bit_for_bit(encoder, dtype):
    one, other = FoldedEncoder(encoder, CPU, dtype), FoldedEncoder(encoder, CPU, dtype)
    assert torch.equal(one(random_photos()), one(random_photos()))
    assert torch.equal(one(random_photos()), other(random_photos()))


def test_batched_is_single(encoder):
    folded = FoldedEncoder(encoder, CPU, torch.float32)
    singles = torch.cat([folded(photo[None]) for photo in random_photos()])
    assert deviation(folded(random_photos()), singles) < 1e-5


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

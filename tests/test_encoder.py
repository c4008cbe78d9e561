"""The encoder against torchvision, and the dilated last stage against the undilated one."""

import numpy as np
import pytest
import torch
import torchvision
from torch.nn.functional import adaptive_avg_pool2d

from captioner.encoder import RESNET_101, Encoder, EncoderConfig, build_trunk

SMALL = (1, 2, 2, 3)


def make_encoder(**config):
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig(**{"blocks": SMALL, **config})).eval()
    with torch.no_grad():  # statistics that are not the identity, as a trained net has
        for name, value in encoder.named_buffers():
            if name.endswith("running_mean"):
                value.uniform_(-0.2, 0.2)
            elif name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
    return encoder


def last_maps(encoder, photos):
    """The last stage's output before pooling, ``(N, 2048, h, w)``."""
    seen = []
    handle = encoder.trunk.layer4.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    encoder(photos)
    handle.remove()
    return seen[0]


@torch.no_grad()
def test_dilated_last_stage_equals_the_undilated_at_even_positions():
    dilated, plain = make_encoder(dilated=True), make_encoder(dilated=False)
    plain.load_state_dict(dilated.state_dict())
    photos = torch.randn(2, 3, 128, 128)
    fine, coarse = last_maps(dilated, photos), last_maps(plain, photos)
    assert fine.shape[2:] == (8, 8)
    assert coarse.shape[2:] == (4, 4)
    assert coarse.std() > 0.05, "a dead net would make this test vacuous"
    np.testing.assert_allclose(fine[:, :, ::2, ::2], coarse, atol=3e-5)
    assert (fine[:, :, 1::2, 1::2] - coarse).abs().max() > 0.1


@torch.no_grad()
def test_a_256_px_photo_gives_a_real_14_by_14_grid():
    encoder = make_encoder(blocks=(1, 1, 1, 1))
    photos = torch.randn(1, 3, 256, 256)
    maps, annotations = last_maps(encoder, photos), encoder(photos)
    assert maps.shape == (1, 2048, 16, 16)
    assert annotations.shape == (1, 196, 2048)
    np.testing.assert_allclose(annotations[0].T.reshape(2048, 14, 14), adaptive_avg_pool2d(maps, 14)[0], atol=1e-6)
    assert len(annotations[0].unique(dim=0)) == 196, "stretched 8×8 maps would repeat cells"


@torch.no_grad()
def test_undilated_form_stretches_8_by_8():
    encoder = make_encoder(blocks=(1, 1, 1, 1), dilated=False)
    photos = torch.randn(1, 3, 256, 256)
    assert last_maps(encoder, photos).shape == (1, 2048, 8, 8)
    assert encoder(photos).shape == (1, 196, 2048)


@torch.no_grad()
def test_batched_equals_single():
    encoder = make_encoder(grid=3)
    photos = torch.randn(3, 3, 64, 64)
    singles = torch.cat([encoder(photo[None]) for photo in photos])
    np.testing.assert_allclose(encoder(photos), singles, atol=1e-5)
    np.testing.assert_allclose(encoder(photos.contiguous(memory_format=torch.channels_last)), singles, atol=1e-5)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 3), (3, 0), (3, 3), (1, 2)])
@torch.no_grad()
def test_cells_come_in_row_major_order(row, column):
    """A bright patch changes the cell under it most."""
    encoder = make_encoder(blocks=(1, 1, 1, 1), grid=4)
    photo = torch.zeros(1, 3, 256, 256)
    bright = photo.clone()
    bright[:, :, row * 64 + 16 : row * 64 + 48, column * 64 + 16 : column * 64 + 48] = 3
    change = (encoder(bright) - encoder(photo)).norm(dim=2)[0]
    assert divmod(int(change.argmax()), 4) == (row, column)


def test_keys_and_shapes_are_torchvisions_resnet_101():
    with torch.device("meta"):
        ours = build_trunk(EncoderConfig()).state_dict()
        theirs = torchvision.models.resnet101().state_dict()
    assert EncoderConfig().blocks == RESNET_101
    expected = {name: value.shape for name, value in theirs.items() if not name.startswith("fc.")}
    assert {name: value.shape for name, value in ours.items()} == expected


@torch.no_grad()
def test_undilated_features_are_torchvisions():
    encoder = make_encoder(dilated=False, grid=2)
    whole = torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, list(SMALL)).eval()
    whole.load_state_dict(encoder.trunk.state_dict(), strict=False)
    seen = []
    whole.layer4.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    photos = torch.randn(1, 3, 64, 64)
    whole(photos)
    np.testing.assert_allclose(encoder(photos), seen[0].flatten(2).transpose(1, 2), atol=1e-5)

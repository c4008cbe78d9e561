import lzma

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.resnet import Bottleneck, ResNet

from captioner.encoder import Encoder, EncoderConfig, without_identity_blocks
from captioner.training.data.datasets import DatasetError
from captioner.training.start import deepened, encoder_from_resnet, filled_up


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
    grown.trunk.load_state_dict(filled_up(short.trunk.state_dict(), 5))
    photos = torch.randn(2, 3, 64, 64)
    assert torch.equal(grown(photos), short(photos))
    assert torch.equal(without_identity_blocks(grown)(photos), short(photos))


@torch.inference_mode()
def test_an_encoder_can_be_grown_later(short):
    larger = deepened(short, 6)
    assert larger.config.blocks == (1, 1, 6, 1)
    photos = torch.randn(2, 3, 64, 64)
    assert torch.equal(larger.eval()(photos), short(photos))
    assert deepened(short, 2).config == short.config
    with pytest.raises(DatasetError, match="not to 1"):
        deepened(short, 1)


def test_grown_blocks_learn(short):
    grown = Encoder(EncoderConfig((1, 1, 4, 1), grid=4)).eval()
    grown.trunk.load_state_dict(filled_up(short.trunk.state_dict(), 4))
    grown(torch.randn(1, 3, 64, 64)).square().mean().backward()
    assert grown.trunk.layer3[3].bn3.weight.grad.abs().sum() > 0


def test_reads_a_resnet_with_its_classifier(tmp_path):
    torch.manual_seed(1)
    network = ResNet(Bottleneck, [1, 1, 2, 1]).eval()
    for name, weights in network.named_parameters():
        if name != "conv1.weight":
            weights.data.zero_()  # soon packed
    half = {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    save_file(half, tmp_path / "plain.safetensors")
    packed = tmp_path / "packed.safetensors.xz"
    packed.write_bytes(lzma.compress((tmp_path / "plain.safetensors").read_bytes(), preset=0))
    torch.save(network.state_dict(), tmp_path / "resnet.pth")
    for name in ("plain.safetensors", "packed.safetensors.xz", "resnet.pth"):
        encoder = encoder_from_resnet(tmp_path / name, 4)
        assert len(encoder.trunk.layer3) == 4
        expected = network.conv1.weight if name == "resnet.pth" else network.conv1.weight.half().float()
        assert torch.equal(encoder.trunk.conv1.weight, expected)


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def test_refuses_what_holds_no_weights(tmp_path, capsys):
    torch.save({"conv1.weight": Harmful()}, tmp_path / "c.pth")
    torch.save([1, 2], tmp_path / "d.pth")
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "e.safetensors")
    for name in ("a.safetensors", "b.safetensors.xz", "c.pth", "d.pth", "e.safetensors", "none.pth"):
        if name[0] in "ab":
            (tmp_path / name).write_text("nothing of the kind")
        with pytest.raises(DatasetError, match="holds no ResNet weights"):
            encoder_from_resnet(tmp_path / name, 2)
    assert "run" not in capsys.readouterr().out

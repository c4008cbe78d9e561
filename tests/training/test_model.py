import pytest
import torch

from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import Encoder, EncoderConfig
from captioner.training.model import CaptionModel
from captioner.training.optimization import TrainerConfig, parameter_groups


def test_feature_dropout_silences_channels_of_a_photo_in_all_its_cells():
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 1, 1, 1), grid=2))
    decoder = Decoder(DecoderConfig(8, 400, 4, 4, 4))
    model = CaptionModel(encoder, decoder, tuned=False, feature_dropout=0.25).train()
    features = torch.rand(6, 9, 400) + 1
    seen = model.annotate(features)
    kept = seen != 0
    assert (kept == kept[:, :1]).all()  # a channel is there in every cell, or in none
    assert not (kept[0] == kept[1]).all()  # others for another photo
    torch.testing.assert_close(seen[kept], features[kept] / 0.75)
    share = kept[:, 0].float().mean().item()
    assert abs(share - 0.75) < 4 * (0.25 * 0.75 / 2400) ** 0.5
    assert torch.equal(model.eval().annotate(features), features)


def test_only_the_stages_asked_for_are_tuned():
    encoder = Encoder(EncoderConfig((1, 1, 1, 1), grid=2))
    CaptionModel(encoder, Decoder(DecoderConfig(8, 2048, 4, 4, 4)), tuned=True, tune_from="layer3")
    trained = {name.split(".")[1] for name, each in encoder.named_parameters() if each.requires_grad}
    held = {name.split(".")[1] for name, each in encoder.named_parameters() if not each.requires_grad}
    assert trained == {"layer3", "layer4"}
    assert held == {"conv1", "bn1", "layer1", "layer2"}


def test_silent_norms_learn_ten_times_as_fast():
    encoder = Encoder(EncoderConfig((1, 1, 1, 1), grid=2))
    block = encoder.trunk.layer3[0]
    torch.nn.init.zeros_(block.bn3.weight)
    model = CaptionModel(encoder, Decoder(DecoderConfig(8, 2048, 4, 4, 4)), tuned=True)
    config = TrainerConfig(learning_rate=1e-3, encoder_learning_rate=1e-4)
    rates = {id(each): group["lr"] for group in parameter_groups(model, config) for each in group["params"]}
    assert len(rates) == len(list(model.parameters()))
    assert rates[id(block.bn3.weight)] == rates[id(block.bn3.bias)] == pytest.approx(1e-3)
    assert rates[id(block.bn2.weight)] == rates[id(block.bn2.bias)] == rates[id(block.conv3.weight)] == 1e-4
    assert rates[id(model.decoder.gate.bias)] == 1e-3

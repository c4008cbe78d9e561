import torch

from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import Encoder, EncoderConfig
from captioner.training.model import CaptionModel


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

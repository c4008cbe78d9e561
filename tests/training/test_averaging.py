import torch

from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import Encoder, EncoderConfig
from captioner.training.model import CaptionModel
from captioner.training.optimization import MovingAverage


def make_model(tuned):
    torch.manual_seed(0)
    return CaptionModel(
        Encoder(EncoderConfig((1, 1, 1, 1), grid=2)), Decoder(DecoderConfig(9, 2048, 4, 6, 3)), tuned=tuned
    )


def test_the_moving_average_is_the_weighted_sum_of_all_weights_so_far():
    model = make_model(tuned=False)
    average = MovingAverage(model, decay=0.5)
    history = [model.decoder.gate.weight.detach().clone()]
    for step in range(12):
        with torch.no_grad():
            model.decoder.gate.weight.add_(torch.randn_like(model.decoder.gate.weight))
        history.append(model.decoder.gate.weight.detach().clone())
        average.update(model, step)
    decays = [min(0.5, (1 + step) / (10 + step)) for step in range(12)]  # 0.1, 2/11, … and 0.5 from step 8 on
    expected = torch.zeros_like(history[0])
    for place, weights in enumerate(history):
        share = 1.0 if place == 0 else 1 - decays[place - 1]
        for decay in decays[place:]:
            share *= decay
        expected += share * weights
    torch.testing.assert_close(average.model.decoder.gate.weight.detach(), expected)
    assert torch.equal(model.decoder.gate.weight, history[-1])


def test_a_frozen_encoder_is_shared_and_a_tuned_one_averaged():
    frozen, tuned = make_model(tuned=False), make_model(tuned=True)
    assert MovingAverage(frozen, 0.9).model.encoder is frozen.encoder
    average = MovingAverage(tuned, 0.9)
    before = tuned.encoder.trunk.conv1.weight.detach().clone()
    with torch.no_grad():
        tuned.encoder.trunk.conv1.weight.add_(1)
    average.update(tuned, 10_000)
    torch.testing.assert_close(average.model.encoder.trunk.conv1.weight.detach(), before + 0.1)


def test_the_moving_average_goes_on_from_its_state():
    model = make_model(tuned=False)
    first, second = MovingAverage(model, 0.9), MovingAverage(model, 0.9)
    with torch.no_grad():
        model.decoder.gate.weight.add_(1)
    first.update(model, 100)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.model.decoder.gate.weight, second.model.decoder.gate.weight)
    assert not any(name.startswith("encoder") for name in first.state_dict())

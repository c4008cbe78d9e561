"""The decoder against NumPy's arithmetic, and teacher forcing against the step loop."""

import itertools

import numpy as np
import pytest
import torch
from tiny import make_decoder, make_features

from captioner.decoder import DecoderConfig, DecoderState

VOCABULARY = 30
FORMS = [
    {"output": output, "gate": gate, "activation": activation}
    for output, gate, activation in itertools.product(("deep", "plain"), ("scalar", "feature"), ("tanh", "relu"))
]
START, END, PAD = 28, 29, 0


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class NumpyDecoder:
    """Xu et al. 2015, equations 1 to 7, one row at a time in float64, from the state dict alone."""

    def __init__(self, decoder):
        self.weights = {name: value.double().numpy() for name, value in decoder.state_dict().items()}
        self.config = decoder.config

    def linear(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0)

    def start(self, a):
        return self.linear("initial_hidden", a.mean(0)), self.linear("initial_cell", a.mean(0))

    def step(self, a, state, word):
        h, c = state
        activation = np.tanh if self.config.activation == "tanh" else lambda x: x * (x > 0)
        mixed = activation(
            self.linear("attention.feature_projection", a) + self.linear("attention.hidden_projection", h)
        )
        energies = self.linear("attention.energy", mixed)[:, 0]
        alpha = np.exp(energies - energies.max())
        alpha /= alpha.sum()
        beta = sigmoid(self.linear("gate", h))
        z = beta * (alpha @ a)
        embedded = self.weights["embedding.weight"][word]
        x, w = np.concatenate([embedded, z]), self.weights
        gates = w["lstm.weight_ih"] @ x + w["lstm.bias_ih"] + w["lstm.weight_hh"] @ h + w["lstm.bias_hh"]
        i, f, g, o = np.split(gates, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        if self.config.output == "plain":
            logits = self.linear("output.words", h)
        else:
            hidden, context = (
                self.linear(f"output.{name}_projection", x) for name, x in (("hidden", h), ("context", z))
            )
            logits = self.linear("output.words", embedded + hidden + context)
        return logits, alpha, beta, (h, c)


@pytest.mark.parametrize("forms", FORMS, ids=lambda forms: "-".join(forms.values()))
@torch.no_grad()
def test_step_follows_the_equations(forms):
    decoder = make_decoder(VOCABULARY, sharpness=2, **forms)
    features, plain = make_features(2), NumpyDecoder(decoder)
    annotations = decoder.annotate(features)
    state = decoder.start(annotations)
    expected = [plain.start(a.double().numpy()) for a in features]
    for words in ([START, START], [3, 17], [5, 3]):
        step = decoder.step(annotations, state, torch.tensor(words))
        state = step.state
        for row in range(2):
            logits, alpha, beta, expected[row] = plain.step(features[row].double().numpy(), expected[row], words[row])
            np.testing.assert_allclose(step.logits[row], logits, atol=1e-4)
            np.testing.assert_allclose(step.alpha[row], alpha, atol=1e-5)
            np.testing.assert_allclose(step.beta[row], beta, atol=1e-5)
            np.testing.assert_allclose(step.state.hidden[row], expected[row][0], atol=1e-5)
            np.testing.assert_allclose(step.state.cell[row], expected[row][1], atol=1e-5)


def make_captions(lengths, seed=0):
    """Captions whose every word is another, so that a packed target tells its caption and place."""
    random = np.random.default_rng(seed)
    captions = np.full((len(lengths), max(lengths)), PAD)
    for row, length in enumerate(lengths):
        captions[row, :length] = [START, *random.choice(np.arange(1, 28), length - 2, replace=False), END]
    return torch.tensor(captions), torch.tensor(lengths)


@torch.no_grad()
def step_loop(decoder, features, captions, lengths):
    """For each caption: its targets, logits and alphas, one row at a time."""
    per_photo = len(captions) // len(features)
    result = []
    for row, length in enumerate(lengths.tolist()):
        annotations = decoder.annotate(features[row // per_photo][None])
        state, logits, alphas = decoder.start(annotations), [], []
        for word in captions[row, : length - 1]:
            step = decoder.step(annotations, state, word[None])
            state = step.state
            logits.append(step.logits[0])
            alphas.append(step.alpha[0])
        result.append((captions[row, 1:length], torch.stack(logits), torch.stack(alphas)))
    return result


def keyed(targets, logits):
    """Rows of logits in an order that does not depend on the packing."""
    order = np.lexsort((*np.asarray(logits).round(3).T, np.asarray(targets)))
    return np.asarray(targets)[order], np.asarray(logits)[order]


LENGTHS = [
    ([7, 3, 5, 4], 1),  # falling, rising, mixed; one caption a photo
    ([3, 4, 5, 7], 1),
    ([4, 4, 4, 4], 1),
    ([3, 7, 5, 4], 2),  # two captions a photo: the second photo's longest is shorter
    ([3, 4, 5, 9, 3, 3], 3),  # the first photo's captions end first
    ([2, 6], 1),  # a caption of no words at all: <start> <end>
    ([5], 1),
]


@pytest.mark.parametrize("forms", [FORMS[0], FORMS[-1]], ids=["deep-scalar-tanh", "plain-feature-relu"])
@pytest.mark.parametrize(("lengths", "per_photo"), LENGTHS)
@torch.no_grad()
def test_teacher_forcing_is_the_step_loop(lengths, per_photo, forms):
    decoder = make_decoder(VOCABULARY, sharpness=2, **forms)
    features = make_features(len(lengths) // per_photo)
    captions, counted = make_captions(lengths)
    forced = decoder(features, captions, counted)
    loop = step_loop(decoder, features, captions, counted)
    assert forced.logits.shape == (sum(lengths) - len(lengths), VOCABULARY)
    assert forced.alphas.shape == (len(lengths), max(lengths) - 1, 6)
    ours = keyed(forced.targets, forced.logits)
    theirs = keyed(torch.cat([targets for targets, *_ in loop]), torch.cat([logits for _, logits, _ in loop]))
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-4)
    for row, (_, _, alphas) in enumerate(loop):
        np.testing.assert_allclose(forced.alphas[row, : len(alphas)], alphas, atol=1e-5)
        assert forced.alphas[row, len(alphas) :].abs().sum() == 0


@torch.no_grad()
def test_each_logit_stands_with_its_own_target():
    """With lengths that all differ, the packed order is known: longest caption first at every step."""
    decoder = make_decoder(VOCABULARY, sharpness=2)
    captions, lengths = make_captions([3, 6, 4])
    forced = decoder(make_features(3), captions, lengths)
    loop = step_loop(decoder, make_features(3), captions, lengths)
    order = [(row, step) for step in range(5) for row in (1, 2, 0) if step < len(loop[row][0])]
    assert forced.targets.tolist() == [int(loop[row][0][step]) for row, step in order]
    np.testing.assert_allclose(forced.logits, torch.stack([loop[row][1][step] for row, step in order]), atol=1e-4)


@torch.no_grad()
def test_padding_changes_nothing():
    decoder = make_decoder(VOCABULARY)
    captions, lengths = make_captions([5, 4, 6, 3])
    longer = torch.cat([captions, torch.full((4, 5), PAD)], dim=1)
    other = longer.clone()
    for row, length in enumerate(lengths):
        other[row, length:] = 13  # whatever stands there is never read
    plain = decoder(make_features(2), captions, lengths)
    for padded in (longer, other):
        for one, same in zip(plain, decoder(make_features(2), padded, lengths), strict=True):
            torch.testing.assert_close(one, same, rtol=0, atol=0)


def test_padding_and_ended_captions_get_no_gradient():
    decoder = make_decoder(VOCABULARY)
    captions, lengths = make_captions([5, 4])
    decoder(make_features(2), captions, lengths).logits.sum().backward()
    touched = set(decoder.embedding.weight.grad.abs().sum(1).nonzero().flatten().tolist())
    fed = {int(word) for row in range(2) for word in captions[row, : lengths[row] - 1]}
    assert touched == fed


@torch.no_grad()
def test_captions_of_one_photo_share_its_annotations():
    decoder = make_decoder(VOCABULARY, gate="feature")
    features, (captions, lengths) = make_features(2), make_captions([6, 4, 3, 5])
    shared = decoder(features, captions, lengths)
    copied = decoder(features.repeat_interleave(2, dim=0), captions, lengths)
    np.testing.assert_allclose(shared.alphas, copied.alphas, atol=1e-6)
    for one, other in zip(keyed(shared.targets, shared.logits), keyed(copied.targets, copied.logits), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@torch.no_grad()
def test_alpha_is_chosen_before_the_word():
    """One map for all candidates of a step: alpha and the gate do not depend on the word fed in."""
    decoder = make_decoder(VOCABULARY)
    annotations = decoder.annotate(make_features(1))
    state = decoder.start(annotations)
    one, other = (decoder.step(annotations, state, torch.tensor([word])) for word in (3, 4))
    torch.testing.assert_close(one.alpha, other.alpha, rtol=0, atol=0)
    torch.testing.assert_close(one.beta, other.beta, rtol=0, atol=0)
    assert (one.logits - other.logits).abs().max() > 1e-3


@torch.no_grad()
def test_plain_output_reads_nothing_but_the_hidden_state():
    decoder = make_decoder(VOCABULARY, output="plain")
    annotations = decoder.annotate(make_features(1))
    step = decoder.step(annotations, decoder.start(annotations), torch.tensor([5]))
    torch.testing.assert_close(step.logits, decoder.output.words(step.state.hidden))


def test_dropout_only_while_training():
    decoder = make_decoder(VOCABULARY)
    captions, lengths = make_captions([6, 5])
    evaluated = [decoder(make_features(2), captions, lengths).logits for _ in range(2)]
    torch.testing.assert_close(*evaluated, rtol=0, atol=0)
    decoder.train()
    trained = [decoder(make_features(2), captions, lengths).logits for _ in range(2)]
    assert (trained[0] - trained[1]).abs().max() > 1e-3


def test_select_repeats_and_reorders_rows():
    state = DecoderState(torch.arange(6.0).view(3, 2), -torch.arange(6.0).view(3, 2))
    chosen = state.select(torch.tensor([2, 0, 2]))
    assert chosen.hidden.tolist() == [[4, 5], [0, 1], [4, 5]]
    assert chosen.cell.tolist() == [[-4, -5], [0, -1], [-4, -5]]


@pytest.mark.parametrize("form", [{"output": "wide"}, {"gate": "none"}, {"activation": "gelu"}])
def test_unknown_forms_are_refused(form):
    with pytest.raises(ValueError, match=f"{next(iter(form))} must be one of"):
        DecoderConfig(10, **form)

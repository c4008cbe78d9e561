"""Attention against the paper's equations in plain NumPy."""

import numpy as np
import pytest
import torch
from tiny import make_features

from captioner.attention import SoftAttention

ACTIVATIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}


def make_attention(activation):
    torch.manual_seed(0)
    return SoftAttention(5, 6, 3, activation).eval()


def linear(layer, x):
    return x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@torch.no_grad()
def test_energies_alpha_and_context_follow_the_equations(activation):
    attention = make_attention(activation)
    features, hidden = make_features(2), torch.randn(6, 6)  # three captions of each of two photos
    attended = attention(attention.project(features), hidden)
    for row in range(6):
        a, h = features[row // 3].double().numpy(), hidden[row].double().numpy()
        mixed = ACTIVATIONS[activation](
            linear(attention.feature_projection, a) + linear(attention.hidden_projection, h)
        )
        energies = linear(attention.energy, mixed)[:, 0]  # equation 4
        alpha = np.exp(energies) / np.exp(energies).sum()  # equation 5
        np.testing.assert_allclose(attended.energies[row], energies, atol=1e-5)
        np.testing.assert_allclose(attended.alpha[row], alpha, atol=1e-6)
        np.testing.assert_allclose(attended.context[row], (alpha[:, None] * a).sum(0), atol=1e-5)  # equation 13


@torch.no_grad()
def test_activations_differ():
    """The same weights, two activations: a stored model must say which it was trained with."""
    tanh, relu = make_attention("tanh"), make_attention("relu")
    relu.load_state_dict(tanh.state_dict())
    features, hidden = make_features(1), torch.randn(1, 6)
    alphas = [each(each.project(features), hidden).alpha for each in (tanh, relu)]
    assert (alphas[0] - alphas[1]).abs().max() > 1e-3


@torch.no_grad()
def test_equal_features_get_equal_attention():
    attention = make_attention("tanh")
    features = make_features(1)[:, :1].expand(1, 6, 5)
    attended = attention(attention.project(features), torch.randn(2, 6))
    np.testing.assert_allclose(attended.alpha, np.full((2, 6), 1 / 6), atol=1e-6)
    np.testing.assert_allclose(attended.context, features[0, :2], atol=1e-6)


@torch.no_grad()
def test_cells_may_be_reordered():
    attention = make_attention("tanh")
    features, hidden, order = make_features(1), torch.randn(1, 6), torch.tensor([3, 1, 5, 0, 2, 4])
    straight = attention(attention.project(features), hidden)
    reordered = attention(attention.project(features[:, order]), hidden)
    np.testing.assert_allclose(reordered.alpha, straight.alpha[:, order], atol=1e-6)
    np.testing.assert_allclose(reordered.context, straight.context, atol=1e-6)


@torch.no_grad()
def test_alpha_is_a_float32_softmax_under_autocast():
    """Half precision would lose the sum: 196 cells in bfloat16 sum to 1 only within percents."""
    attention = SoftAttention(8, 6, 4, "tanh").eval()
    features, hidden = torch.randn(1, 196, 8), torch.randn(3, 6)
    with torch.autocast("cpu", torch.bfloat16):
        attended = attention(attention.project(features), hidden)
    assert attended.alpha.dtype == torch.float32
    np.testing.assert_allclose(attended.alpha.sum(1), 1, atol=1e-6)


def test_the_energies_gradient_is_that_of_their_plain_form():
    torch.manual_seed(0)
    attention = SoftAttention(4, 5, 3, "tanh").double()
    projected = torch.randn(2, 1, 6, 3, dtype=torch.double, requires_grad=True)
    query = torch.randn(2, 2, 1, 3, dtype=torch.double, requires_grad=True)
    weight = attention.energy.weight
    given = (projected, query, weight, attention.energy.bias)
    upstream = torch.randn(2, 2, 6, dtype=torch.double)
    found = torch.autograd.grad(attention._energies(projected, query), given, upstream)
    plain = torch.einsum("pkla,a->pkl", torch.tanh(projected + query), weight[0]) + attention.energy.bias
    expected = torch.autograd.grad(plain, given, upstream)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    assert torch.autograd.gradcheck(attention._energies, (projected, query))

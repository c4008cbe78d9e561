"""Storage forms: error bounds, idempotence, and stored tensors that do not belong together."""

import numpy as np
import pytest
import torch

from captioner.quantization import MATRIX_GROUP, as_stored, pack, unpack


def make_state(seed=0):
    random = torch.Generator().manual_seed(seed)

    def draw(*shape):
        scale = torch.logspace(-4, 1, shape[0]).view(-1, *[1] * (len(shape) - 1))  # channels of all magnitudes
        return torch.randn(*shape, generator=random) * scale

    return {
        "kernel": draw(8, 32, 3, 3),
        "odd_kernel": draw(4, 3, 7, 7),
        "matrix": draw(10, 128),
        "odd_matrix": draw(6, 37),
        "zeros": torch.zeros(3, 64),
        "bias": draw(9),
        "count": torch.tensor(12345),
    }


def test_float32_is_exact():
    for name, value in as_stored(make_state(), "float32").items():
        assert torch.equal(value, make_state()[name])
        assert value.dtype == make_state()[name].dtype


def test_float16_is_the_nearest_half():
    stored = pack(make_state(), "float16")
    for name, value in unpack(stored).items():
        expected = make_state()[name].numpy()
        if expected.dtype == np.float32:
            assert stored[name].dtype == torch.float16
            expected = expected.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(value, expected)
        assert value.dtype == make_state()[name].dtype


def test_int8_error_is_at_most_half_a_step_of_its_group():
    """A step is the group's largest weight over 127, known to bfloat16's eight bits (2^-8 relative)."""
    state, restored = make_state(), as_stored(make_state(), "int8")
    for name in ("kernel", "odd_kernel", "matrix", "odd_matrix"):
        inputs = state[name][0].numel()
        group = MATRIX_GROUP if name == "matrix" else inputs
        groups = state[name].reshape(-1, inputs // group, group).numpy()
        step = np.abs(groups).max(axis=2, keepdims=True) / 127
        error = np.abs(restored[name].reshape(groups.shape).numpy() - groups) / step
        assert (
            error.max() <= (0.5 + 127 / 256) * 1.001
        )  # the half step of the largest weight, plus its scale's rounding
        assert 0.25 < np.sqrt((error**2).mean()) < 0.33  # an evenly spread error has 1/√12 = 0.289
    assert torch.equal(restored["zeros"], state["zeros"])
    assert torch.equal(restored["count"], state["count"])
    np.testing.assert_array_equal(restored["bias"], state["bias"].half().float())


@pytest.mark.parametrize("storage", ["float32", "float16", "int8"])
@pytest.mark.parametrize("seed", range(5))
def test_storing_again_changes_nothing(storage, seed):
    once = pack(make_state(seed), storage)
    twice = pack(unpack(once), storage)
    assert once.keys() == twice.keys()
    for name in once:
        assert once[name].dtype == twice[name].dtype
        assert torch.equal(once[name], twice[name]), name
    for name, value in unpack(once).items():
        assert torch.equal(value, unpack(twice)[name])


def test_int8_is_small():
    state = {"matrix": torch.randn(256, 512)}
    stored = sum(value.numel() * value.element_size() for value in pack(state, "int8").values())
    assert stored == 256 * 512 + 2 * 256 * 512 // MATRIX_GROUP


def test_packing_leaves_the_weights_alone():
    state = make_state()
    for storage in ("float32", "float16", "int8"):
        pack(state, storage)
    for name, value in make_state().items():
        assert torch.equal(state[name], value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda packed: packed.pop("matrix.scales"), "lacks its scales matrix.scales"),
        (lambda packed: packed.pop("matrix"), "lacks its int8 values"),
        (lambda packed: packed.update({"matrix.scales": torch.ones(3, 2)}), "does not fit"),
        (lambda packed: packed.update({"matrix.scales": torch.ones(10, 0)}), "does not fit"),
        (lambda packed: packed.update({"matrix.scales": torch.ones(10, 3)}), "does not fit"),
        (lambda packed: packed.update({"matrix.scales": torch.tensor(1.0)}), "does not fit"),
        (lambda packed: packed.update({"matrix": packed["matrix"][0, 0]}), "does not fit"),
    ],
)
def test_tensors_that_do_not_belong_together_are_refused(change, message):
    packed = pack({"matrix": torch.randn(10, 128)}, "int8")
    change(packed)
    with pytest.raises(ValueError, match=message):
        unpack(packed)

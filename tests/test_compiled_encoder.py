"""The encoder as a graph of OpenVINO's, against the encoder itself."""

import collections
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from random_encoder import deviation, random_encoder, random_photos

from captioner.compiled_encoder import (
    CompiledEncoder,
    RangeError,
    _Graph,
    activation_ranges,
    build_graph,
    checked_ranges,
    folded_convolutions,
    runtime,
)
from captioner.encoder import processor
from captioner.encoder_form import INT8_INSTRUCTIONS
from captioner.quantization import as_stored, pack

pytest.importorskip("openvino")


@pytest.fixture(scope="module", params=[True, False], ids=["dilated", "undilated"])
def encoder(request):
    return random_encoder(request.param)


@pytest.fixture(scope="module")
def ranges(encoder):
    return activation_ranges(encoder, random_photos(12, seed=2).split(5))


@pytest.fixture(scope="module")
def expected(encoder):
    with torch.no_grad():
        return encoder(random_photos())


def test_float32_computes_the_same(encoder, expected):
    assert len(expected.flatten().unique()) > 1000, "a dead net would make this test vacuous"
    features = CompiledEncoder(encoder, "float32")(random_photos())
    assert features.dtype == torch.float32
    assert features.shape == expected.shape
    assert deviation(features, expected) < 1e-5


def test_int8_deviates_by_its_rounding_only(encoder, ranges, expected):
    assert 1e-3 < deviation(CompiledEncoder(encoder, "int8", ranges)(random_photos()), expected) < 0.1


@pytest.mark.skipif(not any(map(processor().get, INT8_INSTRUCTIONS)), reason="this processor has no int8 instructions")
def test_int8_is_computed_in_int8(encoder, ranges):
    """Not restored to float32 first, which would be as exact and as slow."""
    executed = collections.Counter(CompiledEncoder(encoder, "int8", ranges).executed())
    convolutions = sum(1 for _ in folded_convolutions(encoder))
    in_int8 = executed["Convolution", "i8"] + executed["Convolution", "u8"]
    assert in_int8 >= convolutions - 1, executed  # the first one reads the photo itself


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
def test_batched_is_single(encoder, ranges, arithmetic):
    compiled = CompiledEncoder(encoder, arithmetic, ranges if arithmetic == "int8" else None)
    singles = torch.cat([compiled(photo[None]) for photo in random_photos()])
    assert deviation(compiled(random_photos()), singles) < 1e-5


@pytest.mark.parametrize("arithmetic", ["float32", "bfloat16", "int8"])
@pytest.mark.slow
def test_same_photos_same_features_bit_for_bit(encoder, ranges, arithmetic):
    one, other = (CompiledEncoder(encoder, arithmetic, ranges if arithmetic == "int8" else None) for _ in range(2))
    first = one(random_photos())
    kept = first.clone()
    assert torch.equal(one(random_photos(seed=5)), one(random_photos(seed=5)))
    assert torch.equal(first, kept), "a later photo must not write over what was returned"
    assert torch.equal(one(random_photos()), first)
    assert torch.equal(other(random_photos()), first)


def test_weights_that_are_stored_as_int8_are_those_of_the_graph(ranges):
    """BatchNorm only moves the scales: the int8 numbers of the file are computed with, none is rounded twice."""
    encoder = random_encoder()
    packed = pack(encoder.state_dict(), "int8")
    encoder.load_state_dict(as_stored(encoder.state_dict(), "int8"))
    stored = [packed[f"trunk.{name}.weight"].numpy() for name, _ in folded_convolutions(encoder)]
    constants = [node for node in build_graph(encoder, ranges).get_ordered_ops() if node.get_type_name() == "Constant"]
    used = [node.data for node in constants if node.get_element_type().get_type_name() == "i8"]
    # BatchNorm's factors are positive here, so that no sign changes.
    assert sorted(each.tobytes() for each in used) == sorted(each.tobytes() for each in stored)


def test_ranges_are_means_of_each_photos_own(encoder, ranges):
    """The first convolution reads the photos themselves; of the others, none is signed, since all read a ReLU."""
    photos = random_photos(12, seed=2).double()
    low, high = (torch.tensor([getattr(photo, end)() for photo in photos]).mean() for end in ("min", "max"))
    assert ranges["conv1"] == pytest.approx((low.item(), high.item()))
    assert all(low == 0 < high for name, (low, high) in ranges.items() if name != "conv1")


def test_without_photos_there_are_no_ranges(encoder):
    with pytest.raises(RangeError, match="please give some"):
        activation_ranges(encoder, [])


@pytest.mark.parametrize(
    "change",
    [
        lambda ranges: ranges.pop("layer2.0.conv2"),
        lambda ranges: ranges.update({"layer3.2.conv1": (0.0, 1.0)}),  # of the block that is left out
        lambda ranges: ranges.update({"layer2.0.conv2": (0.0, float("nan"))}),
        lambda ranges: ranges.update({"layer2.0.conv2": (0.0, 0.0)}),
        lambda ranges: ranges.update({"layer2.0.conv2": (1.0, 2.0)}),
    ],
)
def test_ranges_that_do_not_belong_to_the_encoder_are_refused(encoder, ranges, change):
    assert checked_ranges(ranges, encoder) == ranges
    changed = dict(ranges)
    change(changed)
    with pytest.raises(RangeError, match=r"layer[23]"):
        checked_ranges(changed, encoder)


def test_what_cannot_be_compiled_is_said_to_who_asks(encoder):
    photos = torch.zeros(1, 4, 96, 96)
    with pytest.raises(RuntimeError):
        CompiledEncoder(encoder, "float32")(photos)


@pytest.mark.slow
def test_a_program_may_end_before_it_is_compiled():
    """As the command line does, where there is no photo that could be captioned."""
    program = (
        "from captioner.compiled_encoder import CompiledEncoder\n"
        "from captioner.encoder import Encoder\n"
        'CompiledEncoder(Encoder().eval(), "float32")\n'
    )
    finished = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=300)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.slow
def test_nothing_phones_home():
    """In a fresh interpreter: no telemetry package, no connection, no child process, from import to features."""
    program = """
        import sys
        calls = []
        watched = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec")
        import torch
        from random_encoder import random_encoder, random_photos
        sys.addaudithook(lambda event, arguments: event in watched and calls.append((event, arguments)))
        from captioner.compiled_encoder import CompiledEncoder
        CompiledEncoder(random_encoder(), "float32")(random_photos())
        assert "openvino" in sys.modules
        assert not hasattr(sys.modules["openvino_telemetry"], "__file__"), "the real one was imported"
        assert calls == [], calls
        import socket
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        except OSError:
            pass
        assert calls, "the hook would have seen it"
    """
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr


def test_steps_of_a_range():
    """A value goes to the nearest of 256 steps; from zero on, or symmetric with zero among the steps."""
    ov = runtime()
    for low, high in ((0.0, 5.1), (-2.54, 1.0)):
        values = np.linspace(-4.003, 6, 1001, dtype=np.float32)
        source = ov.opset13.parameter([1001], np.float32)
        rounded = _Graph(ov, {"x": (low, high)})._rounded(source, "x")
        found = ov.Core().compile_model(ov.Model([rounded], [source], "x"), "CPU")(values)[0]
        step, first, last = (high / 255, 0, 255) if low == 0 else (2.54 / 127, -128, 127)
        np.testing.assert_allclose(found, np.round(values / step).clip(first, last) * step, atol=step * 0.51)
        assert np.abs(found / step - np.round(found / step)).max() < 1e-3

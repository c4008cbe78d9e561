"""The encoder as a graph of OpenVINO's, which knows the processor: float32, bfloat16, or int8 weights and activations.

Built in code from the encoder's own weights: no converter, no model file, no cache.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from captioner.encoder import FEATURE_SIZE, Encoder, FoldedEncoder, folded, without_identity_blocks

Arithmetic = Literal["float32", "bfloat16", "int8"]
Ranges = Mapping[str, tuple[float, float]]  # of what each convolution reads, by the convolution's name
Node = Any  # of OpenVINO's graph, which has no types

RUNTIME, TELEMETRY = "openvino", "openvino_telemetry"
LEVELS = 256  # of an activation
WEIGHT_LEVELS = 127  # of a weight, either side of zero


@cache
def runtime_is_installed() -> bool:
    """Whether OpenVINO is here and can be imported: half an installation computes nothing."""
    try:
        runtime()
    except (ImportError, OSError):  # not installed, or one of its libraries is missing
        return False
    return True


def runtime() -> ModuleType:
    """OpenVINO with its operations, without its telemetry: a stub stands where that would be imported from.

    Raises:
        ImportError: if it is not installed.
    """
    if RUNTIME not in sys.modules:
        sys.modules[TELEMETRY] = ModuleType(TELEMETRY)  # it would send from a process of its own
    import_module(f"{RUNTIME}.opset13")
    return import_module(RUNTIME)


class CompiledEncoder:
    """What `Encoder` computes in eval mode, by OpenVINO on the processor.

    Compiled in the background as soon as it is made, for as many threads as PyTorch has then; the first photo waits
    for it. Photos of any number, all of one size.

    Attributes:
        config: of the encoder it was made from.
        arithmetic: of its convolutions.
    """

    def __init__(self, encoder: Encoder, arithmetic: Arithmetic, ranges: Ranges | None = None) -> None:
        """``ranges``: of the activations, which int8 needs, see `activation_ranges`."""
        assert (ranges is not None) == (arithmetic == "int8")
        self.config = encoder.config
        self.arithmetic = arithmetic
        self._turn = threading.Lock()  # a compiled model answers one caller at a time
        self._threads = torch.get_num_threads()
        self._compiled: Future[Any] = Future()
        # Python waits for it at exit: the runtime may not be torn down under it.
        threading.Thread(target=self._compile, args=(encoder, ranges), name="compile encoder").start()

    def __call__(self, photos: Tensor) -> Tensor:
        """``(N, 3, H, W)`` normalised photos → ``(N, grid², 2048)`` annotations, float32."""
        compiled = self._compiled.result()
        with self._turn:
            # Copied: the result is the runtime's own memory, and written over by the next photo.
            return torch.from_numpy(compiled(photos.float().contiguous().numpy())[0].copy())

    def executed(self) -> list[tuple[str, str]]:
        """Every operation as the runtime executes it: its kind and the precision of its arithmetic."""
        model = self._compiled.result().get_runtime_model()
        found = [node.get_rt_info() for node in model.get_ordered_ops()]
        return [(info["layerType"].astype(str), info["runtimePrecision"].astype(str)) for info in found]

    def _compile(self, encoder: Encoder, ranges: Ranges | None) -> None:
        try:
            ov = runtime()
            properties = {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": self._threads,
                "INFERENCE_PRECISION_HINT": "bf16" if self.arithmetic == "bfloat16" else "f32",
            }
            self._compiled.set_result(ov.Core().compile_model(build_graph(encoder, ranges), "CPU", properties))
        except BaseException as error:
            self._compiled.set_exception(error)


class Convolution(NamedTuple):
    """A convolution of the trunk with the BatchNorm after it folded in."""

    layer: nn.Conv2d
    weight: NDArray[np.float32]  # (O, I, h, w)
    bias: NDArray[np.float32]  # (O,)


@torch.inference_mode()
def build_graph(encoder: Encoder, ranges: Ranges | None = None) -> Any:
    """The ``openvino.Model`` of an encoder, with int8 weights and activations if ``ranges`` are given.

    What a convolution reads is rounded to 256 steps of its range; from zero on where it is a ReLU's output, else
    symmetric. Its weights are rounded to int8 with one scale per output channel: a checkpoint that is stored so
    gets back the very numbers that it stores, for BatchNorm only moves the scale.
    """
    return _Graph(runtime(), ranges).model(encoder)


class _Graph:
    """Puts the trunk together, operation by operation."""

    def __init__(self, ov: ModuleType, ranges: Ranges | None) -> None:
        self._ov, self._ranges = ov, ranges
        self._ops: Any = ov.opset13

    def model(self, encoder: Encoder) -> Any:
        ops = self._ops
        convolutions = dict(folded_convolutions(encoder))
        photos = ops.parameter([-1, 3, -1, -1], np.float32)
        maps = ops.relu(self._convolution(self._rounded(photos, "conv1"), convolutions["conv1"]))
        maps = ops.max_pool(maps, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
        for block in dict.fromkeys(name.rpartition(".conv")[0] for name in convolutions if ".conv" in name):
            maps = self._block(maps, block, convolutions)
        grid = encoder.config.grid
        pooled = ops.adaptive_avg_pool(maps, np.array([grid, grid], np.int64))
        vectors = ops.reshape(pooled, np.array([0, FEATURE_SIZE, grid * grid], np.int64), special_zero=True)
        return self._ov.Model([ops.transpose(vectors, np.array([0, 2, 1], np.int64))], [photos], "encoder")

    def _block(self, maps: Node, block: str, convolutions: Mapping[str, Convolution]) -> Node:
        """torchvision's bottleneck: three convolutions, and what they read is added again."""
        ops = self._ops
        read = inner = self._rounded(maps, f"{block}.conv1")
        for number in (1, 2, 3):
            name = f"{block}.conv{number}"
            inner = self._convolution(inner, convolutions[name])
            if number < 3:
                inner = self._rounded(ops.relu(inner), f"{block}.conv{number + 1}")
        shortcut = convolutions.get(f"{block}.downsample.0")
        return ops.relu(ops.add(inner, self._convolution(read, shortcut) if shortcut else read))

    def _convolution(self, maps: Node, convolution: Convolution) -> Node:
        ops, (layer, weight, bias) = self._ops, convolution
        padding = list(layer.padding)
        read = self._weight(weight)
        maps = ops.convolution(maps, read, list(layer.stride), padding, padding, list(layer.dilation))
        return ops.add(maps, ops.constant(bias.reshape(1, -1, 1, 1)))

    def _weight(self, weight: NDArray[np.float32]) -> Node:
        ops = self._ops
        if self._ranges is None:
            return ops.constant(weight)
        scale = (np.abs(weight).max(axis=(1, 2, 3), keepdims=True) / WEIGHT_LEVELS).clip(1e-30).astype(np.float32)
        quantized = np.round(weight / scale).clip(-WEIGHT_LEVELS, WEIGHT_LEVELS).astype(np.int8)
        return ops.multiply(ops.convert(ops.constant(quantized), np.float32), ops.constant(scale))

    def _rounded(self, maps: Node, name: str) -> Node:
        if self._ranges is None:
            return maps
        low, high = self._ranges[name]
        if low < 0:
            high = max(-low, high)
            low = -high * LEVELS / (LEVELS - 2)
        ends = (np.float32(low), np.float32(high))
        return self._ops.fake_quantize(maps, *ends, *ends, LEVELS)


def folded_convolutions(encoder: Encoder) -> Iterator[tuple[str, Convolution]]:
    """By name, in order, less those of blocks that are the identity."""
    trunk = without_identity_blocks(encoder).trunk
    modules = dict(trunk.named_modules())
    for name, layer in modules.items():
        if isinstance(layer, nn.Conv2d):
            weight, bias = folded(layer, modules[norm_after(name)])
            yield name, Convolution(layer, weight.detach().float().numpy(), bias.detach().float().numpy())


def norm_after(convolution: str) -> str:
    """The name of the BatchNorm that follows: ``bn1`` after ``conv1``, ``downsample.1`` after ``downsample.0``."""
    return convolution[:-1] + "1" if convolution.endswith("downsample.0") else convolution.replace("conv", "bn")


class RangeError(ValueError):
    """Ranges that do not belong to an encoder."""


def checked_ranges(ranges: Ranges, encoder: Encoder) -> Ranges:
    """The ranges themselves.

    Raises:
        RangeError: if there is not one, finite and not empty, for what each of the encoder's convolutions reads.
    """
    trunk = without_identity_blocks(encoder).trunk
    names = {name for name, layer in trunk.named_modules() if isinstance(layer, nn.Conv2d) and "downsample" not in name}
    if names != set(ranges):
        raise RangeError(f"ranges and convolutions differ in {min(names ^ set(ranges))}")
    for name, (low, high) in ranges.items():
        if not (-np.inf < low <= 0 < high < np.inf):
            raise RangeError(f"{name} has the range {low} to {high}")
    return ranges


@torch.inference_mode()
def activation_ranges(encoder: Encoder, batches: Iterable[Tensor]) -> dict[str, tuple[float, float]]:
    """From where to where the numbers go that each convolution reads, in float32, over batches of prepared photos.

    Means over the photos of each one's least and greatest number: the extremes of all photos together would stretch
    the steps for the sake of a few (features 15 % off in place of 10). The range of a ReLU's output begins at zero.

    Raises:
        RangeError: if there is no photo.
    """
    exact = FoldedEncoder(encoder, torch.device("cpu"), torch.float32)
    extremes: dict[str, list[Tensor]] = {}

    def read(name: str, inputs: tuple[Tensor]) -> None:
        per_photo = inputs[0].flatten(1).double()
        extremes.setdefault(name, []).append(torch.stack(per_photo.aminmax(dim=1)))

    for name, layer in exact.encoder.trunk.named_modules():
        if isinstance(layer, nn.Conv2d) and "downsample" not in name:  # which reads what the block's first one reads
            layer.register_forward_pre_hook(lambda _, inputs, name=name: read(name, inputs))
    for batch in batches:
        exact(batch)
    if not extremes:
        raise RangeError("there is no photo to measure activations on; please give some like those it will see")
    means = {name: torch.cat(found, dim=1).mean(dim=1).tolist() for name, found in extremes.items()}
    return {name: (min(low, 0.0), high) for name, (low, high) in means.items()}

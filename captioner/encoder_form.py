"""The form that the encoder runs in: chosen by what is here, the same at every start, or by hand."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from captioner.compiled_encoder import RUNTIME, CompiledEncoder, Ranges, runtime_is_installed
from captioner.encoder import Encoder, EncoderConfig, FoldedEncoder, fast_dtype, processor

Form = Literal["exact", "float32", "bfloat16", "int8"]
FORMS: tuple[Form, ...] = get_args(Form)
INT8_INSTRUCTIONS = ("avx512_vnni", "avx_vnni", "amx_int8")


class FormError(ValueError):
    """A form or a device that cannot be had here; the message says what to do."""


class EncoderInForm:
    """Photos → annotations, in one of the forms.

    ========== ======================================== =====================================
    form       arithmetic                               by
    ========== ======================================== =====================================
    exact      float32, of the search too               PyTorch
    float32    float32                                  OpenVINO if it is installed, or PyTorch
    bfloat16   float32 sums of bfloat16 products        OpenVINO if it is installed, or PyTorch
    int8       int8 weights and activations             OpenVINO
    ========== ======================================== =====================================

    Attributes:
        config: of the encoder it was made from.
        form: which one it is. ``engine``: what computes it, with its version.
    """

    def __init__(
        self, encoder: Encoder, device: torch.device, ranges: Ranges | None = None, form: Form | None = None
    ) -> None:
        """``form``: by default, `fastest_form`.

        Raises:
            FormError: if this form cannot be had here.
        """
        self.config: EncoderConfig = encoder.config
        self.form: Form = form or fastest_form(encoder.config, device, ranges)
        if self.form == "int8":
            _check_int8(device, ranges)
        self._compute: Callable[[Tensor], Tensor]
        if self.form != "exact" and device.type == "cpu" and runtime_is_installed():
            self._compute = CompiledEncoder(encoder, self.form, ranges if self.form == "int8" else None)
            self.engine = f"OpenVINO {importlib.metadata.version(RUNTIME)}"
        else:
            dtype = torch.bfloat16 if self.form == "bfloat16" else torch.float32
            if device.type == "cuda" and dtype is torch.float32:
                torch.backends.cudnn.allow_tf32 = False  # by default a GPU's convolutions keep 10 bits of the 23
            self._compute = FoldedEncoder(encoder, device, dtype)
            self.engine = f"PyTorch {torch.__version__}"

    def __call__(self, photos: Tensor) -> Tensor:
        """``(N, 3, H, W)`` normalised photos → ``(N, grid², 2048)`` annotations, float32."""
        return self._compute(photos)


def fastest_form(config: EncoderConfig, device: torch.device, ranges: Ranges | None = None) -> Form:
    """The fastest form that there is for the device.

    The processor is asked, not timed: the same machine must choose the same at every start, so that the same photo,
    settings and seed give the same captions. An encoder that is not dilated was brought in from elsewhere, where its
    decoder learned from exact annotations: it keeps them.
    """
    if not config.dilated:
        return "exact"
    compiled = device.type == "cpu" and runtime_is_installed()
    if compiled and ranges is not None and any(map(processor().get, INT8_INSTRUCTIONS)):
        return "int8"
    if fast_dtype(device) is torch.bfloat16:
        return "bfloat16"
    return "float32"


def device_named(name: str) -> torch.device:
    """``auto`` (a GPU of CUDA's if there is one), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises:
        FormError: if there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError):
        raise FormError(f"There is no device {name!r} here; please leave --device out, or name another.") from None


def _check_int8(device: torch.device, ranges: Mapping[str, Any] | None) -> None:
    if device.type != "cpu":
        raise FormError("The form int8 runs on a processor; please name another form, or the device cpu.")
    if not runtime_is_installed():
        raise FormError("The form int8 needs OpenVINO; please run: pip install openvino")
    if ranges is None:
        raise FormError("This model has no ranges for int8; please run: python -m captioner quantize CHECKPOINT PHOTOS")

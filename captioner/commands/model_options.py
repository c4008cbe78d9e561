"""Options of every command that captions: in which form and on which device."""

from __future__ import annotations

import argparse
from typing import Any

from captioner.encoder_form import FORMS, device_named


def add_form(parser: argparse.ArgumentParser) -> None:
    """``--form``, ``--exact`` and ``--device``."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--form", choices=FORMS, help="of the encoder's arithmetic (default: the fastest one that there is here)"
    )
    forms.add_argument(
        "--exact", dest="form", action="store_const", const="exact", help="float32 by PyTorch throughout"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps, or auto: a GPU if there is one")


def form_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `Captioner`.

    Raises:
        FormError: if there is no such device.
    """
    return {"form": arguments.form, "device": device_named(arguments.device)}

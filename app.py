"""Start the page: load the checkpoint, build, launch."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"
FORMS = ("exact", "float32", "bfloat16", "int8")  # as `captioner.encoder_form` has them; importing it is slow
PORTS = ("GRADIO_SERVER_PORT", "PORT")


def main() -> int:
    """Serve until SIGTERM or SIGINT, then exit with 0; with 1 and one sentence if the page cannot be served."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINTS / "everyday", help="a checkpoint folder")
    parser.add_argument(
        "--form",
        choices=FORMS,
        default=os.environ.get("CAPTIONER_FORM"),
        help="of the encoder's arithmetic; default: CAPTIONER_FORM, or the fastest one that there is here",
    )
    parser.add_argument(
        "--device",
        default=os.environ.get("CAPTIONER_DEVICE", "cpu"),
        help="cpu, cuda, mps, or auto: a GPU if there is one",
    )
    options = parser.parse_args()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _exit)
    if options.form and options.form not in FORMS:  # argparse does not look at what the environment says
        return _said(f"CAPTIONER_FORM must be one of {', '.join(FORMS)}, got {options.form[:20]!r}.")
    try:
        number = port(os.environ)
        folder = tempfile.TemporaryDirectory(prefix="show-attend-tell-", ignore_cleanup_errors=True)
    except ValueError as error:
        return _said(str(error))
    except OSError:
        return _said("There is no folder for temporary files; set TMPDIR to one.")
    with folder as name:
        _surroundings(Path(name))
        from demo.server import serve  # noqa: PLC0415

        return serve(options.checkpoint, number, options.form, options.device)


def port(environment: Mapping[str, str]) -> int | None:
    """The port that the environment asks for, or None.

    Raises:
        ValueError: if it is no port.
    """
    name = next((name for name in PORTS if environment.get(name)), None)
    if name is None:
        return None
    if not environment[name].isdecimal() or not 0 < int(environment[name]) < 65536:
        raise ValueError(f"{name} must be a number from 1 to 65535, got {environment[name][:20]!r}.")
    return int(environment[name])


def _surroundings(folder: Path) -> None:
    """Where the libraries may write, which they read when they are imported; nothing leaves this machine."""
    os.environ.setdefault("GRADIO_TEMP_DIR", str(folder / "gradio"))
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder / "torch"))
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_RUN_HISTORY", "False")
    os.environ.pop("GRADIO_SERVER_PORT", None)
    # Gradio asks its own server whether it has started; a proxy could not know.
    here = (os.environ.get("NO_PROXY"), "localhost", "127.0.0.1", os.environ.get("GRADIO_SERVER_NAME"))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, here))


def _said(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 1


def _exit(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())

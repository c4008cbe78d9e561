"""Start the page: load the checkpoint, build, launch."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


def main() -> int:
    """Serve until SIGTERM or SIGINT, then exit with 0; with 1 and one sentence if the page cannot be served."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINTS / "flickr8k", help="a checkpoint folder")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    try:
        folder = tempfile.TemporaryDirectory(prefix="show-attend-tell-", ignore_cleanup_errors=True)
    except OSError:
        print("There is no folder for temporary files; set TMPDIR to one.", file=sys.stderr)  # noqa: T201
        return 1
    with folder as name:
        _surroundings(Path(name))
        from demo.server import serve  # noqa: PLC0415

        return serve(options.checkpoint)


def _surroundings(folder: Path) -> None:
    """Where Gradio and matplotlib may write, which they read when they are imported; nothing leaves this machine."""
    os.environ.setdefault("GRADIO_TEMP_DIR", str(folder / "gradio"))
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_RUN_HISTORY", "False")
    # Gradio asks its own server whether it has started; a proxy could not know.
    here = (os.environ.get("NO_PROXY"), "localhost", "127.0.0.1", os.environ.get("GRADIO_SERVER_NAME"))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, here))


def _exit(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())

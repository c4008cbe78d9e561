"""Start the page: load the checkpoint, build, launch."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# Gradio reads it when it is imported: nothing leaves this machine.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from captioner.checkpoint import CheckpointError
from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from demo.theme import launch_options
from demo.ui import build


def main() -> int:
    """Serve until interrupted; exit status 1 and one sentence if the checkpoint cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="a checkpoint folder")
    options = parser.parse_args()
    try:
        captioner = Captioner.load(options.checkpoint)
    except CheckpointError as error:
        print(f"The model could not be loaded. {error}", file=sys.stderr)  # noqa: T201
        return 1
    build(captioner).launch(**launch_options())
    return 0


if __name__ == "__main__":
    sys.exit(main())

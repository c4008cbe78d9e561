"""``python -m captioner average``: the mean of the weights of several checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path

from captioner.checkpoint import save_checkpoint
from captioner.training.averaging import mean_checkpoint


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("average", help="the mean of the weights of several checkpoints")
    parser.add_argument("checkpoints", type=Path, nargs="+", help="checkpoint folders of one shape and vocabulary")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder to write")
    parser.set_defaults(run=_run)


def _run(a: argparse.Namespace) -> int:
    save_checkpoint(a.output, mean_checkpoint(a.checkpoints))
    print(f"checkpoint in {a.output}")
    return 0

"""``python -m captioner caption|import|quantize|train|evaluate|average|reproduce|propose|familiarity``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

TRAINING = {
    "train": "train a model on captioned photos",
    "evaluate": "score a checkpoint on a data set",
    "average": "the mean of the weights of several checkpoints",
    "reproduce": "train by a recipe of several stages",
    "propose": "write captions for photos that have none",
    "familiarity": "learn what the training photos are like; put it beside a model",
}
TRAINING_EXTRAS = "requirements-train.txt"
INTERRUPTED = 130  # 128 + SIGINT, what a shell reports for Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status: 0 done, 1 failed or refused, 130 interrupted.

    Raises:
        SystemExit: with status 2 for wrong usage, as argparse does.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parser(arguments).parse_args(arguments)
        status: int = parsed.run(parsed)
        sys.stdout.flush()
        return status
    except ValueError as error:
        if not type(error).__module__.startswith("captioner."):
            raise
        print(error, file=sys.stderr)  # the project's own errors are sentences for people
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader left, as `head` does; Python would complain once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    from captioner.commands import caption, checkpoints  # after Ctrl-C is caught: it loads torch  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m captioner", description="Photo captioning with visual attention.")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    caption.add_parser(subparsers)
    checkpoints.add_parser(subparsers)
    if arguments and arguments[0] in TRAINING:
        _add_training(parser, subparsers)
    else:
        for name, purpose in TRAINING.items():
            subparsers.add_parser(name, help=purpose)
    return parser


def _add_training(
    parser: argparse.ArgumentParser, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]
) -> None:
    try:
        from captioner.commands import evaluate, familiarity, propose, train  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("captioner"):
            raise
        parser.exit(1, f"This needs {error.name}; please run: pip install -r {TRAINING_EXTRAS}\n")
    for command in (train, evaluate, propose, familiarity):
        command.add_parser(subparsers)


if __name__ == "__main__":
    sys.exit(main())

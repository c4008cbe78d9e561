"""``python -m captioner caption PHOTO…``: print captions, draw and store them."""

from __future__ import annotations

import argparse
import io
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

from tqdm import tqdm

from captioner.caption import Caption
from captioner.photo import PhotoError
from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner, Look
from captioner.render import (
    ANIMATION_SUFFIXES,
    FIGURE_SUFFIXES,
    Style,
    StyleLook,
    StyleScale,
    record,
    save_animation,
    save_figure,
)
from captioner.render.lettering import printable
from captioner.settings import SearchSettings
from captioner.vocabulary import END, UNK, tokenize

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm", ".pgm")
DONE, FAILED = 0, 1

EPILOG = "With several photos, each output gets the photo's name: --figure out.png writes out-cat.png for cat.jpg."


class OutputError(ValueError):
    """A result that cannot be written where it was asked for."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("caption", help="caption photos", epilog=EPILOG)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photo, or folder of photos")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="folder of the model")
    parser.add_argument("--beam-size", type=int, help="captions kept in the race, 1 to 20 (default: the checkpoint's)")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 searches, above 0 draws at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--max-length", type=int, default=40, help="words at most, the end included")
    parser.add_argument("--all", action="store_true", help="print all captions of the beam, best first")
    words = parser.add_mutually_exclusive_group()
    words.add_argument("--beginning", default="", metavar="WORDS", help="words every caption must begin with")
    words.add_argument("--score", metavar="SENTENCE", help="no search: how likely is each word of this sentence?")
    _add_outputs(parser)
    parser.set_defaults(run=_run)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--figure", type=_output(FIGURE_SUFFIXES), metavar="OUT.png|pdf|svg", help="a map a word")
    parser.add_argument("--animation", type=_output(ANIMATION_SUFFIXES), metavar="OUT.gif|webp", help="word by word")
    parser.add_argument("--json", type=_output((".json",)), metavar="OUT.json", help="words, numbers and maps")
    parser.add_argument("--look", choices=get_args(StyleLook), default=Style.look, help="of the maps")
    parser.add_argument(
        "--scale", choices=get_args(StyleScale), default=Style.scale, help="one for all words, or one a word"
    )


def _output(suffixes: Sequence[str]) -> Callable[[str], Path]:
    def checked(text: str) -> Path:
        path = Path(text)
        if path.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"must end in {' or '.join(suffixes)}, got {text!r}")
        if not path.parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}; please make it first")
        return path

    return checked


def _run(arguments: argparse.Namespace) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console without the script still shows the rest
    settings = _settings(arguments)
    captioner = Captioner.load(arguments.checkpoint)
    if arguments.beam_size is None:
        settings = replace(settings, beam_size=captioner.card.beam_size)
    settings = replace(settings, length_penalty=captioner.card.length_penalty)
    return _caption_all(captioner, settings, arguments)


def _settings(arguments: argparse.Namespace) -> SearchSettings:
    beam_size = SearchSettings.beam_size if arguments.beam_size is None else arguments.beam_size
    return SearchSettings(beam_size, arguments.temperature, arguments.seed, arguments.max_length)


def _caption_all(captioner: Captioner, settings: SearchSettings, arguments: argparse.Namespace) -> int:
    """Caption one photo after the other; one that cannot be is named, and the rest goes on."""
    status = DONE
    paths = [path for given in arguments.photos for path in _photos(given)]
    several = len(paths) > 1
    shown_on_terminals_only = None if several else True
    progress = tqdm(
        paths, unit="photo", disable=shown_on_terminals_only, leave=False, mininterval=0, miniters=1, file=sys.stderr
    )
    for path, name in zip(progress, _names(paths), strict=True):
        try:
            look = captioner.look(path)
            captions = _captions(captioner, look, settings, arguments)
            _print_captions(captions, f"{path}: " if several else "", arguments.score)
            _store(captions[0], look, path, f"-{name}" if several else "", settings, arguments)
        except (PhotoError, OutputError) as error:
            _complain(f"{path}: {error}")
            status = FAILED
    return status


def _photos(given: Path) -> list[Path]:
    """The photo itself, or the photos in the folder by name; a folder without any stays, to be refused."""
    try:
        inside = [each for each in given.iterdir() if each.suffix.lower() in PHOTO_SUFFIXES]
    except OSError:
        inside = []
    return sorted(inside) or [given]


def _names(paths: Sequence[Path]) -> list[str]:
    """A different name for each photo's outputs: its stem, numbered if another photo has it."""
    names: list[str] = []
    for path in paths:
        candidates = itertools.chain([path.stem], (f"{path.stem}-{number}" for number in itertools.count(2)))
        names.append(next(name for name in candidates if name not in names))
    return names


def _captions(
    captioner: Captioner, look: Look, settings: SearchSettings, arguments: argparse.Namespace
) -> tuple[Caption, ...]:
    if arguments.score is not None:
        return (captioner.score(look, arguments.score),)
    found = captioner.captions(look, settings, arguments.beginning)
    return found if arguments.all else found[:1]


def _print_captions(captions: Sequence[Caption], label: str, score: str | None) -> None:
    for caption in captions:
        text = caption.text if caption.finished else f"{caption.text} …"
        _print(f"{label}{text}  (log-probability {caption.log_prob:.2f})")
    if score is not None:
        for word, token in zip(captions[0], [*tokenize(score), END], strict=True):
            unknown = f"  for the unknown word {token!r}" if word.text == UNK else ""
            _print(f"{word.log_prob:9.2f}  {word.text}{unknown}")


def _store(
    caption: Caption, look: Look, path: Path, suffix: str, settings: SearchSettings, arguments: argparse.Namespace
) -> None:
    """Write the outputs that were asked for."""
    style = Style(arguments.look, arguments.scale)
    words = {"beginning": arguments.beginning, "score": arguments.score}
    try:
        if arguments.figure:
            save_figure(look.view, caption, _named(arguments.figure, suffix), style)
        if arguments.animation:
            save_animation(look.view, caption, _named(arguments.animation, suffix), style)
        if arguments.json:
            content = {"photo": path.name, **record(caption, asdict(settings) | words)}
            text = json.dumps(content, ensure_ascii=False) + "\n"
            _named(arguments.json, suffix).write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise OutputError(f"the result cannot be written ({error}); please choose another place for it.") from None


def _named(output: Path, suffix: str) -> Path:
    return output.with_name(f"{output.stem}{suffix}{output.suffix}")


def _print(line: str) -> None:
    tqdm.write(printable(line), file=sys.stdout)


def _complain(line: str) -> None:
    tqdm.write(printable(line), file=sys.stderr)

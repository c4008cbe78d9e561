"""``python -m captioner caption PHOTO…``: print captions, draw and store them; or caption folders into a file."""

from __future__ import annotations

import argparse
import io
import itertools
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from captioner.caption import Caption, Word, record
from captioner.checkpoint import MODEL, card_of
from captioner.commands.folders import OUTPUT_SUFFIXES, Found, OutputError, Report, find, sidecars
from captioner.commands.many import Task, caption_many
from captioner.encoder_form import FORMS, device_named
from captioner.photo import INCOMPLETE, PhotoError
from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner, Look
from captioner.render import (
    ANIMATION_SUFFIXES,
    FIGURE_SUFFIXES,
    Style,
    StyleLook,
    StyleScale,
    save_animation,
    save_figure,
)
from captioner.render.looks import printable
from captioner.settings import SearchSettings

DONE, FAILED = 0, 1
FOR_ONE = ("figure", "animation", "json", "all", "score")  # options that --output and --sidecar do not go with

EPILOG = """With several photos, each picture gets the photo's name: --figure out.png writes out-cat.png for cat.jpg.
A run with --output or --sidecar that was stopped goes on where it was when the same command is given again."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("caption", help="caption photos", epilog=EPILOG)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photo, or folder of photos")
    parser.add_argument("--recursive", action="store_true", help="the folders inside too")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="folder of the model")
    add_form(parser)
    parser.add_argument("--beam-size", type=int, help="captions kept in the race, 1 to 20 (default: the checkpoint's)")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 searches, above 0 draws at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--max-length", type=int, default=40, help="words at most, the end included")
    parser.add_argument("--all", action="store_true", help="print all captions of the beam, best first")
    words = parser.add_mutually_exclusive_group()
    words.add_argument("--beginning", default="", metavar="WORDS", help="words every caption must begin with")
    words.add_argument("--score", metavar="SENTENCE", help="no search: how likely is each word of this sentence?")
    _add_outputs(parser)
    _add_outputs_of_many(parser)
    parser.set_defaults(run=_run)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--figure", type=_output(FIGURE_SUFFIXES), metavar="OUT.png|pdf|svg", help="a map a word")
    parser.add_argument("--animation", type=_output(ANIMATION_SUFFIXES), metavar="OUT.gif|webp", help="word by word")
    parser.add_argument("--json", type=_output((".json",)), metavar="OUT.json", help="words, numbers and maps")
    parser.add_argument("--look", choices=get_args(StyleLook), default=Style.look, help="of the maps")
    parser.add_argument(
        "--scale", choices=get_args(StyleScale), default=Style.scale, help="one for all words, or one a word"
    )


def _add_outputs_of_many(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", type=_output(OUTPUT_SUFFIXES), metavar="OUT.jsonl|json|csv", help="all captions in one file"
    )
    parser.add_argument("--coco", action="store_true", help="with --output OUT.json: image_id and caption only")
    parser.add_argument("--sidecar", action="store_true", help="a .txt beside each photo; one that is there stays")
    parser.add_argument("--processes", type=int, help="for --output and --sidecar (default: one a core)")


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
    many = arguments.output or arguments.sidecar
    _check_together(arguments, many)
    card = card_of(arguments.checkpoint)
    if arguments.beam_size is None:
        settings = replace(settings, beam_size=card.beam_size)
    settings = replace(settings, length_penalty=card.length_penalty)
    found = find(arguments.photos, arguments.recursive)
    if many:
        own = {arguments.output, *(sidecars(found.photos).values() if arguments.sidecar else ())}
        found = replace(found, others=tuple(each for each in found.others if each not in own))
        report = _into_files(found, settings, f"{card.name} {card.sha256.get(MODEL, '')[:12]}", arguments)
    else:
        report = _caption_all(found, Captioner.load(arguments.checkpoint, **form_of(arguments)), settings, arguments)
    if many or found.folders:
        for line in report.lines(found, arguments.recursive):
            _complain(line)
    return FAILED if report.skipped else DONE


def _settings(arguments: argparse.Namespace) -> SearchSettings:
    beam_size = SearchSettings.beam_size if arguments.beam_size is None else arguments.beam_size
    return SearchSettings(beam_size, arguments.temperature, arguments.seed, arguments.max_length)


def _check_together(arguments: argparse.Namespace, many: bool) -> None:
    """Raises `OutputError` for options that do not go together."""
    if many and (alone := [name for name in FOR_ONE if getattr(arguments, name)]):
        raise OutputError(f"--{alone[0]} does not go with --output or --sidecar; please run the command twice.")
    if arguments.coco and (not arguments.output or arguments.output.suffix.lower() != ".json"):
        raise OutputError("--coco needs --output OUT.json.")
    if arguments.processes is not None and arguments.processes < 1:
        raise OutputError(f"--processes must be 1 or more, got {arguments.processes}.")


def _into_files(found: Found, settings: SearchSettings, by: str, arguments: argparse.Namespace) -> Report:
    task = Task(arguments.checkpoint, settings, arguments.beginning, **form_of(arguments))
    try:
        return caption_many(task, by, found, arguments.output, arguments.coco, arguments.sidecar, arguments.processes)
    except OSError as error:
        raise OutputError(f"the results cannot be written ({error}); please choose another place.") from None


def _caption_all(found: Found, captioner: Captioner, settings: SearchSettings, arguments: argparse.Namespace) -> Report:
    """Caption one photo after the other; one that cannot be is named, and the rest goes on."""
    report, several = Report(), len(found.photos) > 1
    shown_on_terminals_only = None if several else True
    progress = tqdm(
        found.photos,
        unit="photo",
        disable=shown_on_terminals_only,
        leave=False,
        mininterval=0,
        miniters=1,
        file=sys.stderr,
    )
    for path, name in zip(progress, _names(found.photos), strict=True):
        try:
            look = captioner.look(path)
            captions = _captions(captioner, look, settings, arguments)
            _print_captions(captions, f"{path}: " if several else "", arguments.score is not None)
            if look.familiar is not None and not several:
                stranger = f"{look.familiar.stranger:.0%} of the training photos are stranger"
                _complain(f"{look.familiar.level} what the model was trained on: {stranger}")
            _store(captions[0], look, path, f"-{name}" if several else "", settings, arguments)
        except (PhotoError, OutputError) as error:
            _complain(f"{path}: {error}")
            report.skip(found.name(path), str(error))
            continue
        report.captioned += 1
        if look.incomplete:
            report.incomplete.append(found.name(path))
            _complain(f"{path}: {INCOMPLETE}")
    return report


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


def _print_captions(captions: Sequence[Caption], label: str, each_word: bool) -> None:
    for caption in captions:
        text = caption.text if caption.finished else f"{caption.text} …"
        _print(f"{label}{text}  ({_total(caption)})")
    if each_word:
        for word in captions[0]:
            _print(f"{word.log_prob:9.2f}  {word.text}" if _is_known(word) else f"{'unknown':>9}  {word.text}")


def _total(caption: Caption) -> str:
    if caption.unknown is None:
        return f"log-probability {caption.log_prob:.2f}"
    words = ", ".join(map(repr, caption.unknown.words))
    return f"no log-probability: not among its {caption.unknown.known:,} words: {words}"


def _is_known(word: Word) -> bool:
    return not math.isnan(word.log_prob)


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
            familiar = look.familiar and look.familiar._asdict()
            content = {
                "photo": path.name,
                "incomplete": look.incomplete,
                "familiarity": familiar,
                **record(caption, asdict(settings) | words),
            }
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

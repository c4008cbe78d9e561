"""Everything that is wrong with the photos of a data set, said at once and before any work."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from captioner.photo import PhotoError, PhotoFormat, prepare
from captioner.training.data.datasets import SHOWN, DatasetError
from captioner.training.data.sources import Mixture

Bad = dict[tuple[str, str], str]  # source and file name → what is wrong


def checked(
    mixture: Mixture,
    splits: Sequence[str],
    to_read: Mapping[str, Sequence[str]],
    photo_format: PhotoFormat,
    *,
    skip_bad: bool = False,
) -> Mixture:
    """The photos of these splits, less the bad ones if ``skip_bad``.

    Bad is a photo without a caption, and among those ``to_read`` (of each source) one that is missing or damaged.

    Raises:
        DatasetError: naming all that are bad, without ``skip_bad``; or that none is left.
    """
    bad = _uncaptioned(mixture, splits) | _unreadable(mixture, to_read, photo_format)
    if bad:
        listed = [f"{name}: {reason}" for (_, name), reason in bad.items()]
        more = [f"and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
        if not skip_bad:
            remedy = "mend them, or go on without them: --skip-bad"
            raise DatasetError("\n".join([*listed[:SHOWN], *more, remedy]))
        print("\n".join(["left out:", *listed[:SHOWN], *more]), file=sys.stderr)  # noqa: T201
    datasets = tuple(
        replace(
            dataset,
            examples=tuple(
                each for each in dataset.examples if each.split in splits and (each.source, each.filename) not in bad
            ),
        )
        for dataset in mixture.datasets
    )
    return replace(mixture, datasets=datasets)


def _uncaptioned(mixture: Mixture, splits: Sequence[str]) -> Bad:
    return {
        (example.source, example.filename): "has no caption"
        for dataset in mixture.datasets
        for example in dataset.examples
        if example.split in splits and not example.captions
    }


def _unreadable(mixture: Mixture, to_read: Mapping[str, Sequence[str]], photo_format: PhotoFormat) -> Bad:
    bad: Bad = {}
    with ThreadPoolExecutor() as pool:
        for source in mixture.sources:
            names = to_read.get(source.name, ())
            found = pool.map(lambda name, folder=source.photos: _trouble(folder / name, photo_format), names)
            bad |= {(source.name, name): reason for name, reason in zip(names, found, strict=True) if reason}
    return bad


def _trouble(path: Path, photo_format: PhotoFormat) -> str:
    if not path.is_file():
        return f"is not in {path.parent}"
    try:
        prepare(path, photo_format)
    except PhotoError as error:
        return f"cannot be read ({error})"
    return ""

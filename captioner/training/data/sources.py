"""Where photos, captions, boxes and features lie: the sources that a training draws its batches from.

Everything that is wrong with a source's photos is said at once and before any work.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from captioner.photo import PhotoError, PhotoFormat, prepare
from captioner.training.data.datasets import SHOWN, Dataset, DatasetError, Example, read_dataset

FILES = ("captions", "photos", "val", "entities", "features", "only")
Bad = dict[tuple[str, str], str]  # source and file name → what is wrong


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        name: what scores, weights and messages call it; empty if it is the only one.
        captions: a file of `captioner.training.data.datasets.read_dataset`.
        photos: the folder that its file names are relative to.
        val: list of the photos that are its ``val``, for forms that have no splits.
        entities: Flickr30k Entities boxes of its captions, if there are any.
        features: folder of its cached features; those of the mirrored photos lie beside it, in the folder of
            that name with ``-mirrored``. None: in the run's own folder.
        only: list of the photos that are used; the others are left out. A list is JSON, or a name a line.
    """

    name: str
    captions: Path
    photos: Path
    entities: Path | None = None
    val: Path | None = None
    features: Path | None = None
    only: Path | None = None


@dataclass(frozen=True)
class Mixture:
    """Several data sets as one: their photos in the order of the sources."""

    sources: tuple[Source, ...]
    datasets: tuple[Dataset, ...]

    def train(self) -> tuple[Example, ...]:
        """All training photos.

        Raises:
            DatasetError: if there are none.
        """
        found = tuple(example for dataset in self.datasets for example in dataset.of("train"))
        if not found:
            raise DatasetError(f"{_named(self.sources)}: no photos in the split 'train'")
        return found

    def with_split(self, split: str) -> list[tuple[Source, Dataset]]:
        """The sources that have photos in this split.

        Raises:
            DatasetError: if none has.
        """
        pairs = zip(self.sources, self.datasets, strict=True)
        found = [(source, dataset) for source, dataset in pairs if dataset.of(split)]
        if not found:
            remedy = "; name them (--val LIST), or train without: --val-photos 0" if split == "val" else ""
            raise DatasetError(f"{_named(self.sources)}: no photos in the split {split!r}{remedy}")
        return found


def read_sources(path: Path) -> tuple[Source, ...]:
    """Read ``{"sources": [{"name": …, "captions": …, "photos": …}, …]}``; its paths are relative to the file.

    Raises:
        DatasetError: if the file has another form.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))["sources"]
        sources = tuple(_source(each, path.parent) for each in found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        known = ", ".join(each.name for each in fields(Source))
        raise DatasetError(
            f'{path}: expected {{"sources": [{{…}}, …]}}, each with name, captions and photos (known: {known}), '
            f"found something else ({error!r})"
        ) from error
    names = [source.name for source in sources]
    if not sources or len(set(names)) < len(names) or any(not name or set(name) & set("=,+ /") for name in names):
        raise DatasetError(f"{path}: every source needs a name of its own, without spaces, '=', ',', '+' or '/'")
    return sources


def read_mixture(sources: Sequence[Source]) -> Mixture:
    """Read the captions of all sources.

    Raises:
        DatasetError: if one is no data set, or its photo folder is missing.
    """
    return Mixture(tuple(sources), tuple(_read(source) for source in sources))


def _source(found: dict[str, Any], folder: Path) -> Source:
    return Source(**{name: folder / value if name in FILES else value for name, value in found.items()})


def _read(source: Source) -> Dataset:
    dataset = read_dataset(source.captions, source.photos)
    examples = [replace(example, source=source.name) for example in dataset.examples]
    if source.val is not None:
        val = listed(source.val)
        examples = [replace(each, split="val" if each.filename in val else each.split) for each in examples]
    if source.only is not None:
        wanted = listed(source.only)
        examples = [example for example in examples if example.filename in wanted]
    return Dataset(source.name or dataset.name, dataset.photos, tuple(examples))


def listed(path: Path) -> frozenset[str]:
    """The file names of a JSON list, or of a text with one a line.

    Raises:
        DatasetError: if the file is neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text) if text.lstrip().startswith(("[", "{")) else text.split("\n")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: expected a list of file names, JSON or one a line, found {error}") from error
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise DatasetError(f"{path}: expected a list of file names, JSON or one a line, found other JSON")
    return frozenset(stripped for name in found if (stripped := name.strip()))


def _named(sources: Sequence[Source]) -> str:
    return ", ".join(str(source.captions) for source in sources)


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
        lines = [f"{name}: {reason}" for (_, name), reason in bad.items()]
        more = [f"and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
        if not skip_bad:
            remedy = "mend them, or go on without them: --skip-bad"
            raise DatasetError("\n".join([*lines[:SHOWN], *more, remedy]))
        print("\n".join(["left out:", *lines[:SHOWN], *more]), file=sys.stderr)  # noqa: T201
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

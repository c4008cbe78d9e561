"""Encoder features computed once and kept on disk in shards; interrupted work is taken up again.

A shard is a file of many photos' features. Its rows are whole as soon as it is there, so several processes
can compute a cache together, and any number of workers read it, mapped into memory. A cache may hold
more photos than are asked for, and grows by those that it lacks.

A `Loader` is what a model reads in training: the photos themselves, or these features.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from tqdm import tqdm

from captioner.encoder import FEATURE_SIZE, Encoder
from captioner.encoder_form import EncoderInForm
from captioner.photo import PhotoFormat, prepare
from captioner.training.data.augmentation import PLAIN, View, framed
from captioner.training.data.datasets import DatasetError, Example

INDEX = "index.json"
PHOTOS_A_SHARD = 256  # 206 MB on a 14×14 grid
MIRRORED = "-mirrored"

Cells = NDArray[np.int64]


class FeatureCache:
    """Annotations ``(grid², 2048)`` in float16 of many photos, in memory-mapped files.

    It travels to another process as its path. ``mirrored`` is the cache of the same photos left for right.

    Raises:
        DatasetError: if the folder holds no cache.
    """

    def __init__(self, folder: Path, mirrored: FeatureCache | None = None) -> None:
        index = _read_index(folder)
        self.folder, self.encoder, self._mirrored = folder, str(index["encoder"]), mirrored
        self._size = int(index["photos_a_shard"])
        self._rows = {name: row for row, name in enumerate(index["filenames"])}
        self._shards: dict[int, NDArray[np.float16]] = {}

    def __reduce__(self) -> tuple[type[FeatureCache], tuple[Path, FeatureCache | None]]:
        return FeatureCache, (self.folder, self._mirrored)

    def missing(self, filenames: Sequence[str]) -> list[str]:
        """The photos whose features are not there."""
        return [name for name in filenames if not self._holds(name)]

    def photo(self, filename: str, mirrored: bool = False, cells: Cells | None = None) -> Tensor:
        """``(L, 2048)`` float16 of one photo, left for right if so asked, at all cells or some."""
        if mirrored:
            if self._mirrored is None:
                raise DatasetError(
                    f"{self.folder} has no features of mirrored photos beside it; train without --mirror"
                )
            return self._mirrored.photo(filename, cells=cells)
        if not self._holds(filename):
            raise DatasetError(f"{self.folder} lacks the features of {filename}; run the training again to complete it")
        number, row = divmod(self._rows[filename], self._size)
        features = self._shards[number][row]
        return torch.from_numpy(np.array(features) if cells is None else features[cells])

    def read(self, filenames: Sequence[str], mirrored: Sequence[bool] = ()) -> Tensor:
        """``(N, grid², 2048)`` float16 of these photos, those of which ``mirrored`` says so left for right."""
        asked = zip(filenames, mirrored or [False] * len(filenames), strict=True)
        return torch.stack([self.photo(name, turned) for name, turned in asked])

    def _holds(self, filename: str) -> bool:
        if filename not in self._rows:
            return False
        number, row = divmod(self._rows[filename], self._size)
        path = _shard(self.folder, number)
        if number not in self._shards and path.exists():
            self._shards[number] = np.load(path, mmap_mode="r")
        return number in self._shards and row < len(self._shards[number])


def fingerprint(encoder: Encoder) -> str:
    """SHA-256 over the encoder's weights: the same weights, the same features."""
    digest = hashlib.sha256(str(encoder.config).encode())
    for key, value in encoder.state_dict().items():
        digest.update(key.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class PhotoBatches(TorchDataset[Tensor]):
    """Photos of one folder in batches ``(n, 3, size, size)``, for a `DataLoader` with ``batch_size=None``."""

    def __init__(
        self, folder: Path, filenames: Sequence[str], photo_format: PhotoFormat, batch_size: int, mirrored: bool
    ) -> None:
        self.folder, self.photo_format, self.mirrored = folder, photo_format, mirrored
        self.batches = [filenames[first : first + batch_size] for first in range(0, len(filenames), batch_size)]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> Tensor:
        if number >= len(self):
            raise IndexError(number)
        photos = torch.stack([prepare(self.folder / name, self.photo_format).tensor for name in self.batches[number]])
        return photos.flip(-1) if self.mirrored else photos


def compute_features(
    encoder: Encoder,
    photo_format: PhotoFormat,
    photos: Path,
    filenames: Sequence[str],
    folder: Path,
    *,
    batch_size: int = 32,
    photos_a_shard: int = PHOTOS_A_SHARD,
    device: torch.device | None = None,
    workers: int = 0,
    process: tuple[int, int] = (0, 1),
    mirrored: bool = False,
) -> None:
    """Fill ``folder`` with the features of all photos: the device's fastest arithmetic, float16 on disk.

    Of a cache that is there already, what it holds is kept, more than is asked for too.

    Args:
        workers: processes that read photos ahead.
        process: which of how many processes this is; each computes its share of the shards.
        mirrored: encode every photo left for right.

    Raises:
        DatasetError: if the folder holds the features of another encoder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = _agreed_index(folder, fingerprint(encoder), filenames, mirrored, photos_a_shard)
    names, size = index["filenames"], int(index["photos_a_shard"])
    wanted = set(filenames)
    parts = [names[first : first + size] for first in range(0, len(names), size)]
    number, processes = process
    short = [(shard, part) for shard, part in enumerate(parts) if _rows(_shard(folder, shard)) < len(part)]
    own = [(shard, part) for shard, part in short if wanted & set(part)][number::processes]
    if not own:
        return
    device = device or torch.device("cpu")
    network = EncoderInForm(encoder, device)
    for shard, part in tqdm(own, desc=f"features {folder.name}", unit="shard", disable=number > 0):
        path = _shard(folder, shard)
        rest = PhotoBatches(photos, part[_rows(path) :], photo_format, batch_size, mirrored)
        _write_shard(network, DataLoader(rest, batch_size=None, num_workers=workers), path, len(part), device)


def _write_shard(
    network: EncoderInForm, batches: DataLoader[Tensor], path: Path, photos: int, device: torch.device
) -> None:
    """Its rows so far are kept; the rest is encoded."""
    partial = path.with_suffix(".partial")
    shape = (photos, network.config.grid**2, FEATURE_SIZE)
    out = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
    first = _rows(path)
    if first:
        out[:first] = np.load(path, mmap_mode="r")
    for batch in batches:
        out[first : first + len(batch)] = network(batch.to(device)).half().cpu().numpy()
        first += len(batch)
    out.flush()
    partial.replace(path)


def _rows(path: Path) -> int:
    return len(np.load(path, mmap_mode="r")) if path.exists() else 0


def _shard(folder: Path, number: int) -> Path:
    return folder / f"features-{number:05}.npy"


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return {**index, "filenames": list(index["filenames"]), "photos_a_shard": int(index["photos_a_shard"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{folder} holds no feature cache; delete it and compute it again ({error!r})") from error


def _agreed_index(
    folder: Path, encoder: str, filenames: Sequence[str], mirrored: bool, photos_a_shard: int
) -> dict[str, Any]:
    """The folder's index; what it lacks of the photos is added at its end."""
    new: dict[str, Any] = {"encoder": encoder, "filenames": [], "mirrored": mirrored, "photos_a_shard": photos_a_shard}
    index = _read_index(folder) if (folder / INDEX).exists() else new
    if index["encoder"] != encoder or index.get("mirrored", False) != mirrored:
        raise DatasetError(f"{folder} holds features of another encoder or of other photos; name another folder")
    known = set(index["filenames"])
    if lacking := [name for name in filenames if name not in known]:
        index = {**index, "filenames": [*index["filenames"], *lacking]}
        _write(folder / INDEX, index)
    return index


def _write(path: Path, index: dict[str, Any]) -> None:
    """All processes write the same; the last to rename its file wins."""
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(index), encoding="utf-8")
    partial.replace(path)


class Loader(Protocol):
    """What a model reads of photos."""

    def __call__(self, examples: Sequence[Example], views: Sequence[View] = (), /) -> Tensor:
        """Photos ``(P, 3, H, W)`` or features ``(P, L, D)``, each as its view has it; no views: as they are."""


class PhotoFiles:
    """Prepared photos ``(P, 3, size, size)``, mirrored, cropped and lit as their views say.

    Args:
        folders: of the photos of each source, by its name.
    """

    def __init__(self, folders: Mapping[str, Path], photo_format: PhotoFormat) -> None:
        self.folders, self.photo_format = dict(folders), photo_format

    def __call__(self, examples: Sequence[Example], views: Sequence[View] = ()) -> Tensor:
        """See the class."""
        views = views or [PLAIN] * len(examples)
        photos = [prepare(self.folders[each.source] / each.filename, self.photo_format).tensor for each in examples]
        turned = [photo.flip(-1) if view.mirrored else photo for photo, view in zip(photos, views, strict=True)]
        return framed(torch.stack(turned), views)


class CachedFeatures:
    """Features ``(P, L, D)`` in float16, mirrored and of some cells only as their views say.

    Args:
        caches: of the features of each source, by its name.
    """

    def __init__(self, caches: Mapping[str, FeatureCache]) -> None:
        self.caches = dict(caches)

    def __call__(self, examples: Sequence[Example], views: Sequence[View] = ()) -> Tensor:
        """See the class."""
        views = views or [PLAIN] * len(examples)
        return torch.stack(
            [
                self.caches[example.source].photo(example.filename, view.mirrored, view.cells)
                for example, view in zip(examples, views, strict=True)
            ]
        )

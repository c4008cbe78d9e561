"""Encoder features computed once and kept on disk in shards; interrupted work is taken up again.

A shard is a file of many photos' features that is whole as soon as it is there, so several
processes can compute a cache together, and any number of workers read it, mapped into memory.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from tqdm import tqdm

from captioner.encoder import FEATURE_SIZE, Encoder
from captioner.photo import PhotoFormat, prepare
from captioner.training.karpathy import DatasetError

INDEX = "index.json"
SINGLE = "features.npy"  # a cache of an earlier version is one file
PHOTOS_A_SHARD = 256  # 206 MB on a 14×14 grid


class FeatureCache:
    """Annotations ``(grid², 2048)`` in float16 of many photos, in memory-mapped files.

    ``mirrored`` is the cache of the same photos left for right.
    """

    def __init__(self, folder: Path, mirrored: FeatureCache | None = None) -> None:
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            self.encoder: str = index["encoder"]
            filenames: list[str] = index["filenames"]
        except (OSError, ValueError, KeyError) as error:
            raise DatasetError(f"{folder} holds no feature cache; delete it and compute it again ({error})") from error
        self._size: int = index.get("photos_a_shard", len(filenames))
        paths = _shards(folder, len(filenames), self._size) if "photos_a_shard" in index else [folder / SINGLE]
        if not all(path.exists() for path in paths) or index.get("done", len(filenames)) < len(filenames):
            raise DatasetError(f"{folder} is unfinished; run the same command again to complete it")
        self._shards: list[NDArray[np.float16]] = [np.load(path, mmap_mode="r") for path in paths]
        self._rows = {name: row for row, name in enumerate(filenames)}
        self._mirrored = mirrored

    def read(self, filenames: Sequence[str], mirrored: Sequence[bool] = ()) -> Tensor:
        """``(N, grid², 2048)`` float16 of these photos, those of which ``mirrored`` says so left for right."""
        asked = zip(filenames, mirrored or [False] * len(filenames), strict=True)
        return torch.from_numpy(np.stack([self._cache(turned)._one(name) for name, turned in asked]))

    def _cache(self, mirrored: bool) -> FeatureCache:
        if mirrored and self._mirrored is None:
            raise DatasetError("this cache has no features of mirrored photos; train without --mirror")
        return self._mirrored if mirrored and self._mirrored else self

    def _one(self, filename: str) -> NDArray[np.float16]:
        shard, row = divmod(self._rows[filename], self._size)
        features: NDArray[np.float16] = self._shards[shard][row]
        return features


class PhotoBatches(TorchDataset[Tensor]):
    """Photos prepared in batches ``(n, 3, size, size)``, for a `DataLoader` with ``batch_size=None``."""

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
        names = self.batches[number]
        return load_photos(self.folder, self.photo_format, names, [self.mirrored] * len(names))


def load_photos(
    folder: Path, photo_format: PhotoFormat, filenames: Sequence[str], mirrored: Sequence[bool] = ()
) -> Tensor:
    """Prepared photos ``(N, 3, size, size)``, those of which ``mirrored`` says so left for right."""
    photos = [prepare(folder / name, photo_format).tensor for name in filenames]
    turned = mirrored or [False] * len(photos)
    return torch.stack([photo.flip(-1) if turn else photo for photo, turn in zip(photos, turned, strict=True)])


def fingerprint(encoder: Encoder) -> str:
    """SHA-256 over the encoder's weights: the same weights, the same features."""
    digest = hashlib.sha256(str(encoder.config).encode())
    for key, value in encoder.state_dict().items():
        digest.update(key.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


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
    """Fill ``folder`` with the features of all photos (bfloat16 arithmetic, float16 on disk).

    Args:
        workers: processes that read photos ahead.
        process: which of how many processes this is; each computes its share of the shards.
        mirrored: encode every photo left for right.

    Raises:
        DatasetError: if the folder holds the features of another encoder or other photos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"encoder": fingerprint(encoder), "filenames": list(filenames), "mirrored": mirrored}
    size = _agreed_shard_size(folder, wanted, photos_a_shard)
    if size is None:
        return
    device = device or torch.device("cpu")
    network = copy.deepcopy(encoder).eval().to(device, torch.bfloat16, memory_format=torch.channels_last)  # type: ignore[call-overload]
    number, processes = process
    own = list(enumerate(_shards(folder, len(filenames), size)))[number::processes]
    for shard, path in tqdm(own, desc="features", unit="shard", disable=number > 0):
        if not path.exists():
            names = filenames[shard * size : (shard + 1) * size]
            dataset = PhotoBatches(photos, names, photo_format, batch_size, mirrored)
            batches = DataLoader(dataset, batch_size=None, num_workers=workers)
            _write_shard(network, batches, path, (len(names), encoder.config.grid**2, FEATURE_SIZE), device)


def _write_shard(
    network: nn.Module, batches: DataLoader[Tensor], path: Path, shape: tuple[int, ...], device: torch.device
) -> None:
    partial = path.with_suffix(".partial")
    out = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
    first = 0
    for batch in batches:
        out[first : first + len(batch)] = _encode(network, batch.to(device))
        first += len(batch)
    out.flush()
    partial.replace(path)


@torch.inference_mode()
def _encode(network: nn.Module, photos: Tensor) -> NDArray[np.float16]:
    features: Tensor = network(photos.to(torch.bfloat16, memory_format=torch.channels_last))
    return features.to(torch.float16).cpu().numpy()


def _shards(folder: Path, photos: int, size: int) -> list[Path]:
    return [folder / f"features-{number:05}.npy" for number in range(-(-photos // size))]


def _agreed_shard_size(folder: Path, wanted: dict[str, Any], photos_a_shard: int) -> int | None:
    """The shard size of the folder's index, which is written if there is none; None for a cache in one file."""
    path = folder / INDEX
    if not path.exists():
        _write(path, {**wanted, "photos_a_shard": photos_a_shard})
    index: dict[str, Any] = {"mirrored": False, **json.loads(path.read_text(encoding="utf-8"))}
    if any(index[name] != value for name, value in wanted.items()):
        raise DatasetError(f"{folder} holds features of another encoder or other photos; name another folder")
    return index.get("photos_a_shard")


def _write(path: Path, index: dict[str, Any]) -> None:
    """All processes write the same; the last to rename its file wins."""
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(index), encoding="utf-8")
    partial.replace(path)

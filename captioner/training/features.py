"""Encoder features computed once and kept on disk, a row a photo; interrupted work is taken up again."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from captioner.encoder import FEATURE_SIZE, Encoder
from captioner.photo import PhotoFormat, prepare
from captioner.training.karpathy import DatasetError


class FeatureCache:
    """Annotations ``(grid², 2048)`` in float16 of many photos, in one memory-mapped file."""

    def __init__(self, folder: Path) -> None:
        try:
            index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            self.features: NDArray[np.float16] = np.load(folder / "features.npy", mmap_mode="r")
        except (OSError, ValueError) as error:
            raise DatasetError(f"{folder} holds no feature cache; delete it and compute it again ({error})") from error
        if index["done"] < len(index["filenames"]):
            raise DatasetError(f"{folder} is unfinished; run the same command again to complete it")
        self.encoder: str = index["encoder"]
        self._rows = {name: row for row, name in enumerate(index["filenames"])}

    def read(self, filenames: Sequence[str]) -> Tensor:
        """``(N, grid², 2048)`` float16 of these photos."""
        return torch.from_numpy(self.features[[self._rows[name] for name in filenames]])


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
    device: torch.device | None = None,
) -> FeatureCache:
    """Fill ``folder`` with the features of all photos (bfloat16 arithmetic, float16 on disk).

    Raises:
        DatasetError: if the folder holds the features of another encoder or other photos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = _index(folder, fingerprint(encoder), list(filenames))
    shape = (len(filenames), encoder.config.grid**2, FEATURE_SIZE)
    path = folder / "features.npy"
    out = np.lib.format.open_memmap(path, "r+" if path.exists() else "w+", np.float16, shape)
    device = device or torch.device("cpu")
    network = copy.deepcopy(encoder).eval().to(device, torch.bfloat16, memory_format=torch.channels_last)  # type: ignore[call-overload]
    progress = tqdm(total=len(filenames), initial=index["done"], desc="features", unit="photo")
    for first in range(index["done"], len(filenames), batch_size):
        names = filenames[first : first + batch_size]
        tensors = [prepare(photos / name, photo_format).tensor for name in names]
        out[first : first + len(names)] = _encode(network, torch.stack(tensors).to(device))
        index["done"] = first + len(names)
        if first // batch_size % 20 == 19 or index["done"] == len(filenames):
            out.flush()
            _write(folder, index)
        progress.update(len(names))
    progress.close()
    return FeatureCache(folder)


@torch.inference_mode()
def _encode(network: torch.nn.Module, photos: Tensor) -> NDArray[np.float16]:
    features: Tensor = network(photos.to(torch.bfloat16, memory_format=torch.channels_last))
    return features.to(torch.float16).cpu().numpy()


def _index(folder: Path, encoder: str, filenames: list[str]) -> dict[str, Any]:
    path = folder / "index.json"
    if not path.exists():
        return {"encoder": encoder, "filenames": filenames, "done": 0}
    index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if index["encoder"] != encoder or index["filenames"] != filenames:
        raise DatasetError(f"{folder} holds features of another encoder or other photos; name another folder")
    return index


def _write(folder: Path, index: dict[str, Any]) -> None:
    partial = folder / "index.json.partial"
    partial.write_text(json.dumps(index), encoding="utf-8")
    partial.replace(folder / "index.json")

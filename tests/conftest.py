"""Fixtures shared by the tests."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
import torch
from tiny import make_checkpoint

from captioner.checkpoint import save_checkpoint

# A page deletes what it was sent when it stops, so runs at the same time must not share a folder.
UPLOADS = tempfile.TemporaryDirectory(prefix="show-attend-tell-tests-", ignore_cleanup_errors=True)
os.environ["GRADIO_TEMP_DIR"] = UPLOADS.name


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny models are fastest on one thread."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def saved_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved checkpoint, to be read only; float16 halves the time that its many hashes take."""
    folder = tmp_path_factory.mktemp("saved") / "tiny"
    save_checkpoint(folder, make_checkpoint("float16"))
    return folder


@pytest.fixture
def checkpoint_folder(saved_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of a saved checkpoint, free to be damaged."""
    return Path(shutil.copytree(saved_checkpoint, tmp_path / "tiny"))

"""Fixtures shared by the tests."""

from pathlib import Path

import pytest
import torch
from tiny import make_checkpoint

from captioner.checkpoint import save_checkpoint


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny models are fastest on one thread."""
    torch.set_num_threads(1)


@pytest.fixture
def checkpoint_folder(tmp_path: Path) -> Path:
    """A fresh saved checkpoint, free to be damaged."""
    save_checkpoint(tmp_path / "tiny", make_checkpoint())
    return tmp_path / "tiny"

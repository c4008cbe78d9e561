"""Training in processes of their own: two that share every batch, and one that is killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from captioner.__main__ import main
from captioner.checkpoint import load_checkpoint
from captioner.training.progress import LOSSES, STATE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KILLED_AT_STEP_SEVEN = """
import os, signal, sys
from captioner.__main__ import main
from captioner.training.trainer import Trainer

step = Trainer._train_on
def killed(self, batch):
    if self.progress.step == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch)
Trainer._train_on = killed
sys.exit(main(sys.argv[1:]))
"""

LAUNCH_TWO = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", 2, "--num_machines", 1]
LAUNCH_TWO += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", 0]


def run(*command):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "ACCELERATE_LOG_LEVEL": "error"}
    return subprocess.run(
        [sys.executable, *map(str, command)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def losses(output):
    return [json.loads(line) for line in (output / LOSSES).read_text().splitlines()]


def weights(output):
    return torch.load(output / STATE, weights_only=True)["model"]


def assert_close(found, expected):
    for name, value in expected.items():
        if not name.endswith("energy.bias"):  # softmax ignores it: its gradient is rounding, which Adam enlarges
            torch.testing.assert_close(
                found[name], value, rtol=1e-3, atol=2e-4, msg=lambda text, at=name: f"{at}: {text}"
            )


@pytest.fixture
def boxes(collection, tmp_path):
    """Boxes for the first captions of every third photo: the shares of a batch differ in them."""
    photos = [
        {
            "filename": f"{number}.png",
            "sentences": [
                {
                    "tokens": ["a", "red", "square"],
                    "phrases": [{"first": 0, "last": 2, "boxes": [[0.0, 0.0, 0.3, 0.6]]}],
                }
            ],
        }
        for number in range(0, 12, 3)
    ]
    path = tmp_path / "entities.jsonl"
    path.write_text("\n".join(map(json.dumps, photos)))
    return path


def test_two_processes_take_the_steps_of_one(collection, boxes, tmp_path):
    """Batches of 3 photos are shared as 2 and 1, with different numbers of words and of boxes.

    Without dropout, of which each process draws its own.
    """
    arguments = [
        "train", "--data", collection.dataset, "--photos", collection.photos, "--start-from", collection.checkpoint,
        "--dropout", 0, "--tune-encoder", "--entities", boxes, "--region-weight", 0.5,
        "--precision", "no", "--storage", "float32",
        "--batch-photos", 3, "--epochs", 2, "--learning-rate", 5e-3, "--val-photos", 3, "--ema", 0.5,
    ]  # fmt: skip
    assert main([*map(str, arguments), "--output", str(tmp_path / "one")]) == 0
    done = run(*LAUNCH_TWO, "-m", "captioner", *arguments, "--output", tmp_path / "two")
    assert done.returncode == 0, done.stderr

    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 8
    assert any(line["region"] > 0 for line in one)
    for expected, found in zip(one, two, strict=True):
        assert found == pytest.approx(expected, rel=1e-4)
    assert_close(weights(tmp_path / "two"), weights(tmp_path / "one"))
    one, two = (load_checkpoint(tmp_path / name / "checkpoint").decoder.state_dict() for name in ("one", "two"))
    assert_close(two, one)


def test_two_processes_learn_words_that_leave_some_heads_alone(collection, boxes, tmp_path):
    arguments = [
        "train", "--data", collection.dataset, "--photos", collection.photos, "--start-from", collection.checkpoint,
        "--tune-encoder", "--tune-from", "layer4", "--entities", boxes, "--concept-weight", 0.5,
        "--precision", "no", "--storage", "float32", "--batch-photos", 3, "--epochs", 1, "--val-photos", 0,
    ]  # fmt: skip
    done = run(*LAUNCH_TWO, "-m", "captioner", *arguments, "--output", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert len(losses(tmp_path / "two")) == 4
    assert all(line["auxiliary"] > 0 for line in losses(tmp_path / "two"))


def test_a_process_killed_in_mid_epoch_goes_on_exactly(collection, tmp_path):
    """Killed by SIGKILL at step 7, the last state of step 5, an epoch being of 6 steps; dropout is on."""
    arguments = [
        "train", "--data", collection.dataset, "--photos", collection.photos, "--start-from", collection.checkpoint,
        "--precision", "no", "--storage", "float32", "--batch-photos", 2, "--epochs", 2, "--save-every", 5,
        "--val-photos", 0, "--ema", 0.5,
    ]  # fmt: skip
    whole, broken = ([*map(str, arguments), "--output", str(tmp_path / name)] for name in ("whole", "broken"))
    assert main(whole) == 0
    killed = run("-c", KILLED_AT_STEP_SEVEN, *broken)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(losses(tmp_path / "broken")) == 7
    assert main(broken) == 0
    assert losses(tmp_path / "broken") == losses(tmp_path / "whole")
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.equal(found[name], value) for name, value in expected.items())

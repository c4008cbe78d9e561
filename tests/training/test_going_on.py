"""A run goes on, or says why not."""

import json
import os
import signal
import threading

import pytest
import torch

from captioner.__main__ import main
from captioner.training import trainer as trainer_module
from captioner.training.progress import LOSSES, STATE, Interruption

pytestmark = pytest.mark.slow  # whole runs, stopped and gone on with


@pytest.fixture
def call(collection, tmp_path):
    def run(*more, output="run"):
        options = ["train", "--data", collection.dataset, "--photos", collection.photos]
        options += ["--start-from", collection.checkpoint, "--output", tmp_path / output, "--storage", "float32"]
        options += ["--batch-photos", 4, "--val-photos", 3, "--features", tmp_path / "features", *more]
        return main([*map(str, options)])

    return run


def weights(folder):
    return torch.load(folder / STATE, weights_only=True)["model"]


def test_more_epochs_for_a_finished_run_are_refused_with_the_way_on(call, tmp_path, capsys):
    assert call("--epochs", 1) == 0
    assert call("--epochs", 1) == 0  # nothing is left to do
    assert call("--epochs", 2) == 1
    said = capsys.readouterr().err
    assert "epochs 1, now 2" in said
    assert f"--start-from {tmp_path / 'run' / 'checkpoint'} --output ANOTHER" in said


@pytest.mark.parametrize(
    ("option", "complaint"),
    [(("--learning-rate", "0.01"), "learning_rate 0.001, now 0.01"), (("--seed", "5"), "plan ")],
)
def test_the_folder_of_a_run_with_other_settings_is_not_taken_for_its_own(call, capsys, option, complaint):
    assert call("--epochs", 1) == 0
    assert call("--epochs", 1, *option) == 1
    assert complaint in capsys.readouterr().err


def test_other_photos_or_captions_are_other_settings(call, collection, tmp_path, capsys, monkeypatch):
    assert call("--epochs", 1, "--workers", 1, "--save-every", 3) == 0  # how it is run may differ
    assert call("--epochs", 1) == 0
    content = collection.dataset.read_text()
    try:
        collection.dataset.write_text(content.replace("all", "over", 1))
        assert call("--epochs", 1) == 1
    finally:
        collection.dataset.write_text(content)
    assert "(data " in capsys.readouterr().err


def test_a_loss_that_is_no_number_stops_the_run_at_that_step(call, tmp_path, capsys):
    assert call("--epochs", 9, "--learning-rate", "1e9", "--clip", 0, "--save-every", 1) == 1
    said = capsys.readouterr().err
    assert "--learning-rate 1e+09, --clip 0" in said
    assert "Begin anew with a lower rate" in said
    lines = [json.loads(line) for line in (tmp_path / "run" / LOSSES).open()]
    assert f"at step {len(lines) + 1}," in said
    assert len(lines) < 27
    assert "no state was written" in said  # the weights were never good after a step
    assert not (tmp_path / "run" / STATE).exists()


@pytest.mark.parametrize("moment", ["_train_on", "validate"])
def test_ctrl_c_leaves_a_state_to_go_on_from(call, tmp_path, monkeypatch, moment):
    assert call("--epochs", 2, output="whole") == 0

    def interrupt(seen=[]):  # noqa: B006
        seen.append(1)
        if len(seen) == (5 if moment == "_train_on" else 1):
            os.kill(os.getpid(), signal.SIGINT)

    if moment == "validate":
        evaluate = trainer_module.Trainer._finish_epoch

        def finish(self):
            validate = self.validate
            self.validate = lambda model: (interrupt(), validate(model))[1]
            return evaluate(self)

        monkeypatch.setattr(trainer_module.Trainer, "_finish_epoch", finish)
    else:
        step = trainer_module.Trainer._train_on
        monkeypatch.setattr(
            trainer_module.Trainer, "_train_on", lambda self, batch: (step(self, batch), interrupt())[0]
        )
    assert call("--epochs", 2) == 130
    monkeypatch.undo()
    lines = (tmp_path / "run" / LOSSES).read_text().splitlines()
    assert len(lines) == (5 if moment == "_train_on" else 3)  # the step that was begun has been finished
    assert call("--epochs", 2) == 0
    assert (tmp_path / "run" / LOSSES).read_text() == (tmp_path / "whole" / LOSSES).read_text()
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "run")
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_second_interruption_does_not_wait():
    waited = []

    def twice():
        with interruption.held():
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
                waited.append(True)

    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        twice()
    assert len(waited) == 1


def test_in_another_thread_nothing_is_handled():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def elsewhere():
        with Interruption() as interruption, interruption.held():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [before]

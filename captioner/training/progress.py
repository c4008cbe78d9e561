"""How a run is taken up again: what it leaves on disk while it trains, and a Ctrl-C that waits for a step's end."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

STATE, LOSSES, SETTINGS = "state.pt", "losses.jsonl", "settings.json"


class RunError(ValueError):
    """A run that cannot go on; the message says why and what to do."""


@dataclass
class Progress:
    """Where a run stands; all of it is in the resumable state."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = float("-inf")
    stale: int = 0


def agree(output: Path, settings: dict[str, Any]) -> None:
    """Write down what a new run is made from; is a run that is taken up again made from the same?

    Raises:
        RunError: naming what differs.
    """
    path = output / SETTINGS
    if not (output / STATE).exists():
        output.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings, indent=1), encoding="utf-8")
        return
    begun = json.loads(path.read_text(encoding="utf-8")) if path.exists() else settings
    now = json.loads(json.dumps(settings))
    if different := [name for name in now if begun.get(name) != now[name]]:
        listed = ", ".join(f"{name} {_short(begun.get(name))}, now {_short(now[name])}" for name in different)
        raise RunError(
            f"{output} holds a run with other settings ({listed}). Give the same ones to go on, or another --output; "
            f"to go on from its result, --start-from {output / 'checkpoint'} --output ANOTHER"
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


class LossLog:
    """A file of JSON lines, one a step: its number and epoch, the terms of the loss, the learning rate."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def resume(self, step: int) -> None:
        """Forget ``step`` and all after it: an interrupted run takes them again."""
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True) if self.path.exists() else []
        partial = self.path.with_suffix(".partial")
        partial.write_text("".join(line for line in lines if _is_before(line, step)), encoding="utf-8")
        partial.replace(self.path)

    def add(self, values: dict[str, Any]) -> None:
        """Write one line; it is in the file when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def _is_before(line: str, step: int) -> bool:
    try:
        return bool(json.loads(line)["step"] < step)
    except ValueError:  # the line that was being written when the run was killed
        return False


class Interruption:
    """While it is entered, SIGINT within `held` is raised at its end; a second one, and outside, at once."""

    def __init__(self) -> None:
        self._holding = self._waiting = False
        self._before: Any = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # no other may set a handler
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is whole or not done at all."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._waiting:
            self._waiting = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self._holding or self._waiting:
            raise KeyboardInterrupt
        self._waiting = True

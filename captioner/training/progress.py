"""What a run leaves on disk while it trains: where it stands, and the loss of every step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATE, LOSSES = "state.pt", "losses.jsonl"


@dataclass
class Progress:
    """Where a run stands; all of it is in the resumable state."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = float("-inf")
    stale: int = 0


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

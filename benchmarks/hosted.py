"""`app.py` in a process of its own, as a host runs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300


class Hosted(NamedTuple):
    """A running server: its address, and its process number if it was started here."""

    address: str
    process: int | None = None

    def resident(self) -> float:
        """Resident memory in MB; 0 where it cannot be read."""
        try:
            status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        except OSError:
            return 0.0
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


@contextmanager
def hosted(address: str = "") -> Iterator[Hosted]:
    """The server at ``address``, or one that is started here, on a free port, for as long as it is needed."""
    if address:
        yield Hosted(address.rstrip("/"))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    environment.pop("GRADIO_SERVER_PORT", None)
    log = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, str(ROOT / "app.py")], env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield Hosted(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit("The page did not start; see `python app.py`.")
